//! `catat doctor` with a server and without one: what is told, where it comes from, exit codes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::server::{Ran, Server, catat, run};

fn doctor(scratch: &Path, arguments: &[&str]) -> Ran {
    let mut command = catat(scratch);
    command.args(["doctor", "--data-dir", "data"]).args(arguments);
    run(command, "")
}

/// Returns the findings, and what of the exit code follows from them.
fn findings(scratch: &Path, arguments: &[&str]) -> Vec<Value> {
    let ran = doctor(scratch, &[arguments, &["-o", "json"]].concat());
    let findings: Vec<Value> = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{} {}", ran.out, ran.err));
    let is_ill = findings.iter().any(|finding| finding["severity"] == "problem");
    assert_eq!(ran.code, i32::from(is_ill), "{}", ran.out);
    let is_doubtful = is_ill || findings.iter().any(|finding| finding["severity"] == "warning");
    assert_eq!(doctor(scratch, &[arguments, &["--strict"]].concat()).code, i32::from(is_doubtful));
    findings
}

/// Returns severities and messages of a check.
fn of<'f>(findings: &'f [Value], check: &str) -> Vec<(&'f str, &'f str)> {
    let text = |value: &'f Value| value.as_str().unwrap_or_default();
    let of_check = findings.iter().filter(|finding| finding["check"] == check);
    of_check.map(|finding| (text(&finding["severity"]), text(&finding["message"]))).collect()
}

#[test]
fn without_a_server_the_command_looks_itself() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    fs::create_dir(scratch.path().join("logs")).expect("it is writable");
    fs::write(scratch.path().join("right.toml"), "[[input]]\npaths = [\"logs/*\"]\n").expect("it is writable");
    let found = findings(scratch.path(), &["--config", "right.toml"]);
    assert_eq!(of(&found, "server").first().map(|(severity, _)| *severity), Some("note"), "{found:#?}");
    assert!(of(&found, "settings").iter().all(|(severity, text)| *severity == "ok" && text.contains("right.toml")));
    fs::write(scratch.path().join("wrong.toml"), "[storage]\nflush_age = \"soon\"\n").expect("it is writable");
    let found = findings(scratch.path(), &["--config", "wrong.toml"]);
    let settings = of(&found, "settings");
    assert!(settings.len() == 1 && settings[0].0 == "problem" && settings[0].1.contains("flush_age"), "{settings:?}");
    let text = doctor(scratch.path(), &["--config", "wrong.toml"]);
    assert!(text.out.starts_with("problem  settings") && text.err.contains("1 problem"), "{}{}", text.out, text.err);
}

#[test]
fn a_running_server_tells_what_only_it_knows_and_backups_are_noted() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = Server::serve(scratch.path());
    server.ingest("shop", "{\"message\":\"x\"}\n");
    fs::set_permissions(&server.data_dir, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let found = findings(scratch.path(), &[]);
    for check in ["ready", "sources", "clocks", "levels", "settings", "certificates"] {
        assert_eq!(of(&found, check).len(), 1, "{check}: {found:#?}");
    }
    assert_eq!(of(&found, "server"), []);
    assert_eq!(of(&found, "permissions").first().map(|(severity, _)| *severity), Some("warning"), "{found:#?}");
    assert_eq!(of(&found, "backup"), [("ok", "the store is younger than a week")]);
    let mut backup = catat(scratch.path());
    backup.args(["backup", "--data-dir", "data", "--to", "copy"]);
    assert_eq!(run(backup, "").code, 0);
    let found = findings(scratch.path(), &[]);
    assert!(of(&found, "backup")[0].1.starts_with("the last one is from 20"), "{found:#?}");
    // Another key than that of the server: it is there, and says nothing.
    fs::write(server.data_dir.join("admin.key"), "another-key-0123456789\n").expect("it is ours");
    let found = findings(scratch.path(), &[]);
    let refused = of(&found, "server");
    assert!(refused[0].0 == "problem" && refused[0].1.contains("cannot be asked"), "{found:#?}");
    server.stop();
    assert_eq!(of(&findings(scratch.path(), &[]), "server")[0].0, "note");
    assert!(!scratch.path().join("copy/BACKUP").exists(), "a copy was not copied");
}
