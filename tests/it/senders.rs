//! Hundreds of senders at once, each with a few events: they share syncs, and nobody is turned away or left behind.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::lab::strace;
use crate::server::{Launch, PATIENCE, Server, ndjson};

const N_SENDERS: u64 = 500;
const EVENTS_PER_BATCH: u64 = 10;
const ROUNDS: u64 = 2;

/// A sync of a second: whoever sends within it shares the next one.
const SLOW: [&str; 4] = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=1000000"];

fn request(first: u64) -> Vec<u8> {
    let body = ndjson((first..first + EVENTS_PER_BATCH).map(|serial| json!({"message": "small", "serial": serial})));
    let length = body.len();
    let head = format!(
        "POST /api/v1/ingest?group=many&format=ndjson HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n"
    );
    (head + &body).into_bytes()
}

/// The status and the body of an answer that is as long as it says.
fn answer(mut stream: &TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if length.is_some_and(|length: usize| body.len() >= length) {
                return (head.lines().next().unwrap_or_default().to_owned(), body.to_owned());
            }
        }
        let n_read = stream.read(&mut buffer).expect("an answer comes in time");
        assert!(n_read > 0, "the server closed a connection: {text}");
        bytes.extend_from_slice(&buffer[..n_read]);
    }
}

fn number(server: &Server, name: &str) -> u64 {
    let status = server.get("/api/v1/status", &[("authorization", &server.admin())]).json();
    status["store"][name].as_u64().unwrap_or_else(|| panic!("status has no {name}: {status}"))
}

#[test]
fn five_hundred_senders_of_ten_events_share_syncs_and_none_is_turned_away() {
    if !strace::is_there() {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let trace = scratch.path().join("trace");
    let mut server = strace::traced(Launch::new(scratch.path(), &["serve"]), &trace, &SLOW).start();
    let address = server.url.trim_start_matches("http://").to_owned();
    let streams: Vec<TcpStream> = (0..N_SENDERS)
        .map(|_| {
            let stream = TcpStream::connect(&address).expect("the server listens");
            stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes a time");
            stream
        })
        .collect();
    let (batches, syncs) = (number(&server, "batches_accepted"), number(&server, "wal_syncs"));
    for round in 0..ROUNDS {
        for (sender, mut stream) in (0..).zip(&streams) {
            let first = (round * N_SENDERS + sender) * EVENTS_PER_BATCH;
            stream.write_all(&request(first)).expect("a small body does not wait");
        }
        for stream in &streams {
            let (status, body) = answer(stream);
            assert_eq!(status, "http/1.1 200 ok", "{body}");
            let accepted = serde_json::from_str::<Value>(&body).expect("JSON")["accepted"].as_u64();
            assert_eq!(accepted, Some(EVENTS_PER_BATCH));
        }
    }
    let n_batches = number(&server, "batches_accepted") - batches;
    let n_syncs = number(&server, "wal_syncs") - syncs;
    eprintln!("{n_batches} acknowledgements in {n_syncs} syncs");
    assert_eq!(n_batches, ROUNDS * N_SENDERS);
    assert!(n_batches >= 50 * n_syncs, "{n_batches} acknowledgements took {n_syncs} syncs");
    let n_events = n_batches * EVENTS_PER_BATCH;
    assert_eq!(server.rows("stats count(*), count_distinct(serial)"), [[json!(n_events), json!(n_events)]]);
    drop(streams);
    server.kill();
}
