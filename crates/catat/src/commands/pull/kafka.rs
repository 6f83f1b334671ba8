//! Messages of Kafka: each partition is a file to the server, and offsets are places in it.
//!
//! The server stores the place of a partition together with its events. It therefore recognises messages that are sent again after a
//! kill or a rebalance, by this member or another. The offsets committed for the group afterwards only say where to begin.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kafka::{Access, Address, Begin, Consumer, Error, Fetched, Login, Mechanism, Message};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};
use types::{GroupName, counted, group_name_of_outside};

use super::settings::{AFTER_FAILURE, duration, zone};
use crate::arguments::{Pull, PullBegin, Sasl};
use crate::client::Server;
use crate::commands::import::{NAMED_MAX, Side};
use crate::commands::sent_file::Answer;
use crate::failure::{Failure, Result};
use crate::service_manager::stop_flag;

/// Bytes of messages that are sent in one request.
const PIECE_BYTES: usize = 4 << 20;

/// How often it is said how much was stored.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// How long `--once` waits for partitions and their leaders.
const PATIENCE: Duration = Duration::from_secs(120);

/// Bytes of a key or a header that become a field.
const FIELD_BYTES_MAX: usize = 4096;

pub(super) fn pull(options: &Pull) -> Result<()> {
    let (address, group) = (address_of(options)?, options.group.as_deref().map(group_name_of_outside));
    let access = Access::new(address.is_tls, login_of(options)?).map_err(failure)?;
    let begin = match options.begin {
        PullBegin::Oldest => Begin::Oldest,
        PullBegin::Newest => Begin::Newest,
    };
    let (consumer_group, server) = (options.consumer_group.clone(), Server::new(&options.remote)?);
    let session_timeout = duration("--session-timeout", &options.session_timeout)?;
    let options_of = kafka::Options { address, access, group: consumer_group, begin, session_timeout };
    let mut consumer = Consumer::new(options_of).map_err(failure)?;
    let to = To {
        source: format!("kafka/{}/{}", consumer.cluster(), options.consumer_group),
        zone: zone(),
        group,
        side: Side::of_server(&server),
        ends: RefCell::default(),
    };
    let ended = until_stopped(&mut consumer, &to, options.once);
    consumer.leave();
    ended
}

fn until_stopped(consumer: &mut Consumer, to: &To<'_>, is_once: bool) -> Result<()> {
    let is_stopped = stop_flag(|| {
        // A request may be made again for minutes; what it leaves undone comes again.
        std::thread::sleep(AFTER_FAILURE);
        std::process::exit(0);
    });
    let mut settled = Instant::now();
    let (mut is_first, mut unsaid) = (true, Unsaid { n_events: 0, said: None });
    while !is_stopped.load(Ordering::Relaxed) {
        match one_round(consumer, to, &mut unsaid) {
            Ok(Some(0)) if is_once => break,
            Ok(None) if is_once && settled.elapsed() > PATIENCE => {
                return Err(Failure::unreachable("the consumer group does not settle, or a partition has no leader"));
            }
            Ok(n_events) => {
                is_first = false;
                settled = n_events.map_or(settled, |_| Instant::now());
            }
            // What does not work at all is told at once; later it may be the way there.
            Err(failure) if is_first || is_once => return Err(failure),
            Err(failure) => {
                say!("catat: {}; going on", failure.message);
                std::thread::sleep(AFTER_FAILURE);
            }
        }
        unsaid.say(SAID_EVERY);
    }
    unsaid.say(Duration::ZERO);
    Ok(())
}

/// Events that were stored since it was said how many.
struct Unsaid {
    n_events: u64,
    said: Option<Instant>,
}

impl Unsaid {
    fn say(&mut self, every: Duration) {
        if self.n_events > 0 && self.said.is_none_or(|said| said.elapsed() >= every) {
            say!("catat: {} stored", counted(self.n_events, "event"));
            *self = Self { n_events: 0, said: Some(Instant::now()) };
        }
    }
}

/// Reads the only address.
fn address_of(options: &Pull) -> Result<Address> {
    let [path] = &*options.paths else {
        return Err(Failure::usage("one address of Kafka, with all topics: kafka://HOST:9092/TOPIC,TOPIC"));
    };
    let unfit = [("--queue", options.queue.is_some()), ("--dir", options.dir.is_some())];
    if let Some((name, _)) = unfit.iter().find(|(_, is_given)| *is_given) {
        let message = format!("{name} is for buckets");
        return Err(Failure::usage(message).with("The consumer group and the server know what was pulled from Kafka."));
    }
    path.to_string_lossy().parse().map_err(failure)
}

fn login_of(options: &Pull) -> Result<Option<Login>> {
    let mechanism = match options.sasl {
        Sasl::Plain => Mechanism::Plain,
        Sasl::ScramSha256 => Mechanism::ScramSha256,
        Sasl::ScramSha512 => Mechanism::ScramSha512,
    };
    match (&options.user, &options.password) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => Ok(Some(Login { user: user.clone(), password: password.clone(), mechanism })),
        _ => Err(Failure::usage("--user and CATAT_KAFKA_PASSWORD belong together")),
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Unreachable { .. } => Failure::unreachable(error.to_string()),
        Error::Usage(_) => Failure::usage(error.to_string()),
        Error::Answer { .. } | Error::Refused { .. } => Failure::other(error.to_string()),
    }
}

/// Stores what comes next; returns how many events these are, `None` while the group deals out its partitions.
fn one_round(consumer: &mut Consumer, to: &To<'_>, unsaid: &mut Unsaid) -> Result<Option<u64>> {
    let polled = consumer.poll();
    consumer.take_notes().iter().for_each(|note| say!("catat: {note}"));
    let fetched = polled.map_err(failure)?;
    let mut n_events = 0;
    for part in &fetched {
        let n_new = to.store(part)?;
        n_events += n_new;
        unsaid.n_events += n_new;
        part.problem.iter().for_each(|problem| say!("catat: not read: {problem}"));
        consumer.stored(part);
    }
    consumer.commit().map_err(failure)?;
    let is_quiet = fetched.is_empty();
    Ok(consumer.n_partitions().map(|_| if is_quiet { 0 } else { n_events.max(1) }))
}

/// Where messages go.
struct To<'a> {
    /// The name that the server knows the partitions by.
    source: String,
    zone: String,
    group: Option<GroupName>,
    side: Side<'a>,
    /// Of each partition where the last message ended that was stored, and the offset that came next.
    ends: RefCell<HashMap<(String, i32), (i64, i64)>>,
}

impl To<'_> {
    /// Stores the messages of a partition; returns how many events were new.
    fn store(&self, fetched: &Fetched) -> Result<u64> {
        let mut n_events = 0;
        let partition = (fetched.topic.clone(), fetched.partition);
        // What lies between the last message and the next offset (ends of transactions, deleted keys) goes with the next piece, so
        // that the server keeps one range for a partition.
        let known = self.ends.borrow().get(&partition).filter(|(_, next)| *next == fetched.from).copied();
        let (mut from, mut left) = (known.map_or(fetched.from, |(end, _)| end), &*fetched.messages);
        while !left.is_empty() {
            let mut n_bytes = 0;
            let is_full = |message: &&Message| {
                let of_headers: usize = message.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
                n_bytes += message.value.len() + message.key.as_ref().map_or(0, |key| key.len()) + of_headers + 128;
                n_bytes <= PIECE_BYTES
            };
            let (piece, rest) = left.split_at(left.iter().take_while(is_full).count().max(1));
            n_events += self.store_piece(fetched, from, piece)?;
            from = piece.last().map_or(from, |message| message.offset.saturating_add(1));
            left = rest;
        }
        self.ends.borrow_mut().insert(partition, (from, fetched.next));
        Ok(n_events)
    }

    fn store_piece(&self, fetched: &Fetched, from: i64, messages: &[Message]) -> Result<u64> {
        let Fetched { topic, topic_id, partition, .. } = fetched;
        let of_message = |message: &Message| MessageHeader {
            offset: message.offset,
            bytes: message.value.len(),
            time: message.time_ms.and_then(|ms| ms.checked_mul(1_000_000)),
            fields: fields(message),
        };
        let file = [&**topic, &partition.to_string(), topic_id].join("/");
        let header = PieceHeader {
            source: &self.source,
            file: file.trim_end_matches('/'),
            generation: 1,
            start: from,
            records: true,
            zone: &self.zone,
            fields: json!({"kafka.topic": topic, "kafka.partition": partition}),
            messages: messages.iter().map(of_message).collect(),
        };
        let mut body = serde_json::to_vec(&header).map_err(|error| Failure::other(error.to_string()))?;
        body.push(b'\n');
        messages.iter().for_each(|message| body.extend_from_slice(&message.value));
        let group = self.group.clone().unwrap_or_else(|| group_name_of_outside(topic));
        let stream = format!("{topic}-{partition}");
        let parameters = [("format", "lines"), ("group", group.as_str()), ("stream", &stream)];
        let request = self.side.request(Method::POST, "/api/v1/ingest").query(&parameters);
        let answer: Answer = self.side.ask(self.side.with_body(request, body)?)?;
        let n_refused = answer.rejected.len() as u64 + answer.rejected_unnamed;
        for rejected in answer.rejected.iter().take(NAMED_MAX) {
            // The first line of the body is the header, and each message is a line.
            let message = rejected.line.checked_sub(2).and_then(|index| messages.get(index));
            let offset = message.map_or(from, |message| message.offset);
            say!("catat: refused: {topic}/{partition}, offset {offset}: {}", rejected.error);
        }
        if n_refused > NAMED_MAX as u64 {
            say!("catat: refused: {topic}/{partition}: {} in all", counted(n_refused, "message"));
        }
        Ok(answer.accepted)
    }
}

/// The header line of a request in the form of shippers.
#[derive(Serialize)]
struct PieceHeader<'a> {
    source: &'a str,
    file: &'a str,
    generation: u64,
    start: i64,
    records: bool,
    zone: &'a str,
    fields: Value,
    messages: Vec<MessageHeader>,
}

/// What it says of a message.
#[derive(Serialize)]
struct MessageHeader {
    offset: i64,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

/// Returns key and headers as fields, where they are texts.
fn fields(message: &Message) -> Map<String, Value> {
    let text =
        |bytes: &[u8]| std::str::from_utf8(bytes).ok().filter(|text| text.len() <= FIELD_BYTES_MAX).map(Value::from);
    let key = message.key.iter().filter_map(|key| Some(("kafka.key".to_owned(), text(key)?)));
    let headers = message.headers.iter();
    key.chain(headers.filter_map(|(name, value)| Some((format!("kafka.headers.{name}"), text(value)?)))).collect()
}
