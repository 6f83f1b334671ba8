//! How fast JSON lines become batches, on one core: `cargo run --release -p parse --example json_rate -- FILE`.

use std::time::Instant;

use parse::{ArrivalContext, EventParser, Extras, Zone};
use types::{BatchBuilder, Limits, Timestamp};

/// Lines of one batch, about what a sender puts into a request.
const BATCH_BYTES: usize = 2 << 20;

fn main() {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: json_rate FILE");
        return;
    };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{path}: {error}");
            return;
        }
    };
    let limits = Limits::default();
    let received =
        ArrivalContext { at: Timestamp(i64::MAX), modified: None, previous: None, zone: Zone::UTC, limits: &limits };
    for _ in 0..5 {
        let begin = Instant::now();
        let (mut n_events, mut n_fields, mut finish_s) = (0, 0, 0.0);
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let cut = rest.len().min(BATCH_BYTES);
            let end = rest[cut..].iter().position(|b| *b == b'\n').map_or(rest.len(), |more| cut + more + 1);
            let (body, tail) = rest.split_at(end);
            rest = tail;
            let mut parser = EventParser::new(received);
            let mut builder = BatchBuilder::new();
            let mut from = 0;
            for end in memchr::memchr_iter(b'\n', body) {
                let line = &body[from..end];
                n_events += usize::from(parser.record(line, &Extras::default(), &mut builder).is_ok());
                from = end + 1;
            }
            let before_finish = Instant::now();
            n_fields += builder.finish().fields.len();
            finish_s += before_finish.elapsed().as_secs_f64();
        }
        let seconds = begin.elapsed().as_secs_f64();
        let ns_each = seconds * 1e9 / n_events.max(1) as f64;
        let mb_per_s = text.len() as f64 / seconds / 1e6;
        println!(
            "{n_events} events, {n_fields} columns: {ns_each:.0} ns/event, {mb_per_s:.0} MB/s, finish {finish_s:.3} s"
        );
    }
}
