//! Loki's push request, as JSON and as the protobuf message that its agents send.
//!
//! Labels and structured metadata become fields, the label set is the name of the stream, `{app="pay", env="prod"}`,
//! so that it can be given back exactly. A request that cannot be read is refused whole, as in Loki. In both forms
//! entries are read one at a time from the body: memory beside it is that of the events.

mod json;
mod protobuf;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use serde::Deserialize;
use types::{GroupName, Limits, Timestamp, Value, group_name_of_outside};
use xxhash_rust::xxh3::xxh3_128;

use crate::{Collector, Encoding, IngestAnswer, IngestError, Intake, Sender, decode, lossy};

/// What a body should be, for errors.
const WHAT: &str = "loki push request";

/// Labels that name the group, the first that is there; else the group is `loki`.
const GROUP_LABELS: [&str; 4] = ["group", "job", "service_name", "service"];

/// Longest name of a field, as of JSON records, and of a label set: each stream keeps its own.
const NAME_BYTES_MAX: usize = 512;
const LABEL_SET_BYTES_MAX: usize = 64 << 10;

/// Most bytes of an entry's structured metadata, as sent: a map of it takes many times that. Loki's own default
/// is a sixteenth of it.
const METADATA_BYTES_MAX: usize = 1 << 20;

/// A string, borrowed from the body where it has no escapes.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Names and values, sorted by name.
type Labels<'a> = BTreeMap<Text<'a>, Text<'a>>;

impl Intake {
    /// Stores the lines of a push request as JSON and returns when they are durable. Blocks.
    ///
    /// The same request again, under the same id or with none, stores nothing twice.
    pub fn ingest_loki(
        &self,
        body: &[u8],
        encoding: Encoding,
        sender: &Sender<'_>,
    ) -> Result<IngestAnswer, IngestError> {
        let body = decode(body, encoding, self.limits.body_bytes_max)?;
        let mut collector = self.collect(sender);
        let text = lossy(&body, self.limits.body_bytes_max)?;
        json::read(text.as_bytes(), &mut Streams::new(&mut collector, &self.limits))?;
        self.accept_loki(collector, &body, sender)
    }

    /// The same for a request as a protobuf message in one block of Snappy.
    pub fn ingest_loki_protobuf(&self, body: &[u8], sender: &Sender<'_>) -> Result<IngestAnswer, IngestError> {
        let body = protobuf::unpack(body, self.limits.body_bytes_max)?;
        let mut collector = self.collect(sender);
        protobuf::read(&body, &mut Streams::new(&mut collector, &self.limits))?;
        self.accept_loki(collector, &body, sender)
    }

    /// Senders repeat a request whose answer they missed: equal bodies are one batch.
    fn accept_loki(
        &self,
        collector: Collector<'_>,
        body: &[u8],
        sender: &Sender<'_>,
    ) -> Result<IngestAnswer, IngestError> {
        let own_id = format!("loki {:032x}", xxh3_128(body));
        self.accept(collector, body, &Sender { batch_id: sender.batch_id.or(Some(&own_id)), ..*sender })
    }
}

fn check_bytes(what: &str, n_bytes: usize, bytes_max: usize) -> Result<(), IngestError> {
    let problem = || bad(format_args!("{what} has more than {bytes_max} bytes"));
    if n_bytes > bytes_max { Err(problem()) } else { Ok(()) }
}

fn bad(problem: impl Display) -> IngestError {
    IngestError::BadBody { what: WHAT, problem: problem.to_string() }
}

/// The events of a request on their way into the collector, stream after stream.
struct Streams<'c, 's> {
    collector: &'c mut Collector<'s>,
    limits: &'c Limits,
    group: GroupName,
    stream: String,
    labels: Vec<(Arc<str>, Value)>,
}

impl<'c, 's> Streams<'c, 's> {
    fn new(collector: &'c mut Collector<'s>, limits: &'c Limits) -> Self {
        Self { collector, limits, group: group_of(&Labels::new()), stream: String::new(), labels: Vec::new() }
    }

    /// Says which labels the entries that follow have.
    fn begin(&mut self, labels: &Labels<'_>) -> Result<(), IngestError> {
        self.group = group_of(labels);
        self.stream = stream_name(labels);
        check_bytes("a label set", self.stream.len(), LABEL_SET_BYTES_MAX)?;
        self.labels = fields(labels.iter(), &[], self.limits);
        Ok(())
    }

    fn add<'m, 't: 'm>(
        &mut self,
        time: Option<Timestamp>,
        line: &[u8],
        metadata: impl Iterator<Item = (&'m Text<'t>, &'m Text<'t>)>,
    ) -> Result<(), IngestError> {
        let mut metadata = metadata.peekable();
        if metadata.peek().is_none() {
            return self.collector.add(&self.group, &self.stream, time, line, &self.labels);
        }
        let fields = fields(metadata, &self.labels, self.limits);
        self.collector.add(&self.group, &self.stream, time, line, &fields)
    }
}

fn group_of(labels: &Labels<'_>) -> GroupName {
    let named = GROUP_LABELS.iter().find_map(|name| labels.get(&Text(Cow::Borrowed(name))));
    named
        .filter(|name| !name.0.is_empty())
        .map_or_else(|| group_name_of_outside("loki"), |n| group_name_of_outside(&n.0))
}

/// The label set as Prometheus spells it; values are escaped as JSON strings are.
fn stream_name(labels: &Labels<'_>) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{}={}", name.0, serde_json::Value::from(&*value.0)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// Labels or metadata as fields, behind `before`. What is over a limit is kept as JSON text, as of a record.
fn fields<'m, 't: 'm>(
    pairs: impl Iterator<Item = (&'m Text<'t>, &'m Text<'t>)>,
    before: &[(Arc<str>, Value)],
    limits: &Limits,
) -> Vec<(Arc<str>, Value)> {
    let mut fields = before.to_vec();
    let (mut rest, mut n_dropped) = (String::new(), 0);
    for (name, value) in pairs {
        let is_long = name.0.len() > NAME_BYTES_MAX || value.0.len() > limits.field_bytes_max;
        if !is_long && fields.len() < limits.fields_max {
            fields.push(field(name, value));
            continue;
        }
        rest.push(if rest.is_empty() { '{' } else { ',' });
        Value::text(&*name.0).write_json(&mut rest);
        rest.push(':');
        Value::text(&*value.0).write_json(&mut rest);
        n_dropped += 1;
    }
    if n_dropped > 0 {
        rest.push('}');
        fields.push(("@rest".into(), Value::text(rest)));
        fields.push(("@fieldsDropped".into(), Value::Integer(n_dropped)));
    }
    fields
}

/// A label or a piece of metadata as a field. Nobody forges system fields.
fn field(name: &Text<'_>, value: &Text<'_>) -> (Arc<str>, Value) {
    let name = match name.0.strip_prefix('@') {
        Some(rest) => format!("_{rest}").into(),
        None => Arc::from(&*name.0),
    };
    (name, Value::text(&*value.0))
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
    fn the_stream_is_named_by_its_labels() {
        assert_eq!(stream_name(&labels(&[("b", "x\"y"), ("a", "1")])), r#"{a="1", b="x\"y"}"#);
        assert_eq!(stream_name(&labels(&[])), "{}");
    }

    #[test]
    fn what_is_over_a_limit_is_kept_as_text() {
        let limits = Limits { fields_max: 2, field_bytes_max: 3, ..Limits::default() };
        let before = [("app".into(), Value::text("x"))];
        let shown = |pairs: &[(&str, &str)]| -> Vec<String> {
            let fields = fields(labels(pairs).iter(), &before, &limits);
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        assert_eq!(shown(&[("@id", "me")]), ["app=x", "_id=me"]);
        assert_eq!(
            shown(&[("a", "long"), ("b", "1"), ("c", "\"")]),
            ["app=x", "b=1", r#"@rest={"a":"long","c":"\""}"#, "@fieldsDropped=2"]
        );
    }
}
