//! Signatures of deliveries.

use super::*;

#[test]
fn the_signature_is_that_of_rfc_4231() {
    let secret = Secret::from("Jefe");
    assert_eq!(
        signature(&secret, b"what do ya want for nothing?"),
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}
