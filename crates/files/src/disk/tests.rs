//! Planted links, and files written at the same time.

use super::*;

#[test]
fn a_planted_link_is_neither_written_through_nor_taken_for_a_file_of_ours() {
    let (dir, outside) = (tempfile::tempdir().expect("scratch"), tempfile::tempdir().expect("scratch"));
    let (target, path) = (outside.path().join("theirs"), dir.path().join("a.wal"));
    std::fs::write(&target, "theirs").expect("room");
    for planted in [path.with_added_extension("tmp"), dir.path().join("b")] {
        std::os::unix::fs::symlink(&target, planted).expect("a link can be made");
    }
    write_whole(&path, b"ours").expect("the link makes way");
    assert!(path.symlink_metadata().expect("it is there").is_file());
    assert!(writing().open(dir.path().join("b")).is_err() && writing().open(&path).is_ok());
    assert_eq!(std::fs::read(&target).expect("it is there"), b"theirs");
}

#[test]
fn files_of_one_name_and_several_kinds_may_be_written_at_the_same_time() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    std::thread::scope(|scope| {
        for (kind, n_bytes) in [("events", 10usize), ("receipt", 100_000)] {
            let path = dir.path().join(format!("7.{kind}"));
            scope.spawn(move || {
                for round in 0..200u8 {
                    let bytes = vec![round; n_bytes];
                    write_whole(&path, &bytes).expect("nobody else writes it");
                    assert_eq!(std::fs::read(&path).expect("it is there"), bytes);
                }
            });
        }
    });
}
