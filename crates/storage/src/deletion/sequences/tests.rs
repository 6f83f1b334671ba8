//! Sets of sequences, and bytes that are no such set.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn check(sequences: &[u64], probes: &[u64]) {
    let set: Sequences = sequences.iter().copied().collect();
    let model: BTreeSet<u64> = sequences.iter().copied().collect();
    assert_eq!(set.len(), model.len() as u64);
    assert_eq!(set.bounds(), model.first().copied().zip(model.last().copied()));
    assert_eq!(Sequences::decode(set.encoded()), Ok(set.clone()));
    let mut finder = Finder::new(&set);
    for probe in probes {
        assert_eq!(finder.contains(*probe), model.contains(probe), "{probe}");
        let to = probe.saturating_add(3);
        assert_eq!(set.overlaps(*probe, to), model.range(probe..=&to).next().is_some(), "{probe}");
    }
}

proptest! {
    #[test]
    fn a_set_holds_what_was_put_into_it(
        near in prop::collection::vec(0u64..400, 0..300),
        far in prop::collection::vec(0u64..u64::MAX - 1, 0..100),
    ) {
        let sequences: Vec<u64> = near.iter().map(|n| n + (3 << 48)).chain(far).collect();
        let near_ones = (0..420).map(|n| n + (3 << 48));
        let probes: Vec<u64> = near_ones.chain(sequences.iter().flat_map(|s| [*s, s.saturating_sub(1), s + 1])).collect();
        check(&sequences, &probes);
    }

    #[test]
    fn any_bytes_are_a_set_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(set) = Sequences::decode(&bytes) {
            prop_assert_eq!(set.encoded(), &bytes[..]);
        }
    }
}

#[test]
fn what_was_accepted_in_a_row_costs_nothing() {
    let set: Sequences = (5u64 << 48..(5 << 48) + 3_000_000).rev().collect();
    assert_eq!(set.len(), 3_000_000);
    assert!(set.n_bytes() < 16, "{} bytes", set.n_bytes());
    let scattered: Sequences = (0..100_000).map(|n| n * 100).collect();
    assert!(scattered.n_bytes() <= 200_001, "{} bytes", scattered.n_bytes());
}

#[test]
fn a_range_that_leaves_the_numbers_is_refused() {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, 10);
    put_varint(&mut bytes, u64::MAX - 5);
    assert!(Sequences::decode(&bytes).is_err());
    assert!(Sequences::decode(&[5]).is_err());
    assert!(Sequences::decode(&[5, 0, 0, 0]).is_err());
}
