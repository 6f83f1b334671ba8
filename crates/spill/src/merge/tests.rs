//! Whatever is spilled comes back in order, and what is spilled is gone afterwards.

use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use crate::{Merge, Sorter, SorterOptions, SpillError, SpillSpace};

fn space(bytes_max: u64, bytes_reserved: u64) -> (TempDir, Arc<SpillSpace>) {
    let dir = tempfile::tempdir().expect("scratch");
    let space = SpillSpace::open(&dir.path().join("spill"), bytes_max, bytes_reserved).expect("a space");
    (dir, space)
}

fn all(mut merge: Merge) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut records = Vec::new();
    while let Some((key, payload)) = merge.next().expect("what was written can be read") {
        records.push((key.to_vec(), payload.to_vec()));
    }
    records
}

fn many(sorter: &mut Sorter, n_records: u64) -> Result<(), SpillError> {
    (0..n_records).try_for_each(|n| sorter.add(&(n.wrapping_mul(7_919) % 65_536).to_be_bytes(), &n.to_be_bytes()))
}

const TINY: SorterOptions = SorterOptions { memory_bytes: 2_000, fan_in: 3, cap: None };

proptest! {
    #[test]
    fn records_come_back_as_a_stable_sort_would_have_them(
        keys in prop::collection::vec(prop::collection::vec(0u8..3, 0..12), 0..400),
        memory_bytes in 64usize..4_000,
        fan_in in 2usize..5,
        cap in prop::option::of(0usize..60),
        n_sorters in 1usize..4,
    ) {
        let (_dir, space) = space(1 << 30, 0);
        let options = SorterOptions { memory_bytes, fan_in, cap };
        let mut sorters: Vec<Sorter> = (0..n_sorters).map(|_| Sorter::new(space.clone(), options)).collect();
        let per_sorter = keys.len().div_ceil(n_sorters).max(1);
        let mut expected: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (n, key) in keys.iter().enumerate() {
            sorters[n / per_sorter].add(key, &n.to_be_bytes()).expect("room");
            expected.push((key.clone(), n.to_be_bytes().to_vec()));
        }
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        let mut found = all(Sorter::finish_all(sorters, &|| true).expect("room"));
        // A cap bounds what is kept, not what comes: its owner stops there.
        if let Some(cap) = cap {
            found.truncate(cap);
            expected.truncate(cap);
        }
        if n_sorters == 1 {
            prop_assert_eq!(&found, &expected);
        } else {
            prop_assert!(found.iter().map(|(key, _)| key).eq(expected.iter().map(|(key, _)| key)));
            if cap.is_none() {
                found.sort();
                expected.sort();
                prop_assert_eq!(found, expected);
            }
        }
        prop_assert_eq!(space.bytes_used(), 0);
    }
}

#[test]
fn a_record_longer_than_all_memory_is_kept() {
    let (_dir, space) = space(1 << 30, 0);
    let mut sorter = Sorter::new(space, TINY);
    let long = vec![b'x'; 300_000];
    for key in [b"b", b"a", b"c"] {
        sorter.add(key, &long).expect("room");
    }
    let found = all(Sorter::finish_all(vec![sorter], &|| true).expect("room"));
    assert_eq!(found, [b"a", b"b", b"c"].map(|key| (key.to_vec(), long.clone())));
}

#[test]
fn no_file_has_a_name_and_bytes_are_given_back() {
    let (dir, space) = space(1 << 30, 0);
    let mut sorter = Sorter::new(space.clone(), TINY);
    many(&mut sorter, 5_000).expect("room");
    assert!(space.bytes_used() > 5_000);
    assert_eq!(std::fs::read_dir(dir.path().join("spill")).expect("there").count(), 0);
    drop(sorter);
    assert_eq!(space.bytes_used(), 0);
}

#[test]
fn leftovers_go_and_files_of_others_stay() {
    let (dir, _) = space(1 << 30, 0);
    let path = dir.path().join("spill");
    std::fs::write(path.join("1-2.spill"), "left by a killed process").expect("room");
    std::fs::write(path.join("README"), "not ours").expect("room");
    SpillSpace::open(&path, 1, 0).expect("a space");
    let names: Vec<_> =
        std::fs::read_dir(&path).expect("there").map(|entry| entry.expect("there").file_name()).collect();
    assert_eq!(names, ["README"]);
}

#[test]
fn the_limit_and_a_full_disk_are_told_apart_and_give_everything_back() {
    let (_dir, limited) = space(4_000, 0);
    let mut sorter = Sorter::new(limited.clone(), TINY);
    assert!(matches!(many(&mut sorter, 5_000), Err(SpillError::Limit { bytes_max: 4_000 })));
    drop(sorter);
    assert_eq!(limited.bytes_used(), 0);
    let (_dir, full) = space(1 << 30, u64::MAX);
    let mut sorter = Sorter::new(full.clone(), TINY);
    let error = many(&mut sorter, 5_000).expect_err("no disk has that much");
    assert!(matches!(error, SpillError::DiskFull { bytes_reserved: u64::MAX, .. }), "{error}");
    drop(sorter);
    assert_eq!(full.bytes_used(), 0);
}

#[test]
fn merging_many_runs_can_be_stopped() {
    let (_dir, space) = space(1 << 30, 0);
    let mut sorter = Sorter::new(space.clone(), TINY);
    many(&mut sorter, 20_000).expect("room");
    assert!(matches!(Sorter::finish_all(vec![sorter], &|| false), Err(SpillError::Stopped)));
    assert_eq!(space.bytes_used(), 0);
}
