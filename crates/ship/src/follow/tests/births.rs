//! Inodes that are handed on, and devices that have another number when they are mounted again.

use super::*;
use crate::follow::state::Handle;

/// Changes what is remembered of each file: a file system with inodes to our liking is not to be had everywhere.
fn change(bench: &mut Bench, change: fn(&mut Entry)) {
    bench.stop();
    bench.start();
    let follower = bench.follower();
    for (_, mut file) in std::mem::take(&mut follower.files) {
        change(&mut file.entry);
        (file.handle, file.path) = (Handle::Closed, None);
        follower.files.insert(file.entry.key, file);
    }
    follower.next_scan = Timestamp(i64::MIN);
}

#[test]
fn a_new_file_with_the_inode_of_one_that_held_the_same_is_sent() {
    let mut bench = Bench::new(&[("done", "ok\n")]);
    bench.run(1_500);
    change(&mut bench, |entry| entry.born = entry.born.map(|born| born - 1));
    bench.run(1_500);
    // A file system that knows no births cannot tell them apart.
    let n_known = bench.follower().files.values().filter(|file| file.entry.born.is_some()).count();
    bench.check(if n_known == 1 { &["ok", "ok"] } else { &["ok"] });
}

#[test]
fn a_device_that_is_mounted_under_another_number_has_the_same_files() {
    let mut bench = Bench::new(&[("a.log", "one\n"), ("b.log", "1\n")]);
    bench.run(1_500);
    if bench.follower().files.values().any(|file| file.entry.born.is_none()) {
        return eprintln!("left out: no births are known here");
    }
    change(&mut bench, |entry| entry.key.device += 1);
    bench.rename("b.log", "b.log.1");
    bench.append("a.log", "two\n");
    bench.append("b.log.1", "2\n");
    bench.append("b.log", "3\n");
    bench.run(1_500);
    bench.check(&["one", "two", "1", "2", "3"]);
}

#[test]
fn a_file_system_that_makes_births_up_anew_is_not_believed() {
    let mut bench = Bench::new(&[("a.log", "one\n")]);
    bench.run(200);
    bench.append("a.log", "two\n");
    bench.run(1_500);
    let follower = bench.follower();
    for file in follower.files.values_mut() {
        assert!(file.handle.is_open(), "it was just read");
        file.entry.born = Some(1);
    }
    bench.run(1_500);
    assert_eq!(bench.follower().files.values().filter_map(|file| file.entry.born).count(), 0);
    bench.stop();
    bench.start();
    bench.append("a.log", "three\n");
    bench.run(1_500);
    bench.check(&["one", "two", "three"]);
}
