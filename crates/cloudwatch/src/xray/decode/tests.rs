//! Datagrams, whole and damaged.

use super::*;

#[test]
fn a_datagram_is_a_header_and_a_document() {
    let check = |datagram: &str| document_of(datagram.as_bytes()).map(Cow::into_owned);
    assert_eq!(check("{\"format\":\"json\",\"version\":1}\n{\"a\":1}").as_deref(), Some("{\"a\":1}"));
    assert_eq!(check("{\"format\": \"json\", \"version\": 1}\n").as_deref(), Some(""));
    for wrong in ["", "{}", "{}\n{}", "{\"format\":\"json\",\"version\":2}\n{}", "\n{}", "[\n"] {
        assert_eq!(check(wrong), None, "{wrong:?}");
    }
}
