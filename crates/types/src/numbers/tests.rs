//! Memory of numbers, and their rows.

use proptest::prelude::*;

use super::*;

#[test]
fn same_and_consecutive_numbers_take_no_memory() {
    for numbers in [vec![], vec![7u64], vec![7, 7, 7], vec![7, 8, 9]] {
        let n_rows = numbers.len();
        assert_eq!(Numbers::from(numbers).memory_bytes(), 0, "{n_rows}");
    }
    assert_eq!(Numbers::from(vec![7u64, 9]).memory_bytes(), 16);
    let end = Numbers::consecutive(u64::MAX - 1, 3);
    assert_eq!(end.iter().collect::<Vec<_>>(), [u64::MAX - 1, u64::MAX, u64::MAX]);
}

fn numbers() -> impl Strategy<Value = Vec<u64>> {
    prop_oneof![
        (0u64..4, 0usize..6).prop_map(|(number, n)| vec![number; n]),
        (0u64..9, 0usize..6).prop_map(|(first, n)| (first..).take(n).collect()),
        prop::collection::vec(0u64..9, 0..6),
    ]
}

proptest! {
    #[test]
    fn every_form_has_the_numbers_of_its_rows(parts in prop::collection::vec((numbers(), 0usize..6, 0usize..6), 1..6)) {
        let (mut all, mut expected) = (Numbers::Each(Vec::new()), Vec::new());
        for (part, from, to) in parts {
            let rows = from.min(part.len())..to.min(part.len()).max(from.min(part.len()));
            expected.extend_from_slice(&part[rows.clone()]);
            let part = Numbers::from(part);
            all.push_rows_of(&part, rows, 30);
        }
        prop_assert_eq!(all.iter().collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(&*all.to_slice(), &expected[..]);
        let bounds = expected.iter().min().copied().zip(expected.iter().max().copied());
        prop_assert_eq!(all.bounds(), bounds);
        prop_assert_eq!((all.first(), all.last()), (expected.first().copied(), expected.last().copied()));
        prop_assert_eq!(all.is_sorted(), expected.is_sorted());
        all.add(5);
        prop_assert!(all.iter().eq(expected.iter().map(|number| number + 5)));
    }
}
