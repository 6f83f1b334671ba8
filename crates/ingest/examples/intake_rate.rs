//! How fast bodies become durable events: `cargo run --release -p ingest --example intake_rate -- FILE DIR [text]`.
//!
//! Sends FILE, JSON lines or text, in bodies of about 2 MiB into a fresh store in DIR, from two threads.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ingest::{Encoding, Format, IngestError, IngestRequest, Intake, Sender};
use storage::{AppendError, Options, Store};
use types::{GroupName, GroupScope, Limits, Timestamp};

/// Bytes of one body, about.
const BODY_BYTES: usize = 2 << 20;

fn bodies(text: &[u8]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let cut = rest.len().min(BODY_BYTES);
        let end = rest[cut..].iter().position(|b| *b == b'\n').map_or(rest.len(), |more| cut + more + 1);
        bodies.push(&rest[..end]);
        rest = &rest[end..];
    }
    bodies
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn request(body: &[u8], format: Format, now: Timestamp) -> IngestRequest<'_> {
    IngestRequest {
        body,
        encoding: Encoding::Identity,
        format,
        group: GroupName::new("bench").expect("the name is made of letters"),
        stream: String::new(),
        fields: &[],
        sender: Sender { name: "", within: &GroupScope::All, batch_id: None, now, groups: None },
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(dir)) = (arguments.next(), arguments.next()) else {
        return Err("usage: intake_rate FILE DIR".into());
    };
    let format = if arguments.next().is_some_and(|form| form == "text") { Format::Text } else { Format::Ndjson };
    let text = std::fs::read(&file)?;
    let (store, _) = Store::open(Options::new(dir))?;
    let intake = Intake::new(store.clone(), Limits::default(), 0);
    let now = Timestamp(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as i64);
    let queue = Mutex::new(bodies(&text).into_iter());
    let (begin, cpu_before) = (Instant::now(), cpu_seconds());
    let send = || -> u64 {
        let mut n_events = 0;
        loop {
            let next = queue.lock().map(|mut queue| queue.next()).unwrap_or_default();
            let Some(body) = next else { return n_events };
            loop {
                match intake.ingest(request(body, format, now)) {
                    Ok(answer) => n_events += answer.accepted,
                    Err(IngestError::Store(AppendError::Overloaded { .. })) => {
                        std::thread::sleep(Duration::from_millis(50));
                        continue;
                    }
                    Err(error) => eprintln!("{error}"),
                }
                break;
            }
        }
    };
    let n_events: u64 = std::thread::scope(|scope| {
        let threads = [scope.spawn(send), scope.spawn(send)];
        threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    });
    let (elapsed, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    println!("durable: {n_events} events, {elapsed:.2} s, {cpu:.2} cpu s, {:.0} events/cpu s", n_events as f64 / cpu);
    store.flush()?;
    let (elapsed, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu_before);
    println!("flushed: {n_events} events, {elapsed:.2} s, {cpu:.2} cpu s, {:.0} events/cpu s", n_events as f64 / cpu);
    let snapshot = store.snapshot(&[types::GroupPattern::new("*")], types::TimeRange::ALL);
    let n_stored: u64 = snapshot.runs.iter().map(|run| run.info().n_events).sum();
    println!("stored: {n_stored} events in {} runs, {} damaged", snapshot.runs.len(), snapshot.damaged.len());
    store.close()?;
    Ok(())
}
