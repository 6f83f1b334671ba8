//! What is taken for held, and what is not.

use std::cell::RefCell;
use std::fs::File;
use std::sync::Arc;

use super::*;
use crate::batch::UncheckedFile;
use crate::batch::tests::batch;
use crate::content::Content;
use crate::identity::FileKey;
use crate::rules::Rules;
use crate::server_ranges::{HeldQuestion, HeldRange};

const BORN: i64 = 1_000;

/// Returns a batch with the beginning of `text`, whose file holds it; inode 10.
fn batch_of(dir: &tempfile::TempDir, name: &str, text: &str) -> FileBatch {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    let mut batch = batch("x\n", None);
    batch.header.start = 0;
    batch.header.path = format!("/var/log/{name}");
    batch.key = FileKey { device: 1, inode: 0x10 };
    let file = Arc::new(File::open(&path).unwrap());
    batch.unasked = Some(UncheckedFile { file, rules: Rules::default(), born: Some(BORN), is_packed: false });
    batch
}

/// What a server holds: text from a place on, of a file of that inode and path, heard of last then.
struct Held(&'static str, u64, String, u64, &'static str, i64);

/// Asks a server that holds this; gives up to where the file is held.
fn ask(batch: &FileBatch, taken: &ClaimedRanges, held: &[Held]) -> Option<u64> {
    let answer = |question: &HeldQuestion| {
        let ranges = held.iter().map(|Held(id, begin, text, inode, path, last_seen_ns)| {
            let hash = Content::begin(*begin).with(text.as_bytes()).text();
            HeldRange {
                id: (*id).into(),
                begin: *begin,
                end: begin + text.len() as u64,
                comparable: true,
                held: question.claims.iter().any(|claim| claim.id == *id && claim.hash == hash),
                file: format!("1-{inode:x}-00ff"),
                path: (*path).into(),
                last_seen_ns: *last_seen_ns,
                shipping: false,
            }
        });
        Ok(ranges.filter(|range| range.end <= question.size).collect())
    };
    held_to(batch, taken, &answer, &|| true).unwrap()
}

fn lines(n: u32) -> String {
    (0..n).map(|n| format!("a line of some length, number {n}\n")).collect()
}

#[test]
fn a_file_goes_on_behind_what_is_held_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let batch = batch_of(&dir, "a.log", &lines(10));
    let own = |text: String| Held("a", 0, text, 0x10, "/var/log/a.log", BORN + 1);
    assert_eq!(ask(&batch, &ClaimedRanges::default(), &[own(lines(3))]), Some(lines(3).len() as u64));
    assert_eq!(ask(&batch, &ClaimedRanges::default(), &[own(lines(10))]), Some(lines(10).len() as u64));
    // Two shippers have brought it, one after the other.
    let (first, second) = (lines(4), lines(8)[lines(4).len()..].to_owned());
    let next = Held("b", first.len() as u64, second, 0x10, "/var/log/a.log", BORN + 1);
    assert_eq!(ask(&batch, &ClaimedRanges::default(), &[next, own(first)]), Some(lines(8).len() as u64));
}

#[test]
fn other_content_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let batch = batch_of(&dir, "a.log", &lines(10));
    let own = |text: String| [Held("a", 0, text, 0x10, "/var/log/a.log", BORN + 1)];
    assert_eq!(ask(&batch, &ClaimedRanges::default(), &own(lines(3).replace('2', "3"))), None);
    assert_eq!(ask(&batch, &ClaimedRanges::default(), &own(lines(11))), None);
    let gap = Held("b", 5, lines(8)[5..].to_owned(), 0x10, "/var/log/a.log", BORN + 1);
    assert_eq!(ask(&batch, &ClaimedRanges::default(), &[gap]), None, "what stands before it is not held");
}

#[test]
fn a_copy_is_known_by_its_content_and_a_file_that_was_made_later_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let rotated = batch_of(&dir, "a.log.1", &lines(100));
    let other = |text: String, last: i64| [Held("a", 0, text, 0x77, "/var/log/a.log", last)];
    assert_eq!(ask(&rotated, &ClaimedRanges::default(), &other(lines(100), 0)), Some(lines(100).len() as u64));
    assert_eq!(ask(&rotated, &ClaimedRanges::default(), &other(lines(3), 0)), None, "too little to tell");
    let again = batch_of(&dir, "a.log", &lines(100));
    assert_eq!(
        ask(&again, &ClaimedRanges::default(), &other(lines(100), BORN - 1)),
        None,
        "a job wrote the same again"
    );
    let own = [Held("a", 0, lines(3), 0x10, "/var/log/a.log", BORN - 1)];
    assert_eq!(ask(&again, &ClaimedRanges::default(), &own), None, "the inode was handed on");
}

#[test]
fn a_range_stands_for_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (batch_of(&dir, "a.log.1", &lines(100)), batch_of(&dir, "a.log.2", &lines(100)));
    let taken = ClaimedRanges::default();
    let held = [Held("a", 0, lines(100), 0x77, "/var/log/a.log", BORN + 1)];
    assert_eq!(ask(&one, &taken, &held), Some(lines(100).len() as u64));
    assert_eq!(ask(&two, &taken, &held), None);
}

#[test]
fn a_file_that_grows_at_the_server_meanwhile_is_compared_again() {
    let dir = tempfile::tempdir().unwrap();
    let batch = batch_of(&dir, "a.log", &lines(10));
    let n_asked = RefCell::new(0);
    let answer = |question: &HeldQuestion| {
        *n_asked.borrow_mut() += 1;
        let n = if *n_asked.borrow() == 1 { 3 } else { 7 };
        let (text, id) = (lines(n), n.to_string());
        let hash = Content::begin(0).with(text.as_bytes()).text();
        let held = question.claims.iter().any(|claim| claim.id == id && claim.hash == hash);
        let (file, path) = ("1-10-0".to_owned(), "/var/log/a.log".to_owned());
        let end = text.len() as u64;
        let (begin, comparable, shipping) = (0, true, false);
        Ok(vec![HeldRange { id, begin, end, comparable, held, file, path, last_seen_ns: BORN + 1, shipping }])
    };
    assert_eq!(held_to(&batch, &ClaimedRanges::default(), &answer, &|| true).unwrap(), Some(lines(7).len() as u64));
}
