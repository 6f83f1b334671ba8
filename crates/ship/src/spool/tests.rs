//! Where an input resumes, and what is given up and counted.

use super::*;

fn lines(n: usize) -> Vec<u8> {
    "x".repeat(1023).into_bytes().into_iter().chain([b'\n']).collect::<Vec<u8>>().repeat(n)
}

#[test]
fn an_input_goes_on_where_the_last_whole_line_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path().join("journal"), u64::MAX).unwrap();
    assert_eq!(spool.last_line().unwrap(), None);
    spool.append(b"one\ntwo\n").unwrap();
    let path = path_of(&spool.dir, 1);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"half").unwrap();
    let mut spool = Spool::open(dir.path().join("journal"), u64::MAX).unwrap();
    assert_eq!(spool.last_line().unwrap().as_deref(), Some(&b"two"[..]));
    spool.append(b"three\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n", "what a crash left is cut off and not written on");
    assert_eq!(spool.last_line().unwrap().as_deref(), Some(&b"three"[..]));
}

#[test]
fn what_is_given_up_is_counted_to_the_line_and_the_newest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path().into(), 20 << 20).unwrap();
    for _ in 0..4 {
        spool.append(&lines(8 << 10)).unwrap();
    }
    assert!(!spool.has_room().unwrap());
    assert_eq!(spool.give_up_oldest().unwrap(), LossCount { lines: 2 * (8 << 10), bytes: 16 << 20 });
    assert!(spool.has_room().unwrap());
    assert_eq!(numbers(&spool.dir).unwrap(), [3, 4]);
}

#[test]
fn what_the_server_has_is_not_counted_as_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path().into(), 1 << 20).unwrap();
    spool.append(&lines(8 << 10)).unwrap();
    spool.append(b"next\n").unwrap();
    spool.acknowledged(&path_of(dir.path(), 1), 3 << 20);
    assert_eq!(spool.give_up_oldest().unwrap(), LossCount { lines: 5 << 10, bytes: 5 << 20 });
}

#[test]
fn what_says_where_an_input_goes_on_stays_until_something_newer_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path().into(), u64::MAX).unwrap();
    spool.append(b"one\n").unwrap();
    let mut spool = Spool::open(dir.path().into(), u64::MAX).unwrap();
    spool.begin_file().unwrap();
    spool.acknowledged(&path_of(dir.path(), 1), 4);
    assert_eq!(spool.last_line().unwrap().as_deref(), Some(&b"one"[..]));
    spool.append(b"two\n").unwrap();
    assert_eq!(numbers(dir.path()).unwrap(), [2]);
}

#[test]
fn a_delivered_file_is_removed_unless_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path().into(), u64::MAX).unwrap();
    spool.append(&lines(9 << 10)).unwrap();
    spool.append(b"next\n").unwrap();
    spool.acknowledged(&path_of(dir.path(), 1), 8 << 20);
    assert_eq!(numbers(dir.path()).unwrap(), [1, 2], "only a part of it is delivered");
    spool.acknowledged(&path_of(dir.path(), 1), 9 << 20);
    spool.acknowledged(&path_of(dir.path(), 2), 5);
    assert_eq!(numbers(dir.path()).unwrap(), [2]);
    assert_eq!(spool.last_line().unwrap().as_deref(), Some(&b"next"[..]));
}
