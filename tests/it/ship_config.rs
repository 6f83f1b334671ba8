//! The configuration of the shipper: inputs that are defined are followed, mistakes have their line, a look sends nothing.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::server::{Launch, Server, catat, run};

/// A child that does not outlive the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `catat ship` with the file `ship.toml` in `scratch`.
fn ship(scratch: &Path) -> Running {
    let mut command = catat(scratch);
    command.args(["ship", "--config", "ship.toml"]).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().expect("the executable was built"))
}

/// Two files and a program, each an input of its own.
fn inputs(scratch: &Path) -> String {
    let dir = scratch.display();
    fs::create_dir_all(scratch.join("logs")).expect("scratch is writable");
    for (name, n) in [("web.log", 3), ("web-debug.log", 5), ("shop.log", 2)] {
        let lines: String = (0..n).map(|n| format!("2026-11-20T10:00:0{n}Z {name} says {n}\n")).collect();
        fs::write(scratch.join("logs").join(name), lines).expect("scratch is writable");
    }
    format!(
        "[[input]]\nname = \"web\"\npaths = \"{dir}/logs/web*.log\"\nexclude = \"{dir}/logs/*-debug.log\"\n\
         group = \"web/all\"\nfields = {{ env = \"prod\", rack = 7 }}\n\
         [[input]]\nname = \"shop\"\npaths = [\"{dir}/logs/shop.log\"]\nstream = \"till\"\nbacklog = \"none\"\n\
         [[input]]\ntype = \"command\"\ncommand = [\"echo\", \"one line of a program\"]\nevery = \"1h\"\ngroup = \"program\"\n"
    )
}

fn append(path: &Path, line: &str) {
    use std::io::Write;
    let file = fs::File::options().append(true).open(path);
    file.and_then(|mut file| writeln!(file, "{line}")).expect("scratch is writable");
}

fn check_arrived(server: &Server, scratch: &Path) {
    server.until("the inputs arrived", || (server.count() >= 4).then_some(()));
    append(&scratch.join("logs/shop.log"), "2026-11-20T10:00:09Z new in the shop");
    server.until("the new line arrived", || (server.count() >= 5).then_some(()));
    let rows = server.rows("stats count(*) as n by @log, @logStream | sort @log");
    let of = |group: &str| rows.iter().filter(|row| row[0] == json!(group)).collect::<Vec<_>>();
    assert_eq!(of("web/all").len(), 1, "{rows:?}");
    assert_eq!(of("web/all")[0][2], json!(3));
    assert_eq!(of("program")[0][2], json!(1));
    let shop = rows.iter().find(|row| row[1] == json!("till")).expect("the shop's stream");
    assert_eq!(shop[2], json!(1), "old lines of the shop are not wanted: {rows:?}");
    assert_eq!(server.value("filter env = \"prod\" and rack = 7 | stats count(*) as n"), json!(3));
}

#[test]
fn inputs_of_the_configuration_are_shipped_each_in_its_way() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let settings = format!("[ship]\nurl = \"{}\"\nstate_dir = \"state\"\n", server.url);
    fs::write(scratch.path().join("ship.toml"), settings + &inputs(scratch.path())).expect("scratch is writable");
    let ship = ship(scratch.path());
    check_arrived(&server, scratch.path());
    let status = || {
        let mut command = catat(scratch.path());
        command.args(["ship", "status", "--config", "ship.toml"]);
        let ran = run(command, "");
        serde_json::from_str::<Value>(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err))
    };
    let told = server.until("the status tells it all", || {
        Some(status()).filter(|told| told["bytes_waiting"] == json!(0) && told["inputs"][0]["lines"] == json!(1))
    });
    assert_eq!((&told["is_running"], told["files"].as_array().map(Vec::len)), (&json!(true), Some(2)));
    drop(ship);
    assert_eq!(status()["is_running"], json!(false));
}

#[test]
fn who_starts_everything_at_once_follows_the_same_inputs() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let settings = inputs(scratch.path());
    fs::write(scratch.path().join("up.toml"), settings).expect("scratch is writable");
    let server = Launch::new(scratch.path(), &["up", "--config", "up.toml"]).start();
    check_arrived(&server, scratch.path());
}

#[test]
fn what_stays_on_the_host_is_not_at_the_server_and_the_rest_is_whole() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    let log = scratch.path().join("app.log");
    let lines: String = (0..200).map(|n| format!("#{n} reads\nsecond line\n#{n} GET /healthz\n")).collect();
    fs::write(&log, format!("{lines}#last for bob@example.com password=hunter2 ok\n")).expect("scratch is writable");
    let settings = format!(
        "[ship]\nurl = \"{}\"\nstate_dir = \"state\"\n[[input]]\npaths = \"app.log\"\n\
         multiline = {{ start = \"^#\" }}\ndrop = \"/healthz\"\nmask = [\"email\", \"token\"]\n",
        server.url
    );
    fs::write(scratch.path().join("ship.toml"), settings).expect("scratch is writable");
    let _ship = ship(scratch.path());
    server.until("everything arrived", || (server.count() >= 201).then_some(()));
    assert_eq!(server.count(), 201);
    assert_eq!(server.rows("filter @message like /healthz/").len(), 0);
    let two = server.rows("filter @message like /second/ | fields @message | limit 1");
    assert!(two[0][0].as_str().is_some_and(|text| text.ends_with("reads\nsecond line")), "{two:?}");
    let last = server.rows("filter @message like /#last/ | fields @message");
    assert_eq!(last, [[json!("#last for *************** password=******* ok")]]);
}

#[test]
fn a_look_shows_events_and_touches_neither_state_nor_server() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    // Nobody listens there, and nobody is asked.
    let settings = format!("[ship]\nurl = \"http://127.0.0.1:1\"\nstate_dir = \"state\"\n{}", inputs(scratch.path()));
    fs::write(scratch.path().join("ship.toml"), settings).expect("scratch is writable");
    let mut command = catat(scratch.path());
    command.args(["ship", "--config", "ship.toml", "--dry-run", "-o", "ndjson"]);
    let ran = run(command, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let events: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).expect("NDJSON")).collect();
    assert!(!events.is_empty() && events.iter().all(|event| event["group"] == json!("web/all")), "{}", ran.out);
    assert_eq!((&events[0]["offset"], &events[0]["fields"]["env"]), (&json!(0), &json!("prod")));
    assert!(events[0]["line"].as_str().is_some_and(|line| line.ends_with("web.log says 0")), "{}", ran.out);
    assert!(ran.err.contains("the input \"command\" was not run"), "{}", ran.err);
    assert!(!scratch.path().join("state").exists());
}

#[test]
fn a_shipper_does_not_read_what_it_keeps_itself_however_that_is_named() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    fs::create_dir(scratch.path().join("state")).expect("scratch is writable");
    for name in ["state/status.json", "app.log"] {
        fs::write(scratch.path().join(name), "2026-11-20T10:00:00Z a line\nanother\n").expect("scratch is writable");
    }
    let mut command = catat(scratch.path());
    command.args(["ship", "--state-dir", "state", "--dry-run", "-o", "ndjson", "."]);
    let ran = run(command, "");
    assert!(ran.out.contains("app.log") && !ran.out.contains("status.json"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_check_finds_mistakes_by_line_and_says_what_is_perhaps_not_meant() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let check = |settings: &str| {
        fs::write(scratch.path().join("ship.toml"), settings).expect("scratch is writable");
        let mut command = catat(scratch.path());
        command.args(["check", "--config", "ship.toml", "--data-dir", "data"]);
        run(command, "")
    };
    let wrong = check("[[input]]\npath = \"/a\"\n[[input]]\ntype = \"comand\"\n");
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    for expected in [
        "ship.toml:2: input[0].path: unknown key \"path\"; did you mean \"paths\"?",
        "ship.toml:4: input[1].type: unknown type \"comand\"; did you mean \"command\"?",
    ] {
        assert!(wrong.err.contains(expected), "{}", wrong.err);
    }
    let doubtful = check("[[input]]\npaths = \"/no/such\"\n[[input]]\nname = \"again\"\npaths = \"/no/such\"\n");
    assert_eq!(doubtful.code, 0, "{}", doubtful.err);
    assert!(doubtful.err.contains("warning: input \"files\": /no/such does not exist yet"), "{}", doubtful.err);
    assert!(doubtful.err.contains("/no/such belongs to the input \"files\" before it"), "{}", doubtful.err);
    let keyless = check("[ship]\nkey_file = \"no-key\"\n");
    assert!(keyless.code == 2 && keyless.err.contains("ship.key_file no-key: "), "{}", keyless.err);
}

#[test]
fn a_key_in_the_configuration_is_never_shown() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    fs::write(scratch.path().join("ship.toml"), "[ship]\nkey = \"not-for-eyes\"\n").expect("scratch is writable");
    let mut command = catat(scratch.path());
    command.args(["config", "show", "--config", "ship.toml"]);
    let ran = run(command, "");
    assert!(ran.out.contains("# key is not shown") && !(ran.out + &ran.err).contains("not-for-eyes"));
}
