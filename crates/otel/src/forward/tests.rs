//! Messages of all forms as the specification and clients write them, and broken ones.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::house::House;
use crate::sockets::Door;

/// 2025-11-20T06:20:49Z, and the same as EventTime with a fraction.
const TIME: &[u8] = &[0xce, 0x69, 0x1e, 0xb3, 0x41];
const EVENT_TIME: &[u8] = &[0xd7, 0x00, 0x69, 0x1e, 0xb3, 0x41, 0x12, 0x4f, 0x80, 0x00];

fn entry(time: &[u8], text: &str) -> Vec<u8> {
    [&[0x92], time, b"\x82\xa7message", &[0xa0 | text.len() as u8], text.as_bytes(), b"\xa5level\xa5error"].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes it");
    encoder.finish().expect("a vector takes it")
}

/// The three forms with several entries, and a form of one.
fn messages() -> Vec<Vec<u8>> {
    let entries = [entry(TIME, "one"), entry(EVENT_TIME, "two")].concat();
    let packed = |kind: &[u8], bytes: &[u8], options: &[u8]| {
        [b"\x93\xa7web.app", kind, &(bytes.len() as u16).to_be_bytes(), bytes, options].concat()
    };
    let members = [gzip(&entry(TIME, "one")), gzip(&entry(EVENT_TIME, "two"))].concat();
    let ended = |at: usize| entry(if at == 0 { TIME } else { EVENT_TIME }, ["one", "two"][at])[1..].to_vec();
    vec![
        [b"\x92\xa7web.app\x92", &entries[..]].concat(),
        [b"\x93\xa7web.app\x92", &entries[..], b"\x82\xa4size\x02\xa5chunk\xa4abcd"].concat(),
        packed(b"\xc5", &entries, b"\xc0"),
        packed(b"\xda", &entries, b"\x81\xa5chunk\xc4\x02\x00\x01"),
        packed(b"\xc5", &gzip(&entries), b"\x81\xaacompressed\xa4gzip"),
        packed(b"\xc5", &members, b"\x82\xaacompressed\xa4gzip\xa5chunk\xa1c"),
        // Fluent Bit writes metadata beside the time.
        [
            b"\x93\xa7web.app\x92",
            &entry(&[&[0x92], TIME, &[0x80]].concat(), "one")[..],
            &entry(&[&[0x92], EVENT_TIME, &[0x80]].concat(), "two"),
            b"\x80",
        ]
        .concat(),
        [&b"\x93\xa7web.app"[..], &ended(0), b"\x94\xa7web.app", &ended(1), b"\xc0"].concat(),
    ]
}

#[test]
fn all_forms_are_the_same_events() {
    for message in messages() {
        let house = House::limited(1 << 20);
        let (mut frames, mut rest) = (Vec::new(), &message[..]);
        while !rest.is_empty() {
            frames.push((take_value(&mut rest).expect("a message"), 0));
        }
        let stored = house.take(Door::Forward, &frames);
        assert_eq!((stored.answer.accepted, stored.n_malformed), (2, 0), "{message:02x?} {:?}", stored.problem);
        assert_eq!(
            house.events(&["@log", "@logStream", "@timestamp", "@level", "message", "tag"]),
            [
                "forward/web.app | 10.0.0.9 | 2025-11-20T06:20:49.3072Z | error | two | web.app",
                "forward/web.app | 10.0.0.9 | 2025-11-20T06:20:49Z | error | one | web.app",
            ]
        );
    }
}

#[test]
fn acknowledgements_repeat_the_id_of_the_chunk_as_it_was_sent() {
    let answers: Vec<Option<Vec<u8>>> =
        messages()[1..6].iter().map(|message| acknowledgement(message).map(|asked| asked.answer)).collect();
    let expected = [
        Some(&b"\x81\xa3ack\xa4abcd"[..]),
        None,
        Some(b"\x81\xa3ack\xc4\x02\x00\x01"),
        None,
        Some(b"\x81\xa3ack\xa1c"),
    ];
    assert_eq!(answers, expected.map(|answer| answer.map(<[u8]>::to_vec)));
}

#[test]
fn texts_are_under_the_names_that_senders_use_and_metadata_is_kept() {
    let house = House::limited(1 << 20);
    let record = |record: &[u8]| [b"\x93\xa1t", TIME, record].concat();
    house.take(
        Door::Forward,
        &[
            (&record(b"\x82\xa3log\xa3one\xa6stream\xa6stderr"), 0),
            (&record(b"\x81\xa3msg\xa3two"), 0),
            (&record(b"\xa5three"), 0),
            (&record(b"\x80"), 0),
            (&[b"\x93\xa1t\x92", TIME, b"\x81\xa1k\xa1v\x81\xa7message\xa4four"].concat(), 0),
        ],
    );
    let line = br#"ERROR {"level":"warn","n":1}"#;
    let wrapped = [b"\x82\xa3log", &[0xa0 | line.len() as u8][..], line, b"\xaakubernetes\x81\xa3pod\xa1p"].concat();
    house.take(Door::Forward, &[(&record(&wrapped), 0), (&record(b"\x82\xa3log\xa1a\xa7message\xa4five"), 0)]);
    assert_eq!(
        house.events(&["@message", "stream", "metadata.k", "log", "tag", "@level", "kubernetes.pod"]),
        [
            "ERROR {\"level\":\"warn\",\"n\":1} | - | - | - | t | error | p",
            "five | - | - | a | t | - | -",
            "four | - | v | - | t | - | -",
            "one | stderr | - | - | t | - | -",
            "three | - | - | - | t | - | -",
            "two | - | - | - | t | - | -",
            "{} | - | - | - | t | - | -",
        ]
    );
}

#[test]
fn what_is_wrong_with_one_entry_costs_no_other() {
    let house = House::limited(1 << 20);
    let deep = [&[0x81, 0xa1, b'a'][..], &[0x91; 100], &[0xc0]].concat();
    let entries = [
        &[b"\x92", TIME, &deep[..]].concat()[..],
        b"\x92\xa9yesterday\x80",
        b"\x01",
        &entry(TIME, "good"),
        &[0x92, 0xc1],
    ]
    .concat();
    let packed = [b"\x92\xa1t\xc5", &(entries.len() as u16).to_be_bytes()[..], &entries].concat();
    let stored = house.take(
        Door::Forward,
        &[
            (&packed, 0),
            (b"\xc0", 0),
            (b"\x81\xa1a\x01", 0),
            (b"\x92\xa1t\x01", 0),
            (b"\x93\xa1t\xc4\x01a\x81\xaacompressed\xa4gzip", 0),
            (b"\x93\xa1t\xc4\x01a\x81\xaacompressed\xa6snappy", 0),
        ],
    );
    assert_eq!((stored.answer.accepted, stored.n_malformed), (1, 8), "{:?}", stored.problem);
    assert_eq!(stored.problem.as_deref(), Some("values nested deeper than 64"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_messages_are_read_or_refused(which in 0..8usize, at in 0..200usize, byte: u8, kept in 0..300usize) {
        let mut message = messages().swap_remove(which);
        if let Some(place) = message.get_mut(at) {
            *place = byte;
        }
        message.truncate(kept);
        let _ = acknowledgement(&message);
        if let Ok(Some(Message { entries: Entries::List(_, mut bytes) | Entries::Packed(mut bytes), .. })) = Message::read(&message) {
            while let Ok(mut entry) = take_value(&mut bytes) {
                if two_of(entry).is_ok() {
                    let _ = write_json(&mut entry, &mut Vec::new(), 1 << 20);
                }
            }
        }
    }
}
