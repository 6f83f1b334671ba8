//! Data of CloudWatch's metrics as events: `@type = "datum"`, in the group `metrics/cloudwatch/NAMESPACE`.
//!
//! An event, and no sample of PromQL, since several data of one time and the same metric all count. Its stream is the canonical
//! text of namespace, name, unit and dimensions, which names the series exactly; its fields are the same for people.

pub(crate) mod embedded;

use std::borrow::Cow;
use std::collections::BTreeMap;

use parse::FieldWriter;
use types::{GroupName, Level, Limits, Timestamp, group_name_of_outside};

use crate::sample::{METRIC_NAME, SeriesLabels, field_of_label, label_pairs};
use crate::{Collector, EventFields, EventMetadata, RawEvent, RecordRefusal, Result};

/// The value of `@type` of a datum.
pub const DATUM_TYPE: &str = "datum";

/// The labels that have the namespace and the unit.
pub const NAMESPACE: &str = "namespace";
const UNIT: &str = "unit";

/// The prefix of dimensions among labels and fields.
pub const DIMENSION: &str = "dimension.";

/// The unit of data without one.
pub const NO_UNIT: &str = "None";

/// Units. Source: the service's model.
pub const UNITS: [&str; 27] = [
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits",
    "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second", "Kilobytes/Second",
    "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second",
    "Gigabits/Second", "Terabits/Second", "Count/Second", "None",
];

/// The largest absolute value, 2^360, as at Amazon.
pub const VALUE_MAX: f64 = 2.3485425827738332e+108;

/// Fields of a datum besides its labels.
const FIELDS_MAX: usize = 6;

/// Values that were measured: `count` times the same one, or a set of which only these statistics are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Datum {
    /// How many values.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The least of them.
    pub minimum: f64,
    /// The greatest of them.
    pub maximum: f64,
}

/// A metric: a name, in a namespace, with dimensions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName {
    /// The namespace.
    pub namespace: String,
    /// The name within it.
    pub name: String,
    /// Names and values of dimensions.
    pub dimensions: BTreeMap<String, String>,
}

impl Datum {
    /// Returns `count` measurements of a value.
    pub fn of_value(value: f64, count: f64) -> Self {
        Self { count, sum: value * count, minimum: value, maximum: value }
    }
}

impl MetricName {
    /// Returns the labels of the metric in a unit.
    ///
    /// # Errors
    /// The name or value that is too long.
    pub fn labels(&self, unit: &str, limits: &Limits) -> Result<SeriesLabels, String> {
        let own = [(METRIC_NAME, &*self.name), (NAMESPACE, &*self.namespace), (UNIT, unit)];
        let own = own.into_iter().map(|(name, text)| (Cow::Borrowed(name), Cow::Borrowed(text)));
        let dimensions = self.dimensions.iter();
        let dimensions =
            dimensions.map(|(name, text)| (Cow::Owned(format!("{DIMENSION}{name}")), Cow::Borrowed(text.as_str())));
        SeriesLabels::new(own.chain(dimensions), limits)
    }

    /// Returns the metric and the unit of a stream; `None` if the stream has none.
    pub fn of_stream(stream: &str) -> Option<(Self, String)> {
        let (mut own, mut dimensions) = (BTreeMap::new(), BTreeMap::new());
        for (name, text) in label_pairs(stream)? {
            match name.strip_prefix(DIMENSION) {
                Some(name) => dimensions.insert(name.to_owned(), text),
                None => own.insert(name, text),
            };
        }
        let name = own.remove(METRIC_NAME)?;
        Some((Self { namespace: own.remove(NAMESPACE)?, name, dimensions }, own.remove(UNIT)?))
    }
}

/// Adds a datum of a time in ms since the epoch to what is collected.
///
/// # Errors
/// If the caller may not write to the group, or memory does not suffice.
pub fn add(
    collector: &mut Collector<'_>,
    metric: &MetricName,
    labels: &SeriesLabels,
    time: i64,
    datum: &Datum,
) -> Result<Result<(), RecordRefusal>> {
    let place = collector.group(&group_name_of_outside(&format!("{}{}", GroupName::DATA, metric.namespace)))?;
    collector.set_stream(place, labels.text());
    let is_single = datum.minimum == datum.maximum;
    let message = format!("{} {}", metric.name, datum.sum);
    let write = |fields: &mut FieldWriter<'_>| {
        fields.system("@type", DATUM_TYPE);
        for (name, text) in labels.iter() {
            fields.text(&field_of_label(name), text);
        }
        fields.float("count", datum.count);
        if is_single {
            fields.float("value", datum.minimum);
        }
        fields.float("sum", datum.sum);
        fields.float("minimum", datum.minimum);
        fields.float("maximum", datum.maximum);
    };
    let metadata = EventMetadata {
        time: Some(Timestamp(time.saturating_mul(Timestamp::MILLISECOND))),
        level: Some(Level::Info),
        fields: EventFields::Writer { n_max: labels.n() + FIELDS_MAX, write: &write },
        ..EventMetadata::default()
    };
    collector.add(place, RawEvent::Body(message.as_bytes()), &metadata)
}
