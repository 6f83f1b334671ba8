//! The first events of each file.

use super::*;
use crate::FollowOptions;

#[test]
fn a_look_shows_the_first_events_of_each_file_and_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let logs = scratch.path().join("logs");
    std::fs::create_dir(&logs).expect("scratch");
    let many: String = (0..100).map(|n| format!("line {n}\n")).collect();
    for name in ["a.log", "b.log"] {
        std::fs::write(logs.join(name), format!("first of {name}\n\tat x\n\n{many}")).expect("scratch");
    }
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    for name in ["a.log", "b.log"] {
        std::fs::File::options().append(true).open(logs.join(name)).and_then(|f| f.set_modified(old)).expect("scratch");
    }
    let state = scratch.path().join("state");
    let look = || Preview::new(FollowOptions::new(vec![logs.clone()], state.clone()).into()).expect("a look");
    let seen = look();
    assert_eq!((seen.events.len(), seen.n_files), (2 * EVENTS_OF_FILE_MAX, 2));
    let of_a: Vec<(u64, &str)> =
        seen.events.iter().filter(|e| e.path.ends_with("a.log")).map(|e| (e.offset, &*e.line)).collect();
    assert_eq!(of_a[..2], [(0, "first of a.log"), (22, "line 0")]);
    assert!(!state.exists());
    assert_eq!(look(), seen);
    std::fs::write(logs.join("c.log"), "just written\nand perhaps going on\n").expect("scratch");
    assert!(look().events.iter().any(|event| event.line == "just written"));
}
