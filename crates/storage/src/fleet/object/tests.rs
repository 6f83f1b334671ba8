//! Every changed bit and every cut.

use super::*;

#[test]
fn every_changed_bit_and_every_cut_is_noticed() {
    let body = |text: &str, has_series| Body { bytes: text.into(), hash: xxh3_64(text.as_bytes()), has_series };
    for has_series in [false, true] {
        let (a, b) = (body("one delivery", has_series), body("", false));
        let bytes = encode([&a, &b].into_iter());
        assert_eq!(bodies(&bytes), Ok(vec![a.bytes.as_slice(), b.bytes.as_slice()]));
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            // Two bytes have no meaning yet.
            assert!(matches!(at / 8, 6 | 7) || bodies(&changed).is_err(), "bit {at}");
        }
        (0..bytes.len()).for_each(|length| assert!(bodies(&bytes[..length]).is_err(), "{length} bytes"));
    }
}
