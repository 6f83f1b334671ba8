//! Counts of bytes.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn each_byte_is_counted(bytes in proptest::collection::vec(0u8..5, 0..100)) {
        let counts = byte_counts(&bytes);
        prop_assert_eq!(counts.iter().sum::<u32>() as usize, bytes.len());
        for byte in 0..5u8 {
            let n = bytes.iter().filter(|other| **other == byte).count();
            prop_assert_eq!(counts[usize::from(byte)] as usize, n);
        }
    }
}
