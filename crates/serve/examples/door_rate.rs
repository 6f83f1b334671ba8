//! CPU cost of a door without a server: `cargo run --release -p serve --example door_rate -- BODIES DIR [ROUNDS]`.
//!
//! BODIES is a file that `benches/compare/marks.py doors --keep-bodies` has written: each body behind its length in four
//! bytes, lowest first. Its name, `loki-json.bodies`, says which door they are for. They go through an intake into a store in
//! DIR, which is flushed. Prints events per CPU-second of the best round, of reading alone and in all; made for `perf`.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use cloudwatch::put::decode::{PutLogEvents, ingest_cloudwatch};
use elastic::{BulkTerms, DocumentCounter, DocumentIntake};
use ingest::{Encoding, Format, IngestRequest, Intake, Sender};
use loki::push::InFlight;
use loki::push::decode::PushWriter;
use otel::datadog::decode::{DatadogDefaults, DatadogForm, ingest_datadog};
use otel::otlp::decode::{OtlpForm, Signal, ingest_otlp};
use otel::sentry::decode::ingest_envelope;
use otel::sockets::{Chunk, Door, ingest_chunks};
use otel::splunk::decode::{HecDefaults, HecForm, ingest_hec};
use parse::{Framer, Frames};
use storage::{Options, Store};
use types::{GroupName, GroupScope, Limits, Timestamp};

type Failure = Box<dyn std::error::Error>;

/// Longest frame of syslog.
const FRAME_BYTES_MAX: usize = 1 << 20;

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn bodies(file: &[u8]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    let mut rest = file;
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let (body, after) = more.split_at(u32::from_le_bytes(*length) as usize);
        bodies.push(body);
        rest = after;
    }
    bodies
}

fn framed(mut framer: Framer, body: &[u8]) -> Frames {
    let mut frames = Frames::default();
    framer.feed(body, &mut frames);
    framer.finish(&mut frames);
    frames
}

/// A body that is one frame.
fn whole(body: &[u8]) -> Frames {
    let mut frames = Frames::default();
    frames.push_whole(body);
    frames
}

fn take(intake: &Intake, door: Door, frames: Frames, now: Timestamp) -> Result<u64, Failure> {
    Ok(ingest_chunks(intake, door, &[Chunk::new(Arc::from("here"), frames)], None, now)?.answer.accepted)
}

/// Sends one body; returns how many events were accepted.
fn send(store: &Store, intake: &Intake, door: &str, body: &[u8], now: Timestamp) -> Result<u64, Failure> {
    let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now, groups: None };
    let plain = Encoding::Identity;
    let native = |format| {
        let group = GroupName::new("bench").ok_or("a name")?;
        let request =
            IngestRequest { body, encoding: plain, format, group, stream: String::new(), fields: &[], sender };
        Ok::<_, Failure>(intake.ingest(request)?.accepted)
    };
    let in_flight = InFlight::default();
    let loki = PushWriter { intake, store, in_flight: &in_flight };
    let hec = |form| ingest_hec(intake, body, plain, form, &HecDefaults::default(), &sender);
    Ok(match door {
        "native" => native(Format::Ndjson)?,
        "text" => native(Format::Text)?,
        "elasticsearch" => {
            let counter = DocumentCounter::default();
            let documents = DocumentIntake { intake, counter: &counter, sender: &sender, check: &|_, _, _| None };
            documents
                .bulk(
                    body,
                    &BulkTerms { index: Some("bench"), pipeline: None, is_lenient: false, has_pipeline: &|_| true },
                )?
                .items
                .len() as u64
        }
        "loki-protobuf" => loki.protobuf(body, &sender)?.accepted,
        "loki-json" => loki.json(body, plain, &sender)?.accepted,
        "otlp-protobuf" => ingest_otlp(intake, body, plain, (Signal::Logs, OtlpForm::Protobuf), &sender)?.accepted,
        "otlp-json" => ingest_otlp(intake, body, plain, (Signal::Logs, OtlpForm::Json), &sender)?.accepted,
        name if name.starts_with("cloudwatch") => {
            ingest_cloudwatch(intake, &PutLogEvents::read(body)?, body, &sender)?.answer.accepted
        }
        "datadog" => {
            let defaults = DatadogDefaults::default();
            ingest_datadog(intake, (body, plain), DatadogForm::Json, &defaults, &sender)?.accepted
        }
        "sentry" => {
            let group = GroupName::new("sentry/1").ok_or("a name")?;
            ingest_envelope(intake, (body, plain), &group, &sender)?.stored.accepted
        }
        "hec-raw" => hec(HecForm::Raw)?.accepted,
        name if name.starts_with("hec") => hec(HecForm::Events)?.accepted,
        name if name.starts_with("syslog") => {
            take(intake, Door::Syslog, framed(Framer::new(FRAME_BYTES_MAX), body), now)?
        }
        "gelf" => take(intake, Door::Gelf, framed(Framer::of_objects(FRAME_BYTES_MAX), body), now)?,
        "lines" => take(intake, Door::Lines, framed(Framer::of_lines(FRAME_BYTES_MAX), body), now)?,
        "forward" => take(intake, Door::Forward, whole(body), now)?,
        "lumberjack" => take(intake, Door::Lumberjack, whole(body), now)?,
        other => return Err(format!("no door is called {other}").into()),
    })
}

/// Events, and CPU-seconds until they are durable and until they are in segments.
fn round(door: &str, bodies: &[&[u8]], dir: &Path) -> Result<(u64, f64, f64), Failure> {
    let (store, _) = Store::open(Options::new(dir))?;
    let intake = Intake::new(store.clone(), Limits::default(), 0);
    let now = Timestamp(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as i64);
    let before = cpu_seconds();
    let mut n_events = 0;
    for body in bodies {
        n_events += send(&store, &intake, door, body, now)?;
    }
    let durable = cpu_seconds() - before;
    store.flush()?;
    let stored = cpu_seconds() - before;
    store.close()?;
    std::fs::remove_dir_all(dir)?;
    Ok((n_events, durable, stored))
}

fn main() -> Result<(), Failure> {
    let usage = "usage: door_rate BODIES DIR [ROUNDS]";
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or(usage)?;
    let dir = arguments.next().ok_or(usage)?;
    let n_rounds: u32 = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let door = Path::new(&file).file_stem().and_then(|stem| stem.to_str()).ok_or(usage)?;
    let bytes = std::fs::read(&file)?;
    let bodies = bodies(&bytes);
    let (mut n_events, mut durable, mut stored) = (0, f64::INFINITY, f64::INFINITY);
    for _ in 0..n_rounds {
        let round = round(door, &bodies, &Path::new(&dir).join("store"))?;
        n_events = round.0;
        durable = durable.min(round.1);
        stored = stored.min(round.2);
    }
    let rate = |cpu: f64| n_events as f64 / cpu;
    println!("{door}: {n_events} events, per CPU-second {:.0} durable, {:.0} in segments", rate(durable), rate(stored));
    Ok(())
}
