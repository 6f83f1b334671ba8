//! Loki's push request, as JSON and as the protobuf message that its agents send.
//!
//! Labels and structured metadata become fields, the label set is the name of the stream, `{app="pay", env="prod"}`,
//! so that it can be given back exactly. The field `@loki` tells the metadata from what is found in the line. A request that cannot be read is refused whole, as in Loki. In both forms
//! entries are read one at a time from the body: memory beside it is that of the events.

mod in_flight;
mod json;
mod level;
mod protobuf;
mod repeated;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use parse::FieldWriter;
use serde::Deserialize;
use serde_json::json;
use storage::Store;
use types::{GroupName, Timestamp, group_name_of_outside};
use xxhash_rust::xxh3::xxh3_128;

pub use self::in_flight::InFlight;
use self::in_flight::Spans;
use ingest::{Beside, Collector, Encoding, IngestAnswer, IngestError, Intake, Sender, decode, lossy};

/// What a body should be, for errors.
const WHAT: &str = "loki push request";

/// Labels that name the group, the first that is there; else the group is `loki`.
const GROUP_LABELS: [&str; 4] = ["group", "job", "service_name", "service"];

/// Longest label set: each stream keeps its own.
const LABEL_SET_BYTES_MAX: usize = 64 << 10;

/// Most bytes of an entry's structured metadata, as sent: what is made of it takes many times that. Loki's own default
/// is a sixteenth of it.
const METADATA_BYTES_MAX: usize = 1 << 20;

/// The field that says what was pushed with a line.
const PUSHED: &str = "@loki";

/// Longest value of metadata that is kept twice.
const METADATA_VALUE_BYTES_MAX: usize = 4 << 10;

/// A string, borrowed from the body where it has no escapes.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Names and values of a stream, sorted by name.
type Labels<'a> = BTreeMap<Text<'a>, Text<'a>>;

/// Names and values of an entry, in the order in which they were sent.
type Metadata<'a> = Vec<(Text<'a>, Text<'a>)>;

/// Stores pushed lines.
pub struct PushWriter<'a> {
    /// The way in.
    pub intake: &'a Intake,
    /// What the intake writes to: lines that it holds already are not stored again.
    pub store: &'a Store,
    /// Streams whose lines other pushes store at the moment.
    pub in_flight: &'a InFlight,
}

impl PushWriter<'_> {
    /// Stores the lines of a push request as JSON and returns when they are durable. Blocks.
    ///
    /// The same request again, under the same id or with none, stores nothing twice.
    pub fn json(&self, body: &[u8], encoding: Encoding, sender: &Sender<'_>) -> Result<IngestAnswer, IngestError> {
        let body = decode(body, encoding, self.intake.limits().body_bytes_max)?;
        let mut collector = self.intake.collect(sender);
        let text = lossy(&body, self.intake.limits().body_bytes_max)?;
        let mut streams = Streams::new(&mut collector);
        json::read(&text, &mut streams)?;
        let spans = streams.spans;
        self.accept(collector, spans, &body, sender)
    }

    /// The same for a request as a protobuf message in one block of Snappy.
    pub fn protobuf(&self, body: &[u8], sender: &Sender<'_>) -> Result<IngestAnswer, IngestError> {
        let body = protobuf::unpack(body, self.intake.limits().body_bytes_max)?;
        let mut collector = self.intake.collect(sender);
        let mut streams = Streams::new(&mut collector);
        protobuf::read(&body, &mut streams)?;
        let spans = streams.spans;
        self.accept(collector, spans, &body, sender)
    }

    /// Senders repeat a request whose answer they missed: equal bodies are one batch.
    fn accept(
        &self,
        collector: Collector<'_>,
        spans: Spans,
        body: &[u8],
        sender: &Sender<'_>,
    ) -> Result<IngestAnswer, IngestError> {
        let _entered = self.in_flight.enter(spans);
        let own_id = format!("loki {:032x}", xxh3_128(body));
        let sender = Sender { batch_id: sender.batch_id.or(Some(&own_id)), ..*sender };
        self.intake.accept_checked(collector, body, &sender, |parts| repeated::without_repeated(self.store, parts))
    }
}

fn check_bytes(what: &str, n_bytes: usize, bytes_max: usize) -> Result<(), IngestError> {
    let problem = || bad(format_args!("{what} has more than {bytes_max} bytes"));
    if n_bytes > bytes_max { Err(problem()) } else { Ok(()) }
}

/// Refuses names that no selector could write: Loki refuses them too.
fn check_names(labels: &Labels<'_>) -> Result<(), IngestError> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match labels.keys().find(|name| !is_name(&name.0)) {
        None => Ok(()),
        Some(name) => Err(bad(format_args!(
            "couldn't parse labels: {:?} is no name of a label; it has letters, digits and _, and begins with no digit",
            name.0
        ))),
    }
}

fn bad(problem: impl Display) -> IngestError {
    IngestError::BadBody { what: WHAT, problem: problem.to_string() }
}

/// The events of a request on their way into the collector, stream after stream.
struct Streams<'c, 's> {
    collector: &'c mut Collector<'s>,
    group: GroupName,
    stream: String,
    labels: Vec<(String, String)>,
    /// The level that the labels say.
    level: Option<String>,
    /// The group's place, once the stream has an entry.
    place: Option<usize>,
    /// The times of the lines of each stream.
    spans: Spans,
}

impl<'c, 's> Streams<'c, 's> {
    fn new(collector: &'c mut Collector<'s>) -> Self {
        let (group, stream) = (group_of(&Labels::new()), String::new());
        Self { collector, group, stream, labels: Vec::new(), level: None, place: None, spans: Spans::new() }
    }

    /// Says which labels the entries that follow have.
    fn begin(&mut self, labels: &Labels<'_>) -> Result<(), IngestError> {
        check_names(labels)?;
        self.group = group_of(labels);
        self.stream = stream_name(labels);
        check_bytes("a label set", self.stream.len(), LABEL_SET_BYTES_MAX)?;
        self.labels = present(labels).map(|(name, value)| (name.0.to_string(), value.0.to_string())).collect();
        self.level = level::of_labels(labels);
        self.place = None;
        Ok(())
    }

    fn add(&mut self, time: Option<Timestamp>, line: &[u8], metadata: &Metadata<'_>) -> Result<(), IngestError> {
        let place = match self.place {
            Some(place) => place,
            None => self.collector.group(&self.group)?,
        };
        if self.place.is_none() {
            self.collector.set_stream(place, &self.stream);
            self.place = Some(place);
        }
        if let Some(Timestamp(time)) = time {
            let span = self.spans.entry(xxh3_128(self.stream.as_bytes())).or_insert((time, time));
            *span = (span.0.min(time), span.1.max(time));
        }
        let labels = &self.labels;
        let text = String::from_utf8_lossy(line);
        let metadata = &stored(metadata)?;
        let pushed = pushed(level::of_entry(self.level.as_deref(), metadata, &text), metadata, &text);
        let write = |fields: &mut FieldWriter<'_>| {
            labels.iter().for_each(|(name, value)| fields.text(name, value));
            metadata.iter().for_each(|(name, value)| fields.text(&name.0, &value.0));
            fields.system(PUSHED, &pushed);
        };
        let n_fields = labels.len() + metadata.len() + 3;
        let beside = Beside { time, level: None, n_fields, fields: Some(&write) };
        // One that is too old is left out; the protocol has no word for it.
        self.collector.text_with(place, line, &beside).map(|_| ())
    }
}

/// Metadata as it is stored: an empty value is none, and the level is spelt as Loki spells it.
fn stored<'m>(metadata: &'m Metadata<'_>) -> Result<Metadata<'m>, IngestError> {
    let has_letter = |name: &str| name.bytes().any(|byte| byte.is_ascii_alphanumeric());
    if let Some((name, _)) = metadata.iter().find(|(name, _)| !has_letter(&name.0)) {
        return Err(bad(format_args!("{:?} is no name of metadata; it has a letter or a digit", name.0)));
    }
    let kept = metadata.iter().filter(|(_, value)| !value.0.is_empty());
    let spelt = |(name, value): &'m (Text<'_>, Text<'_>)| {
        let value = if name.0 == level::DETECTED_LEVEL { level::normal(&value.0) } else { &value.0 };
        (Text(Cow::Borrowed(&*name.0)), Text(Cow::Borrowed(value)))
    };
    Ok(kept.map(spelt).collect())
}

fn group_of(labels: &Labels<'_>) -> GroupName {
    let named = GROUP_LABELS.iter().find_map(|name| labels.get(&Text(Cow::Borrowed(name))));
    named
        .filter(|name| !name.0.is_empty())
        .map_or_else(|| group_name_of_outside("loki"), |n| group_name_of_outside(&n.0))
}

/// What is kept of an entry besides its fields: a JSON list of its level and the names of its metadata, each with its value
/// where the line may hold a field of that name, which would hide it.
fn pushed(level: &str, metadata: &Metadata<'_>, line: &str) -> String {
    let pair = |(name, value): &(Text<'_>, Text<'_>)| {
        // Names that shapes of lines give to their parts are words of letters.
        let may_be_hidden = name.0.bytes().all(|byte| byte.is_ascii_alphabetic()) || line.contains(&*name.0);
        let is_cut = value.0.len() > METADATA_VALUE_BYTES_MAX;
        if may_be_hidden && !is_cut { json!([name.0, value.0]) } else { json!(name.0) }
    };
    let items: Vec<serde_json::Value> = std::iter::once(json!(level)).chain(metadata.iter().map(pair)).collect();
    serde_json::Value::Array(items).to_string()
}

/// The fields that hold metadata, of what [`pushed`] gave.
fn names_of_fields(pushed: &str) -> Vec<String> {
    let items: Vec<serde_json::Value> = serde_json::from_str(pushed).unwrap_or_default();
    let name =
        |item: serde_json::Value| item.as_str().map(|name| name.replacen('@', "_", usize::from(name.starts_with('@'))));
    items.into_iter().skip(1).filter_map(name).collect()
}

/// Labels that have a value; an empty one is none.
fn present<'l, 'a>(labels: &'l Labels<'a>) -> impl Iterator<Item = (&'l Text<'a>, &'l Text<'a>)> {
    labels.iter().filter(|(_, value)| !value.0.is_empty())
}

/// The label set as Prometheus spells it; values are escaped as JSON strings are.
fn stream_name(labels: &Labels<'_>) -> String {
    let pairs = present(labels).map(|(name, value)| format!("{}={}", name.0, serde_json::Value::from(&*value.0)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels<'a>(pairs: &[(&'a str, &'a str)]) -> Labels<'a> {
        pairs.iter().map(|(name, value)| (Text(Cow::Borrowed(name)), Text(Cow::Borrowed(value)))).collect()
    }

    #[test]
    fn the_group_is_the_first_label_that_names_one() {
        let check = |pairs: &[(&str, &str)], expected: &str| assert_eq!(group_of(&labels(pairs)).as_str(), expected);
        check(&[("job", "ingress nginx"), ("service", "web")], "ingress_nginx");
        check(&[("service_name", "web"), ("group", "a/b")], "a/b");
        check(&[("app", "web")], "loki");
        check(&[("job", "")], "loki");
    }

    #[test]
    fn metadata_is_told_apart_from_what_is_found_in_lines() {
        let pairs = |pairs: &[(&'static str, &'static str)]| -> Metadata<'static> {
            pairs.iter().map(|(name, value)| (Text(Cow::Borrowed(*name)), Text(Cow::Borrowed(*value)))).collect()
        };
        let metadata = pairs(&[("trace_id", "t1"), ("status", "s"), ("user.id", "u")]);
        assert_eq!(pushed("info", &metadata, "a line"), r#"["info","trace_id",["status","s"],"user.id"]"#);
        assert_eq!(pushed("warn", &pairs(&[("trace_id", "t1")]), "trace_id=other"), r#"["warn",["trace_id","t1"]]"#);
    }

    #[test]
    fn the_stream_is_named_by_its_labels() {
        assert_eq!(stream_name(&labels(&[("b", ""), ("a", "1")])), r#"{a="1"}"#);
        assert_eq!(stream_name(&labels(&[("b", "x\"y"), ("a", "1")])), r#"{a="1", b="x\"y"}"#);
        assert_eq!(stream_name(&labels(&[])), "{}");
    }
}
