//! Ids of a day, and damaged files.

use super::*;

fn batch(n: u8, accepted: i64) -> KnownBatch {
    let key = BatchKey { id: [n; 16], digest: [n; 16] };
    KnownBatch { key, accepted: Timestamp(accepted), first_sequence: 5, n_events: 2 }
}

#[test]
fn ids_are_forgotten_after_a_day() {
    let mut ids = BatchIds::default();
    ids.insert(batch(1, 0), Timestamp(0));
    assert!(ids.get(&[1; 16], Timestamp(REMEMBERED_NS - 1)).is_some());
    assert!(ids.get(&[1; 16], Timestamp(REMEMBERED_NS)).is_none());
    ids.insert(batch(2, REMEMBERED_NS), Timestamp(REMEMBERED_NS));
    assert_eq!((ids.known.len(), ids.by_age.len()), (1, 1));
}

#[test]
fn files_give_back_what_the_catalog_says_and_no_more() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (store, now) = ([3; 16], Timestamp(2 * Timestamp::HOUR));
    let first = [batch(1, 0), batch(2, Timestamp::HOUR)];
    let valid = write(dir.path(), &store, &ValidEntries::new(), &first, now).expect("room");
    write(dir.path(), &store, &valid, &[batch(3, 1)], now).expect("room");
    let (ids, damaged) = read(dir.path(), &store, &valid, now);
    assert_eq!((ids.len(), damaged.len()), (2, 0));
    let later = write(dir.path(), &store, &valid, &[batch(4, 1)], now).expect("room");
    let (ids, _) = read(dir.path(), &store, &later, now);
    assert!(ids.get(&[4; 16], now).is_some() && ids.get(&[3; 16], now).is_none());
    let much_later = Timestamp(REMEMBERED_NS + Timestamp::HOUR);
    let valid = write(dir.path(), &store, &later, &[], much_later).expect("room");
    remove_others(dir.path(), &valid).expect("removable");
    assert_eq!(valid.len(), 1);
    assert_eq!(std::fs::read_dir(dir.path()).expect("readable").count(), 1);
}

#[test]
fn a_damaged_entry_is_left_out_and_named() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let valid = write(dir.path(), &[3; 16], &ValidEntries::new(), &[batch(1, 0), batch(2, 0)], Timestamp(0));
    let valid = valid.expect("room");
    let path = path_of(dir.path(), 0);
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes[HEADER_BYTES + 3] ^= 1;
    std::fs::write(&path, bytes).expect("writable");
    let (ids, damaged) = read(dir.path(), &[3; 16], &valid, Timestamp(0));
    assert_eq!((ids.len(), damaged.len()), (1, 1));
    assert_eq!(damaged[0].offset, HEADER_BYTES as u64);
}
