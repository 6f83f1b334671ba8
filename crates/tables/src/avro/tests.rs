//! Numbers and texts as Avro writes them.

use super::*;

/// The examples of the specification.
#[test]
fn numbers_and_texts_are_encoded_as_specified() {
    for (number, bytes) in [(0, vec![0]), (-1, vec![1]), (1, vec![2]), (-64, vec![0x7f]), (64, vec![0x80, 0x01])] {
        let mut out = Vec::new();
        put_long(&mut out, number);
        assert_eq!(out, bytes, "{number}");
    }
    let mut out = Vec::new();
    put_bytes(&mut out, b"foo");
    assert_eq!(out, b"\x06foo");
}

#[test]
fn extremes_keep_their_bits() {
    for number in [i64::MIN, i64::MAX] {
        let mut out = Vec::new();
        put_long(&mut out, number);
        let read = out.iter().rev().fold(0u64, |all, byte| all << 7 | u64::from(byte & 0x7f));
        assert_eq!((read >> 1) as i64 ^ -((read & 1) as i64), number);
    }
}
