//! Files that grew and files that are others.

use super::*;
use std::fs;

/// Marks `before` as read up to `offset` and tells whether a file of `after` passes for it.
fn check(before: &[u8], offset: usize, after: &[u8]) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, before).unwrap();
    let mark = Mark::at(&File::open(&path).unwrap(), offset as u64).unwrap();
    fs::write(&path, after).unwrap();
    mark.fits(&File::open(&path).unwrap()).unwrap()
}

#[test]
fn a_file_that_grew_is_the_same_from_its_first_byte_on() {
    assert!(check(b"a", 1, b"ab"));
    assert!(check(b"", 0, b"anything"));
    let long = vec![b'x'; 3000];
    assert!(check(&long[..1000], 1000, &long));
}

#[test]
fn other_content_is_seen_whatever_its_length() {
    assert!(!check(b"a", 1, b"b"));
    assert!(!check(b"abc", 3, b"ab"));
    assert!(!check(b"old line\n", 9, b"new line\nand more\n"));
}

#[test]
fn equal_headers_of_four_kib_do_not_hide_a_truncation_and_regrowth() {
    let header = vec![b'#'; 4096];
    let before = [&header[..], b"first line of monday\n"].concat();
    let after = [&header[..], b"first line of tuesday, longer\n"].concat();
    assert!(!check(&before, before.len(), &after));
    assert!(check(&before, 4096, &after));
}

#[test]
fn the_mark_after_a_read_is_the_mark_at_that_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let content: Vec<u8> = (0..5000u32).map(|i| (i % 251) as u8).collect();
    fs::write(&path, &content).unwrap();
    let file = File::open(&path).unwrap();
    let mut mark = Mark::default();
    for n in [1, 10, 300, 700, 100, 2000] {
        let read = mark.read_on(&file, n, Vec::new()).unwrap().unwrap();
        mark = read.mark_after(n);
        assert_eq!(mark, Mark::at(&file, mark.offset).unwrap(), "at {}", mark.offset);
    }
}
