//! The push request as JSON: `{"streams":[{"stream":{"label":"value"},"values":[["<ns>","line",{"name":"value"}?]]}]}`.
//!
//! Entries are read one at a time from the body: memory beside it is that of the events.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;
use types::Timestamp;

use super::{LABEL_SET_BYTES_MAX, Labels, METADATA_BYTES_MAX, Streams, Text, bad, check_bytes};
use crate::IngestError;

#[derive(Deserialize)]
struct Push<'a> {
    #[serde(borrow)]
    streams: Vec<Stream<'a>>,
}

#[derive(Deserialize)]
struct Stream<'a> {
    #[serde(borrow)]
    stream: &'a RawValue,
    #[serde(borrow)]
    values: &'a RawValue,
}

/// One line with its time and its structured metadata.
struct Entry<'a> {
    time: Timestamp,
    line: Text<'a>,
    metadata: Option<&'a RawValue>,
}

/// Hands over all entries of `body`.
pub(super) fn read(body: &[u8], streams: &mut Streams<'_, '_>) -> Result<(), IngestError> {
    let push: Push<'_> = serde_json::from_slice(body).map_err(bad)?;
    for stream in &push.streams {
        streams.begin(&labels_of("a label set", stream.stream, LABEL_SET_BYTES_MAX)?)?;
        let mut refused = None;
        let mut add = |entry: Entry<'_>| {
            let metadata = entry.metadata.map(|m| labels_of("the metadata of an entry", m, METADATA_BYTES_MAX));
            let added = metadata
                .unwrap_or_else(|| Ok(Labels::new()))
                .and_then(|metadata| streams.add(Some(entry.time), entry.line.0.as_bytes(), metadata.iter()));
            added.map_err(|error| {
                let message = error.to_string();
                refused = Some(error);
                message
            })
        };
        let values = &mut serde_json::Deserializer::from_str(stream.values.get());
        let read = Entries(&mut add).deserialize(values);
        read.map_err(|error| refused.take().unwrap_or_else(|| bad(error)))?;
    }
    Ok(())
}

/// Reads names and values, unless they are too many.
///
/// Values should be texts, but handlers send what programs gave them, and Loki takes it: other values are their JSON, and
/// what is `null` is not there.
fn labels_of<'a>(what: &str, text: &'a RawValue, bytes_max: usize) -> Result<Labels<'a>, IngestError> {
    check_bytes(what, text.get().len(), bytes_max)?;
    let pairs: BTreeMap<Text<'a>, &'a RawValue> = serde_json::from_str(text.get()).map_err(bad)?;
    let mut labels = Labels::new();
    for (name, value) in pairs {
        match value.get() {
            "null" => continue,
            text if text.starts_with('"') => labels.insert(name, serde_json::from_str(text).map_err(bad)?),
            other => labels.insert(name, Text(Cow::Borrowed(other))),
        };
    }
    Ok(labels)
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

    #[test]
    fn label_sets_and_metadata_are_bounded() {
        let check = |text: &str| {
            let raw: &RawValue = serde_json::from_str(text).expect("JSON");
            labels_of("a label set", raw, 20).map(|labels| labels.len()).map_err(|error| error.to_string())
        };
        assert_eq!(check(r#"{"a":"1","b":"2"}"#), Ok(2));
        assert!(check(r#"{"a":"1","b":"2","c":"3"}"#).is_err_and(|error| error.contains("more than 20 bytes")));
        assert!(check(r#"["a"]"#).is_err());
    }

    #[test]
    fn labels_that_are_no_texts_are_their_json_and_null_is_none() {
        let raw: &RawValue =
            serde_json::from_str(r#"{"n":7,"ok":true,"none":null,"list":[1, 2],"t":"a\n"}"#).expect("JSON");
        let labels = labels_of("a label set", raw, 1000).expect("labels");
        let shown: Vec<_> = labels.iter().map(|(name, value)| (&*name.0, &*value.0)).collect();
        assert_eq!(shown, [("list", "[1, 2]"), ("n", "7"), ("ok", "true"), ("t", "a\n")]);
    }

    #[test]
    fn entries_have_a_time_a_line_and_perhaps_metadata() {
        let check = |text: &str| -> Result<usize, String> {
            let mut n_metadata = 0;
            let mut count = |entry: Entry<'_>| {
                n_metadata += usize::from(entry.metadata.is_some());
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
