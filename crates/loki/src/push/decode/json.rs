//! The push request as JSON: `{"streams":[{"stream":{"label":"value"},"values":[["<ns>","line",{"name":"value"}?]]}]}`.
//!
//! The older form of a stream is read as well: `{"labels":"{label=\"value\"}","entries":[{"ts":"<RFC 3339>","line":"…"}]}`.
//! As in Loki, an entry may lack its line or have more than three parts, a stream may lack its labels or its values, and a
//! request without a stream is refused.
//!
//! Entries are read one at a time from the body, without memory besides the body and the events.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::value::RawValue;
use types::Timestamp;

use super::labels::{LABEL_SET_BYTES_MAX, Labels, METADATA_BYTES_MAX, Metadata, Text, bad, check_bytes};
use super::protobuf::label_set;
use super::streams::Streams;
use ingest::IngestError;

/// Passes all entries of `body` to `streams`.
pub(super) fn read(body: &str, streams: &mut Streams<'_, '_>) -> Result<(), IngestError> {
    let mut json = serde_json::Deserializer::from_str(body);
    let mut entries = Entries { streams, metadata: Metadata::new(), n_streams: 0, refused: None };
    let read = Read { part: Part::Push, entries: &mut entries }.deserialize(&mut json).and_then(|()| json.end());
    match read {
        Err(error) => Err(entries.refused.take().unwrap_or_else(|| bad(error))),
        Ok(()) if entries.n_streams == 0 => Err(IngestError::NoStreams),
        Ok(()) => Ok(()),
    }
}

/// Reads the labels of a stream, unless they are too many.
fn labels_of(text: &RawValue) -> Result<Labels<'_>, IngestError> {
    check_bytes("a label set", text.get().len(), LABEL_SET_BYTES_MAX)?;
    let pairs: BTreeMap<Text<'_>, &RawValue> = serde_json::from_str(text.get()).map_err(bad)?;
    let mut labels = Labels::new();
    for (name, value) in pairs {
        if let Some(value) = text_of_value(value).map_err(bad)? {
            labels.insert(name, value);
        }
    }
    Ok(labels)
}

/// Returns a value of a label or of metadata.
///
/// Labels should be texts, but some clients send other values, and Loki accepts them: they become their JSON, and `null`
/// is no label. Metadata that is not a text was refused before.
fn text_of_value(value: &RawValue) -> Result<Option<Text<'_>>, serde_json::Error> {
    let raw = value.get();
    let inside = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inside {
        None if raw == "null" => Ok(None),
        None => Ok(Some(Text(Cow::Borrowed(raw)))),
        // Most texts have no escapes, and were validated before.
        Some(inside) if !inside.contains('\\') => Ok(Some(Text(Cow::Borrowed(inside)))),
        Some(_) => serde_json::from_str(raw).map(Some),
    }
}

/// The reader of a request.
struct Entries<'e, 'c, 's, 'de> {
    streams: &'e mut Streams<'c, 's>,
    /// The metadata of the entry that is being read.
    metadata: Metadata<'de>,
    n_streams: usize,
    /// The reason why an entry is refused, unless the JSON is invalid.
    refused: Option<IngestError>,
}

impl Entries<'_, '_, '_, '_> {
    /// Stores the reason for a refusal, and returns an error that ends the reading.
    fn checked<E: Error>(&mut self, result: Result<(), IngestError>) -> Result<(), E> {
        result.map_err(|error| {
            let message = error.to_string();
            self.refused = Some(error);
            E::custom(message)
        })
    }
}

/// The parts of a request, from the outside in.
#[derive(Clone, Copy)]
enum Part {
    Push,
    Streams,
    Stream,
    Values,
    Entry,
    Metadata,
}

/// Reads a part and passes its entries on.
struct Read<'r, 'e, 'c, 's, 'de> {
    part: Part,
    entries: &'r mut Entries<'e, 'c, 's, 'de>,
}

impl<'e, 'c, 's, 'de> Read<'_, 'e, 'c, 's, 'de> {
    fn inner(&mut self, part: Part) -> Read<'_, 'e, 'c, 's, 'de> {
        Read { part, entries: self.entries }
    }

    fn push<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key.0 == "streams" {
                map.next_value_seed(self.inner(Part::Streams))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn stream<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.entries.n_streams += 1;
        let (mut has_labels, mut early_values) = (false, None);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key.0 {
                "stream" => {
                    let labels = labels_of(map.next_value::<&'de RawValue>()?);
                    let begun = labels.and_then(|labels| self.entries.streams.begin(&labels));
                    self.entries.checked(begun)?;
                    has_labels = true;
                }
                "labels" => {
                    let text = map.next_value::<Text<'de>>()?;
                    let labels = label_set(&text.0).ok_or_else(|| bad(format_args!("{:?} is not a label set", text.0)));
                    let begun = labels.and_then(|labels| self.entries.streams.begin(&labels));
                    self.entries.checked(begun)?;
                    has_labels = true;
                }
                "values" | "entries" if has_labels => map.next_value_seed(self.inner(Part::Values))?,
                "values" | "entries" => early_values = Some(map.next_value::<&'de RawValue>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if !has_labels {
            let begun = self.entries.streams.begin(&Labels::new());
            self.entries.checked(begun)?;
        }
        let Some(values) = early_values else { return Ok(()) };
        let mut json = serde_json::Deserializer::from_str(values.get());
        self.inner(Part::Values).deserialize(&mut json).map_err(A::Error::custom)
    }

    fn entry<A: SeqAccess<'de>>(mut self, mut parts: A) -> Result<(), A::Error> {
        let missing = || A::Error::invalid_length(0, &"a time and a line");
        let time: Text<'de> = parts.next_element()?.ok_or_else(missing)?;
        let line: Option<Text<'de>> = parts.next_element()?;
        self.entries.metadata.clear();
        parts.next_element_seed(self.inner(Part::Metadata))?;
        while parts.next_element::<IgnoredAny>()?.is_some() {}
        let bad_time = |_| A::Error::custom(format_args!("{:?} is not a time in nanoseconds", time.0));
        let time = Timestamp(time.0.parse().map_err(bad_time)?);
        self.add(time, line)
    }

    /// Reads an entry of the older form.
    fn old_entry<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let (mut time, mut line) = (None, None);
        self.entries.metadata.clear();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key.0 {
                "ts" | "timestamp" => time = Some(map.next_value::<Text<'de>>()?),
                "line" => line = Some(map.next_value::<Text<'de>>()?),
                "structuredMetadata" => map.next_value_seed(self.inner(Part::Metadata))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let time = time.ok_or_else(|| A::Error::missing_field("ts"))?;
        let bad_time = || A::Error::custom(format_args!("{:?} is not a time in RFC 3339", time.0));
        let time = Timestamp::parse_rfc3339(&time.0).ok_or_else(bad_time)?;
        self.add(time, line)
    }

    /// Passes on an entry with its metadata. A missing line is empty.
    fn add<E: Error>(self, time: Timestamp, line: Option<Text<'de>>) -> Result<(), E> {
        let line = line.as_ref().map_or(&b""[..], |line| line.0.as_bytes());
        let added = self.entries.streams.add(Some(time), line, &self.entries.metadata);
        self.entries.checked(added)
    }

    fn metadata<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut n_bytes = 0;
        while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            // Quotes, a colon and a comma count too: pairs may be empty.
            n_bytes += name.0.len() + value.get().len() + 4;
            self.entries.checked(check_bytes("the metadata of an entry", n_bytes, METADATA_BYTES_MAX))?;
            if !value.get().starts_with('"') {
                return Err(A::Error::custom(format_args!("the metadata {:?} is not a text: {}", name.0, value.get())));
            }
            if let Some(value) = text_of_value(value).map_err(A::Error::custom)? {
                self.entries.metadata.push((name, value));
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Read<'_, '_, '_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Read<'_, '_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.part {
            Part::Push => "an object with streams",
            Part::Streams => "a list of streams",
            Part::Stream => "an object with a stream and values",
            Part::Values => "a list of entries",
            Part::Entry => "[\"<nanoseconds>\", \"line\"] with an object of metadata perhaps",
            Part::Metadata => "an object of metadata",
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.part {
            Part::Push => self.push(map),
            Part::Stream => self.stream(map),
            Part::Entry => self.old_entry(map),
            Part::Metadata => self.metadata(map),
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let part = match self.part {
            Part::Entry => return self.entry(elements),
            Part::Streams => Part::Stream,
            Part::Values => Part::Entry,
            _ => return Err(A::Error::invalid_type(Unexpected::Seq, &self)),
        };
        while elements.next_element_seed(self.inner(part))?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use storage::{Options, Store};
    use types::{GroupScope, Limits};

    use super::*;
    use ingest::{DecodeBudget, Intake, Sender};

    /// Returns how many entries a body has, or why it is refused.
    fn check(body: &str) -> Result<u64, String> {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, _) = Store::open(Options::new(dir.path())).expect("a store");
        let intake = Intake::new(store.clone(), Limits::default(), 0);
        let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now: Timestamp(0) };
        let mut collector = intake.collect(&sender);
        let budget = DecodeBudget::of_body(body.len());
        let read = read(body, &mut Streams::new(&mut collector, budget)).map_err(|error| error.to_string());
        let n_records = collector.n_records();
        drop(collector);
        store.close().expect("it closes");
        read.map(|()| n_records)
    }

    fn of_values(values: &str) -> Result<u64, String> {
        check(&format!(r#"{{"streams":[{{"stream":{{"app":"a"}},"values":{values}}}]}}"#))
    }

    #[test]
    fn labels_are_not_written_without_bound() {
        let body = |n_entries: usize| {
            let labels: Vec<String> = (0..2_000).map(|i| format!(r#""label_{i}":"some value""#)).collect();
            let entries = vec![r#"["1",""]"#; n_entries].join(",");
            format!(r#"{{"streams":[{{"stream":{{{}}},"values":[{entries}]}}]}}"#, labels.join(","))
        };
        assert_eq!(check(&body(100)), Ok(100));
        assert!(check(&body(10_000)).is_err_and(|error| error.contains("smaller batches")));
    }

    #[test]
    fn label_sets_and_metadata_are_bounded() {
        let long = "x".repeat(LABEL_SET_BYTES_MAX);
        let refused = check(&format!(r#"{{"streams":[{{"stream":{{"a":"{long}"}},"values":[]}}]}}"#));
        assert!(refused.is_err_and(|error| error.contains("a label set has more than 65536 bytes")));
        let pairs = format!("\"{}\":\"\",", "k".repeat(500)).repeat(METADATA_BYTES_MAX / 500);
        let refused = of_values(&format!(r#"[["1","a",{{{pairs}"z":""}}]]"#));
        assert!(refused.is_err_and(|error| error.contains("the metadata of an entry has more than 1048576 bytes")));
        assert!(check(r#"{"streams":[{"stream":["a"],"values":[]}]}"#).is_err());
    }

    #[test]
    fn labels_and_metadata_that_are_no_texts_are_their_json_and_null_is_none() {
        let raw: &RawValue =
            serde_json::from_str(r#"{"n":7,"ok":true,"none":null,"list":[1, 2],"t":"a\n","q":"\"","e":""}"#)
                .expect("JSON");
        let labels = labels_of(raw).expect("labels");
        let shown: Vec<_> = labels.iter().map(|(name, value)| (&*name.0, &*value.0)).collect();
        assert_eq!(shown, [("e", ""), ("list", "[1, 2]"), ("n", "7"), ("ok", "true"), ("q", "\""), ("t", "a\n")]);
        assert_eq!(of_values(r#"[["1","a",{"k":"2","t":"\u0041"}]]"#), Ok(1));
        assert!(
            of_values(r#"[["1","a",{"k":2}]]"#)
                .is_err_and(|error| error.contains("the metadata \"k\" is not a text: 2"))
        );
    }

    #[test]
    fn entries_have_a_time_a_line_and_perhaps_metadata() {
        assert_eq!(of_values(r#"[["1","a"],["2","b\n",{"k":"v"}],["-3",""]]"#), Ok(3));
        assert_eq!(of_values("[]"), Ok(0));
        assert_eq!(of_values(r#"[["1"],["2","a",{},4]]"#), Ok(2), "as Loki takes them");
        for broken in [
            r#"[["x","a"]]"#,
            "[[]]",
            r#"[["1","a",{"k":}]]"#,
            "[[\"1\",\"a\",{\"k\":\"\n\"}]]",
            r#"[["1","a",null]]"#,
            r#"[["99999999999999999999","a"]]"#,
            "{}",
            r#"[{"1":"a"}]"#,
        ] {
            assert!(of_values(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_older_form_of_a_stream_is_read() {
        let entry = r#"{"ts":"2026-11-20T06:00:00.5Z","line":"a"}"#;
        let old = |labels: &str| check(&format!(r#"{{"streams":[{{"labels":{labels},"entries":[{entry}]}}]}}"#));
        assert_eq!(old(r#""{app=\"a\"}""#), Ok(1));
        assert!(old(r#""app""#).is_err_and(|error| error.contains("is not a label set")));
        assert!(check(r#"{"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"noon","line":"a"}]}]}"#).is_err());
    }

    #[test]
    fn names_of_labels_that_no_selector_could_have_are_refused() {
        let named = |name: &str| check(&format!(r#"{{"streams":[{{"stream":{{"{name}":"x"}},"values":[]}}]}}"#));
        assert!(["app", "_a1", "A"].iter().all(|name| named(name).is_ok()));
        for name in ["a-b", "a.b", "1a", "ž", "", "a b"] {
            assert!(named(name).is_err_and(|error| error.contains("couldn't parse labels")), "{name:?}");
        }
    }

    #[test]
    fn labels_may_follow_the_values_and_either_may_be_missing() {
        let stream = |members: &str| check(&format!(r#"{{"more":[1],"streams":[{{{members}}}]}}"#));
        assert_eq!(stream(r#""values":[["1","a"]],"stream":{"app":"a"},"more":{"x":1}"#), Ok(1));
        assert_eq!(stream(r#""values":[["1","a"]]"#), Ok(1));
        assert_eq!(stream(r#""stream":{}"#), Ok(0));
        for empty in ["{}", r#"{"streams":[]}"#] {
            assert!(
                check(empty).is_err_and(|error| error.contains("at least one valid stream is required")),
                "{empty}"
            );
        }
        assert!(check(r#"{"streams":[]} {}"#).is_err());
        assert!(check(r#"[{"stream":{},"values":[]}]"#).is_err());
    }
}
