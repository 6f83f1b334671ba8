//! Machines, and what is followed on them.

use super::*;

fn machine(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    for file in files {
        let path = root.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a file in a directory")).expect("directories");
        std::fs::write(path, "x").expect("a file");
    }
    root
}

#[test]
fn the_journal_is_read_where_no_daemon_writes_it_into_files() {
    let journal = "var/log/journal/0c/system.journal";
    let root = machine(&[journal, "var/log/apt/history.log"]);
    let of_root = found(root.path(), SystemTime::now());
    assert!(of_root.has_journal && !of_root.has_containers && of_root.notes.len() == 1, "{of_root:?}");
    let root = machine(&[journal, "var/log/syslog"]);
    let of_root = found(root.path(), SystemTime::now());
    assert!(!of_root.has_journal && of_root.notes[0].contains("var/log/syslog has what it says"), "{of_root:?}");
    // What a daemon wrote that was removed since.
    assert!(found(root.path(), SystemTime::now() + 2 * QUIET_MAX).has_journal);
    assert_eq!(found(machine(&["var/log/journal/readme"]).path(), SystemTime::now()), UsualSources::default());
}

#[test]
fn containers_are_followed_where_there_are_any() {
    let root = machine(&["var/lib/docker/containers/0a/0a-json.log"]);
    let of_root = found(root.path(), SystemTime::now());
    assert!(of_root.has_containers && !of_root.has_journal, "{of_root:?}");
    let root = machine(&["var/lib/docker/x"]);
    std::fs::create_dir(root.path().join("var/lib/docker/containers")).expect("a directory");
    assert!(!found(root.path(), SystemTime::now()).has_containers);
}

#[test]
fn the_inputs_of_this_machine_are_ones() {
    assert!(usual_inputs().iter().any(|input| input.kind == "files"));
}
