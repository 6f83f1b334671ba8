//! Room that is used again.

use super::*;

#[test]
fn room_that_is_used_again_shows_nothing_of_the_block_before() {
    let large = b"0123456789".repeat(500);
    for message in [&large[..], b"small", b"", &vec![7; 3 * ROOM_BYTES_MAX], b"small again"] {
        let packed = pack(message).expect("small enough");
        assert_eq!(unpack(&packed, usize::MAX).expect("a block"), message);
        let is_same = |unpacked: &[u8]| unpacked == message;
        assert!(with_unpacked(&packed, usize::MAX, is_same).expect("a block"));
    }
    let packed = pack(&large).expect("small enough");
    assert!(with_unpacked(&packed[..packed.len() - 1], usize::MAX, |_| ()).is_err());
    assert!(with_unpacked(&packed, 100, |_| ()).is_err(), "more than is allowed");
}
