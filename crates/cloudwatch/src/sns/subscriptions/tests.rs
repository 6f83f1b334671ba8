//! Raw delivery by protocol.

use super::*;

#[test]
fn posts_are_raw_or_not_and_mail_never_is() {
    assert_eq!(raw_delivery("https", "RawMessageDelivery", "true"), Some(true));
    assert_eq!(raw_delivery("http", "RawMessageDelivery", "false"), Some(false));
    for (protocol, name, value) in [
        ("email", "RawMessageDelivery", "true"),
        ("http", "RawMessageDelivery", "yes"),
        ("http", "RawMessageDelivery", ""),
        ("http", "FilterPolicy", "true"),
    ] {
        assert_eq!(raw_delivery(protocol, name, value), None, "{protocol} {name} {value}");
    }
}
