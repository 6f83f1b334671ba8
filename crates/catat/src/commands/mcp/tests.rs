//! What of a server's answer is passed on.

use super::*;

#[test]
fn answers_are_objects_or_the_last_event_of_a_stream() {
    assert_eq!(message_of("{\"id\":1}"), Some(json!({"id": 1})));
    assert_eq!(message_of("event: message\ndata: {\"id\":1}\n\ndata: {\"id\":2}\n\n"), Some(json!({"id": 2})));
    assert_eq!(message_of(""), None);
    assert_eq!(message_of("[1]"), None);
}
