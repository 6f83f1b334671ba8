//! Slices as bytes, whole and damaged.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const MS: i64 = 1_000_000;

fn measure(durations_ms: &[i64]) -> Measure {
    let mut measure = Measure::default();
    durations_ms.iter().for_each(|ms| measure.add(Call::of(ms * MS, ms % 2 == 1)));
    measure
}

fn slice() -> Slice {
    let target = |kind, name: &str| Target { kind, name: name.into() };
    let open_request = |parent, links: &[u64], message| OpenRequest {
        causes: Causes { parent, links: links.to_vec() },
        service: 1,
        message,
    };
    let call = |ms| Call::of(ms * MS, ms % 2 == 1);
    Slice {
        services: vec!["web".into(), "".into(), "naïve".into()],
        targets: vec![
            target(TargetKind::Queue, "kafka"),
            target(TargetKind::External, "pay.internal"),
            target(TargetKind::Database, "db-1"),
        ],
        requests: vec![(0, measure(&[1, 5, 5, 70_000])), (2, measure(&[]))],
        edges: vec![((0, 2), measure(&[0, 1, 300])), ((2, 0), measure(&[i64::from(i32::MAX)]))],
        outside: vec![((1, 0), measure(&[9]))],
        open_calls: vec![
            OpenCall { key: 3, service: 0, target: NO_TARGET, call: call(1) },
            OpenCall { key: 4, service: 2, target: 2, call: call(2) },
            OpenCall { key: u64::MAX, service: 1, target: 0, call: call(i64::from(i32::MAX)) },
        ],
        open_requests: vec![
            open_request(Some(7), &[], None),
            open_request(None, &[8, u64::MAX], Some(call(4))),
            open_request(Some(0), &[9], Some(call(0))),
        ],
    }
}

#[test]
fn a_slice_is_the_same_after_it_was_bytes() {
    for slice in [slice(), Slice::default()] {
        let bytes = encode(&slice);
        let read = decode(&bytes).expect("they are the bytes of a slice");
        assert_eq!(format!("{read:?}"), format!("{slice:?}"));
    }
}

#[test]
fn bytes_that_are_cut_or_continue_are_no_slice() {
    let bytes = encode(&slice());
    for n_bytes in 0..bytes.len() {
        assert!(decode(&bytes[..n_bytes]).is_none(), "the first {n_bytes} bytes");
    }
    assert!(decode(&[&bytes[..], &[0]].concat()).is_none());
}

#[test]
fn indexes_order_and_bins_are_checked() {
    let check = |change: fn(&mut Slice)| {
        let mut changed = slice();
        change(&mut changed);
        assert!(decode(&encode(&changed)).is_none(), "{changed:?}");
    };
    check(|slice| slice.requests[0].0 = 3);
    check(|slice| slice.edges[0].0.1 = 3);
    check(|slice| slice.outside[0].0.1 = 3);
    check(|slice| slice.open_calls[1].target = 3);
    check(|slice| slice.open_calls[1].key = 3);
    check(|slice| slice.open_requests[0].service = 3);
    check(|slice| slice.requests[0].1.n_errors = 5);
    assert_eq!(Measure::of_bins(vec![(590, 1)], 0), None);
    assert_eq!(Measure::of_bins(vec![(2, 1), (1, 1)], 0), None);
    assert_eq!(Call::of_code(590 << 1), None);
}

proptest! {
    #[test]
    fn a_map_can_be_made_of_whatever_bytes_are_a_slice(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encode(&slice());
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(slice) = decode(&bytes) {
            let range = types::TimeRange { from: types::Timestamp(0), to: types::Timestamp(1) };
            crate::map::graph::Graph::of(&[Arc::new(slice)], range);
        }
    }
}
