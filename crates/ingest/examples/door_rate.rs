//! CPU cost of the doors beside each other: `cargo run --release -p ingest --example door_rate -- DIR [EVENTS]`.
//!
//! The same made-up events as NDJSON, OTLP protobuf, OTLP JSON, Splunk's events and lines, each through an intake into a
//! store of its own in DIR, flushed. Prints events per CPU-second and the ratio to NDJSON, from interleaved rounds.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ingest::{Encoding, Format, HecDefaults, HecForm, IngestRequest, Intake, OtlpForm, Sender};
use storage::{Options, Store};
use types::{GroupName, GroupScope, Limits, Timestamp};

/// Events of one body.
const BODY_EVENTS: usize = 2_000;

const ROUNDS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Ndjson,
    OtlpProtobuf,
    OtlpJson,
    HecEvents,
    HecRaw,
}

const DOORS: [Door; 5] = [Door::Ndjson, Door::OtlpProtobuf, Door::OtlpJson, Door::HecEvents, Door::HecRaw];

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

/// One event: its number decides all of it.
struct Event {
    time: u64,
    level: &'static str,
    message: String,
    user: u64,
    path: String,
    ms: f64,
}

impl Event {
    fn new(number: u64, now: u64) -> Self {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let path = format!("/api/orders/{}", mixed % 997);
        Self {
            time: now - 3_600_000_000_000 + number * 1_000,
            level: ["INFO", "INFO", "INFO", "WARN", "ERROR"][(mixed % 5) as usize],
            message: format!("request {number} to {path} took {} ms for user {}", mixed % 900, mixed % 10_000),
            user: mixed % 10_000,
            path,
            ms: (mixed % 9_000) as f64 / 10.0,
        }
    }

    fn fields(&self) -> String {
        format!(
            r#""http.path":"{}","user":{},"ms":{:?},"service.name":"shop","host.name":"web-1""#,
            self.path, self.user, self.ms
        )
    }

    fn json_record(&self) -> String {
        let attribute =
            |key: &str, kind: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"{kind}":{value}}}}}"#);
        let attributes = [
            attribute("http.path", "stringValue", &format!("{:?}", self.path)),
            attribute("user", "intValue", &format!("\"{}\"", self.user)),
            attribute("ms", "doubleValue", &format!("{:?}", self.ms)),
        ];
        format!(
            r#"{{"timeUnixNano":"{}","severityText":"{}","body":{{"stringValue":"{}"}},"attributes":[{}]}}"#,
            self.time,
            self.level,
            self.message,
            attributes.join(",")
        )
    }

    fn protobuf_record(&self) -> Vec<u8> {
        let pair = |key: &str, value: Vec<u8>| field(6, &[field(1, key.as_bytes()), field(2, &value)].concat());
        let fixed = |number: u8, bits: u64| [&[number << 3 | 1][..], &bits.to_le_bytes()].concat();
        [
            fixed(1, self.time),
            field(3, self.level.as_bytes()),
            field(5, &field(1, self.message.as_bytes())),
            pair("http.path", field(1, self.path.as_bytes())),
            pair("user", [vec![3 << 3], varint(self.user)].concat()),
            pair("ms", fixed(4, self.ms.to_bits())),
        ]
        .concat()
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn body(door: Door, events: &[Event]) -> Vec<u8> {
    let joined = |write: &dyn Fn(&Event) -> String, between: &str| {
        events.iter().map(write).collect::<Vec<_>>().join(between).into_bytes()
    };
    match door {
        Door::Ndjson => {
            let write = |e: &Event| {
                format!(r#"{{"ts":{},"severity_text":"{}","message":"{}",{}}}"#, e.time, e.level, e.message, e.fields())
            };
            joined(&write, "\n")
        }
        Door::OtlpProtobuf => {
            let shared = |key: &str, value: &str| {
                field(1, &[field(1, key.as_bytes()), field(2, &field(1, value.as_bytes()))].concat())
            };
            let resource = [shared("service.name", "shop"), shared("host.name", "web-1")].concat();
            let records: Vec<u8> = events.iter().flat_map(|event| field(2, &event.protobuf_record())).collect();
            field(1, &[field(1, &resource), field(2, &records)].concat())
        }
        Door::OtlpJson => {
            let head = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"host.name","value":{"stringValue":"web-1"}}]},"scopeLogs":[{"logRecords":["#;
            [head.as_bytes(), &joined(&Event::json_record, ","), b"]}]}]}"].concat()
        }
        Door::HecEvents => {
            let write = |e: &Event| {
                format!(
                    r#"{{"time":"{}.{:09}","event":"{}","fields":{{"severity_text":"{}",{}}}}}"#,
                    e.time / 1_000_000_000,
                    e.time % 1_000_000_000,
                    e.message,
                    e.level,
                    e.fields()
                )
            };
            joined(&write, "")
        }
        Door::HecRaw => {
            let write = |e: &Event| {
                let mut time = String::new();
                Timestamp(e.time as i64).write_rfc3339(6, &mut time);
                format!("{time} {} {}", e.level, e.message)
            };
            joined(&write, "\n")
        }
    }
}

fn send(intake: &Intake, door: Door, body: &[u8], now: Timestamp) -> Result<u64, ingest::IngestError> {
    let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now };
    let plain = Encoding::Identity;
    let hec =
        |form| intake.ingest_hec(body, plain, form, &HecDefaults::default(), &sender).map(|answer| answer.accepted);
    match door {
        Door::Ndjson => {
            let group = GroupName::new("shop").expect("the name is made of letters");
            let format = Format::Ndjson;
            let request =
                IngestRequest { body, encoding: plain, format, group, stream: "web-1".into(), fields: &[], sender };
            intake.ingest(request).map(|answer| answer.accepted)
        }
        Door::OtlpProtobuf => {
            intake.ingest_otlp(body, plain, OtlpForm::Protobuf, &sender).map(|answer| answer.accepted)
        }
        Door::OtlpJson => intake.ingest_otlp(body, plain, OtlpForm::Json, &sender).map(|answer| answer.accepted),
        Door::HecEvents => hec(HecForm::Events),
        Door::HecRaw => hec(HecForm::Raw),
    }
}

/// CPU-seconds until the events are in a segment.
fn round(door: Door, bodies: &[Vec<u8>], dir: &Path, n_events: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let (store, _) = Store::open(Options::new(dir))?;
    let intake = Intake::new(store.clone(), Limits::default(), 0);
    let now = Timestamp(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as i64);
    let before = cpu_seconds();
    let mut accepted = 0;
    for body in bodies {
        accepted += send(&intake, door, body, now)?;
    }
    store.flush()?;
    let cpu = cpu_seconds() - before;
    store.close()?;
    std::fs::remove_dir_all(dir)?;
    if accepted == n_events { Ok(cpu) } else { Err(format!("{door:?}: {accepted} of {n_events} accepted").into()) }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("usage: door_rate DIR [EVENTS]")?;
    let n_events: u64 = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let events: Vec<Event> = (0..n_events).map(|number| Event::new(number, now)).collect();
    let mut best = [f64::INFINITY; DOORS.len()];
    for _ in 0..ROUNDS {
        for (door, best) in DOORS.iter().zip(&mut best) {
            let bodies: Vec<Vec<u8>> = events.chunks(BODY_EVENTS).map(|chunk| body(*door, chunk)).collect();
            *best = best.min(round(*door, &bodies, &Path::new(&dir).join("store"), n_events)?);
        }
    }
    for (door, cpu) in DOORS.iter().zip(&best) {
        println!("{door:?}: {:.0} events per cpu s, {:.2} of ndjson", n_events as f64 / cpu, best[0] / cpu);
    }
    Ok(())
}
