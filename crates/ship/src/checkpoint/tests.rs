//! What is remembered, what of it is written, and what is left of it where it is damaged.

use super::*;
use crate::checkpoint::disk::checksum;
use crate::identity::Mark;

/// As the first releases wrote it.
const VERSION_1: &str = include_str!("../../../../tests/data/ship-v1/checkpoint-0");

fn entry(file: &str, generation: u64) -> Entry {
    let key = FileKey { device: 1, inode: 2 };
    let path = "/var/log/a.log".into();
    Entry {
        content: None,
        is_unasked: false,
        key,
        born: None,
        file: file.into(),
        generation,
        path,
        begin: 0,
        told: None,
        mark: Mark::default(),
        before: None,
        is_copy: false,
        packed: None,
        seen: 5,
    }
}

/// Returns a directory with two checkpoints: generation 3 in the older, 4 in the newer. Returns the newer's path.
fn two_checkpoints(dir: &Path) -> PathBuf {
    let (mut checkpoint, entries) = Checkpoint::open(dir).unwrap();
    assert!(entries.is_empty());
    checkpoint.save([entry("f", 3)].iter()).unwrap();
    checkpoint.save([entry("f", 4)].iter()).unwrap();
    slot_path(dir, 0)
}

/// Entry `n` of many.
fn numbered(n: u64) -> Entry {
    let key = FileKey { device: 1, inode: n };
    let (file, path) = (format!("fd00-{n:x}-0123456789abcdef"), format!("/var/log/containers/{n:05}/app.log"));
    Entry { key, file, path, ..entry("", 0) }
}

/// Returns what is broken about a file: cut anywhere, bytes changed, zeros, zeros or garbage at the end.
fn broken(whole: &[u8]) -> Vec<Vec<u8>> {
    let mut broken: Vec<Vec<u8>> = (0..whole.len()).rev().map(|n| whole[..n].to_vec()).collect();
    broken.push(vec![0; whole.len()]);
    for behind in [&[0; 4096][..], b"\n", b"garbage", whole] {
        broken.push([whole, behind].concat());
    }
    for at in (0..whole.len()).step_by(3) {
        let mut flipped = whole.to_vec();
        flipped[at] ^= 0x10;
        broken.push(flipped);
    }
    broken
}

#[test]
fn the_last_saved_state_and_the_source_come_back() {
    let dir = tempfile::tempdir().unwrap();
    two_checkpoints(dir.path());
    let (first, entries) = Checkpoint::open(dir.path()).unwrap();
    assert_eq!(entries, [entry("f", 4)]);
    let source = first.source.to_string();
    drop(first);
    assert_eq!(Checkpoint::open(dir.path()).unwrap().0.source, source);
}

#[test]
fn what_changes_comes_and_goes_like_everything_else() {
    let dir = tempfile::tempdir().unwrap();
    two_checkpoints(dir.path());
    let states = [vec![1, 2, 3], vec![1, 3], vec![1, 2, 3, 4], vec![], vec![], vec![5, 1], vec![1]];
    let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    for (generation, state) in states.iter().enumerate() {
        let entries: Vec<Entry> =
            state.iter().map(|n| Entry { generation: generation as u64, ..numbered(*n) }).collect();
        checkpoint.save(entries.iter()).unwrap();
        let (looked, mut found) = Checkpoint::look_at(dir.path()).unwrap();
        found.sort_by_key(|entry| state.iter().position(|n| *n == entry.key.inode));
        assert_eq!(found, entries);
        assert!(!looked.was_damaged);
    }
    assert_eq!(checkpoint.serial, 3, "all of it is in the slot that opening began");
}

#[test]
fn a_checkpoint_cut_or_broken_anywhere_falls_back_to_what_was_saved_before() {
    let dir = tempfile::tempdir().unwrap();
    let newer = two_checkpoints(dir.path());
    let whole = fs::read(&newer).unwrap();
    for bytes in broken(&whole) {
        fs::write(&newer, &bytes).unwrap();
        let (opened, entries) = Checkpoint::open(dir.path()).unwrap();
        assert!(opened.was_damaged);
        assert!(entries == [entry("f", 3)] || entries == [entry("f", 4)], "{entries:?}");
        assert!(opened.generation_after(3) > GENERATIONS_SKIPPED);
    }
}

#[test]
fn changes_cut_or_broken_anywhere_fall_back_to_earlier_ones_and_never_to_nothing() {
    let dir = tempfile::tempdir().unwrap();
    two_checkpoints(dir.path());
    let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    for generation in 5..10 {
        checkpoint.save([entry("f", generation), numbered(generation)].iter()).unwrap();
    }
    let changed = slot_path(dir.path(), checkpoint.serial % 2);
    drop(checkpoint);
    let whole = fs::read(&changed).unwrap();
    let mut generations = std::collections::BTreeSet::new();
    for bytes in broken(&whole) {
        fs::write(&changed, &bytes).unwrap();
        let (mut opened, entries) = Checkpoint::open(dir.path()).unwrap();
        assert!(opened.was_damaged);
        let known = entries.iter().find(|entry| entry.file == "f").expect("the older slot is whole");
        generations.insert(known.generation);
        assert!(opened.generation_after(known.generation) > GENERATIONS_SKIPPED);
        if !bytes.len().is_multiple_of(64) {
            continue;
        }
        // The first thing saved takes the place of what is damaged.
        opened.save(entries.iter()).unwrap();
        drop(opened);
        let (again, same) = Checkpoint::open(dir.path()).unwrap();
        assert!(!again.was_damaged);
        assert_eq!(same, entries);
    }
    assert_eq!(generations.into_iter().collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_checkpoint_of_version_1_is_read_and_goes_on_as_one_of_this() {
    let dir = tempfile::tempdir().unwrap();
    (0..2).for_each(|slot| fs::write(slot_path(dir.path(), slot), VERSION_1).unwrap());
    let (mut checkpoint, entries) = Checkpoint::open(dir.path()).unwrap();
    assert!(!checkpoint.was_damaged);
    assert_eq!(&checkpoint.source, "8f8e6fbbd6a4ff3e4ad8b6a5a2b1c0de");
    assert_eq!(entries.iter().map(|entry| entry.mark.offset).collect::<Vec<_>>(), [10, 20]);
    for _ in 0..3 {
        checkpoint.save(entries.iter()).unwrap();
    }
    drop(checkpoint);
    assert_eq!(Checkpoint::open(dir.path()).unwrap().1, entries);
}

#[test]
fn an_acknowledgement_of_one_of_ten_thousand_files_writes_a_page_or_two() {
    let dir = tempfile::tempdir().unwrap();
    let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    let mut entries: Vec<Entry> = (0..10_000).map(numbered).collect();
    checkpoint.save(entries.iter()).unwrap();
    checkpoint.save(entries.iter()).unwrap();
    let length = |serial: u64| fs::metadata(slot_path(dir.path(), serial % 2)).unwrap().len();
    let (mut known, mut written) = ((checkpoint.serial, length(checkpoint.serial)), 0);
    for n in 0..50 {
        entries[n * 37].generation += 1;
        checkpoint.save(entries.iter()).unwrap();
        let now = (checkpoint.serial, length(checkpoint.serial));
        written += if now.0 == known.0 { now.1 - known.1 } else { now.1 };
        known = now;
    }
    // Two pages of 4 KiB are the most that a change may touch, and it may be written once more into the next slot.
    assert!(written / 50 < 512, "{} bytes each", written / 50);
    checkpoint.save(entries.iter()).unwrap();
    assert_eq!((checkpoint.serial, length(checkpoint.serial)), known, "nothing changed, nothing is written");
}

#[test]
fn slots_grow_to_a_few_times_of_what_they_hold_and_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    for generation in 0..600 {
        checkpoint.save([entry("f", generation)].iter()).unwrap();
        let bytes: u64 =
            (0..2).filter_map(|slot| fs::metadata(slot_path(dir.path(), slot)).ok()).map(|m| m.len()).sum();
        assert!(bytes <= 2 * (CHANGES_BYTES_LEAST + 4096), "{bytes}");
    }
    assert!(checkpoint.serial > 2);
    drop(checkpoint);
    assert_eq!(Checkpoint::open(dir.path()).unwrap().1, [entry("f", 599)]);
}

#[test]
fn twenty_thousand_files_that_are_forgotten_leave_less_than_a_mebibyte() {
    let dir = tempfile::tempdir().unwrap();
    let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    let entries: Vec<Entry> = (0..20_000).map(numbered).collect();
    checkpoint.save(entries.iter()).unwrap();
    checkpoint.save(entries.iter()).unwrap();
    checkpoint.save(entries[..12_000].iter()).unwrap();
    checkpoint.save(entries[..100].iter()).unwrap();
    let bytes: u64 = (0..2).map(|slot| fs::metadata(slot_path(dir.path(), slot)).unwrap().len()).sum();
    assert!(bytes < 1 << 20, "{bytes}");
    drop(checkpoint);
    assert_eq!(Checkpoint::open(dir.path()).unwrap().1, entries[..100]);
}

#[test]
fn after_an_error_everything_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    two_checkpoints(dir.path());
    let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.save([entry("f", 5)].iter()).unwrap();
    let slot = checkpoint.slot.as_mut().unwrap();
    slot.file = File::open(&slot.path).unwrap();
    checkpoint.save([entry("f", 6)].iter()).unwrap_err();
    checkpoint.save([entry("f", 7)].iter()).unwrap();
    let serial = checkpoint.serial;
    drop(checkpoint);
    let (again, entries) = Checkpoint::open(dir.path()).unwrap();
    assert_eq!((again.serial, again.was_damaged), (serial, false));
    assert_eq!(entries, [entry("f", 7)]);
}

#[test]
fn an_id_broken_or_lost_comes_back_from_the_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    two_checkpoints(dir.path());
    let path = dir.path().join("source");
    let whole = fs::read_to_string(&path).unwrap();
    let source = Checkpoint::open(dir.path()).unwrap().0.source.to_owned();
    let other_digit = if whole.starts_with('0') { "1" } else { "0" };
    let flipped = format!("{other_digit}{}", &whole[1..]);
    for text in [&flipped, &flipped[..32], &whole[..32], &whole[..20], ""] {
        fs::write(&path, text).unwrap();
        assert_eq!(Checkpoint::open(dir.path()).unwrap().0.source, source, "{text:?}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(Checkpoint::open(dir.path()).unwrap().0.source, source);
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);
}

#[test]
fn a_checkpoint_that_was_taken_away_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    let newer = two_checkpoints(dir.path());
    let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
    checkpoint.save([entry("f", 5)].iter()).unwrap();
    drop(checkpoint);
    fs::remove_file(slot_path(dir.path(), 1)).unwrap();
    let (opened, entries) = Checkpoint::open(dir.path()).unwrap();
    assert!(opened.was_damaged && newer.exists());
    assert_eq!(entries, [entry("f", 4)]);
    assert!(opened.generation_after(4) > GENERATIONS_SKIPPED);
}

#[test]
fn a_second_shipper_and_a_newer_format_are_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let newer = two_checkpoints(dir.path());
    let held = Checkpoint::open(dir.path()).unwrap();
    let text = Checkpoint::open(dir.path()).unwrap_err().to_string();
    assert!(text.contains("another shipper"), "{text}");
    drop(held);
    let xxh3 = checksum(b"catat-checkpoint 3 9", 0);
    let newer_format =
        format!("{{\"format\":\"catat-checkpoint\",\"version\":3,\"serial\":9,\"xxh3\":\"{xxh3}\"}}\nwhatever");
    fs::write(&newer, newer_format).unwrap();
    assert!(matches!(Checkpoint::open(dir.path()), Err(CheckpointError::Newer { found: 3, .. })));
}
