//! Secrets stay where they were given (T-SEC-10): a marked text in every setting that is one, and none of them in anything
//! that the server says, logs, answers or copies. What it writes is for its owner alone.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::server::{Launch, Server, catat};

/// Begins every secret here, and nothing else.
const MARK: &str = "zqcanary";

const RULES: &str = r#"channels:
  - {name: hook, type: webhook, url: "http://127.0.0.1:1/hooks/zqcanary-address?token=zqcanary-parameter", secret: zqcanary-signing, topics: [ops]}
groups:
  - name: errors
    interval: 1s
    rules:
      - name: all-errors
        query: filter @level >= "error" | stats count(*) as count by @log
        window: 1h
        condition: count > 0
        topics: [ops]
"#;

const PIPELINE: &str = "\n[[pipeline]]\nname = \"mask\"\n[[pipeline.steps]]\nmask = [\"email\"]\nhash_key = \"zqcanary-hash-key-0123456789\"\n";

/// Settings with every kind of secret that a file can hold.
fn settings(scratch: &Path) -> String {
    fs::create_dir(scratch.join("rules")).expect("scratch is writable");
    fs::write(scratch.join("rules/all.yaml"), RULES).expect("scratch is writable");
    format!(
        "[storage]\nobject_store = \"s3://logs/catat\"\nobject_store_endpoint = \"http://127.0.0.1:1\"\n\
         object_store_allow_http = true\n[retention]\ninterval = \"1s\"\nwarm_after = \"never\"\ncold_after = \"1s\"\n\
         cold_place = \"object_store\"\n[alerts]\nrules_dir = {:?}\ninterval = \"1s\"\ngroup_wait = \"0s\"\n{PIPELINE}",
        scratch.join("rules")
    )
}

/// What holds a secret of ours, of several texts with their names.
fn told<'a>(texts: &'a [(String, String)], secrets: &[String]) -> Vec<&'a str> {
    let holds = |text: &str| text.contains(MARK) || secrets.iter().any(|secret| text.contains(&**secret));
    texts.iter().filter(|(_, text)| holds(text)).map(|(name, _)| &**name).collect()
}

/// Every file and directory below `dir`.
fn below(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        found.extend(entries.map(|entry| entry.path()));
        at += 1;
    }
    found
}

/// Makes a key, a user and a session; gives what is secret of them.
fn people(server: &Server) -> Vec<String> {
    let admin = ("authorization", server.admin());
    let json = ("content-type", "application/json");
    let post = |path: &str, body: Value| {
        let answer = server.post(path, &[(admin.0, &admin.1), json], body.to_string());
        assert!(answer.status < 300, "{path}: {}", answer.body);
        answer
    };
    let made = post("/api/v1/keys", json!({"name": "reader", "role": "read"})).json();
    let text = |name: &str| made[name].as_str().expect("it is shown once").to_owned();
    let secret_half = text("key").rsplit('_').next().expect("it has one").to_owned();
    let password = format!("{MARK}-password");
    post("/api/v1/users", json!({"name": "ani", "role": "admin", "password": password}));
    let signed_in = post("/api/v1/session", json!({"name": "ani", "password": password}));
    let cookie = signed_in.header("set-cookie").split([';', '=']).nth(1).expect("a token").to_owned();
    assert!(server.get("/api/v1/users", &[("cookie", &format!("catat_session={cookie}"))]).status == 200);
    assert_eq!(server.get("/api/v1/groups", &[("authorization", &format!("Bearer {}", text("key")))]).status, 200);
    vec![secret_half, text("secret_access_key"), cookie]
}

/// Requests that are wrong in ways that quote what was sent.
fn mistakes(server: &Server) -> Vec<(String, String)> {
    let admin = server.admin();
    let json = ("content-type", "application/json");
    let wrong = format!("{MARK}-wrong");
    let ask = |name: &str, answer: crate::server::Answer| (name.to_owned(), answer.body);
    vec![
        ask("a wrong key", server.get("/api/v1/groups", &[("x-catat-key", &wrong)])),
        ask("a wrong bearer", server.get("/api/v1/groups", &[("authorization", &format!("Bearer {wrong}"))])),
        ask("a key in an address", server.get(&format!("/api/v1/groups?api_key={wrong}"), &[])),
        ask("a wrong cookie", server.get("/api/v1/session", &[("cookie", &format!("catat_session={wrong}"))])),
        ask(
            "a wrong password",
            server.post("/api/v1/session", &[json], format!(r#"{{"name":"ani","password":"{wrong}"}}"#)),
        ),
        ask(
            "a password of a wrong type",
            server.post("/api/v1/session", &[json], format!(r#"{{"name":"{wrong}","password":["{wrong}"]}}"#)),
        ),
        ask(
            "a field too many",
            server.post("/api/v1/session", &[json], format!(r#"{{"name":"a","password":"{wrong}","x":1}}"#)),
        ),
        ask(
            "a short password",
            server.post(
                "/api/v1/users",
                &[json, ("authorization", &admin)],
                r#"{"name":"b","role":"read","password":"zqcan"}"#,
            ),
        ),
        ask(
            "a wrong pipeline",
            server.post(
                "/api/v1/pipelines/test",
                &[json, ("authorization", &admin)],
                json!({
                    "pipelines": [{"name": "p", "steps": [{"mask": ["nothing"], "hash_key": wrong}]}], "lines": ["a"],
                })
                .to_string(),
            ),
        ),
    ]
}

/// Returns what is in a bundle, which has what a server says of itself and no event.
fn unpacked(bundle: &Path) -> String {
    let mut text = String::new();
    let read = fs::File::open(bundle).and_then(|file| flate2::read::GzDecoder::new(file).read_to_string(&mut text));
    assert!(read.is_ok() && text.contains("catat_groups") && text.contains("\"ready\""), "{read:?} {text}");
    assert!(!text.contains("drawer is stuck"), "an event is in it");
    text
}

#[test]
fn a_server_never_says_a_secret() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let data = scratch.path().join("data");
    fs::create_dir(&data).expect("scratch is writable");
    fs::write(data.join("admin.key"), format!("{MARK}-admin-key-0123456789\n")).expect("scratch is writable");
    let launch = Launch::configured(scratch.path(), &settings(scratch.path()))
        .with(&[("AWS_ACCESS_KEY_ID", "zqcanary-id"), ("AWS_SECRET_ACCESS_KEY", "zqcanary-aws")])
        .with_variable("CATAT_LOG", "trace");
    let mut server = launch.start();
    server.ingest("shop/till", "{\"level\":\"error\",\"message\":\"drawer is stuck\"}\n");
    server.ingest("shop/till", "{\"@timestamp\":\"2026-01-01T00:00:00Z\",\"message\":\"long ago\"}\n");
    server.until("the webhook was tried", || server.transcript().contains("hook").then_some(()));
    server.until("the bucket was tried", || {
        server.try_flush(true);
        let status = server.get("/api/v1/status", &[]).json();
        status["store"]["object_store_requests"].as_u64().filter(|n| *n > 0)
    });
    let secrets = people(&server);
    let mut texts = mistakes(&server);
    server.flush();
    let admin = server.admin();
    for path in [
        "/metrics",
        "/api/v1/status",
        "/api/v1/rules",
        "/api/v1/alerts",
        "/api/v1/pipelines",
        "/api/v1/keys",
        "/api/v1/users",
        "/api/v1/groups",
        "/api/v1/queries",
        "/api/v1/session",
        "/api/openapi.json",
        "/config",
        "/debug",
        "/-/ready",
        "/api/v1/query?query=fields%20@message,caller,address,reason,key_name,user&groups=catat/*&from=0&to=now",
    ] {
        let answer = server.get(path, &[("authorization", &admin)]);
        assert!(answer.status == 200 || ["/config", "/debug", "/-/ready"].contains(&path), "{path}: {}", answer.body);
        texts.push((path.to_owned(), answer.body));
    }
    let command_line = fs::read(format!("/proc/{}/cmdline", server.pid())).expect("it runs");
    texts.push(("the command line".into(), String::from_utf8_lossy(&command_line).into_owned()));
    let printed = |arguments: &[&str]| {
        let ran = catat(scratch.path()).args(arguments).output().expect("the executable was built");
        (arguments.join(" "), String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr))
    };
    texts.push(printed(&["check", "--config", "catat.toml"]));
    texts.push(printed(&["config", "show", "--config", "catat.toml"]));
    texts.push(printed(&["backup", "--data-dir", "data", "--to", "copy"]));
    fs::write(scratch.path().join("log"), server.transcript()).expect("scratch is writable");
    texts.push(printed(&["support-bundle", "--data-dir", "data", "--to", "bundle", "--log", "log"]));
    texts.push(("the bundle".into(), unpacked(&scratch.path().join("bundle"))));
    texts.push(printed(&["doctor", "--data-dir", "data"]));
    let copied = below(&scratch.path().join("copy"));
    assert!(copied.len() > 3, "{}", texts.last().expect("it was just put there").1);
    server.stop();
    texts.push(("the log".into(), server.transcript()));
    let said = server.transcript();
    assert!(said.contains("DEBUG") && said.contains("hook") && said.len() > 5_000, "it says what it does: {said}");
    let is_ours = |path: &PathBuf| path.is_file() && !path.ends_with("admin.key");
    for path in below(&data).into_iter().chain(copied).filter(is_ours) {
        texts
            .push((path.display().to_string(), String::from_utf8_lossy(&fs::read(&path).expect("it is there")).into()));
    }
    assert_eq!(told(&texts, &secrets), Vec::<&str>::new());
    // What looks for them does find them.
    assert_eq!(told(&[("a".into(), format!("x{}", secrets[0])), ("b".into(), MARK.into())], &secrets), ["a", "b"]);
}

#[test]
fn a_wrong_configuration_is_told_without_its_secrets() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let rules = scratch.path().join("rules");
    fs::create_dir(&rules).expect("scratch is writable");
    let pem = scratch.path().join("key.pem");
    fs::write(&pem, format!("-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----\n"))
        .expect("it is written");
    let in_rules = format!("[alerts]\nrules_dir = {rules:?}\n");
    let mut texts = Vec::new();
    let mut check = |name: &str, settings: &str, of_rules: &str| {
        fs::write(scratch.path().join("wrong.toml"), settings).expect("scratch is writable");
        fs::write(rules.join("all.yaml"), of_rules).expect("scratch is writable");
        for arguments in [&["check"][..], &["config", "show"], &["serve", "--listen", "127.0.0.1:0"]] {
            let mut command = catat(scratch.path());
            command.args(arguments).args(["--config", "wrong.toml", "--data-dir", "data"]);
            let ran = command.env("CATAT_LOG", "trace").output().expect("the executable was built");
            let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
            assert!(!ran.status.success() || arguments[0] == "config", "{name}: {arguments:?} {said}");
            texts.push((format!("{name}: {arguments:?}"), said));
        }
    };
    let database = |url: &str| format!("[storage]\ncontrol_store = \"{url}\"\n");
    check(
        "a database that is not there",
        &(database(&format!("postgres://u:{MARK}@127.0.0.1:1/db")) + &in_rules),
        "x: [",
    );
    check("no address of a database", &database(&format!("postgres://u:{MARK}@[/db?x=y@z")), "");
    check("a database of another kind", &database(&format!("mysql://u:{MARK}@localhost/db")), "");
    check("a setting that is unknown", &format!("[storage]\npassword = \"{MARK}\"\n"), "");
    check("a line that is cut off", &format!("[storage]\ncontrol_store = \"postgres://u:{MARK}\n"), "");
    check(
        "a bucket's endpoint with a password",
        &format!(
            "[storage]\nobject_store = \"s3://logs\"\nobject_store_endpoint = \"https://u:{MARK}@s3.example.org\"\n"
        ),
        "",
    );
    check("a key that is none", &format!("[server]\ntls_cert = {pem:?}\ntls_key = {pem:?}\n"), "");
    check("a short hash key", &PIPELINE.replace("zqcanary-hash-key-0123456789", "zqcanary"), "");
    check("a wrong step", &PIPELINE.replace("email", "nothing"), "");
    for (name, from, to) in [
        ("a channel's kind", "type: webhook", "type: post"),
        ("a secret that is a list", "secret: zqcanary-signing", "secret: [zqcanary-signing]"),
        ("an address that is none", "\"http://127.0.0.1:1/", "\"127.0.0.1:1/"),
        ("a field too many", "secret: zqcanary-signing", "password: zqcanary-signing"),
        ("a brace too many", "topics: [ops]}", "topics: [ops]}}"),
        ("a quote too few", "zqcanary-parameter\"", "zqcanary-parameter"),
    ] {
        assert!(RULES.contains(from));
        check(name, &in_rules, &RULES.replacen(from, to, 1));
    }
    assert_eq!(told(&texts, &[]), Vec::<&str>::new());
}

#[test]
fn what_is_written_is_for_its_owner_alone() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    server.ingest("a/b", "{\"message\":\"x\"}\n");
    server.flush();
    people(&server);
    let key = fs::read_to_string(server.data_dir.join("admin.key")).expect("the first start writes it");
    let put = server.put("/api/v1/lookups/people", &json!([]));
    assert!(put.status < 500, "{}", put.body);
    let ran =
        catat(scratch.path()).args(["backup", "--data-dir", "data", "--to", "copy"]).output().expect("it was built");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    server.stop();
    let found = [below(&server.data_dir), below(&scratch.path().join("copy"))].concat();
    assert!(found.len() > 15 && !key.is_empty(), "{found:?}");
    for path in found {
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, wanted, "{}", path.display());
    }
}
