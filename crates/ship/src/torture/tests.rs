//! The comparison finds what is wrong: what it says of exact stores is worth nothing otherwise.

use super::*;

const WRITTEN: WriterSummary = WriterSummary { rotation: Rotation::Rename, lines: 4, rotations: 1 };

fn tally(texts: &[String]) -> Tally {
    let mut tally = Tally::new(&[WRITTEN]);
    texts.iter().for_each(|text| tally.take(text));
    tally
}

fn lines() -> Vec<String> {
    (0..WRITTEN.lines).map(|n| text_of(WRITTEN.rotation, n)).collect()
}

#[test]
fn every_line_once_is_exact_and_headers_do_not_count() {
    let mut texts = lines();
    texts.push("# of the same words".into());
    texts.push("# of the same words".into());
    assert!(tally(&texts).is_exact());
}

#[test]
fn lost_repeated_altered_and_torn_lines_are_told_apart() {
    let mut texts = lines();
    texts.remove(0);
    texts.push(text_of(WRITTEN.rotation, 1));
    texts.push(text_of(WRITTEN.rotation, 2) + "x");
    texts.push(text_of(WRITTEN.rotation, WRITTEN.lines));
    texts.push("end of a line .".into());
    let tally = tally(&texts);
    assert!(!tally.is_exact());
    assert_eq!(tally.strange, ["end of a line ."]);
    let verdict = tally.verdicts()[0];
    assert_eq!((verdict.stored, verdict.lost, verdict.repeated, verdict.altered), (3, 1, 1, 2));
}

#[test]
fn a_kind_knows_its_progress_by_its_name() {
    let progress = Progress::default();
    for (n, rotation) in Rotation::ALL.into_iter().enumerate() {
        progress.note(rotation.name(), n as u64 + 1);
    }
    let known: Vec<u64> = Rotation::ALL.into_iter().map(|rotation| progress.of(rotation)).collect();
    assert_eq!(known, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}
