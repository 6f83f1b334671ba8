//! Frames as Beats and logstash-forwarder write them, and broken ones.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;
use crate::house::House;
use crate::sockets::Door;

const BEAT: &str = r#"{"@timestamp":"2026-11-20T06:47:13.123Z","@metadata":{"beat":"filebeat","type":"_doc"},"message":"one","host":{"name":"web-1"},"log":{"level":"error"},"fields":{"env":"prod"}}"#;
const LOGSTASH: &str = r#"{"@metadata": {}, "@timestamp": "2026-11-20T06:47:14.000Z", "message": "two", "host": "web-2", "level": "WARNING"}"#;

fn json(sequence: u32, text: &str) -> Vec<u8> {
    [b"2J", &sequence.to_be_bytes()[..], &(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

fn pairs(sequence: u32, pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = [b"1D", &sequence.to_be_bytes()[..], &(pairs.len() as u32).to_be_bytes()].concat();
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

fn compressed(frames: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(frames).expect("a vector takes it");
    let bytes = encoder.finish().expect("a vector takes it");
    [b"2C", &(bytes.len() as u32).to_be_bytes()[..], &bytes].concat()
}

#[test]
fn events_of_all_frames_are_records_without_metadata() {
    let old = pairs(3, &[("line", "three"), ("host", "web-3"), ("file", "/var/log/app.log")]);
    let all = [json(1, BEAT), json(2, LOGSTASH), old.clone()].concat();
    for frames in [vec![json(1, BEAT), json(2, LOGSTASH), old], vec![compressed(&all)]] {
        let house = House::limited(1 << 20);
        let stored = house.take(Door::Lumberjack, &frames.iter().map(|frame| (&frame[..], 0)).collect::<Vec<_>>());
        assert_eq!((stored.answer.accepted, stored.n_counted, stored.sequence, stored.n_malformed), (3, 3, 3, 0));
        assert_eq!(
            house.events(&["@log", "@logStream", "@timestamp", "@level", "message", "fields.env", "@metadata.beat"]),
            [
                "lumberjack | web-2 | 2026-11-20T06:47:14Z | warn | two | - | -",
                "lumberjack | web-3 | 2026-11-20T12:00:00Z | - | three | - | -",
                "lumberjack/filebeat | web-1 | 2026-11-20T06:47:13.123Z | error | one | prod | -",
            ]
        );
    }
}

#[test]
fn metadata_is_cut_out_wherever_it_is() {
    let check = |text: &str, expected: &str| assert_eq!(Event::read(text).expect("an object").record, expected);
    check(r#"{"@metadata":{"a":"}"},"b":1}"#, r#"{"b":1}"#);
    check(r#"{ "@metadata" : 1 , "b":1}"#, r#"{ "b":1}"#);
    check(r#"{"b":1,"@metadata":null}"#, r#"{"b":1}"#);
    check(r#"{"b":1 , "@metadata":[],"c":2}"#, r#"{"b":1,"c":2}"#);
    check(r#"{"@metadata":1}"#, "{}");
    check("{}", "{}");
}

#[test]
fn broken_events_are_counted_in_their_window() {
    let house = House::limited(1 << 20);
    let bomb = compressed(&vec![0; 65 << 20]);
    let cut = compressed(&[json(4, BEAT), b"2J\0\0".to_vec()].concat());
    let stored = house.take(
        Door::Lumberjack,
        &[
            (&json(1, "{\"message\":"), 0),
            (&json(2, "17"), 0),
            (&json(3, BEAT), 0),
            (&cut, 0),
            (&compressed(&compressed(b"")), 0),
            (&bomb, 0),
            (b"2C\0\0\0\x03abc", 0),
        ],
    );
    assert_eq!((stored.answer.accepted, stored.n_counted, stored.sequence, stored.n_malformed), (2, 4, 4, 6));
}

#[test]
fn frames_are_found_however_the_stream_is_cut_and_lengths_that_lie_are_refused() {
    let all =
        [b"2W\0\0\0\x02".to_vec(), json(1, BEAT), compressed(&json(2, LOGSTASH)), pairs(3, &[("a", "b")])].concat();
    for at in 0..all.len() {
        let mut rest = &all[..at];
        while Frame::take(&mut rest, 1000, 1000).is_ok() {}
        assert!(rest.is_empty() || Frame::take(&mut rest, 1000, 1000) == Err(FrameError::Cut), "cut at {at}");
    }
    let refused = |bytes: &[u8]| Frame::take(&mut &*bytes, 1000, 100).expect_err("no frame");
    assert_eq!(refused(b"GET /"), FrameError::Unknown(b'G', b'E'));
    assert_eq!(refused(b"2A\0\0\0\x01"), FrameError::Unknown(b'2', b'A'));
    assert_eq!(refused(b"2C\xff\xff\xff\xff"), FrameError::TooLarge);
    assert_eq!(refused(b"2J\0\0\0\x01\0\0\0\x65"), FrameError::TooLarge);
    assert_eq!(refused(&[&b"2D\0\0\0\x01\xff\xff\xff\xff"[..], &[0; 200]].concat()), FrameError::TooLarge);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_frames_are_read_or_refused(at in 0..400usize, byte: u8, kept in 0..500usize) {
        let mut bytes = [json(1, BEAT), compressed(&json(2, LOGSTASH)), pairs(3, &[("a", "b")])].concat();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(kept);
        let mut rest = &bytes[..];
        while let Ok(frame) = Frame::take(&mut rest, 1000, 1000) {
            match frame {
                Frame::Json(_, json) => drop(str::from_utf8(json).map(|text| Event::read(text).is_ok())),
                Frame::Pairs(_, n_pairs, pairs) => drop(json_of(n_pairs, pairs)),
                Frame::Compressed(bytes) => drop(decode(bytes, Encoding::Deflate, 1000)),
                Frame::Window(_) => {}
            }
        }
    }
}
