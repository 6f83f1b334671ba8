//! Tests of `sum`.

use proptest::prelude::*;

use super::*;

fn number() -> impl Strategy<Value = f64> {
    let usual = (-1_000_000i64..1_000_000).prop_map(|thousandths| thousandths as f64 / 1000.0);
    let wild = any::<f64>().prop_filter("a sum stays a number", |number| number.abs() < 1e300);
    let edge = (-120i32..60, any::<u32>()).prop_map(|(power, low)| (1.0 + f64::from(low) / 4e9) * 2f64.powi(power));
    prop_oneof![4 => usual, 1 => wild, 2 => edge, 1 => Just(-0.0), 2 => Just(8_589_934_591.999_999)]
}

proptest! {
    #[test]
    fn units_and_parts_give_the_same_sum(
        numbers in proptest::collection::vec(number(), 0..60), cut in 0usize..60, repeats in 1usize..600,
    ) {
        let (mut in_units, mut in_parts) = (Sum::default(), Expansion::default());
        for number in std::iter::repeat_n(&numbers, repeats).flatten() {
            in_units.add(Cell::Float(*number));
            in_parts.add_part(*number);
        }
        prop_assert_eq!(in_units.rounded().to_bits(), in_parts.rounded().to_bits());
        let (head, tail) = numbers.split_at(cut.min(numbers.len()));
        let of = |numbers: &[f64]| {
            let mut sum = Sum::default();
            std::iter::repeat_n(numbers, repeats).flatten().for_each(|number| sum.add(Cell::Float(*number)));
            let mut bytes = Vec::new();
            sum.encode(&mut bytes);
            Sum::decode(&mut types::codec::Cursor::new(&bytes)).expect("just written")
        };
        let mut merged = of(tail);
        merged.merge(&of(head));
        prop_assert_eq!(merged.rounded().to_bits(), in_units.rounded().to_bits());
    }
}
