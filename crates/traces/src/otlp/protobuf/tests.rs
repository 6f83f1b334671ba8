//! Bytes of messages.

use super::*;

#[test]
fn messages_have_the_bytes_of_the_encoding() {
    let mut message = Message::default();
    message.number(1, 150);
    message.number(2, 0);
    message.bytes(2, b"testing");
    message.attribute(3, "k", &Value::Integer(-1));
    let mut expected = vec![0x08, 0x96, 0x01, 0x12, 0x07];
    expected.extend(b"testing");
    expected.extend([0x1a, 16, 0x0a, 1, b'k', 0x12, 11, 0x18]);
    expected.extend([0xff; 9]);
    expected.push(1);
    assert_eq!(message.0, expected);
}

#[test]
fn values_nested_deeply_become_texts() {
    let deep = (0..100).fold(Value::Integer(1), |inner, _| Value::List(Arc::new(vec![Some(inner)])));
    let mut message = Message::default();
    message.attribute(1, "deep", &deep);
    let text = String::from_utf8_lossy(&message.0).into_owned();
    assert!(text.contains(&"[".repeat(100 - DEPTH_MAX)), "{text}");
}
