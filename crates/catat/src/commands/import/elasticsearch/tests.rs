//! What a document becomes.

use super::*;

#[test]
fn groups_are_named_after_data_streams_not_after_their_backing_indices() {
    for (index, name) in [
        ("shop", "shop"),
        (".ds-logs-nginx.access-default-2026.11.29-000014", "logs-nginx.access-default"),
        (".ds-logs-2026-000001", "logs"),
        (".ds-odd", "odd"),
        ("logstash-2026.11.29", "logstash-2026.11.29"),
    ] {
        assert_eq!(group(index), name);
    }
}

#[test]
fn a_document_says_the_time_that_the_source_reads_in_it() {
    let line = |source: &str, field: &str, told: &str| {
        let hit = format!(r#"{{"_index":"i","_id":"1","_source":{source},"fields":{{"{field}":["{told}"]}}}}"#);
        document(&serde_json::from_str(&hit).expect("a hit")).expect("a document").into_owned()
    };
    let told = "2026-11-29T10:00:00.500Z";
    let same = "{\"@timestamp\":\"2026-11-29T11:00:00.5+01:00\",\n\"n\":90.33333333333333}";
    assert_eq!(line(same, "@timestamp", told), same.replace('\n', " "), "as it was sent");
    let odd = r#"{"n":12345678901234567890,"@timestamp":"29.11.2026 10:00:00,5"}"#;
    let mended = format!(r#"{{"@timestamp":"{told}","n":12345678901234567890,"_timestamp":"29.11.2026 10:00:00,5"}}"#);
    assert_eq!(line(odd, "@timestamp", told), mended);
    let elsewhere = format!(r#"{{"@timestamp":"{told}","event":{{"created":1764410400500}}}}"#);
    assert_eq!(line(r#"{"event":{"created":1764410400500}}"#, "event.created", told), elsewhere);
}
