//! Markers in a text.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn every_marker_is_found(bytes in proptest::collection::vec(prop_oneof![0u8..40, any::<u8>()], 0..60)) {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(marker) = next_marker(&bytes, at) {
            found.push(marker);
            at = marker + 1;
        }
        let expected: Vec<usize> = (0..bytes.len()).filter(|at| Kind::is_marker(bytes[*at])).collect();
        prop_assert_eq!(found, expected);
    }
}
