//! Streams by their name.

use super::*;

#[test]
fn streams_are_chosen_by_name_wherever_it_stands() {
    let texts = [
        r#"{"__name__":"up","job":"a"}"#,
        r#"{"__name__":"up2"}"#,
        r#"{"ZONE":"eu","__name__":"up"}"#,
        r#"{"__name__":"u\"p"}"#,
        r#"{"__name__":"up","job":"b"}"#,
    ];
    let streams = SampleStreams::new(Arc::new(texts.map(Value::text).to_vec()));
    assert_eq!(streams.chosen(Some("\"up\""), |_| true), [0, 2, 4]);
    assert_eq!(streams.chosen(Some("\"up\""), |text| text.contains("job")), [0, 4]);
    assert_eq!(streams.chosen(Some(r#""u\"p""#), |text| text.contains('p')), [2, 3]);
    assert_eq!(streams.chosen(None, |_| true), [0, 1, 2, 3, 4]);
    assert_eq!((streams.text(1).map(|text| &**text), streams.text(5)), (Some(texts[1]), None));
}
