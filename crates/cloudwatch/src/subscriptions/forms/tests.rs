//! What receivers get, and what their answers mean.

use std::io::Read;

use types::{EventId, Timestamp};

use super::*;

fn line() -> Line {
    Line {
        id: EventId { group_id: 1, timestamp: Timestamp(1_795_157_233_000_000_007), sequence: 3 },
        stream: "s".into(),
        message: "order \"1\"\n  failed".into(),
        level: Some(Level::Error),
        fields: vec![("n".into(), Value::Integer(7)), ("user.name".into(), Value::text("Ann"))],
    }
}

/// The address and the text of a post.
fn posted(destination: &str) -> (String, String) {
    let filter = Filter { group: "app".into(), destination: destination.into(), ..Filter::default() };
    let (form, _) = Form::of(destination);
    let Body { url, bytes, .. } = form.body(&filter, &[&line()]);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).expect("gzip");
    (url, text)
}

#[test]
fn receivers_get_time_text_level_fields_and_an_id() {
    let id = line().id.encode();
    let (url, text) = posted("loki+http://loki:3100/");
    let entry = json!(["1795157233000000007", "order \"1\"\n  failed",
        {"catat_id": id, "level": "error", "n": "7", "user.name": "Ann"}]);
    let expected = json!({"streams": [{"stream": {"group": "app", "stream": "s"}, "values": [entry]}]});
    assert_eq!((&*url, text.parse::<Json>().expect("JSON")), ("http://loki:3100/loki/api/v1/push", expected));
    assert_eq!(posted("loki+http://gateway/tenant/push").0, "http://gateway/tenant/push");
    let (url, text) = posted("elasticsearch+https://elastic:9200/logs-app");
    let (action, document) = text.split_once('\n').expect("two lines");
    let expected = json!({"create": {"_index": "logs-app", "_id": id}});
    assert_eq!((&*url, action.parse::<Json>().expect("JSON")), ("https://elastic:9200/_bulk", expected));
    let expected = json!({"@timestamp": "2026-11-20T06:47:13.000000007Z", "message": "order \"1\"\n  failed",
        "log.level": "error", "catat.id": id, "catat.group": "app", "catat.stream": "s", "n": 7, "user.name": "Ann"});
    assert_eq!(document.parse::<Json>().expect("JSON"), expected);
    let filter =
        Filter { group: "app".into(), destination: "otlp+https://collector:4318?x=1".into(), ..Filter::default() };
    let message = otlp(&filter, &[&line()]);
    let record = &message["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    assert_eq!(record["severityNumber"], json!(17));
    assert_eq!(record["attributes"][0], json!({"key": "log.record.uid", "value": {"stringValue": id}}));
    assert_eq!(record["attributes"][1], json!({"key": "n", "value": {"intValue": "7"}}));
    let Body { url, content_type, bytes } = Form::Otlp.body(&filter, &[&line()]);
    assert_eq!((&*url, content_type), ("https://collector:4318/v1/logs?x=1", PROTOBUF));
    let mut sent = Vec::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut sent).expect("gzip");
    assert_eq!(sent, to_protobuf(&message.to_string(), &LOGS).expect("a message"));
    let (url, text) = posted("ndjson+https://host/take?all=1");
    assert!(
        url == "https://host/take?all=1" && text.ends_with("}\n") && text.contains("\"@level\":\"error\""),
        "{text}"
    );
    assert_eq!(Form::of("https://host/hook"), (Form::CloudWatch, "https://host/hook"));
}

#[test]
fn answers_say_what_is_refused_for_good_and_what_may_come_again() {
    let bulk = |status: u64| {
        let error = json!({"type": "mapper_parsing_exception", "reason": "n is no date"});
        let items = json!([{"create": {"status": 201}}, {"create": {"status": status, "error": error}}]);
        Form::Elasticsearch.verdict(json!({"errors": true, "items": items}).to_string().as_bytes())
    };
    assert!(
        bulk(400)
            .is_ok_and(|problem| problem.is_some_and(|found| found.n == 1 && found.reason.contains("n is no date")))
    );
    assert_eq!(bulk(409), Ok(None));
    assert!(matches!(bulk(403), Err(PostError::Retry { .. })) && matches!(bulk(404), Err(PostError::Retry { .. })));
    assert!(matches!(bulk(429), Err(PostError::Retry { .. })) && matches!(bulk(503), Err(PostError::Retry { .. })));
    assert_eq!(Form::Elasticsearch.verdict(br#"{"errors":false,"items":[]}"#), Ok(None));
    assert!(matches!(Form::Elasticsearch.verdict(b"<html>"), Err(PostError::Retry { .. })));
    let partial = b"\x0a\x0b\x08\x01\x12\x07too old";
    assert_eq!(Form::Otlp.verdict(partial), Ok(Some(Refusal { n: 1, reason: "too old".into() })));
    assert_eq!(Form::Otlp.verdict(b""), Ok(None));
    assert_eq!(Form::Otlp.verdict(b"\x0a\x07\x08\x00\x12\x03old"), Ok(None));
    assert_eq!(Form::Otlp.verdict(b"<html>"), Ok(None));
    assert_eq!(Form::Loki.verdict(b""), Ok(None));
}

#[test]
fn names_are_made_such_that_a_receiver_takes_them() {
    let names = ["_id", "message.sub", "log", "error", "error.code", "a..b", "", "fields", "plain", "@rest"];
    let fields = names.iter().map(|name| ((*name).into(), Value::Integer(1))).collect();
    let document = document(&Filter::default(), &Line { fields, ..line() }, OF_ELASTIC);
    for name in [
        "fields._id", "fields.message.sub", "fields.log", "fields.error", "error.code", "fields.a._.b", "fields._",
        "fields.fields", "plain", "@rest",
    ] {
        assert_eq!(document.get(name), Some(&json!(1)), "{name} in {document:?}");
    }
    assert_eq!(document.len(), names.len() + 6);
    assert_eq!(name_for_loki("ключ"), "field_d0bad0bbd18ed187");
    assert_eq!((name_for_loki("_"), name_for_loki("a.b")), ("field_5f".into(), "a.b".into()));
    let query = "?_time_field=@timestamp&_msg_field=message";
    assert_eq!(
        posted(&format!("elasticsearch+http://vl/insert/elasticsearch/idx{query}")).0,
        format!("http://vl/insert/elasticsearch/_bulk{query}")
    );
    assert_eq!(posted("loki+http://loki?x=1").0, "http://loki/loki/api/v1/push?x=1");
}

#[test]
fn a_record_of_otlp_has_the_ids_of_its_trace_and_lists() {
    let trace = "0123456789abcdef0123456789abcdef";
    let list = Value::List(vec![Some(Value::Integer(1)), None].into());
    let fields =
        vec![("trace_id".into(), Value::text(trace)), ("span_id".into(), Value::text("no id")), ("l".into(), list)];
    let message = otlp(&Filter::default(), &[&Line { fields, ..line() }]);
    let record = &message["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    assert_eq!(record["traceId"], trace);
    assert_eq!(record["attributes"][1], json!({"key": "span_id", "value": {"stringValue": "no id"}}));
    let values = json!({"arrayValue": {"values": [{"intValue": "1"}, {}]}});
    assert_eq!(record["attributes"][2], json!({"key": "l", "value": values}));
    to_protobuf(&message.to_string(), &LOGS).expect("a message");
}
