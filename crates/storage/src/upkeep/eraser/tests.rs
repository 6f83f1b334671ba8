//! Digests in receipts.

use super::*;

#[test]
fn receipts_hold_a_digest_that_only_who_knows_the_text_can_tell() {
    let expected = Sha256::digest(b"000000000000000a\nfilter user = \"ann\"");
    assert_eq!(digest(10, "filter user = \"ann\"")[..], expected[..]);
    assert_ne!(digest(11, "filter user = \"ann\"")[..], expected[..]);
    assert_eq!(cut(&"é".repeat(600)).len(), TEXT_BYTES_MAX);
}
