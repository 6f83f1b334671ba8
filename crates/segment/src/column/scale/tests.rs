//! Numbers that come back to the bit.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn what_is_scaled_comes_back_to_the_bit(value in any::<f64>(), digits in -1_000_000i64..1_000_000, scale in 0u8..10) {
        for value in [value, digits as f64 / POWERS[usize::from(scale)], digits as f64 * 1e9, digits as f64 + 0.5] {
            for scale in 0..10 {
                if let Some(scaled) = scaled(value, scale) {
                    prop_assert_eq!((scaled as f64 / POWERS[usize::from(scale)]).to_bits(), value.to_bits());
                }
            }
        }
        prop_assert_eq!(scaled(digits as f64 / POWERS[usize::from(scale)], scale), Some(digits));
    }
}

#[test]
fn what_is_no_number_of_the_scale_is_not_scaled() {
    assert_eq!([scaled(-0.0, 0), scaled(0.5, 0), scaled(f64::NAN, 3), scaled(f64::INFINITY, 0)], [None; 4]);
    assert_eq!([scaled(0.5, 1), scaled(1e15, 0), scaled(-2.0, 2)], [Some(5), Some(1_000_000_000_000_000), Some(-200)]);
}
