//! A message beside Amazon's example.

use super::*;

#[test]
fn a_message_is_framed_as_amazon_documents_it() {
    // The empty message of Amazon's test vectors: two lengths and two checksums.
    let mut empty = [16u32.to_be_bytes(), 0u32.to_be_bytes()].concat();
    put_checksum(&mut empty);
    assert_eq!(empty[8..], [0x05, 0xc2, 0x48, 0xeb]);
    put_checksum(&mut empty);
    assert_eq!(empty[12..], [0x7d, 0x98, 0xc8, 0xff]);
    let message = event("a", "{}");
    assert_eq!(message.len(), u32::from_be_bytes([message[0], message[1], message[2], message[3]]) as usize);
    assert_eq!(&message[12..26], b"\x0d:message-type");
}
