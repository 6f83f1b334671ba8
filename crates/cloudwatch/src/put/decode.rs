//! `PutLogEvents` of Amazon CloudWatch Logs: one stream's events in one JSON object.
//!
//! Amazon's limits apply, since agents size their batches by them: one megabyte with 26 bytes added per event, ten thousand
//! events, in order of time, within a day. Times are accepted as in every other API: within the retention of the group,
//! and at most `limits.max_future` ahead; the answer names rejected events by their positions. A message is a text like
//! any other: JSON objects, including the embedded metric format, become fields.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use types::{GroupName, Timestamp, ensure};
use xxhash_rust::xxh3::xxh3_128;

use ingest::{EventMetadata, IngestAnswer, IngestError, Intake, RawEvent, RecordRefusal, Sender};

/// Most events of a request.
const EVENTS_MAX: usize = 10_000;

/// Limit on the bytes of a request: those of all messages, and a fixed number for each.
const BATCH_BYTES_MAX: usize = 1 << 20;
const EVENT_OVERHEAD_BYTES: usize = 26;

/// Longest time from the first event of a request to its last.
const SPAN_MS_MAX: i64 = 24 * 3_600 * 1_000;

/// Nanoseconds of a millisecond.
const MILLISECOND: i64 = 1_000_000;

/// Longest name of a stream, in characters.
const STREAM_CHARS_MAX: usize = 512;

/// A request that was read and checked, borrowed from its body.
#[derive(Debug)]
pub struct PutLogEvents<'a> {
    /// The group that it names.
    pub group: GroupName,
    /// The stream that it names.
    pub stream: Cow<'a, str>,
    events: Vec<LogEvent<'a>>,
}

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOutcome {
    /// What was stored.
    pub answer: IngestAnswer,
    /// The first event that is too far in the future.
    pub too_new_from: Option<usize>,
    /// The first event that its group still keeps, where some are older.
    pub expired_until: Option<usize>,
}

/// Why a request cannot be a batch of events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// It is no JSON object of the right form.
    #[error("{0}")]
    Form(String),
    /// Something in it is against the rules.
    #[error("{0}")]
    Rule(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    log_group_name: Cow<'a, str>,
    #[serde(borrow)]
    log_stream_name: Cow<'a, str>,
    #[serde(borrow)]
    log_events: LogEvents<'a>,
    /// Has no effect, as at Amazon.
    #[serde(default, rename = "sequenceToken")]
    _sequence_token: IgnoredAny,
    /// Names what the events are of for pages of Amazon's; they are stored without it.
    #[serde(default, rename = "entity")]
    _entity: IgnoredAny,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogEvent<'a> {
    timestamp: i64,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// The events, at most as many as are allowed; of further ones it is only known that there are some.
#[derive(Debug)]
struct LogEvents<'a> {
    events: Vec<LogEvent<'a>>,
    has_more: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for LogEvents<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Events;
        impl<'de> Visitor<'de> for Events {
            type Value = LogEvents<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of events")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LogEvents<'de>, A::Error> {
                let mut events = Vec::new();
                while events.len() < EVENTS_MAX {
                    let Some(event) = list.next_element()? else { return Ok(LogEvents { events, has_more: false }) };
                    events.push(event);
                }
                let mut has_more = false;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    has_more = true;
                }
                Ok(LogEvents { events, has_more })
            }

            fn visit_unit<E: Error>(self) -> Result<LogEvents<'de>, E> {
                Ok(LogEvents { events: Vec::new(), has_more: false })
            }
        }
        deserializer.deserialize_any(Events)
    }
}

impl<'a> PutLogEvents<'a> {
    /// Reads and checks a decompressed body.
    ///
    /// # Errors
    /// Where it is no such request, or against a rule that concerns it as a whole.
    pub fn read(body: &'a [u8]) -> Result<Self, PutError> {
        // An array would be taken for the members in their order.
        ensure!(body.trim_ascii_start().first() == Some(&b'{'), PutError::Form("the body is not a JSON object".into()));
        let read: Body<'a> = serde_json::from_slice(body).map_err(|error| PutError::Form(error.to_string()))?;
        let group = GroupName::new(&read.log_group_name).ok_or_else(|| {
            let rule = r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+";
            against(&read.log_group_name, "logGroupName", rule)
        })?;
        check_stream_name(&read.log_stream_name)?;
        check_events(&read.log_events)?;
        Ok(Self { group, stream: read.log_stream_name, events: read.log_events.events })
    }
}

/// Checks the name of a stream.
///
/// # Errors
/// Where it can be none.
pub fn check_stream_name(name: &str) -> Result<(), PutError> {
    let n_chars = name.chars().count();
    if (1..=STREAM_CHARS_MAX).contains(&n_chars) && !name.contains([':', '*']) {
        return Ok(());
    }
    Err(against(name, "logStreamName", "Member must satisfy regular expression pattern: [^:*]{1,512}"))
}

fn check_events(read: &LogEvents<'_>) -> Result<(), PutError> {
    let rule = |text: &str| Err(PutError::Rule(text.to_owned()));
    ensure!(!read.has_more, against("[...]", "logEvents", "Member must have length less than or equal to 10000"));
    let (Some(first), Some(last)) = (read.events.first(), read.events.last()) else {
        return Err(against("[]", "logEvents", "Member must have length greater than or equal to 1"));
    };
    let (mut n_bytes, mut before) = (0usize, 0i64);
    for (place, event) in read.events.iter().enumerate() {
        let member = |name: &str| format!("logEvents.{}.member.{name}", place + 1);
        if event.timestamp < 0 {
            let value = event.timestamp.to_string();
            return Err(against(&value, &member("timestamp"), "Member must have value greater than or equal to 0"));
        }
        if event.message.is_empty() {
            return Err(against("", &member("message"), "Member must have length greater than or equal to 1"));
        }
        if event.timestamp < before {
            return rule("Log events in a single PutLogEvents request must be in chronological order.");
        }
        before = event.timestamp;
        n_bytes = n_bytes.saturating_add(event.message.len() + EVENT_OVERHEAD_BYTES);
    }
    if n_bytes > BATCH_BYTES_MAX {
        return Err(PutError::Rule(format!("Upload too large: {n_bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")));
    }
    // Both are not negative, so that their difference is a number.
    if last.timestamp - first.timestamp > SPAN_MS_MAX {
        return rule("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
    }
    Ok(())
}

fn against(value: &str, member: &str, rule: &str) -> PutError {
    let shown: String = value.chars().take(100).collect();
    let text =
        format!("1 validation error detected: Value '{shown}' at '{member}' failed to satisfy constraint: {rule}");
    PutError::Rule(text)
}

/// Stores the events of a request and returns when they are durable. Blocks.
///
/// `body` is what the request was read from: the same one again, under the same id or with none, stores nothing
/// twice, since senders repeat a request whose answer they missed.
///
/// # Errors
/// Where nothing was stored, or it is not known to be.
pub fn ingest_cloudwatch(
    intake: &Intake,
    put: &PutLogEvents<'_>,
    body: &[u8],
    sender: &Sender<'_>,
) -> Result<PutOutcome, IngestError> {
    let mut outcome = PutOutcome::default();
    let newest = Timestamp(sender.now.0.saturating_add(intake.limits.future_ns_max));
    let mut collector = intake.collect(sender);
    let place = collector.group(&put.group)?;
    collector.set_stream(place, &put.stream);
    for (n, event) in put.events.iter().enumerate() {
        let time = event.timestamp.checked_mul(MILLISECOND).map(Timestamp).filter(|time| *time <= newest);
        let Some(time) = time else {
            // They are in order: all that follow are later.
            outcome.too_new_from = Some(n);
            break;
        };
        let metadata = EventMetadata { time: Some(time), ..EventMetadata::default() };
        let raw = RawEvent::Text(event.message.as_bytes());
        if let Err(RecordRefusal::TooOld(_)) = collector.add(place, raw, &metadata)? {
            outcome.expired_until = Some(n + 1);
        }
    }
    let own_id = format!("cloudwatch {:032x}", xxh3_128(body));
    let sender = Sender { batch_id: sender.batch_id.or(Some(&own_id)), ..*sender };
    outcome.answer = intake.accept(collector, body, &sender)?;
    Ok(outcome)
}

#[cfg(test)]
mod tests;
