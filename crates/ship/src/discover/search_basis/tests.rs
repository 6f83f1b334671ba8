//! When a search has to be repeated.

use std::fs::{File, FileTimes};

use super::*;

/// Reports whether a footing on a directory with a link stands after something was done there.
fn check(what: impl FnOnce(&Path), age: Duration) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("a.log"), "a").unwrap();
    fs::write(dir.path().join("elsewhere"), "b").unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), logs.join("link")).unwrap();
    File::open(&logs).unwrap().set_times(FileTimes::new().set_modified(SystemTime::now() - age)).unwrap();
    let mut footing = SearchBasis::default();
    for path in [logs.clone(), logs.join("link"), dir.path().join("absent")] {
        footing.note(&path, fs::metadata(&path).ok().as_ref());
    }
    what(dir.path());
    footing.stands()
}

#[test]
fn it_stands_while_files_only_grow_and_falls_when_a_name_comes_or_goes() {
    let old = Duration::from_secs(60);
    assert!(check(|_| {}, old));
    assert!(check(|dir| fs::write(dir.join("logs/a.log"), "aa").unwrap(), old));
    assert!(!check(|dir| fs::write(dir.join("logs/b.log"), "b").unwrap(), old));
    assert!(!check(|dir| fs::remove_file(dir.join("logs/a.log")).unwrap(), old));
    assert!(!check(|dir| fs::rename(dir.join("logs/a.log"), dir.join("logs/a.log.1")).unwrap(), old));
    assert!(!check(|dir| fs::hard_link(dir.join("logs/a.log"), dir.join("logs/b.log")).unwrap(), old));
}

#[test]
fn it_falls_when_a_link_leads_elsewhere_or_what_was_absent_is_there() {
    let old = Duration::from_secs(60);
    assert!(!check(|dir| fs::rename(dir.join("logs/a.log"), dir.join("elsewhere")).unwrap(), old));
    assert!(!check(|dir| fs::remove_file(dir.join("elsewhere")).unwrap(), old));
    assert!(!check(|dir| fs::write(dir.join("absent"), "").unwrap(), old));
    assert!(!check(|dir| fs::rename(dir.join("logs"), dir.join("other")).unwrap(), old));
}

#[test]
fn a_directory_that_changed_just_now_may_change_again_unseen() {
    assert!(!check(|_| {}, Duration::ZERO));
    assert!(!check(|_| {}, Duration::from_secs(1)));
    assert!(!SearchBasis::default().stands());
}
