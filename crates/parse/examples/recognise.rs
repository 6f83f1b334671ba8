//! What is recognised in log files: `cargo run -p parse --example recognise -- FILE…` prints for each file how
//! many events have a time of their own and how many have which level.

use std::collections::BTreeMap;

use parse::{Received, Resolved, Zone, events, find_time, level_of_text};
use types::{Limits, Timestamp};

fn main() {
    let limits = Limits::default();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |age| age.as_nanos() as i64);
    let received = Received { at: Timestamp(now), modified: None, zone: Zone::UTC, limits: &limits };
    for path in std::env::args().skip(1) {
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{path}: {error}");
                continue;
            }
        };
        let (mut n_events, mut n_timed) = (0, 0);
        let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
        for range in events(&text, limits.event_bytes_max) {
            let event = String::from_utf8_lossy(&text[range]);
            n_events += 1;
            let found = find_time(event.as_bytes(), &received);
            n_timed += usize::from(matches!(found.map(|found| found.time), Some(Resolved::At(_))));
            *levels.entry(level_of_text(&event).map_or("none", |level| level.name())).or_default() += 1;
        }
        println!("{path}: {n_events} events, {n_timed} with a time, {levels:?}");
    }
}
