//! Messages as the specification and clients write them, compressed and not, and broken ones.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;
use crate::house::House;
use crate::sockets::Door;

const EXAMPLE: &str = r#"{
  "version": "1.1",
  "host": "example.org",
  "short_message": "A short message that helps you identify what is going on",
  "full_message": "Backtrace here\n\nmore stuff",
  "timestamp": 1763620033.3072,
  "level": 1,
  "_user_id": 9001,
  "_some_info": "foo",
  "_level": "own",
  "_container_name": "shop"
}"#;

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("a vector takes it");
    encoder.finish().expect("a vector takes it")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("a vector takes it");
    encoder.finish().expect("a vector takes it")
}

#[test]
fn a_message_is_a_record_however_it_is_compressed() {
    for frame in [EXAMPLE.as_bytes().to_vec(), zlib(EXAMPLE), gzip(EXAMPLE)] {
        let house = House::limited(1 << 20);
        let stored = house.take(Door::Gelf, &[(&frame, 0)]);
        assert_eq!((stored.answer.accepted, stored.n_malformed), (1, 0), "{:?}", stored.problem);
        assert_eq!(
            house.events(&["@log", "@logStream", "@timestamp", "@level", "severity", "host", "user_id", "some_info"]),
            ["gelf/shop | example.org | 2025-11-20T06:27:13.3072Z | fatal | alert | example.org | 9001 | foo"]
        );
        let texts = house.events(&["message", "full_message", "_level", "version"]);
        let text = "A short message that helps you identify what is going on | Backtrace here\n\nmore stuff | own | -";
        assert_eq!(texts, [text]);
    }
}

#[test]
fn invalid_messages_are_counted_and_the_others_stored() {
    let house = House::limited(100);
    let stored = house.take(
        Door::Gelf,
        &[
            (b"{\"host\":\"a\"}", 0),
            (b"no json", 0),
            (b"{\"short_message\":\"a\"} {}", 0),
            (b"{\"short_message\":\"a\",\"timestamp\":\"yesterday\"}", 0),
            (&[0x78, 0x9c, 1, 2, 3], 0),
            (&zlib(&format!("{{\"short_message\":\"{}\"}}", "x".repeat(1000))), 0),
            (b"{\"short_message\":\"good\",\"level\":\"6\",\"timestamp\":\"1763620033\"}", 0),
            (b"{\"full_message\":\"full alone\",\"level\":9}", 0),
        ],
    );
    assert_eq!((stored.answer.accepted, stored.n_malformed), (2, 6));
    assert_eq!(stored.problem.as_deref(), Some("a message without short_message at column 13"));
    assert_eq!(
        house.events(&["@log", "@logStream", "message", "@level", "level", "@timestamp"]),
        [
            "gelf | 10.0.0.9 | full alone | - | 9 | 2026-11-20T12:00:00Z",
            "gelf | 10.0.0.9 | good | info | - | 2025-11-20T06:27:13Z",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_messages_are_read_or_refused(at in 0..400usize, byte: u8, kept in 0..400usize, form in 0..3) {
        let mut frame = match form {
            0 => EXAMPLE.as_bytes().to_vec(),
            1 => zlib(EXAMPLE),
            _ => gzip(EXAMPLE),
        };
        if let Some(place) = frame.get_mut(at) {
            *place = byte;
        }
        frame.truncate(kept);
        let bytes = unpacked(&frame, 1 << 16);
        if let Ok(text) = bytes.as_deref().map_err(|_| ()).and_then(|bytes| str::from_utf8(bytes).map_err(|_| ())) {
            let _ = Message::read(text);
        }
    }
}
