//! Tombstones that come back, and every cut.

use super::*;

fn tombstone() -> Tombstone {
    let group = GroupName::new("a/b").expect("a valid name");
    let receipt = DeletionReceipt {
        n_matched: 5,
        n_deleted: 4,
        range: TimeRange { from: Timestamp(-9), to: Timestamp(i64::MAX) },
        requested_by: "admin".into(),
        reason: "ticket 12".into(),
        query_digest: [7; 32],
        ..DeletionReceipt::new(0xab, group, Timestamp(77))
    };
    let sequences = [3u64, 4, 5, 900].into_iter().collect();
    (Deletion { id: 0xab, group_id: 6, sequences }, receipt)
}

#[test]
fn a_tombstone_is_read_back_as_it_was_written() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let (deletion, receipt) = tombstone();
    write(dir.path(), &[1; 16], &deletion, &receipt).expect("room");
    let found = read(dir.path(), &[1; 16]).expect("readable");
    let [TombstoneFile::Intact(found)] = &found[..] else { panic!("one tombstone: {found:?}") };
    assert_eq!(**found, (deletion, receipt));
    let of_another = read(dir.path(), &[2; 16]).expect("readable");
    assert!(matches!(of_another[..], [TombstoneFile::Damaged(0xab, _)]));
    remove(dir.path(), 0xab).expect("removable");
    remove(dir.path(), 0xab).expect("gone is gone");
    assert!(read(dir.path(), &[1; 16]).expect("readable").is_empty());
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let (deletion, receipt) = tombstone();
    let bytes = encode(&[1; 16], &deletion, &receipt);
    for at in 0..bytes.len() {
        assert!(decode(&bytes[..at], &[1; 16], 0xab).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            assert!(decode(&flipped, &[1; 16], 0xab).is_err(), "bit {bit} of byte {at}");
        }
    }
}
