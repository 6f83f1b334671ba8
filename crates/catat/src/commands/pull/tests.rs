//! What is remembered of objects.

use super::{Journal, Known, OBJECTS, SentFile, Step, remembered};

fn step(object: &str, lane: usize, begin: u64, bytes: Option<u64>) -> Step {
    let done = bytes.map(|bytes| SentFile { bytes, ..SentFile::default() });
    Step { object: object.into(), modified: 1, lane, begin, done }
}

#[test]
fn lanes_go_on_where_they_end_and_begun_objects_keep_theirs() {
    let steps = [step("a", 0, 0, None), step("b", 1, 0, None), step("a", 0, 0, Some(10)), step("c", 0, 10, None)];
    let known = Known::of(&steps);
    assert_eq!((known.done.len(), known.ends.get(&0)), (1, Some(&10)));
    assert_eq!(known.begun.get(&("c".into(), 1)), Some(&(0, 10)));
    assert_eq!(known.begun.get(&("b".into(), 1)), Some(&(1, 0)));
    assert_eq!(known.free_lanes(), [2, 3, 4, 5], "in the others something is unfinished");
}

#[test]
fn what_is_gone_is_forgotten_but_not_where_lanes_end() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let journal = Journal::new(dir.path(), OBJECTS);
    let begun_last = [step("unfinished", 3, 7, None)];
    let many = (0..3_000).map(|n| step(&format!("o{n}"), n % 2, 10 * (n / 2) as u64, Some(10)));
    let lines: Vec<String> = many.chain(begun_last).map(|step| serde_json::to_string(&step).expect("JSON")).collect();
    std::fs::write(dir.path().join(OBJECTS), lines.join("\n")).expect("scratch is writable");
    let known = remembered(dir.path(), &journal, |step| step.object == "o7").expect("it is readable");
    let (done, ends) = (known.done.len(), known.ends.clone());
    assert_eq!((done, ends.get(&0), ends.get(&1)), (3, Some(&15_000), Some(&15_000)), "o7 and the last of each lane");
    assert_eq!(known.begun.get(&("unfinished".into(), 1)), Some(&(3, 7)));
    let again: Vec<Step> = journal.read().expect("it is readable");
    assert_eq!(again.len(), 4);
}
