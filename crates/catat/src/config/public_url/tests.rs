//! Which texts are public URLs.

use super::*;

#[test]
fn only_what_a_browser_can_open_is_a_public_url() {
    for right in ["https://logs.example.org", "http://10.0.0.7:8080/logs/"] {
        assert!(checked(right).is_ok(), "{right}");
    }
    for wrong in ["logs.example.org", "ftp://a", "http://", "http://0.0.0.0:1", "http://u:p@a", "http://a/?q=1", "//a"]
    {
        assert!(checked(wrong).is_err(), "{wrong}");
    }
}
