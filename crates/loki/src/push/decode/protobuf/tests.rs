//! Messages as agents make them, and broken ones.

use std::sync::Arc;

use proptest::prelude::*;
use storage::{Options, Store};
use tempfile::TempDir;
use types::{GroupPattern, Limits, RowSet, TimeRange};

use super::*;
use ingest::Intake;

use crate::push::decode::{InFlight, PushWriter};

/// Field number `number` holding `bytes`.
fn bytes(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

fn entry(seconds: u8, line: &[u8], metadata: &[(&str, &str)]) -> Vec<u8> {
    let time = bytes(1, &[1 << 3, seconds, 2 << 3, 5]);
    let pair =
        |(name, value): &(&str, &str)| bytes(3, &[bytes(1, name.as_bytes()), bytes(2, value.as_bytes())].concat());
    bytes(2, &[time, bytes(2, line), metadata.iter().flat_map(pair).collect()].concat())
}

fn push(labels: &str, entries: &[Vec<u8>]) -> Vec<u8> {
    // A hash follows the entries in messages of today.
    bytes(1, &[bytes(1, labels.as_bytes()), entries.concat(), vec![3 << 3, 0xff, 0x01]].concat())
}

fn packed(message: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(message).unwrap()
}

struct House {
    intake: Intake,
    store: Arc<Store>,
    _dir: TempDir,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (store, _) = Store::open(Options::new(dir.path().join("data"))).unwrap();
        let limits = Limits { body_bytes_max: 100_000, ..Limits::default() };
        Self { intake: Intake::new(store.clone(), limits, 0), store, _dir: dir }
    }

    fn send(&self, body: &[u8]) -> Result<(u64, bool), String> {
        let now = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
        let in_flight = InFlight::default();
        let writer = PushWriter { intake: &self.intake, store: &self.store, in_flight: &in_flight };
        let sent = writer.protobuf(
            body,
            &ingest::Sender { name: "", within: &types::GroupScope::All, batch_id: None, now, groups: None },
        );
        sent.map(|answer| (answer.accepted, answer.duplicate)).map_err(|error| error.to_string())
    }

    fn events(&self, names: &[&str]) -> Vec<String> {
        let mut events = Vec::new();
        for run in self.store.snapshot(&[GroupPattern::new("*")], TimeRange::ALL).runs {
            let columns = run.read(0, names, &RowSet::all(run.block_rows(0))).unwrap();
            let shown = |row| columns.iter().map(move |c| c.value(row).map_or("-".into(), |value| value.to_string()));
            events.extend((0..run.block_rows(0)).map(|row| shown(row).collect::<Vec<_>>().join(" | ")));
        }
        events.sort();
        events
    }
}

#[test]
fn lines_of_all_streams_go_in_with_their_labels_and_metadata_once() {
    let house = House::new();
    let entries = [entry(7, b"level=warn slow", &[]), entry(8, b"\xff raw", &[("trace_id", "abc"), ("@id", "x")])];
    let message = [push(r#"{job="shop", env="pr\"od"}"#, &entries), push("{}", &[entry(9, b"alone", &[])])].concat();
    assert_eq!(house.send(&packed(&message)), Ok((3, false)));
    assert_eq!(house.send(&packed(&message)), Ok((3, true)));
    assert_eq!(
        house.events(&["@timestamp", "@log", "@logStream", "@message", "@level", "env", "trace_id", "_id"]),
        [
            r#"1970-01-01T00:00:07.000000005Z | shop | {env="pr\"od", job="shop"} | level=warn slow | warn | pr"od | - | -"#,
            "1970-01-01T00:00:08.000000005Z | shop | {env=\"pr\\\"od\", job=\"shop\"} | \u{fffd} raw | - | pr\"od | abc | x",
            "1970-01-01T00:00:09.000000005Z | loki | {} | alone | - | - | - | -",
        ]
    );
}

#[test]
fn broken_messages_are_refused_whole() {
    let house = House::new();
    let good = push(r#"{job="a"}"#, &[entry(1, b"x", &[])]);
    assert!(house.send(&packed(&good[..good.len() - 1])).unwrap_err().contains("cut off"));
    assert!(house.send(&packed(&[good, push("{job=a}", &[])].concat())).unwrap_err().contains("is not a label set"));
    assert!(house.send(b"{\"streams\":[]}").unwrap_err().contains("snappy"));
    assert!(house.send(b"").unwrap_err().contains("snappy"));
    assert_eq!(house.events(&["@message"]), [""; 0]);
}

#[test]
fn a_block_is_not_believed_to_be_larger_than_it_can_be() {
    let names =
        |body: &[u8]| ingest::snappy::unpack(body, 100_000).map(|bytes| bytes.len()).map_err(|error| error.to_string());
    let zeros = packed(&vec![0; 100_000]);
    assert!(zeros.len() * 22 >= 100_000, "{}", zeros.len());
    assert_eq!(names(&zeros), Ok(100_000));
    assert!(names(&packed(&vec![0; 100_001])).unwrap_err().contains("larger than 100000"));
    // 50,000 bytes, says the head, and there is nothing behind it.
    assert!(names(&[0xd0, 0x86, 0x03, 0x00]).unwrap_err().contains("too short"));
}

#[test]
fn label_sets_are_quoted_as_in_go() {
    let check = |text: &str, expected: &[(&str, &str)]| {
        let labels = label_set(text).unwrap_or_else(|| panic!("{text}"));
        let shown: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (&*name.0, &*value.0)).collect();
        assert_eq!(shown, expected, "{text}");
    };
    check("{}", &[]);
    check(r#"{ b = "1" , a="x=}," , }"#, &[("a", "x=},"), ("b", "1")]);
    check(r#"{a="\\\"\n\u00e9\xc3\xa9\303\251", b=`\n`}"#, &[("a", "\\\"\néé\u{e9}"), ("b", "\\n")]);
    for broken in [
        "", "{", "a", "{a}", "{=\"b\"}", "{a=}", "{a=\"", "{a=\"\\q\"}", "{a=\"\\xg1\"}", "{a=\"b\"", "{a=\"b\"}x",
        "{a=\"b\" c=\"d\"}",
    ] {
        assert!(label_set(broken).is_none(), "{broken}");
    }
}

#[test]
fn no_message_panics() {
    let house = House::new();
    let message = prop::collection::vec(any::<u8>(), 0..200);
    proptest!(|(message in message, text in "[{}a=\",`\\\\xuU0-9 ]{0,40}")| {
        let _ = house.send(&message);
        let _ = house.send(&packed(&message));
        let _ = house.send(&packed(&push(&text, &[entry(1, &message, &[])])));
    });
}
