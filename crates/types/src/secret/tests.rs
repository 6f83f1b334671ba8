//! Secrets and addresses as they are shown.

use super::*;

#[test]
fn an_address_is_shown_as_its_scheme_and_host() {
    for (url, shown) in [
        ("https://u:hunter2@logs.example.org:443/T/hunter2?token=hunter2#x", "https://logs.example.org:443"),
        ("http://127.0.0.1:22828", "http://127.0.0.1:22828"),
        ("https://[2001:db8::1]:1/hunter2", "https://[2001:db8::1]:1"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("https://example.org?key=hunter2", "https://example.org"),
        ("https://u:hunter2/hunter2@example.org/", "https://***"),
        ("hunter2", "***"),
    ] {
        assert_eq!(SecretUrl(url).to_string(), shown);
    }
}

#[test]
fn a_secret_is_not_shown_with_what_it_is_a_part_of() {
    let secret = Some(Secret::from("hunter2"));
    assert_eq!(format!("{secret:?}"), "Some(***)");
    assert_eq!(secret.as_ref().map(Secret::reveal), Some("hunter2"));
}
