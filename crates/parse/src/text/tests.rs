//! Whole texts to batches.

use types::{Level, Limits, Timestamp, Value};

use super::*;
use crate::Zone;

fn received(limits: &Limits) -> ArrivalContext<'_> {
    let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
    ArrivalContext { at, modified: None, previous: None, zone: Zone::UTC, limits }
}

fn read(text: &str) -> Batch {
    let limits = Limits::default();
    let mut batches = Vec::new();
    batches_of_text(text.as_bytes(), &received(&limits), &mut |batch| batches.push(batch));
    batches.pop().expect("one batch")
}

#[test]
fn lines_have_their_time_and_level_and_stay_as_they_are() {
    let batch = read(
        "2026-11-20 06:47:13,123 WARN slow\n\tat A.b\nno time\n{\"level\":\"error\",\"n\":1,\"message\":\"m\"}\r\n",
    );
    let messages: Vec<&str> = batch.messages.iter().collect();
    let line = "{\"level\":\"error\",\"n\":1,\"message\":\"m\"}";
    assert_eq!(messages, ["2026-11-20 06:47:13,123 WARN slow\n\tat A.b", "no time", line]);
    let shown: Vec<String> = batch.timestamps.iter().map(|t| Timestamp(t).to_string()).collect();
    assert_eq!(shown, ["2026-11-20T06:47:13.123Z"; 3]);
    assert_eq!(batch.levels, vec![Level::Warn.code(), 0, Level::Error.code()].into());
    assert_eq!(batch.field("n").value(2), Some(Value::Integer(1)));
    assert_eq!(batch.field("message").value(2), Some(Value::text("m")));
}

#[test]
fn a_duration_is_no_time_of_a_line_nor_of_those_after_it() {
    let lines = [
        r#"{"msg":"GET /a done","time":12}"#,
        "level=info msg=done time=12 url=/x",
        "level=info msg=done ts=12ms",
        "level=info msg=done time=0.25",
        r#"level=info msg=done timestamp="1500""#,
        "<13>Nov 20 12:00:00 web-1 app: level=info msg=done time=5",
    ];
    for line in lines {
        let batch = read(&format!("{line}\nstopped\n"));
        let shown: Vec<String> = batch.timestamps.iter().map(|t| Timestamp(t).to_string()).collect();
        assert_eq!(shown, ["2026-11-20T12:00:00Z"; 2], "{line}");
        assert_eq!(batch.field("@timestampRejected").value(0), None, "{line}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_line_it_stands_before() {
    let lines = [
        "2026-11-20T10:00:00Z ERROR first",
        r#"{"time":"2026-11-20T10:00:00Z","level":"error","msg":"first","n":1}"#,
        "level=error ts=2026-11-20T10:00:00Z msg=first n=1",
        "<11>1 2026-11-20T10:00:00Z h app 1 - - first",
    ];
    for line in lines {
        let batch = read(&format!("\u{feff}{line}\r\n{line}\n\u{feff}{line}\n"));
        let shown: Vec<String> = batch.timestamps.iter().map(|t| Timestamp(t).to_string()).collect();
        assert_eq!(shown, ["2026-11-20T10:00:00Z"; 3], "{line}");
        assert!(batch.levels.to_slice().iter().all(|level| *level == Level::Error.code()), "{line}");
        assert_eq!([0, 1, 2].map(|row| batch.messages.get(row)), [line; 3]);
    }
    let records = b"\xef\xbb\xbf{\"message\":\"a\"}\n\xef\xbb\xbf{\"message\":\"b\"}\n";
    assert_eq!(batches_of_records(records, &received(&Limits::default()), &mut |_| {}), []);
}

#[test]
fn a_line_of_docker_that_is_only_its_end_is_empty() {
    for end in [r"\n", r"\r\n", ""] {
        let batch = read(&format!(r#"{{"log":"{end}","stream":"stdout","time":"2026-11-20T10:00:02Z"}}"#));
        assert_eq!(batch.messages.get(0), "");
        assert_eq!(Timestamp(batch.timestamps.get(0)).to_string(), "2026-11-20T10:00:02Z");
        assert_eq!(batch.field("stream").value(0), Some(Value::text("stdout")));
    }
}

#[test]
fn pairs_of_one_name_keep_all_their_values() {
    let check = |line: &str, name: &str, expected: &str| {
        let value = read(line).field(name).value(0).map_or("-".into(), |value| value.to_string());
        assert_eq!(value, expected, "{line}");
    };
    check("level=info msg=a k=1 k=2 host=x host=x", "k", r#"["1","2"]"#);
    check("level=info msg=a k=1 k=2 host=x host=x", "host", "x");
    check("level=info level=error msg=a", "level", r#"["info","error"]"#);
    let time = "2026-11-20T06:00:00Z";
    check(&format!("time={time} level=info msg=a time=soon"), "time", &format!(r#"["{time}","soon"]"#));
    check(r#"<34>1 2026-11-20T06:00:00Z h a 1 - [x k="1" k="2"] m"#, "x.k", r#"["1","2"]"#);
    check("<34>Nov 20 06:00:00 h app: level=info msg=a hostname=other", "hostname", "h");
}

#[test]
fn a_json_line_gives_the_time_too_and_what_only_looks_like_one_is_text() {
    let batch = read("{\"ts\":1763618400,\"@message\":\"inner\"}\n{broken}\n");
    assert_eq!(Timestamp(batch.timestamps.get(0)).to_string(), "2025-11-20T06:00:00Z");
    assert_eq!(batch.field("ts").value(0), Some(Value::Integer(1_763_618_400)));
    assert_eq!(batch.field("_message").value(0), Some(Value::text("inner")));
    assert_eq!(batch.messages.get(1), "{broken}");
}

#[test]
fn a_line_without_time_in_an_old_file_has_the_time_of_the_file() {
    let limits = Limits::default();
    let modified = Timestamp::parse_rfc3339("2020-01-01T00:00:00Z");
    let mut batches = Vec::new();
    let old = ArrivalContext { modified, ..received(&limits) };
    batches_of_text(b"x\n2300-01-01 00:00:00 y\n", &old, &mut |batch| batches.push(batch));
    assert_eq!(Some(Timestamp(batches[0].timestamps.get(0))), modified);
    assert_eq!(Timestamp(batches[0].timestamps.get(1)), old.at);
    assert_eq!(batches[0].field("@timestampRejected").value(1), Some(Value::text("2300-01-01 00:00:00")));
}

#[test]
fn records_are_read_as_the_ingest_route_reads_them() {
    let limits = Limits::default();
    let mut batches = Vec::new();
    let text = b"{\"message\":\"a\"}\n\n{broken\n{\"message\":\"b\"}\n7\n";
    let errors = batches_of_records(text, &received(&limits), &mut |batch| batches.push(batch));
    assert_eq!(batches[0].messages.iter().collect::<Vec<_>>(), ["a", "b"]);
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["line 3: expected a key in quotes at column 2", "line 5: expected a JSON object at column 1"]);
}

#[test]
fn a_time_is_that_of_its_own_line_in_a_buffer_that_is_used_again() {
    let limits = Limits::default();
    let (mut parser, extras) = (crate::EventParser::new(received(&limits)), crate::Extras::default());
    let mut buffer = b"2026-11-19 06:47:13,123 INFO  shop.cart: a".to_vec();
    let expected: Vec<String> = (10..20).map(|day| format!("2026-11-{day}T06:47:13.123Z")).collect();
    for is_known in [false, true] {
        let mut builder = types::BatchBuilder::new();
        for day in *b"0123456789" {
            buffer[9] = day;
            let event = if is_known { parser.read_known(&buffer) } else { parser.read_text(&buffer) };
            event.add_to(&extras, &mut builder);
        }
        let batch = builder.finish();
        let shown: Vec<String> = batch.timestamps.iter().map(|t| Timestamp(t).to_string()).collect();
        assert_eq!(shown, expected);
    }
}
