//! A request in protobuf's JSON form, rewritten as the protobuf message that it stands for.
//!
//! 64-bit numbers are texts or numbers, numbers that JSON does not have are texts, and names are in camelCase or as in the message.
//! Nothing is kept of members that nobody asks for, so that a body needs no more memory than its message.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ingest::IngestError;
use ingest::protobuf::{put_bytes, put_fixed64, put_varint};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::body::bad;

/// What a member holds.
#[derive(Clone, Copy)]
enum Content {
    Text,
    Bytes,
    /// An id as hex digits.
    Hex,
    /// An integer or a flag, as a varint.
    Number,
    /// A signed integer, as a varint whose lowest bit is the sign.
    Zigzag,
    /// An integer of eight bytes.
    Fixed,
    Double,
    Message(&'static [Member]),
}

/// A member of a message: its name in JSON, its name in the message, its number, what it holds. Lists may have any number.
type Member = (&'static str, &'static str, u64, Content);

use Content::{Bytes, Double, Fixed, Hex, Message, Number, Text, Zigzag};

static REQUEST: [Member; 1] = [("resourceMetrics", "resource_metrics", 1, Message(&RESOURCE_METRICS))];
static RESOURCE_METRICS: [Member; 2] =
    [("resource", "resource", 1, Message(&RESOURCE)), ("scopeMetrics", "scope_metrics", 2, Message(&SCOPE_METRICS))];
static RESOURCE: [Member; 1] = [("attributes", "attributes", 1, Message(&ATTRIBUTE))];
static SCOPE_METRICS: [Member; 1] = [("metrics", "metrics", 2, Message(&METRIC))];
static METRIC: [Member; 8] = [
    ("name", "name", 1, Text),
    ("description", "description", 2, Text),
    ("unit", "unit", 3, Text),
    ("gauge", "gauge", 5, Message(&NUMBERS)),
    ("sum", "sum", 7, Message(&NUMBERS)),
    ("histogram", "histogram", 9, Message(&HISTOGRAM)),
    ("exponentialHistogram", "exponential_histogram", 10, Message(&EXPONENTIAL)),
    ("summary", "summary", 11, Message(&SUMMARY)),
];
static NUMBERS: [Member; 3] = [
    ("dataPoints", "data_points", 1, Message(&NUMBER)),
    ("aggregationTemporality", "aggregation_temporality", 2, Number),
    ("isMonotonic", "is_monotonic", 3, Number),
];
static NUMBER: [Member; 6] = [
    ("timeUnixNano", "time_unix_nano", 3, Fixed),
    ("asDouble", "as_double", 4, Double),
    ("exemplars", "exemplars", 5, Message(&EXEMPLAR)),
    ("asInt", "as_int", 6, Fixed),
    ("attributes", "attributes", 7, Message(&ATTRIBUTE)),
    ("flags", "flags", 8, Number),
];
static HISTOGRAM: [Member; 2] = [
    ("dataPoints", "data_points", 1, Message(&BUCKETS)),
    ("aggregationTemporality", "aggregation_temporality", 2, Number),
];
static BUCKETS: [Member; 8] = [
    ("timeUnixNano", "time_unix_nano", 3, Fixed),
    ("count", "count", 4, Fixed),
    ("sum", "sum", 5, Double),
    ("bucketCounts", "bucket_counts", 6, Fixed),
    ("explicitBounds", "explicit_bounds", 7, Double),
    ("exemplars", "exemplars", 8, Message(&EXEMPLAR)),
    ("attributes", "attributes", 9, Message(&ATTRIBUTE)),
    ("flags", "flags", 10, Number),
];
static EXPONENTIAL: [Member; 2] = [
    ("dataPoints", "data_points", 1, Message(&EXPONENTIAL_BUCKETS)),
    ("aggregationTemporality", "aggregation_temporality", 2, Number),
];
static EXPONENTIAL_BUCKETS: [Member; 11] = [
    ("attributes", "attributes", 1, Message(&ATTRIBUTE)),
    ("timeUnixNano", "time_unix_nano", 3, Fixed),
    ("count", "count", 4, Fixed),
    ("sum", "sum", 5, Double),
    ("scale", "scale", 6, Zigzag),
    ("zeroCount", "zero_count", 7, Fixed),
    ("positive", "positive", 8, Message(&SIDE)),
    ("negative", "negative", 9, Message(&SIDE)),
    ("flags", "flags", 10, Number),
    ("exemplars", "exemplars", 11, Message(&EXEMPLAR)),
    ("zeroThreshold", "zero_threshold", 14, Double),
];
static SIDE: [Member; 2] = [("offset", "offset", 1, Zigzag), ("bucketCounts", "bucket_counts", 2, Number)];
static EXEMPLAR: [Member; 6] = [
    ("timeUnixNano", "time_unix_nano", 2, Fixed),
    ("asDouble", "as_double", 3, Double),
    ("spanId", "span_id", 4, Hex),
    ("traceId", "trace_id", 5, Hex),
    ("asInt", "as_int", 6, Fixed),
    ("filteredAttributes", "filtered_attributes", 7, Message(&ATTRIBUTE)),
];
static SUMMARY: [Member; 1] = [("dataPoints", "data_points", 1, Message(&QUANTILES))];
static QUANTILES: [Member; 6] = [
    ("timeUnixNano", "time_unix_nano", 3, Fixed),
    ("count", "count", 4, Fixed),
    ("sum", "sum", 5, Double),
    ("quantileValues", "quantile_values", 6, Message(&QUANTILE)),
    ("attributes", "attributes", 7, Message(&ATTRIBUTE)),
    ("flags", "flags", 8, Number),
];
static QUANTILE: [Member; 2] = [("quantile", "quantile", 1, Double), ("value", "value", 2, Double)];
static ATTRIBUTE: [Member; 2] = [("key", "key", 1, Text), ("value", "value", 2, Message(&VALUE))];
static VALUE: [Member; 7] = [
    ("stringValue", "string_value", 1, Text),
    ("boolValue", "bool_value", 2, Number),
    ("intValue", "int_value", 3, Number),
    ("doubleValue", "double_value", 4, Double),
    ("arrayValue", "array_value", 5, Message(&LIST)),
    ("kvlistValue", "kvlist_value", 6, Message(&MAP)),
    ("bytesValue", "bytes_value", 7, Bytes),
];
static LIST: [Member; 1] = [("values", "values", 1, Message(&VALUE))];
static MAP: [Member; 1] = [("values", "values", 1, Message(&ATTRIBUTE))];

/// Names of temporalities, by their number.
const TEMPORALITIES: [&str; 3] =
    ["AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE"];

/// Returns the protobuf message of a request.
///
/// # Errors
/// Where the JSON is wrong, and what was expected.
pub(super) fn to_protobuf(body: &[u8]) -> Result<Vec<u8>, IngestError> {
    let mut out = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Object { members: &REQUEST, out: &mut out }.deserialize(&mut json);
    read.and_then(|()| json.end()).map_err(|error| bad(error.to_string()))?;
    Ok(out)
}

/// Appends the fields of an object.
struct Object<'o> {
    members: &'static [Member],
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.members.iter().find(|(json, own, ..)| *json == name || *own == name) {
                Some((_, _, number, content)) => {
                    map.next_value_seed(Element { number: *number, content: *content, in_list: false, out: self.out })?
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Appends a field: one, those of a list, or none for `null`.
struct Element<'o> {
    number: u64,
    content: Content,
    in_list: bool,
    out: &'o mut Vec<u8>,
}

impl Element<'_> {
    fn varint(self, number: i64) {
        put_varint(self.number << 3, self.out);
        put_varint(number.cast_unsigned(), self.out);
    }

    fn bytes(self, bytes: &[u8]) {
        put_bytes(self.number, bytes, self.out);
    }

    fn number<E: Error>(self, number: i64) -> Result<(), E> {
        match self.content {
            Number => self.varint(number),
            Zigzag => self.varint(number << 1 ^ number >> 63),
            Fixed => put_fixed64(self.number, number.cast_unsigned(), self.out),
            Double => return self.double(number as f64),
            _ => return Err(E::custom(format!("a number is where {} belongs", self.expected()))),
        }
        Ok(())
    }

    fn double<E: Error>(self, number: f64) -> Result<(), E> {
        if !matches!(self.content, Double) {
            return Err(E::custom(format!("the number {number} is where {} belongs", self.expected())));
        }
        put_fixed64(self.number, number.to_bits(), self.out);
        Ok(())
    }

    fn expected(&self) -> &'static str {
        match self.content {
            Text => "a text",
            Bytes => "base64",
            Hex => "an id as hex digits",
            Number | Zigzag | Fixed => "an integer",
            Double => "a number",
            Message(_) => "an object",
        }
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        // As bytes, a text may have half of a surrogate pair: languages whose texts are UTF-16 cut emojis in the middle. What is not
        // UTF-8 is replaced, as in the protobuf form.
        if matches!(self.content, Text) { json.deserialize_option(self) } else { json.deserialize_any(self) }
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_bytes(self)
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<(), E> {
        let mut text = text.to_vec();
        for at in 0..text.len().saturating_sub(2) {
            if let half @ [0xed, 0xa0..=0xbf, _] = &mut text[at..at + 3] {
                half.copy_from_slice("\u{fffd}".as_bytes());
            }
        }
        self.bytes(&text);
        Ok(())
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        self.number(i64::from(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        if matches!(self.content, Double) { self.double(number as f64) } else { self.number(number.cast_signed()) }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.double(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let wrong = |expected: &str| E::custom(format!("{:?} is no {expected}", &text[..text.floor_char_boundary(50)]));
        match self.content {
            Text => self.bytes(text.as_bytes()),
            Hex => self.bytes(&HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| wrong("id of hex digits"))?),
            Bytes => self.bytes(&BASE64.decode(text.as_bytes()).map_err(|_| wrong("base64"))?),
            Number | Zigzag | Fixed => {
                let named = TEMPORALITIES.iter().position(|name| *name == text).map(|number| number as i64);
                let number = named.or_else(|| text.parse().ok());
                let number = number.or_else(|| text.parse().ok().map(u64::cast_signed));
                return self.number(number.ok_or_else(|| wrong("integer of 64 bits"))?);
            }
            Double => return self.double(text.parse().map_err(|_| wrong("number"))?),
            Message(_) => return Err(wrong("object")),
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Message(members) = self.content else {
            return Err(A::Error::custom(format!("an object is where {} belongs", self.expected())));
        };
        let mut message = Vec::new();
        Object { members, out: &mut message }.visit_map(map)?;
        self.bytes(&message);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.in_list {
            return Err(A::Error::custom(format!("a list is where {} belongs", self.expected())));
        }
        let Self { number, content, out, .. } = self;
        while list.next_element_seed(Element { number, content, in_list: true, out: &mut *out })?.is_some() {}
        Ok(())
    }
}
