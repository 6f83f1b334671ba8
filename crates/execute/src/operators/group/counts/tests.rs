//! Tests of `counts`.

use proptest::prelude::*;
use types::MISSING_CODE;

use super::*;

proptest! {
    #[test]
    fn every_code_is_counted(codes in proptest::collection::vec(prop_oneof![0u32..5, Just(MISSING_CODE)], 0..40)) {
        let expected: Vec<u64> = (0..5).chain([MISSING_CODE])
            .map(|code| codes.iter().filter(|known| **known == code).count() as u64)
            .collect();
        prop_assert_eq!(count_codes(&codes, 5), expected);
    }
}
