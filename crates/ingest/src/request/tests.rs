//! Bodies of every kind, good and bad, into a real store.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use parse::Zone;
use serde_json::json;
use storage::{Options, SourcePosition, Store};
use tempfile::TempDir;
use types::{GroupPattern, GroupScope, Limits, RowSet, TimeRange, Timestamp, Value};

use super::*;
use crate::{OutOfScope, RawEvent};

struct House {
    intake: Intake,
    store: Arc<Store>,
    _dir: TempDir,
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap()
}

impl House {
    fn new() -> Self {
        Self::with(Limits::default(), |options| options)
    }

    fn with(limits: Limits, change: impl FnOnce(Options) -> Options) -> Self {
        let dir = TempDir::new().unwrap();
        let (store, _) = Store::open(change(Options::new(dir.path().join("data")))).unwrap();
        Self { intake: Intake::new(store.clone(), limits, Zone::UTC), store, _dir: dir }
    }

    fn send(&self, format: Format, body: impl Into<Vec<u8>>) -> Result<IngestAnswer, IngestError> {
        self.intake.ingest(request(format, body.into()))
    }

    /// Returns the values of `names` of all events of all groups, sorted as text.
    fn events(&self, names: &[&str]) -> Vec<String> {
        let snapshot = self.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL);
        let mut events = Vec::new();
        for run in snapshot.runs {
            for block in 0..run.n_blocks() {
                let n_rows = run.block_rows(block);
                let columns = run.read(block, names, &RowSet::all(n_rows)).unwrap();
                for row in 0..n_rows {
                    let shown = |value: Option<Value>| value.map_or("-".into(), |value| value.to_string());
                    events.push(columns.iter().map(|c| shown(c.value(row))).collect::<Vec<_>>().join(" | "));
                }
            }
        }
        events.sort();
        events
    }
}

fn request(format: Format, body: Vec<u8>) -> IngestRequest<'static> {
    IngestRequest {
        body: body.leak(),
        encoding: Encoding::Identity,
        format,
        group: GroupName::new("app").unwrap(),
        stream: "one".into(),
        fields: &[],
        sender: sender("", None),
    }
}

fn sender(name: &'static str, batch_id: Option<&'static str>) -> Sender<'static> {
    Sender { name, within: &GroupScope::All, batch_id, now: now(), groups: None }
}

fn lines(start: u64, text: &str, more: &str) -> Vec<u8> {
    let header =
        format!(r#"{{"source":"s","file":"f","generation":0,"start":{start},"host":"web","path":"/a.log"{more}}}"#);
    format!("{header}\n{text}").into_bytes()
}

#[test]
fn good_records_go_in_and_broken_ones_are_told_by_line() {
    let house = House::new();
    let body = "{\"message\":\"a\"}\n\n{broken\r\n[1]\n  {\"message\":\"b\",\"n\":1}\r\n7";
    let answer = house.send(Format::Ndjson, body).unwrap();
    assert_eq!(answer.accepted, 2);
    let rejected: Vec<usize> = answer.rejected.iter().map(|rejected| rejected.line).collect();
    assert_eq!(rejected, [3, 4, 6]);
    assert_eq!(answer.rejected[0].error, "expected a key in quotes at column 2");
    assert_eq!(house.events(&["@message", "n", "@log", "@logStream"]), ["a | - | app | one", "b | 1 | app | one"]);
    let shown = serde_json::to_string(&IngestAnswer { rejected: Vec::new(), ..answer }).unwrap();
    assert_eq!(shown, r#"{"accepted":2,"duplicate":false,"rejected":[]}"#);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_record() {
    let house = House::new();
    let answer = house.send(Format::Ndjson, "\u{feff}{\"message\":\"a\"}\n").unwrap();
    assert_eq!((answer.accepted, answer.rejected.len()), (1, 0));
    assert_eq!(house.events(&["@message"]), ["a"]);
}

#[test]
fn a_body_without_a_good_record_stores_nothing() {
    let house = House::new();
    let answer = house.send(Format::Ndjson, "x\n".repeat(1500)).unwrap();
    assert_eq!((answer.accepted, answer.rejected.len(), answer.rejected_unnamed), (0, 1000, 500));
    assert_eq!(house.send(Format::Ndjson, "").unwrap(), IngestAnswer::default());
    assert_eq!(house.events(&["@message"]), [""; 0]);
}

#[test]
fn a_batch_with_an_id_is_stored_once_whatever_its_encoding() {
    let house = House::new();
    let body = b"{\"message\":\"a\"}\n{\"message\":\"b\"}\n".to_vec();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&body).unwrap();
    let packed = encoder.finish().unwrap();
    let with_id = |body: &[u8], encoding, scope| {
        let request = request(Format::Ndjson, body.to_vec());
        let answer = house.intake.ingest(IngestRequest { encoding, sender: sender(scope, Some("id")), ..request });
        answer.map(|answer| (answer.accepted, answer.duplicate, answer.first_event.is_some()))
    };
    let answer = |duplicate: bool| Ok((2, duplicate, !duplicate));
    assert_eq!(with_id(&body, Encoding::Identity, "k"), answer(false));
    assert_eq!(with_id(&packed, Encoding::Gzip, "k"), answer(true));
    assert_eq!(with_id(b"{}", Encoding::Identity, "k"), Err(IngestError::Store(storage::AppendError::KeyConflict)));
    assert_eq!(house.events(&["@message"]).len(), 2);
    assert_eq!(with_id(&body, Encoding::Identity, "other"), answer(false));
    assert_eq!(house.events(&["@message"]).len(), 4);
}

#[test]
fn text_is_cut_into_events_with_their_traces() {
    let house = House::new();
    let answer = house.send(Format::Text, "2026-11-20 06:00:00 ERROR a\n\tat b\n\n[warn] c\n").unwrap();
    assert_eq!(answer.accepted, 2);
    let expected = [
        "error | 2026-11-20T06:00:00Z | 2026-11-20 06:00:00 ERROR a\n\tat b",
        "warn | 2026-11-20T06:00:00Z | [warn] c",
    ];
    assert_eq!(house.events(&["@level", "@timestamp", "@message"]), expected);
}

#[test]
fn long_texts_become_parts_that_name_the_first() {
    let house = House::with(Limits { event_bytes_max: 4, ..Limits::default() }, |options| options);
    let answer = house.send(Format::Text, "aaaabbbbcc\nd").unwrap();
    assert_eq!(answer.accepted, 2);
    assert_eq!(house.events(&["@message", "@part"]), ["aaaa | 1", "bbbb | 2", "cc | 3", "d | -"]);
    let first = house.events(&["@message", "@id"])[0].replace("aaaa | ", "");
    for flushed in [false, true] {
        if flushed {
            house.store.flush().unwrap();
        }
        let events = house.events(&["@message", "@partOf"]);
        assert_eq!(
            events,
            [format!("aaaa | {first}"), format!("bbbb | {first}"), format!("cc | {first}"), "d | -".into()]
        );
    }
}

#[test]
fn lines_of_a_file_have_its_fields_and_places() {
    let house = House::new();
    let more = r#","zone":"Asia/Jakarta","fields":{"team":"blue","n":5,"@id":"x"}"#;
    let answer = house.send(Format::Lines, lines(100, "2026-11-20 06:00:00 a\r\n\nb", more)).unwrap();
    assert_eq!(answer.accepted, 2);
    assert_eq!(answer.high_water, Some(125));
    let names = ["@timestamp", "@message", "host", "file", "offset", "team", "n", "_id"];
    let time = "2026-11-19T23:00:00Z";
    let expected = [
        format!("{time} | 2026-11-20 06:00:00 a | web | /a.log | 100 | blue | 5 | x"),
        format!("{time} | b | web | /a.log | 124 | blue | 5 | x"),
    ];
    assert_eq!(house.events(&names), expected);
}

#[test]
fn bytes_of_a_file_are_stored_once_however_they_are_cut() {
    let house = House::new();
    let text = "one\ntwo\n  more\nthree\n";
    let first = house.send(Format::Lines, lines(0, &text[..4], "")).unwrap();
    assert_eq!((first.accepted, first.duplicate, first.high_water), (1, false, Some(4)));
    let again = house.send(Format::Lines, lines(0, &text[..4], "")).unwrap();
    assert_eq!((again.accepted, again.duplicate, again.high_water), (0, true, Some(4)));
    let lengths = r#","lengths":[4,11,6]"#;
    let more = house.send(Format::Lines, lines(0, text, lengths)).unwrap();
    assert_eq!((more.accepted, more.duplicate, more.high_water), (2, false, Some(21)));
    assert_eq!(house.events(&["offset", "@message"]), ["0 | one", "15 | three", "4 | two\n  more"]);
    let position = SourcePosition { source: "s".into(), file: "f".into(), generation: 0, range: 0..30 };
    assert_eq!(house.store.missing(&position).into_iter().collect::<Vec<_>>().first(), Some(&(21..30)));
}

#[test]
fn an_event_that_continues_a_full_one_says_so_also_in_the_next_piece() {
    let house = House::new();
    let full = format!("Error: deep\n{}", "\tat shop.Tank.fill(Tank.java:7)\n".repeat(999));
    house.send(Format::Lines, lines(0, &full, &format!(r#","lengths":[{}]"#, full.len()))).unwrap();
    house.send(Format::Lines, lines(full.len() as u64, "\tat main\n", "")).unwrap();
    house.send(Format::Lines, lines(full.len() as u64 + 9, "\tat main\n", "")).unwrap();
    house.send(Format::Text, format!("{full}\tat text\nError: x\n")).unwrap();
    let events = house.events(&["continued", "@message"]);
    let of_line = |line: &str| events.iter().filter(|event| event.ends_with(line)).cloned().collect::<Vec<_>>();
    assert_eq!(of_line("at main"), ["- | \tat main", "true | \tat main"]);
    assert_eq!(of_line("at text"), ["true | \tat text"]);
    assert_eq!(events.iter().filter(|event| event.starts_with("true")).count(), 2, "{events:?}");
}

#[test]
fn empty_lines_are_accepted_so_that_nobody_sends_them_again() {
    let house = House::new();
    let answer = house.send(Format::Lines, lines(0, "\n\n", "")).unwrap();
    assert_eq!((answer.accepted, answer.duplicate, answer.high_water), (0, false, Some(2)));
    assert!(house.send(Format::Lines, lines(0, "\n\n", "")).unwrap().duplicate);
}

#[test]
fn a_line_without_time_has_that_of_the_line_before_it_in_its_file() {
    let house = House::new();
    let first = "2026-11-20 06:00:00 a\n";
    house.send(Format::Lines, lines(0, first, "")).unwrap();
    house.send(Format::Lines, lines(first.len() as u64, "b\n", "")).unwrap();
    assert_eq!(house.events(&["@timestamp"]), ["2026-11-20T06:00:00Z", "2026-11-20T06:00:00Z"]);
}

#[test]
fn texts_have_the_fields_that_their_form_says_at_every_door() {
    let line = r#"192.0.2.1 - - [20/Nov/2026:06:47:13 +0000] "GET /x HTTP/1.1" 503 7 "-" "curl/8.5.0""#;
    let house = House::new();
    house.send(Format::Text, format!("{line}\n")).unwrap();
    house.send(Format::Lines, lines(0, &format!("{line}\n"), "")).unwrap();
    let mut collector = house.intake.collect(&sender("", None));
    let group = GroupName::new("foreign").unwrap();
    let place = collector.group(&group).unwrap();
    collector.add(place, RawEvent::Text(line.as_bytes()), &EventMetadata::default()).unwrap().unwrap();
    house.intake.accept(collector, b"foreign", &sender("", None)).unwrap();
    let event = "2026-11-20T06:47:13Z | error | 192.0.2.1 | /x | 503 | 7";
    assert_eq!(house.events(&["@timestamp", "@level", "client", "path", "status", "bytes"]), [event; 3]);
}

#[test]
fn flow_logs_have_the_columns_of_the_header_line_of_their_file() {
    let house = House::new();
    let first = "srcaddr dstport action start\n192.0.2.1 443 REJECT 1795157233\n";
    house.send(Format::Lines, lines(0, first, "")).unwrap();
    house.send(Format::Lines, lines(first.len() as u64, "192.0.2.9 22 ACCEPT 1795157234\n", "")).unwrap();
    // Another file has its own header, or none.
    house.send(Format::Text, "192.0.2.7 80 ACCEPT 1795157234\n").unwrap();
    assert_eq!(
        house.events(&["srcAddr", "dstPort", "action"]),
        ["- | - | -", "- | - | -", "192.0.2.1 | 443 | REJECT", "192.0.2.9 | 22 | ACCEPT"]
    );
}

#[test]
fn messages_of_a_queue_are_stored_once_by_their_offsets() {
    let house = House::new();
    // Each has its offset, and a text of its own; what lies between the offsets is none.
    let send = |start: u64, offsets: &[u64]| {
        let texts: Vec<String> = offsets.iter().map(|offset| format!("order {offset}\n  of a shop")).collect();
        let message = |(offset, text): (&u64, &String)| {
            let (bytes, time) = (text.len(), 1_795_157_233_000_000_000 + offset);
            format!(
                r#"{{"offset":{offset},"bytes":{bytes},"time":{time},"fields":{{"key":"k{offset}","@level":"x"}}}}"#
            )
        };
        let messages: Vec<String> = offsets.iter().zip(&texts).map(message).collect();
        let more = format!(r#","records":true,"messages":[{}]"#, messages.join(","));
        let answer = house.send(Format::Lines, lines(start, &texts.concat(), &more)).unwrap();
        (answer.accepted, answer.duplicate)
    };
    assert_eq!(send(0, &[3, 4, 9]), (3, false));
    assert_eq!(send(0, &[3, 4, 9]), (0, true));
    // Cut in another way.
    assert_eq!(send(4, &[4, 9, 11]), (1, false));
    assert_eq!(send(20, &[25]), (1, false));
    assert_eq!(send(12, &[12, 25, 26]), (2, false));
    let events = house.events(&["@timestamp", "@message", "key", "_level"]);
    let event = |offset: u64| {
        let time = format!("2026-11-20T06:47:13.0000000{offset:02}Z");
        format!("{time} | order {offset}\n  of a shop | k{offset} | x")
    };
    assert_eq!(events, [3, 4, 9, 11, 12, 25, 26].map(event));
}

#[test]
fn headers_that_contradict_their_bytes_are_refused() {
    let house = House::new();
    let check = |body: Vec<u8>| {
        let answer = house.send(Format::Lines, body);
        assert!(matches!(answer, Err(IngestError::BadHeader(_))), "{answer:?}");
    };
    check(b"no header".to_vec());
    check(b"{}\nx".to_vec());
    check(lines(u64::MAX, "xx", ""));
    check(lines(0, "xx", r#","lengths":[1]"#));
    check(lines(0, "xx", r#","lengths":[18446744073709551615,3]"#));
    for messages in ["[5,2]", r#"{"offset":7,"bytes":1},{"offset":7,"bytes":1}"#, r#"{"offset":3,"bytes":2}"#] {
        check(lines(4, "xx", &format!(r#","messages":[{messages}]"#)));
    }
    for offset in [7, u64::MAX] {
        check(lines(4, "xx", &format!(r#","messages":[{{"offset":{offset},"bytes":3}}]"#)));
    }
    check(b"{\"source\":\"\",\"file\":\"f\",\"generation\":0,\"start\":0}\nx".to_vec());
}

#[test]
fn groups_beyond_the_limit_go_to_the_overflow() {
    let house = House::with(Limits::default(), |options| Options { groups_max: 1, ..options });
    for group in ["first", "second", "third"] {
        let group = GroupName::new(group).unwrap();
        let answer = house.intake.ingest(IngestRequest { group, ..request(Format::Ndjson, b"{\"n\":1}".to_vec()) });
        assert_eq!(answer.unwrap().accepted, 1);
    }
    assert_eq!(house.events(&["@log", "@group"]), ["first | -", "overflow | second", "overflow | third"]);
    assert_eq!(house.intake.n_overflowed(), 2);
}

#[test]
fn many_different_fields_cost_no_more_than_a_request_may_hold() {
    let limits = Limits { body_bytes_max: 1 << 20, ..Limits::default() };
    let house = House::with(limits, |options| options);
    let few: String = (0..500).map(|i| format!("{{\"f{i}\":{i}}}\n")).collect();
    assert_eq!(house.send(Format::Ndjson, few).unwrap().accepted, 500);
    let many: String = (0..50_000).map(|i| format!("{{\"f{i}\":{i}}}\n")).collect();
    assert_eq!(house.send(Format::Ndjson, many), Err(IngestError::TooManyFields { bytes_max: 4 << 20 }));
    let lists = "{\"l\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}\n".repeat(10_000);
    assert!(matches!(house.send(Format::Ndjson, lists), Err(IngestError::TooManyFields { .. })));
    assert_eq!(house.events(&["@message"]).len(), 500);
}

#[test]
fn lines_with_metrics_may_not_have_far_more_data_than_bytes() {
    let house = House::new();
    let line = |n_sets: usize, n_metrics: usize| {
        let names = |n: usize, prefix: &str| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
        let sets: Vec<_> = names(n_sets, "d").iter().map(|name| json!([name])).collect();
        let metrics: Vec<_> = names(n_metrics, "m").iter().map(|name| json!({"Name": name})).collect();
        let mut line =
            json!({"_aws": {"CloudWatchMetrics": [{"Namespace": "n", "Dimensions": sets, "Metrics": metrics}]}});
        names(n_sets, "d").into_iter().for_each(|name| line[name] = json!("x"));
        names(n_metrics, "m").into_iter().for_each(|name| line[name] = json!(1));
        format!("{line}\n")
    };
    assert_eq!(house.send(Format::Ndjson, line(90, 100)).unwrap().accepted, 1);
    assert_eq!(house.send(Format::Ndjson, line(3, 30).repeat(200)).unwrap().accepted, 200);
    let most = house.send(Format::Ndjson, line(90, 100).repeat(10));
    assert!(matches!(most, Err(IngestError::TooManyFields { .. })), "{most:?}");
}

#[test]
fn foreign_doors_bring_their_own_times_and_fields() {
    let house = House::new();
    let mut collector = house.intake.collect(&sender("loki", Some("id")));
    let write = |fields: &mut parse::FieldWriter<'_>| fields.text("env", "prod");
    let time = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z");
    let fields = EventFields::Writer { n_max: 1, write: &write };
    let metadata = EventMetadata { time, fields, ..EventMetadata::default() };
    for group in ["a", "b"] {
        let place = collector.group(&GroupName::new(group).unwrap()).unwrap();
        collector.set_stream(place, "s");
        collector.add(place, RawEvent::Text(b"{\"k\":1,\"level\":\"warn\"}"), &metadata).unwrap().unwrap();
    }
    let answer = house.intake.accept(collector, b"body", &sender("loki", Some("id"))).unwrap();
    assert_eq!((answer.accepted, answer.duplicate), (2, false));
    let shown = house.events(&["@log", "@timestamp", "@level", "env", "k"]);
    assert_eq!(shown, ["a | 2026-11-20T06:00:00Z | warn | prod | 1", "b | 2026-11-20T06:00:00Z | warn | prod | 1"]);
}

#[test]
fn what_a_protocol_says_beside_an_event_is_its_time_its_level_and_its_fields() {
    let house = House::new();
    let mut collector = house.intake.collect(&sender("", None));
    let place = collector.group(&GroupName::new("a").unwrap()).unwrap();
    let write = |fields: &mut parse::FieldWriter<'_>| {
        fields.text("host", "beside");
        fields.integer("n", 1);
    };
    let time = Timestamp::parse_rfc3339("2026-11-20T06:00:00Z");
    let fields = EventFields::Writer { n_max: 2, write: &write };
    let metadata = EventMetadata { time, level: Some(types::Level::Warn), fields, ..EventMetadata::default() };
    let record = br#"{"message":"r","time":"2020-01-01T00:00:00Z","host":"own"}"#;
    collector.add(place, RawEvent::Record(record), &metadata).unwrap().unwrap();
    collector.add(place, RawEvent::Text(b"ERROR t"), &metadata).unwrap().unwrap();
    assert!(collector.add(place, RawEvent::Record(b"no record"), &metadata).unwrap().is_err());
    assert_eq!(house.intake.accept(collector, b"", &sender("", None)).unwrap().accepted, 2);
    let shown = house.events(&["@message", "@timestamp", "@level", "host", "n", "time"]);
    let times = ["ERROR t | 2026-11-20T06:00:00Z | warn | beside | 1 | -"];
    assert_eq!(shown, [times[0], "r | 2026-11-20T06:00:00Z | warn | own | 1 | 2020-01-01T00:00:00Z"]);
}

#[test]
fn nobody_writes_to_groups_out_of_their_scope() {
    let house = House::new();
    let within = GroupScope::Matching(vec![GroupPattern::new("other/*")]);
    let refused = |format, body: &[u8]| {
        let request = request(format, body.to_vec());
        house.intake.ingest(IngestRequest { sender: Sender { within: &within, ..request.sender }, ..request })
    };
    let app = OutOfScope(GroupName::new("app").unwrap());
    assert_eq!(refused(Format::Ndjson, b"{}"), Err(IngestError::OutOfScope(app.clone())));
    assert_eq!(refused(Format::Text, b"line"), Err(IngestError::OutOfScope(app.clone())));
    assert_eq!(refused(Format::Lines, &lines(0, "line\n", "")), Err(IngestError::OutOfScope(app)));
    assert!(refused(Format::Lines, &lines(0, "line\n", r#","group":"other/x""#)).is_ok());
    assert_eq!(house.events(&["@log"]), ["other/x"]);
}

#[test]
fn invalid_utf_8_nul_and_strange_years_are_accepted_and_marked() {
    let house = House::new();
    let body = b"{\"message\":\"a\xff\0\",\"ts\":\"1969-01-01T00:00:00Z\"}\n{\"message\":\"b\",\"ts\":\"2300-01-01T00:00:00Z\"}".to_vec();
    assert_eq!(house.send(Format::Ndjson, body).unwrap().accepted, 2);
    let expected = ["a\u{fffd}\0 | lossy | 1969-01-01T00:00:00Z", "b | - | 2300-01-01T00:00:00Z"];
    assert_eq!(house.events(&["@message", "@encoding", "@timestampRejected"]), expected);
}

#[test]
fn events_older_than_their_group_keeps_are_rejected_with_that_reason() {
    let house = House::with(Limits::default(), |options| Options { clock: storage::Clock::new(now), ..options });
    let group = GroupName::new("app").unwrap();
    let retention = storage::GroupRetention { age_ns: Some(Timestamp::DAY), bytes: None };
    house.store.set_retention(&group, retention).unwrap();
    let body = "{\"time\":\"2026-11-20T11:00:00Z\",\"message\":\"new\"}\n\n{\"time\":\"2026-11-18T11:00:00Z\",\"message\":\"old\"}\n";
    let answer = house.send(Format::Ndjson, body).unwrap();
    assert_eq!((answer.accepted, answer.rejected.len(), answer.rejected[0].line), (1, 1, 3));
    let reason = "event is older than the retention of its group: it happened before 2026-11-19T12:00:00Z";
    assert_eq!(answer.rejected[0].error, reason);
    let answer = house.send(Format::Text, "2026-11-20T11:00:01Z text\n2026-11-01T11:00:00Z gone\n").unwrap();
    assert_eq!((answer.accepted, answer.rejected[0].line), (1, 2));
    let piece = "{\"source\":\"s\",\"file\":\"f\",\"generation\":1,\"start\":0}\n2026-11-01T11:00:00Z gone\n2026-11-20T11:00:02Z line\n";
    let answer = house.send(Format::Lines, piece).unwrap();
    assert_eq!((answer.accepted, answer.rejected[0].line, answer.high_water), (1, 2, Some(52)));
    assert_eq!(house.events(&["@message"]), ["2026-11-20T11:00:01Z text", "2026-11-20T11:00:02Z line", "new"]);
}

#[test]
fn events_of_new_names_stand_in_small_batches_and_those_of_many_equal_names_in_large_ones() {
    let sizes = |name: &dyn Fn(usize, usize) -> usize| {
        let house = House::new();
        let event = |i| {
            let members: Vec<String> = (0..20).map(|k| format!("\"n{:06}\":1", name(i, k))).collect();
            format!("{{{}}}\n", members.join(","))
        };
        house.send(Format::Ndjson, (0..600).map(event).collect::<String>()).unwrap();
        let runs = house.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL).runs;
        let size = |run: &Arc<dyn types::Run>| {
            let n_rows: usize = (0..run.n_blocks()).map(|block| run.block_rows(block)).sum();
            (n_rows, n_rows * run.field_names().unwrap().len())
        };
        runs.iter().map(size).collect::<Vec<(usize, usize)>>()
    };
    let of_new = sizes(&|i, k| i * 20 + k);
    assert_eq!(of_new.iter().map(|(n_rows, _)| n_rows).sum::<usize>(), 600);
    assert!(of_new.iter().all(|(_, n_cells)| *n_cells <= 1 << 18), "{of_new:?}");
    // The fields of an event in ten come and go, as optional ones do.
    let of_equal = sizes(&|i, k| if k == 19 { 100 + i % 10 } else { k });
    assert_eq!(of_equal.len(), 1, "{of_equal:?}");
}
