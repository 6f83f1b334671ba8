//! What the file of slices keeps over a restart, within its bound, and what it makes of damage.

use super::*;

const STORE: [u8; 16] = [7; 16];

fn opened(dir: &tempfile::TempDir) -> SliceFile {
    SliceFile::new(dir.path().join("map.slices"), STORE, "1.0")
}

fn key(n: u16) -> SliceKey {
    let mut bytes = [0; KEY_BYTES];
    bytes[..2].copy_from_slice(&n.to_le_bytes());
    bytes[8..10].copy_from_slice(&(n + 1).to_le_bytes());
    bytes[16..18].copy_from_slice(&n.to_le_bytes());
    SliceKey::of_bytes(&bytes).expect("it has the length of a key")
}

fn slice(n: u16) -> Slice {
    Slice { services: vec![format!("service-{n}").into()], ..Slice::default() }
}

/// Returns the numbers of the slices that are found, each with its own content.
fn found(file: &SliceFile, numbers: impl IntoIterator<Item = u16>) -> Vec<u16> {
    let is_found = |n: &u16| {
        let slice = file.get(&key(*n));
        slice.is_some_and(|slice| {
            assert_eq!(*slice.services[0], *format!("service-{n}"), "the slice of another key");
            true
        })
    };
    numbers.into_iter().filter(is_found).collect()
}

fn put(file: &SliceFile, numbers: impl IntoIterator<Item = u16>) {
    numbers.into_iter().for_each(|n| file.put(key(n), vec![u128::from(n % 2)], &slice(n)));
}

#[test]
fn slices_and_the_last_request_are_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let first = opened(&dir);
    assert!(found(&first, 0..4).is_empty() && !first.was_asked_since(Timestamp(0)));
    put(&first, 0..2);
    first.note_asked(Timestamp(5 * Timestamp::HOUR));
    first.save_asked();
    put(&first, 2..3);
    let second = opened(&dir);
    assert_eq!(found(&second, 0..4), [0, 1, 2]);
    assert!(second.was_asked_since(Timestamp(5 * Timestamp::HOUR)));
    assert!(!second.was_asked_since(Timestamp(5 * Timestamp::HOUR + 1)));
    put(&second, 3..4);
    assert_eq!(found(&opened(&dir), 0..4), [0, 1, 2, 3], "what it has found stays when it adds more");
    // Within an hour the file is left as it is.
    second.note_asked(Timestamp(5 * Timestamp::HOUR + 1));
    second.save_asked();
    assert!(!opened(&dir).was_asked_since(Timestamp(5 * Timestamp::HOUR + 1)));
}

#[test]
fn a_file_of_another_store_or_version_is_not_used() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    for (store, version) in [([8; 16], "1.0"), (STORE, "1.1")] {
        put(&opened(&dir), 0..2);
        let other = SliceFile::new(dir.path().join("map.slices"), store, version);
        assert!(found(&other, 0..2).is_empty());
        assert!(!dir.path().join("map.slices").exists(), "it is removed");
    }
    std::fs::create_dir(dir.path().join("map.slices")).expect("nothing is there");
    let blocked = opened(&dir);
    put(&blocked, 0..2);
    assert!(found(&blocked, 0..2).is_empty(), "where no file can be made, nothing is kept");
}

#[test]
fn a_byte_that_changed_anywhere_costs_slices_and_changes_none() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("map.slices");
    put(&opened(&dir), 0..3);
    let bytes = std::fs::read(&path).expect("it was written");
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        std::fs::write(&path, damaged).expect("room");
        let file = opened(&dir);
        assert!(found(&file, 0..3).len() < 3, "byte {place}");
        put(&file, 0..3);
        assert_eq!(found(&opened(&dir), 0..3), [0, 1, 2], "read again after byte {place}");
    }
}

#[test]
fn a_file_that_is_cut_has_the_slices_before_the_cut() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("map.slices");
    put(&opened(&dir), 0..3);
    let bytes = std::fs::read(&path).expect("it was written");
    let record_bytes = (bytes.len() - HEADER_BYTES) / 3;
    for n_bytes in 0..bytes.len() {
        std::fs::write(&path, &bytes[..n_bytes]).expect("room");
        let n_whole = n_bytes.saturating_sub(HEADER_BYTES) / record_bytes;
        assert_eq!(found(&opened(&dir), 0..3).len(), n_whole, "{n_bytes} bytes");
    }
    // Zeros after the end, as a power cut may leave them.
    std::fs::write(&path, [&bytes[..], &[0; 500]].concat()).expect("room");
    assert_eq!(found(&opened(&dir), 0..3), [0, 1, 2]);
}

#[test]
fn the_file_is_bounded_and_keeps_what_was_used_last() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("map.slices");
    let bounded = || SliceFile { bytes_max: 8 << 10, ..opened(&dir) };
    let file = bounded();
    for n in 0..1_000 {
        put(&file, [n]);
        file.note_use(&key(0));
        assert_eq!(found(&file, [n]), [n]);
        assert!(std::fs::metadata(&path).expect("it is there").len() <= 8 << 10);
    }
    let left = found(&bounded(), 0..1_000);
    assert!(left.len() > 30 && left.len() < 100, "{}", left.len());
    assert_eq!(left[0], 0, "the one used each time");
    assert_eq!(left[1..], (1_001 - left.len() as u16..1_000).collect::<Vec<_>>()[..], "the newest");
    let large = Slice { services: vec!["x".repeat(2 << 10).into()], ..Slice::default() };
    file.put(key(2_000), vec![1], &large);
    assert!(file.get(&key(2_000)).is_none(), "one slice never takes most of the room");
    std::fs::write(&path, vec![0; (8 << 10) + 1]).expect("room");
    assert!(found(&bounded(), 0..1_000).is_empty(), "a longer file is not of this program");
}

#[test]
fn slices_of_segments_that_are_gone_leave_no_byte() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let file = opened(&dir);
    assert!(file.segments().is_none());
    put(&file, 0..6);
    let (segments, range) = file.segments().expect("there are slices");
    assert_eq!(segments, HashSet::from([0, 1]));
    assert_eq!(range, TimeRange { from: Timestamp(0), to: Timestamp(6) });
    file.forget(&HashSet::from([1, 9]));
    for file in [&file, &opened(&dir)] {
        assert_eq!(found(file, 0..6), [0, 2, 4]);
    }
    let bytes = std::fs::read(dir.path().join("map.slices")).expect("it is there");
    let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    assert!(has(b"service-2") && !has(b"service-3"));
}
