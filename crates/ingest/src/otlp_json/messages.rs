//! The messages of OTLP: names, numbers and contents of the fields that are read, in the order in which the protocol declares
//! them, which is the order in which most senders write them.
//!
//! Source: opentelemetry-proto 1.5, `logs.proto`, `trace.proto`, `metrics.proto`, `common.proto`.

/// A message as its fields.
#[derive(Debug)]
pub struct OtlpMessage(pub(super) &'static [Field]);

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u64,
    /// The name in JSON with its quotes and its colon, as a member begins.
    pub(super) opening: &'static str,
    pub(super) content: Content,
}

/// The content of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Text,
    /// Bytes, in base64.
    Bytes,
    /// An id of any length.
    Id,
    /// An id of this many bytes. An invalid one is left to the reader of the message, which rejects only its record.
    IdOf(usize),
    Bool,
    /// An integer as a varint.
    Varint,
    /// A signed integer as a varint whose lowest bit is the sign.
    Zigzag,
    /// An integer, or a prefix and one of these names with spaces between, whose place is the integer.
    Enum(&'static str, &'static str),
    /// An integer of four bytes.
    Fixed32,
    /// An integer of eight bytes.
    Fixed64,
    /// Nanoseconds of eight bytes; a negative time is before all times.
    Time,
    Double,
    /// A list of scalars.
    List(&'static Content),
    /// A message, or a list of messages.
    Message(&'static OtlpMessage),
}

use Content::{Bool, Bytes, Double, Enum, Fixed32, Fixed64, Id, IdOf, List, Message, Text, Time, Varint, Zigzag};

impl Field {
    /// Returns the name in JSON.
    pub(super) fn name(&self) -> &'static str {
        &self.opening[1..self.opening.len() - 2]
    }

    /// Reports whether `name` is the field's in JSON, such as `timeUnixNano`, or in the message, such as `time_unix_nano`.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let mut letters = name.bytes();
        let is_same = self.name().bytes().all(|own| match letters.next() {
            Some(b'_') => own.is_ascii_uppercase() && letters.next() == Some(own.to_ascii_lowercase()),
            found => found == Some(own),
        });
        is_same && letters.next().is_none()
    }
}

macro_rules! messages {
    ($($(#[$doc:meta])* $visible:vis $message:ident { $($number:literal $name:literal $content:expr,)* })*) => { $(
        $(#[$doc])*
        $visible static $message: OtlpMessage = OtlpMessage(&[$(
            Field { number: $number, opening: concat!('"', $name, "\":"), content: $content },
        )*]);
    )* };
}

messages! {
    /// A request with log records.
    pub LOGS { 1 "resourceLogs" Message(&RESOURCE_LOGS), }

    RESOURCE_LOGS { 1 "resource" Message(&RESOURCE), 2 "scopeLogs" Message(&SCOPE_LOGS), }

    SCOPE_LOGS { 1 "scope" Message(&SCOPE), 2 "logRecords" Message(&LOG_RECORD), }

    LOG_RECORD {
        1 "timeUnixNano" Time, 11 "observedTimeUnixNano" Time, 2 "severityNumber" Enum("SEVERITY_NUMBER_", SEVERITIES),
        3 "severityText" Text, 5 "body" Message(&VALUE), 6 "attributes" Message(&ATTRIBUTE),
        7 "droppedAttributesCount" Varint, 8 "flags" Fixed32, 9 "traceId" Id, 10 "spanId" Id, 12 "eventName" Text,
    }

    /// A request with spans.
    pub TRACES { 1 "resourceSpans" Message(&RESOURCE_SPANS), }

    RESOURCE_SPANS { 1 "resource" Message(&RESOURCE), 2 "scopeSpans" Message(&SCOPE_SPANS), }

    SCOPE_SPANS { 1 "scope" Message(&SCOPE), 2 "spans" Message(&SPAN), }

    SPAN {
        1 "traceId" IdOf(16), 2 "spanId" IdOf(8), 3 "traceState" Text, 4 "parentSpanId" IdOf(8), 16 "flags" Fixed32,
        5 "name" Text, 6 "kind" Enum("SPAN_KIND_", "UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER"),
        7 "startTimeUnixNano" Time, 8 "endTimeUnixNano" Time, 9 "attributes" Message(&ATTRIBUTE),
        10 "droppedAttributesCount" Varint, 11 "events" Message(&EVENT), 12 "droppedEventsCount" Varint,
        13 "links" Message(&LINK), 14 "droppedLinksCount" Varint, 15 "status" Message(&STATUS),
    }

    EVENT { 1 "timeUnixNano" Time, 2 "name" Text, 3 "attributes" Message(&ATTRIBUTE), }

    LINK { 1 "traceId" IdOf(16), 2 "spanId" IdOf(8), 3 "traceState" Text, 4 "attributes" Message(&ATTRIBUTE), }

    STATUS { 2 "message" Text, 3 "code" Enum("STATUS_CODE_", "UNSET OK ERROR"), }

    /// A request with metrics.
    pub METRICS { 1 "resourceMetrics" Message(&RESOURCE_METRICS), }

    RESOURCE_METRICS { 1 "resource" Message(&RESOURCE), 2 "scopeMetrics" Message(&SCOPE_METRICS), }

    SCOPE_METRICS { 2 "metrics" Message(&METRIC), }

    METRIC {
        1 "name" Text, 2 "description" Text, 3 "unit" Text, 5 "gauge" Message(&NUMBERS), 7 "sum" Message(&NUMBERS),
        9 "histogram" Message(&HISTOGRAM), 10 "exponentialHistogram" Message(&EXPONENTIAL),
        11 "summary" Message(&SUMMARY),
    }

    NUMBERS { 1 "dataPoints" Message(&NUMBER), 2 "aggregationTemporality" TEMPORALITY, 3 "isMonotonic" Bool, }

    NUMBER {
        7 "attributes" Message(&ATTRIBUTE), 3 "timeUnixNano" Time, 4 "asDouble" Double, 6 "asInt" Fixed64,
        5 "exemplars" Message(&EXEMPLAR), 8 "flags" Varint,
    }

    HISTOGRAM { 1 "dataPoints" Message(&BUCKETS), 2 "aggregationTemporality" TEMPORALITY, }

    BUCKETS {
        9 "attributes" Message(&ATTRIBUTE), 3 "timeUnixNano" Time, 4 "count" Fixed64, 5 "sum" Double,
        6 "bucketCounts" List(&Fixed64), 7 "explicitBounds" List(&Double), 8 "exemplars" Message(&EXEMPLAR),
        10 "flags" Varint,
    }

    EXPONENTIAL { 1 "dataPoints" Message(&EXPONENTIAL_BUCKETS), 2 "aggregationTemporality" TEMPORALITY, }

    EXPONENTIAL_BUCKETS {
        1 "attributes" Message(&ATTRIBUTE), 3 "timeUnixNano" Time, 4 "count" Fixed64, 5 "sum" Double, 6 "scale" Zigzag,
        7 "zeroCount" Fixed64, 8 "positive" Message(&SIDE), 9 "negative" Message(&SIDE), 10 "flags" Varint,
        11 "exemplars" Message(&EXEMPLAR), 14 "zeroThreshold" Double,
    }

    SIDE { 1 "offset" Zigzag, 2 "bucketCounts" List(&Varint), }

    SUMMARY { 1 "dataPoints" Message(&QUANTILES), }

    QUANTILES {
        7 "attributes" Message(&ATTRIBUTE), 3 "timeUnixNano" Time, 4 "count" Fixed64, 5 "sum" Double,
        6 "quantileValues" Message(&QUANTILE), 8 "flags" Varint,
    }

    QUANTILE { 1 "quantile" Double, 2 "value" Double, }

    EXEMPLAR {
        7 "filteredAttributes" Message(&ATTRIBUTE), 2 "timeUnixNano" Time, 3 "asDouble" Double, 6 "asInt" Fixed64,
        4 "spanId" Id, 5 "traceId" Id,
    }

    RESOURCE { 1 "attributes" Message(&ATTRIBUTE), }

    SCOPE { 1 "name" Text, 2 "version" Text, 3 "attributes" Message(&ATTRIBUTE), }

    pub(super) ATTRIBUTE { 1 "key" Text, 2 "value" Message(&VALUE), }

    pub(super) VALUE {
        1 "stringValue" Text, 2 "boolValue" Bool, 3 "intValue" Varint, 4 "doubleValue" Double,
        5 "arrayValue" Message(&LIST), 6 "kvlistValue" Message(&OBJECT), 7 "bytesValue" Bytes,
    }

    LIST { 1 "values" Message(&VALUE), }

    OBJECT { 1 "values" Message(&ATTRIBUTE), }
}

const TEMPORALITY: Content = Enum("AGGREGATION_TEMPORALITY_", "UNSPECIFIED DELTA CUMULATIVE");

const SEVERITIES: &str = "UNSPECIFIED TRACE TRACE2 TRACE3 TRACE4 DEBUG DEBUG2 DEBUG3 DEBUG4 INFO INFO2 INFO3 INFO4 \
    WARN WARN2 WARN3 WARN4 ERROR ERROR2 ERROR3 ERROR4 FATAL FATAL2 FATAL3 FATAL4";
