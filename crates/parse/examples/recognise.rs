//! What is recognised in log files: `cargo run -p parse --example recognise -- FILE…` prints for each file how
//! many events have a time of their own, how many have which level and which shape, and how long it takes to read one.

use std::collections::BTreeMap;

use parse::{ArrivalContext, EventParser, Projection, ResolvedTime, Shape, Zone, events, find_time, level_of_text};
use types::{Limits, Timestamp};

fn main() {
    let limits = Limits::default();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |age| age.as_nanos() as i64);
    let received =
        ArrivalContext { at: Timestamp(now), modified: None, previous: None, zone: Zone::UTC, limits: &limits };
    for path in std::env::args().skip(1) {
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{path}: {error}");
                continue;
            }
        };
        let (mut n_events, mut n_timed) = (0u128, 0);
        let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
        let mut shapes: BTreeMap<&str, usize> = BTreeMap::new();
        let mut parser = EventParser::new(received);
        for range in events(&text, limits.event_bytes_max) {
            let event = String::from_utf8_lossy(&text[range]);
            n_events += 1;
            *shapes.entry(parser.read_text(event.as_bytes()).shape().map_or("none", Shape::name)).or_default() += 1;
            let found = find_time(event.as_bytes(), &received);
            n_timed += usize::from(matches!(found.map(|found| found.time), Some(ResolvedTime::At(_))));
            *levels.entry(level_of_text(&event).map_or("none", |level| level.name())).or_default() += 1;
        }
        let begin = std::time::Instant::now();
        let (mut parser, mut builder) = (EventParser::new(received), types::BatchBuilder::new());
        events(&text, limits.event_bytes_max)
            .for_each(|range| parser.text(&text[range], &parse::Extras::default(), &mut builder));
        let all = begin.elapsed().as_nanos() / n_events.max(1);
        // Nothing but the text is asked for: no shape is looked for.
        let wanted = Projection::of(["@message".into()]);
        let mut parser = EventParser::new(received).with_wanted(&wanted);
        let begin = std::time::Instant::now();
        let mut builder = types::BatchBuilder::new();
        events(&text, limits.event_bytes_max)
            .for_each(|range| parser.text(&text[range], &parse::Extras::default(), &mut builder));
        let bare = begin.elapsed().as_nanos() / n_events.max(1);
        println!(
            "{path}: {n_events} events, {n_timed} with a time, {levels:?}, {shapes:?}, {all} ns each, {bare} ns without shape and level"
        );
    }
}
