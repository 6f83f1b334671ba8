//! Answers as JSON, in the form of Prometheus' HTTP API.

use std::ops::Range;

use axum::Json;
use promql::{Annotations, Data, Histogram, Labels, Row, Sample, Value};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value as JsonValue, json};

/// The data of an answer, serialized directly: a dashboard's answers have many thousands of numbers.
pub(crate) struct AnswerData<'a> {
    pub(crate) data: &'a Data,
    /// The time of a number or a text, in ms.
    pub(crate) at: i64,
}

impl Serialize for AnswerData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kind = match self.data {
            Data::Scalar(_) => "scalar",
            Data::String(_) => "string",
            Data::Vector(_) => "vector",
            Data::Matrix(_) => "matrix",
        };
        let mut object = serializer.serialize_map(Some(2))?;
        object.serialize_entry("resultType", kind)?;
        match self.data {
            Data::Scalar(number) => object.serialize_entry("result", &(Seconds(self.at), Float(*number)))?,
            Data::String(text) => object.serialize_entry("result", &(Seconds(self.at), &**text))?,
            Data::Vector(rows) => object.serialize_entry("result", &Array(|| rows.iter().map(VectorRow)))?,
            Data::Matrix(rows) => object.serialize_entry("result", &Array(|| rows.iter().map(MatrixRow)))?,
        }
        object.end()
    }
}

/// The whole answer.
#[derive(Serialize)]
pub(crate) struct Success<D> {
    status: &'static str,
    data: D,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    infos: Vec<String>,
}

/// An answer that is made as a JSON value first.
pub(crate) type JsonAnswer = Json<Success<JsonValue>>;

/// Returns the whole answer; `warnings` are ours, and come with those of the evaluation.
pub(crate) fn success<D>(data: D, mut warnings: Vec<String>, annotations: &Annotations) -> Success<D> {
    warnings.extend(annotations.warnings.iter().cloned());
    Success { status: "success", data, warnings, infos: annotations.infos.iter().cloned().collect() }
}

/// A JSON array of the items of an iterator.
struct Array<F>(F);

impl<I: Iterator<Item: Serialize>, F: Fn() -> I> Serialize for Array<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Labels as an object.
pub(crate) struct LabelMap<'a>(pub(crate) &'a Labels);

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|label| (&*label.name, &*label.value)))
    }
}

/// A series with one sample.
struct VectorRow<'a>(&'a Row);

impl Serialize for VectorRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("metric", &LabelMap(&self.0.labels))?;
        if let Some(sample) = self.0.samples.first() {
            let name = if matches!(sample.value, Value::Float(_)) { "value" } else { "histogram" };
            object.serialize_entry(name, &Point(sample))?;
        }
        object.end()
    }
}

/// A series with its samples: floats, and histograms apart.
struct MatrixRow<'a>(&'a Row);

impl Serialize for MatrixRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("metric", &LabelMap(&self.0.labels))?;
        for (name, are_floats) in [("values", true), ("histograms", false)] {
            let is_meant = |sample: &&Sample| matches!(sample.value, Value::Float(_)) == are_floats;
            let samples = || self.0.samples.iter().filter(is_meant).map(Point);
            if samples().next().is_some() {
                object.serialize_entry(name, &Array(samples))?;
            }
        }
        object.end()
    }
}

/// A sample as time and value.
struct Point<'a>(&'a Sample);

impl Serialize for Point<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = Seconds(self.0.time);
        match &self.0.value {
            Value::Float(number) => (time, Float(*number)).serialize(serializer),
            Value::Histogram(of_sample) => (time, histogram(of_sample)).serialize(serializer),
        }
    }
}

/// A time in ms as seconds; a whole one without a fraction.
struct Seconds(i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 % 1_000 {
            0 => serializer.serialize_i64(self.0 / 1_000),
            _ => serializer.serialize_f64(self.0 as f64 / 1e3),
        }
    }
}

/// Sizes of numbers that `zmij` writes without an exponent, as Prometheus does.
const PLAIN_NUMBERS: Range<f64> = 1e-4..1e15;

/// The other numbers that Prometheus writes without an exponent. Source: its `util/jsonutil`.
const WITHOUT_EXPONENT: Range<f64> = 1e-6..1e21;

/// A number as the text that Prometheus writes.
pub(crate) struct Float(pub(crate) f64);

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            number if number.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("+Inf"),
            f64::NEG_INFINITY => serializer.serialize_str("-Inf"),
            number if number == 0.0 || PLAIN_NUMBERS.contains(&number.abs()) => {
                let mut buffer = zmij::Buffer::new();
                let text = buffer.format_finite(number);
                serializer.serialize_str(text.strip_suffix(".0").unwrap_or(text))
            }
            number if WITHOUT_EXPONENT.contains(&number.abs()) => serializer.collect_str(&number),
            number => serializer.serialize_str(&with_exponent(number)),
        }
    }
}

/// Returns a number with an exponent, as Go writes it: with a sign and at least two digits.
fn with_exponent(number: f64) -> String {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((text.as_str(), "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// Returns a histogram: its buckets as boundary rule, bounds and count.
fn histogram(histogram: &Histogram) -> JsonValue {
    let bucket = |bucket: promql::Bucket| {
        let rule = match (bucket.lower_inclusive, bucket.upper_inclusive) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        };
        json!([rule, Float(bucket.lower), Float(bucket.upper), Float(bucket.count)])
    };
    let mut object = json!({"count": Float(histogram.count), "sum": Float(histogram.sum)});
    let buckets: Vec<JsonValue> = histogram.buckets().into_iter().filter(|one| one.count != 0.0).map(bucket).collect();
    if !buckets.is_empty() {
        object["buckets"] = buckets.into();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_texts_that_clients_of_prometheus_read() {
        let numbers = [1.0, 0.1, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|number| json!(Float(number)));
        assert_eq!(numbers, ["1", "0.1", "-0", "NaN", "+Inf", "-Inf"]);
        for number in [12345.678, -0.1, 1e-4, 9.9e-5, 1e-6, 1e15 - 0.125, 1e15, -1.5e20, -123456789.0, 0.1 + 0.2] {
            assert_eq!(json!(Float(number)), number.to_string());
        }
        let numbers = [1e21, 1e-7, 9.99e-7, -1.5e300, 5e-324, f64::MAX].map(|number| json!(Float(number)));
        let expected = ["1e+21", "1e-07", "9.99e-07", "-1.5e+300", "5e-324", "1.7976931348623157e+308"];
        assert_eq!(numbers, expected);
        let seconds = [1_000, 1_435_781_430_781].map(|time| serde_json::to_string(&Seconds(time)).expect("a number"));
        assert_eq!(seconds, ["1", "1435781430.781"]);
    }

    #[test]
    fn a_matrix_has_floats_and_histograms_apart() {
        let histogram =
            Histogram { count: 2.0, sum: 3.0, zero_count: 2.0, zero_threshold: 0.5, ..Histogram::default() };
        let samples =
            vec![Sample { time: 0, value: Value::Float(1.5) }, Sample { time: 1_000, value: Value::from(histogram) }];
        let row = Row { labels: Labels::new([("job", "a")]), samples };
        let expected = json!({"resultType": "matrix", "result": [{
            "metric": {"job": "a"}, "values": [[0, "1.5"]],
            "histograms": [[1, {"count": "2", "sum": "3", "buckets": [[3, "-0.5", "0.5", "2"]]}]],
        }]});
        let written = |data: Data| serde_json::to_value(AnswerData { data: &data, at: 1_500 }).expect("JSON");
        assert_eq!(written(Data::Matrix(vec![row.clone()])), expected);
        let first = json!({"resultType": "vector", "result": [{"metric": {"job": "a"}, "value": [0, "1.5"]}]});
        assert_eq!(written(Data::Vector(vec![row])), first);
        assert_eq!(written(Data::Scalar(f64::NEG_INFINITY)), json!({"resultType": "scalar", "result": [1.5, "-Inf"]}));
        let nothing = Row { labels: Labels::new([("job", "a")]), samples: Vec::new() };
        let nothing = written(Data::Matrix(vec![nothing]));
        assert_eq!(nothing, json!({"resultType": "matrix", "result": [{"metric": {"job": "a"}}]}));
    }

    #[test]
    fn what_is_to_be_remarked_stands_beside_the_data() {
        let plain = serde_json::to_value(success(1, Vec::new(), &Annotations::default())).expect("JSON");
        assert_eq!(plain, json!({"status": "success", "data": 1}));
        let annotations = Annotations { infos: ["i".to_owned()].into(), ..Annotations::default() };
        let remarked = serde_json::to_value(success(1, vec!["w".to_owned()], &annotations)).expect("JSON");
        assert_eq!(remarked, json!({"status": "success", "data": 1, "warnings": ["w"], "infos": ["i"]}));
    }
}
