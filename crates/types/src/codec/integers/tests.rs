//! Integers and codes that come back, and arbitrary bytes.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn integers_round_trip(values in proptest::collection::vec(any::<i64>(), 0..50), small in any::<bool>()) {
        let values: Vec<i64> = values.into_iter().map(|v| if small { v % 300 } else { v }).collect();
        let mut out = Vec::new();
        put_integers(&mut out, &values);
        let mut cursor = Cursor::new(&out);
        prop_assert_eq!(cursor.integers(values.len()), Ok(values.clone()));
        prop_assert!(cursor.is_at_end());
        let odd = RowSet::of(values.len(), |place| place % 2 == 1);
        let mut cursor = Cursor::new(&out);
        let at_odd: Vec<i64> = values.iter().skip(1).step_by(2).copied().collect();
        prop_assert_eq!(cursor.integers_at(values.len(), &odd), Ok(at_odd));
        prop_assert!(cursor.is_at_end());
    }

    #[test]
    fn codes_round_trip(values in proptest::collection::vec(any::<u32>(), 0..50), width in 0usize..6, least in any::<u16>()) {
        let bounded = |value: u32| match width {
            4 => value,
            5 => value / 2 + u32::from(least),
            width => value % [2, 256, 70_000, 1 << 24][width],
        };
        let values: Vec<u32> = values.into_iter().map(bounded).collect();
        let mut out = Vec::new();
        put_integers(&mut out, &values.iter().map(|v| i64::from(*v)).collect::<Vec<_>>());
        let only = values.first().copied().filter(|first| values.iter().all(|value| value == first));
        if only.is_some() {
            prop_assert_eq!(Cursor::new(&out).only_code(), Ok(only));
        }
        prop_assert_eq!(Cursor::new(&out).codes(values.len()), Ok(values));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), n in 0usize..100) {
        let _ = Cursor::new(&bytes).integers(n);
        let _ = Cursor::new(&bytes).integers_at(n, &RowSet::all(n));
        let _ = Cursor::new(&bytes).codes(n);
        let _ = Cursor::new(&bytes).text();
        let _ = Cursor::new(&bytes).zigzag();
    }
}
