//! Items that are written and read again, and broken ones.

use serde_json::json;

use super::*;

#[test]
fn what_is_written_is_read_again() {
    let long = "a".repeat(300);
    let value = json!({"Metrics": [{"MetricName": long, "n": 300, "is": true, "none": null, "f": -1.5, "m": -7}], "b": [], "é": "é"});
    let mut bytes = Vec::new();
    write(&value, &[], &mut bytes);
    assert_eq!(read(&bytes), Some(value));
    for (n, head) in [(3, vec![0x63]), (24, vec![0x78, 24]), (300, vec![0x7b, 0, 0, 0, 0, 0, 0, 1, 44])] {
        let mut out = Vec::new();
        write_text(&"a".repeat(n), &mut out);
        assert_eq!((&out[..head.len()], out.len()), (&head[..], head.len() + n));
    }
}

#[test]
fn times_have_their_tag() {
    let mut bytes = Vec::new();
    write(&json!({"T": 1, "L": [2]}), &["T", "L"], &mut bytes);
    assert_eq!(bytes, b"\xa2\x61L\x81\xc1\x02\x61T\xc1\x01");
    assert_eq!(read(b"\xc1\xfb\x3f\xf8\0\0\0\0\0\0"), Some(json!(1.5)));
    assert_eq!(read(b"\xfa\x3f\xc0\0\0"), Some(json!(1.5)));
    assert_eq!(read(b"\xfb\x7f\xf8\0\0\0\0\0\0"), Some(Value::Null));
}

#[test]
fn lengths_may_be_unknown() {
    let bytes = b"\xbf\x61a\x9f\x01\x20\xff\x61b\x7f\x61x\x61y\xff\xff";
    assert_eq!(read(bytes), Some(json!({"a": [1, -1], "b": "xy"})));
}

#[test]
fn what_is_broken_is_no_item() {
    let deep = vec![0x81; 10_000];
    let promising = b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff";
    for bad in [&b""[..], b"\x61", b"\xa1\x01\x01", b"\x01\x01", b"\xff", b"\x62\xc3\x28", b"\x1c", promising, &deep] {
        assert_eq!(read(bad), None, "{bad:?}");
    }
    let mut state = 7u64;
    for _ in 0..20_000 {
        let mut bytes = Vec::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.push((state >> 33) as u8);
        }
        let _ = read(&bytes);
    }
}
