//! Loki's push request in its JSON form.
//!
//! `{"streams":[{"stream":{"label":"value"},"values":[["<ns>","line",{"name":"value"}?]]}]}`. Labels and structured
//! metadata become fields, the label set is the name of the stream, `{app="pay", env="prod"}`, so that it can be
//! given back exactly. A request that cannot be read is refused whole, as in Loki. Entries are read one at a time
//! from the body: memory beside it is that of the events.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;
use types::{GroupName, Timestamp, Value, group_name_of_outside};
use xxhash_rust::xxh3::xxh3_128;

use crate::{Collector, Encoding, IngestAnswer, IngestError, Intake, decode};

/// Labels that name the group, the first that is there; else the group is `loki`.
const GROUP_LABELS: [&str; 4] = ["group", "job", "service_name", "service"];

#[derive(Deserialize)]
struct Push<'a> {
    #[serde(borrow)]
    streams: Vec<Stream<'a>>,
}

#[derive(Deserialize)]
struct Stream<'a> {
    #[serde(borrow)]
    stream: BTreeMap<Text<'a>, Text<'a>>,
    #[serde(borrow)]
    values: &'a RawValue,
}

/// A string, borrowed from the body where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// One line with its time and its structured metadata.
struct Entry<'a> {
    time: Timestamp,
    line: Text<'a>,
    metadata: Option<BTreeMap<Text<'a>, Text<'a>>>,
}

impl Intake {
    /// Stores the lines of a push request and returns when they are durable. Blocks.
    ///
    /// The same request again, under the same id or with none, stores nothing twice.
    pub fn ingest_loki(
        &self,
        body: Vec<u8>,
        encoding: Encoding,
        batch_id: Option<&str>,
        key_scope: &str,
        now: Timestamp,
    ) -> Result<IngestAnswer, IngestError> {
        let body = decode(body, encoding, self.limits.body_bytes_max)?;
        let push: Push<'_> = serde_json::from_slice(&body).map_err(|error| bad(&error))?;
        let mut collector = self.collect(now);
        for stream in &push.streams {
            add_stream(stream, &mut collector)?;
        }
        // Senders repeat a request whose answer they missed; equal labels, times and lines are one event.
        let own_id = format!("loki {:032x}", xxh3_128(&body));
        self.accept(collector, &body, Some(batch_id.unwrap_or(&own_id)), key_scope)
    }
}

fn bad(error: &serde_json::Error) -> IngestError {
    IngestError::BadBody { what: "loki push request", problem: error.to_string() }
}

fn add_stream(stream: &Stream<'_>, collector: &mut Collector<'_>) -> Result<(), IngestError> {
    let group = group_of(&stream.stream);
    let name = stream_name(&stream.stream);
    let labels: Vec<(Arc<str>, Value)> = stream.stream.iter().map(field).collect();
    let mut refused = None;
    let mut add = |entry: Entry<'_>| {
        let mut fields = labels.clone();
        fields.extend(entry.metadata.iter().flatten().map(field));
        collector.add(&group, &name, Some(entry.time), entry.line.0.as_bytes(), &fields).map_err(|error| {
            let message = error.to_string();
            refused = Some(error);
            message
        })
    };
    let read = Entries(&mut add).deserialize(&mut serde_json::Deserializer::from_str(stream.values.get()));
    read.map_err(|error| refused.take().unwrap_or_else(|| bad(&error)))
}

fn group_of(labels: &BTreeMap<Text<'_>, Text<'_>>) -> GroupName {
    let named = GROUP_LABELS.iter().find_map(|name| labels.get(&Text(Cow::Borrowed(name))));
    named
        .filter(|name| !name.0.is_empty())
        .map_or_else(|| group_name_of_outside("loki"), |n| group_name_of_outside(&n.0))
}

/// The label set as Prometheus spells it; values are escaped as JSON strings are.
fn stream_name(labels: &BTreeMap<Text<'_>, Text<'_>>) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{}={}", name.0, serde_json::Value::from(&*value.0)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// A label or a piece of metadata as a field. Nobody forges system fields.
fn field((name, value): (&Text<'_>, &Text<'_>)) -> (Arc<str>, Value) {
    let name = match name.0.strip_prefix('@') {
        Some(rest) => format!("_{rest}").into(),
        None => Arc::from(&*name.0),
    };
    (name, Value::text(&*value.0))
}

/// Reads entries and hands each over.
struct Entries<'f, F>(&'f mut F);

impl<'de, F: FnMut(Entry<'de>) -> Result<(), String>> DeserializeSeed<'de> for Entries<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Entry<'de>) -> Result<(), String>> Visitor<'de> for Entries<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<Entry<'de>>()? {
            (self.0)(entry).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Entry<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> Visitor<'de> for Parts {
            type Value = Entry<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[\"<nanoseconds>\", \"line\"] with an object of metadata perhaps")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Entry<'de>, A::Error> {
                let missing = |at| A::Error::invalid_length(at, &self);
                let time: Text<'de> = parts.next_element()?.ok_or_else(|| missing(0))?;
                let line = parts.next_element()?.ok_or_else(|| missing(1))?;
                let metadata = parts.next_element()?;
                let bad_time = |_| A::Error::custom(format_args!("{:?} is no time in nanoseconds", time.0));
                Ok(Entry { time: Timestamp(time.0.parse().map_err(bad_time)?), line, metadata })
            }
        }
        deserializer.deserialize_seq(Parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels<'a>(pairs: &[(&'a str, &'a str)]) -> BTreeMap<Text<'a>, Text<'a>> {
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
    fn entries_have_a_time_a_line_and_perhaps_metadata() {
        let check = |text: &str| -> Result<usize, String> {
            let mut n_metadata = 0;
            let mut count = |entry: Entry<'_>| {
                n_metadata += entry.metadata.map_or(0, |metadata| metadata.len());
                Ok(())
            };
            let read = Entries(&mut count).deserialize(&mut serde_json::Deserializer::from_str(text));
            read.map_err(|error| error.to_string()).map(|()| n_metadata)
        };
        assert_eq!(check(r#"[["1","a"],["2","b\n",{"k":"v"}],["-3",""]]"#), Ok(1));
        assert_eq!(check("[]"), Ok(0));
        for broken in [r#"[["x","a"]]"#, r#"[["1"]]"#, r#"[["1","a",{},4]]"#, r#"[["99999999999999999999","a"]]"#, "{}"]
        {
            assert!(check(broken).is_err(), "{broken}");
        }
    }
}
