//! The command line on a machine of one's own: its time zone, the server on a data directory, mistakes in settings.

use serde_json::{Value, json};

use crate::server::{Ran, Server, catat, ndjson, run};

/// Runs a command in Jakarta.
fn in_jakarta(scratch: &std::path::Path, arguments: &[&str]) -> Ran {
    let mut command = catat(scratch);
    command.env("TZ", "Asia/Jakarta").args(arguments);
    run(command, "")
}

#[test]
fn times_are_read_and_printed_in_the_zone_of_the_machine() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("g", ndjson([json!({"timestamp": "2026-11-19T02:58:00Z", "message": "begin"})]));
    let ask = |more: &[&str]| {
        let span = ["query", "--url", &server.url, "--from", "2026-11-19 09:58", "--to", "2026-11-19 09:59"];
        in_jakarta(scratch.path(), &[&span[..], more, &["fields @timestamp, message"]].concat())
    };
    let table = ask(&["-o", "table"]);
    assert!(table.out.contains("2026-11-19T09:58:00+07:00"), "{} {}", table.out, table.err);
    assert!(ask(&["-o", "ndjson"]).out.contains("2026-11-19T02:58:00Z"), "a program reads UTC");
    let tokyo = in_jakarta(
        scratch.path(),
        &[
            "query", "--url", &server.url, "--tz", "Asia/Tokyo", "--from", "2026-11-19 11:58", "-o", "csv",
            "fields @timestamp",
        ],
    );
    assert!(tokyo.out.contains("2026-11-19T11:58:00+09:00"), "{} {}", tokyo.out, tokyo.err);
    let utc = ask(&["--utc"]);
    assert_eq!((utc.code, &*utc.out), (0, ""), "09:58 in Greenwich is later: {}", utc.err);
    let file = scratch.path().join("app.log");
    std::fs::write(&file, "2026-11-19 09:58:00 begin\n").expect("scratch is writable");
    let path = file.to_str().expect("scratch paths are ASCII");
    let lines = in_jakarta(scratch.path(), &["query", "--file", path, "--utc", "fields @timestamp"]);
    assert!(lines.out.contains("2026-11-19T02:58:00Z"), "{} {}", lines.out, lines.err);
}

#[test]
fn mistakes_in_times_name_their_flag() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let check = |arguments: &[&str], expected: &str| {
        let ran = in_jakarta(scratch.path(), &[&["query", "--file", "-"], arguments].concat());
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(expected), "{expected}: {}", ran.err);
    };
    check(&["--since", "1x"], "--since 1x: ");
    check(&["--since", "-1h"], "write --since 1h");
    check(&["--from", "soonish"], "--from: ");
    check(&["--tz", "Mars"], "--tz Mars: ");
}

#[test]
fn a_server_without_keys_is_administrated_by_its_data_directory() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let server = Server::serve(scratch.path());
    server.ingest("app", ndjson([json!({"message": "x"})]));
    let elsewhere = tempfile::tempdir().expect("a scratch directory");
    let groups = |more: &[&str]| {
        let mut command = catat(elsewhere.path());
        command.arg("groups").args(more);
        run(command, "")
    };
    let data = server.data_dir.to_str().expect("scratch paths are ASCII");
    let refused = groups(&["set", "app", "--age", "7d", "--url", &server.url]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    assert!(refused.err.contains("--data-dir"), "{}", refused.err);
    let set = groups(&["set", "app", "--age", "7d", "--data-dir", data, "-o", "ndjson"]);
    assert_eq!(set.code, 0, "{}", set.err);
    let listed = groups(&["list", "--data-dir", data, "-o", "ndjson"]);
    let row: Value = serde_json::from_str(&listed.out).expect("one group");
    assert_eq!((&row["name"], &row["retention_age"]), (&json!("app"), &json!("7d")));
    let wrong = groups(&["list", "--data-dir", "/nowhere"]);
    assert!(wrong.code == 2 && wrong.err.contains("/nowhere/admin.key"), "{}", wrong.err);
}

#[test]
fn all_mistakes_in_settings_are_named_at_once_and_shown_settings_are_settings() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let write = |text: &str| std::fs::write(scratch.path().join("catat.toml"), text).expect("scratch is writable");
    let catat = |arguments: &[&str]| {
        let mut command = catat(scratch.path());
        command.current_dir(scratch.path()).args(arguments);
        run(command, "")
    };
    write(
        "[server]\nlisten = \"nowhere\"\nhots = [\"a\"]\n[storage]\nflush_bytes = \"many\"\n[retention]\nage = 1979-05-27\n",
    );
    let checked = catat(&["check"]);
    assert_eq!(checked.code, 2);
    for (line, word) in [(2, "listen"), (3, "server.hosts"), (5, "flush_bytes"), (7, "age")] {
        let place = format!("catat.toml:{line}: ");
        assert!(checked.err.lines().any(|text| text.contains(&place) && text.contains(word)), "{place}{}", checked.err);
    }
    write("[server]\nhosts = [\"logs.test\", \"a.test\"]\n[limits]\ngroups = 5\n[alerts]\nallow_commands = true\n");
    let shown = catat(&["config", "show"]);
    for line in ["hosts = [\"logs.test\", \"a.test\"]", "groups = 5", "allow_commands = true"] {
        assert!(shown.out.lines().any(|text| text.starts_with(line)), "{line}: {}", shown.out);
    }
    write(&shown.out);
    let values = |text: &str| {
        text.lines().map(|line| line.split(" #").next().map(str::trim).map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(values(&catat(&["config", "show"]).out), values(&shown.out));
}

#[test]
fn shown_pipelines_and_inputs_are_settings_without_their_secrets() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let write = |text: &str| std::fs::write(scratch.path().join("catat.toml"), text).expect("scratch is writable");
    let show = || {
        let mut command = catat(scratch.path());
        command.current_dir(scratch.path()).args(["config", "show"]);
        let ran = run(command, "");
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    write(
        "[[pipeline]]\nname = \"web\"\nmatch = { group = \"web/*\" }\n[[pipeline.steps]]\nmask = [\"email\"]\n\
         hash_key = \"not-for-eyes-0123456789\"\n[[input]]\ntype = \"scrape\"\nname = \"node\"\n\
         url = \"http://me:not-for-eyes@127.0.0.1:9100/metrics\"\n",
    );
    let shown = show();
    for line in [
        "# pipeline.steps[0].hash_key is not shown; without it, masked values have no hash",
        "[[pipeline]]",
        "mask = [\"email\"]",
        "# input.url: user and password are not shown",
        "[[input]]",
        "url = \"http://127.0.0.1:9100/metrics\"",
    ] {
        assert!(shown.lines().any(|text| text == line), "{line}: {shown}");
    }
    assert!(!shown.contains("not-for-eyes"), "{shown}");
    write(&shown);
    let definitions = |text: &str| {
        let text = &text[text.find("[[pipeline]]").expect("it is shown")..];
        text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(definitions(&show()), definitions(&shown));
}

#[test]
fn all_wrong_keys_of_settings_and_rules_are_named_at_once() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    std::fs::write(
        scratch.path().join("catat.toml"),
        "[server]\nhots = []\n[alerts]\nrules_dir = \".\"\n[[pipeline]]\nnam = \"a\"\nstep = []\n\
         [[pipeline]]\nname = \"b\"\n[[pipeline.steps]]\nlevel = \"l\"\nwhenn = {}\n[[pipeline.steps]]\nlevl = \"l\"\n\
         [[input]]\npath = \"/a\"\nexclud = \"/b\"\n",
    )
    .expect("scratch is writable");
    std::fs::write(
        scratch.path().join("r.yaml"),
        "groups:\n- name: g\n  rules:\n  - name: a\n    querry: x\n    severity: page\n  - nmae: b\n    query: x\n",
    )
    .expect("scratch is writable");
    let mut command = catat(scratch.path());
    command.current_dir(scratch.path()).args(["check"]);
    let ran = run(command, "");
    assert_eq!(ran.code, 2, "{}", ran.err);
    for mistake in [
        "catat.toml:2: unknown setting \"server.hots\"",
        "catat.toml:6: pipeline[0].nam: unknown key",
        "catat.toml:7: pipeline[0].step: unknown key",
        "catat.toml:12: pipeline[1].steps[0].whenn: unknown key",
        "catat.toml:14: pipeline[1].steps[1].levl: unknown key",
        "catat.toml:16: input[0].path: unknown key",
        "catat.toml:17: input[0].exclud: unknown key",
        "r.yaml:5:5: unknown key \"querry\"",
        "r.yaml:6:5: unknown key \"severity\"",
        "r.yaml:7:5: unknown key \"nmae\"",
    ] {
        assert!(ran.err.contains(mistake), "{mistake}: {}", ran.err);
    }
}
