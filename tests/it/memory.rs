//! What open segments keep in memory: within what is set, however many there are, and in a counter.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::lab::Memory;
use crate::server::{Launch, PATIENCE, Server};

/// Each of a day of its own, so that they are not put together.
const N_SEGMENTS: usize = 60;
const N_EVENTS: usize = 2_000;

/// Fields with so many values in each segment, and templates of messages.
const N_FIELDS: usize = 24;
const N_VALUES: usize = 500;
const N_TEMPLATES: usize = 500;

/// What the answer itself, its threads and the allocator may leave behind besides.
const REST_BYTES: u64 = 6 << 20;

/// Bytes that the small cache may have: a fraction of what the segments would fill.
const SMALL_BYTES: u64 = 8 << 20;

/// Nothing of one segment is in another.
fn events_of(segment: usize) -> String {
    let letters = |n: usize| n.to_string().bytes().map(|digit| char::from(digit + b'a' - b'0')).collect::<String>();
    let name = letters(segment);
    let mut lines = String::new();
    for n in 0..N_EVENTS {
        let words = letters(n % N_TEMPLATES);
        let _ = write!(lines, "{{\"timestamp\":\"{}T00:{:02}:{:02}Z\"", day(segment), n / 60, n % 60);
        let _ = write!(lines, ",\"message\":\"{name} {words} looked for {words} of {name} and found {n} of them\"");
        for field in 0..N_FIELDS {
            let _ = write!(lines, ",\"field{field}\":\"{name}-{field}-{}\"", (n + field) % N_VALUES);
        }
        lines += "}\n";
    }
    lines
}

fn day(segment: usize) -> String {
    format!("2026-{:02}-{:02}", 1 + segment / 28, 1 + segment % 28)
}

fn started(scratch: &std::path::Path, section_cache: &str) -> Server {
    let settings = format!(
        "[storage]\nsection_cache = \"{section_cache}\"\n[query]\ncache = \"0\"\n[retention]\ncold_after = \"never\"\n"
    );
    Launch::configured(scratch, &settings).start()
}

fn counter(server: &Server, name: &str) -> u64 {
    let metrics = server.get("/metrics", &[]).body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse::<f64>().ok()).unwrap_or_else(|| panic!("{name}: {metrics}")) as u64
}

/// Looks for a phrase everywhere; returns how much more the server holds in memory afterwards, and how much of it is counted, as soon
/// as that `is_fine`: what is free goes back to the system within seconds.
fn held_after_asking(server: &Server, is_fine: impl Fn(u64, u64) -> bool) -> (u64, u64) {
    // What the first question makes besides stays.
    server.query("filter @any like \"a looked for a of\" | limit 1");
    let memory = Memory::of(server.pid());
    let counted = || counter(server, "catat_section_cache_bytes");
    let (held_before, counted_before) = (memory.now(), counted());
    let n_found = server.value("filter @any like \"a looked for a of\" | stats count(*)");
    assert!(n_found.as_u64() > Some(0), "{n_found}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (held, counted) = (memory.now().saturating_sub(held_before), counted() - counted_before);
        if is_fine(held, counted) || Instant::now() > deadline {
            println!("held {held}, counted {counted}");
            return (held, counted);
        }
        std::thread::park_timeout(Duration::from_millis(500));
    }
}

#[test]
fn what_open_segments_keep_is_counted_and_does_not_grow_with_their_number() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut server = started(scratch.path(), "1GiB");
    for segment in 0..N_SEGMENTS {
        server.ingest("app", events_of(segment));
        let admin = server.admin();
        let flushed = server.post("/api/v1/status/flush", &[("authorization", &admin)], "");
        assert!(flushed.status < 300, "{}", flushed.body);
    }
    // What the server writes of itself may have made one as well.
    assert!(counter(&server, "catat_segments") >= N_SEGMENTS as u64);
    server.stop();

    let mut server = started(scratch.path(), "1GiB");
    let is_fine = |held: u64, counted: u64| held.abs_diff(counted) <= counted / 10 + REST_BYTES;
    let (held, counted) = held_after_asking(&server, is_fine);
    assert!(counted > 4 * SMALL_BYTES, "{counted}");
    assert!(is_fine(held, counted), "{held} bytes are held, {counted} counted");
    server.stop();

    let server = started(scratch.path(), "8MiB");
    let is_fine = |held: u64, counted: u64| counted <= SMALL_BYTES && held <= SMALL_BYTES + 2 * REST_BYTES;
    let (held, counted) = held_after_asking(&server, is_fine);
    assert!(is_fine(held, counted), "{held} bytes are held, {counted} counted");
}
