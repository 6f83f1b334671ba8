//! What a program is given, when it is run again, and which commands are refused.

use serde_json::json;

use super::*;

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(String::from).to_vec()
}

#[test]
fn a_program_reads_the_notification_and_nothing_of_what_catat_knows() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("out").display().to_string();
    run(&shell(&format!("cat > {path}; echo >> {path}; env >> {path}")), &json!({"rule": "errors"})).expect("it runs");
    let out = std::fs::read_to_string(&path).expect("it wrote");
    assert!(out.starts_with(r#"{"rule":"errors"}"#), "{out}");
    let names: Vec<&str> = out.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known = |name: &&str| ENVIRONMENT.contains(name) || ["PWD", "OLDPWD", "SHLVL", "_"].contains(name);
    assert!(names.iter().all(known), "{names:?}");
}

#[test]
fn a_program_that_fails_or_stays_is_run_again_later() {
    let failed = run(&shell("exit 3"), &json!({}));
    assert!(matches!(&failed, Err(PostError::Retry { reason, .. }) if reason.contains('3')), "{failed:?}");
    let stays = run_for(&shell("exec sleep 600"), &json!({}), Duration::ZERO);
    assert!(matches!(&stays, Err(PostError::Retry { reason, .. }) if reason.contains("was killed")), "{stays:?}");
    assert!(run(&["/nowhere/at/all".to_string()], &json!({})).is_err());
}

#[test]
fn a_command_is_a_whole_path_with_arguments() {
    assert!(checked(Vec::new()).is_err());
    assert!(checked(vec!["sh".into()]).is_err());
    assert!(checked(vec!["/bin/sh".into(), "a\0b".into()]).is_err());
    assert!(checked(shell("true")).is_ok());
}
