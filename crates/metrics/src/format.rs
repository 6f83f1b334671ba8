//! Answers as JSON, in the form of Prometheus' HTTP API.

use std::ops::Range;

use door::Reply;
use promql::{Annotations, Data, Histogram, Labels, Row, Sample, Value};
use serde::ser::{Serialize, Serializer};
use serde_json::{Value as JsonValue, json};

/// The whole answer.
#[derive(serde::Serialize)]
pub(crate) struct Success<D> {
    status: &'static str,
    data: D,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    infos: Vec<String>,
}

/// Returns an answer that is made as a JSON value first.
pub(crate) fn reply(data: JsonValue, warnings: Vec<String>) -> Reply {
    Reply::serialized(&success(data, warnings, &Annotations::default()))
}

/// Returns the whole answer; `warnings` are ours, and come with those of the evaluation.
pub(crate) fn success<D>(data: D, mut warnings: Vec<String>, annotations: &Annotations) -> Success<D> {
    warnings.extend(annotations.warnings.iter().cloned());
    Success { status: "success", data, warnings, infos: annotations.infos.iter().cloned().collect() }
}

/// Labels as an object.
pub(crate) struct LabelMap<'a>(pub(crate) &'a Labels);

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|label| (&*label.name, &*label.value)))
    }
}

/// Bytes that a sample takes in an answer, about.
const SAMPLE_BYTES: usize = 32;

/// Bytes of an answer besides its samples, with the labels of a few series.
const REST_BYTES: usize = 1 << 10;

/// Writes the answer to a query: by hand, since a dashboard's answers have many thousands of numbers.
pub(crate) struct AnswerWriter(Vec<u8>);

impl AnswerWriter {
    /// Returns the whole answer as JSON. A number or a text is of the time `at`, in ms; `warnings` are ours, and come with those of the
    /// evaluation.
    pub(crate) fn answer(
        data: &Data,
        at: i64,
        warnings: Vec<String>,
        annotations: &Annotations,
    ) -> serde_json::Result<Vec<u8>> {
        let rows = match data {
            Data::Vector(rows) | Data::Matrix(rows) => &rows[..],
            Data::Scalar(_) | Data::String(_) => &[],
        };
        let n_samples: usize = rows.iter().map(|row| row.samples.len()).sum();
        let mut writer = Self(Vec::with_capacity(n_samples * SAMPLE_BYTES + REST_BYTES));
        writer.text(r#"{"status":"success","data":{"resultType":"#);
        match data {
            Data::Scalar(number) => {
                writer.text(r#""scalar","result":"#);
                writer.point(at, &Value::Float(*number))?;
            }
            Data::String(text) => {
                writer.text(r#""string","result":["#);
                writer.seconds(at)?;
                writer.text(",");
                writer.json(&**text)?;
                writer.text("]");
            }
            Data::Vector(_) => {
                writer.text(r#""vector","result":"#);
                writer.array(rows, Self::vector_row)?;
            }
            Data::Matrix(_) => {
                writer.text(r#""matrix","result":"#);
                writer.array(rows, Self::matrix_row)?;
            }
        }
        writer.text("}");
        let remarks = success((), warnings, annotations);
        for (name, texts) in [(r#","warnings":"#, &remarks.warnings), (r#","infos":"#, &remarks.infos)] {
            if !texts.is_empty() {
                writer.text(name);
                writer.json(texts)?;
            }
        }
        writer.text("}");
        Ok(writer.0)
    }

    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn json(&mut self, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
        serde_json::to_writer(&mut self.0, value)
    }

    fn array<I>(
        &mut self,
        items: impl IntoIterator<Item = I>,
        mut write: impl FnMut(&mut Self, I) -> serde_json::Result<()>,
    ) -> serde_json::Result<()> {
        self.text("[");
        for (place, item) in items.into_iter().enumerate() {
            if place > 0 {
                self.text(",");
            }
            write(self, item)?;
        }
        self.text("]");
        Ok(())
    }

    /// Writes a series with one sample.
    fn vector_row(&mut self, row: &Row) -> serde_json::Result<()> {
        self.text(r#"{"metric":"#);
        self.json(&LabelMap(&row.labels))?;
        if let Some(sample) = row.samples.first() {
            self.text(if matches!(sample.value, Value::Float(_)) { r#","value":"# } else { r#","histogram":"# });
            self.point(sample.time, &sample.value)?;
        }
        self.text("}");
        Ok(())
    }

    /// Writes a series with its samples: floats, and histograms apart.
    fn matrix_row(&mut self, row: &Row) -> serde_json::Result<()> {
        self.text(r#"{"metric":"#);
        self.json(&LabelMap(&row.labels))?;
        for (name, are_floats) in [(r#","values":"#, true), (r#","histograms":"#, false)] {
            let is_meant = |sample: &&Sample| matches!(sample.value, Value::Float(_)) == are_floats;
            let mut samples = row.samples.iter().filter(is_meant).peekable();
            if samples.peek().is_some() {
                self.text(name);
                self.array(samples, |writer, sample| writer.point(sample.time, &sample.value))?;
            }
        }
        self.text("}");
        Ok(())
    }

    /// Writes a sample as time and value.
    fn point(&mut self, time: i64, value: &Value) -> serde_json::Result<()> {
        self.text("[");
        self.seconds(time)?;
        match value {
            Value::Float(number) => {
                self.text(",\"");
                with_text(*number, |text| self.text(text));
                self.text("\"]");
            }
            Value::Histogram(of_sample) => {
                self.text(",");
                self.json(&histogram(of_sample))?;
                self.text("]");
            }
        }
        Ok(())
    }

    /// Writes a time in ms as seconds, a whole one without a fraction.
    fn seconds(&mut self, time: i64) -> serde_json::Result<()> {
        if time < 0 {
            self.text("-");
        }
        self.json(&(time.unsigned_abs() / 1_000))?;
        let digits = [100, 10, 1].map(|unit| b'0' + (time.unsigned_abs() / unit % 10) as u8);
        if let Some(last) = digits.iter().rposition(|digit| *digit != b'0') {
            self.text(".");
            self.0.extend_from_slice(&digits[..=last]);
        }
        Ok(())
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
        with_text(self.0, |text| serializer.serialize_str(text))
    }
}

/// Gives the text of a number to `take`.
fn with_text<T>(number: f64, take: impl FnOnce(&str) -> T) -> T {
    match number {
        number if number.is_nan() => take("NaN"),
        f64::INFINITY => take("+Inf"),
        f64::NEG_INFINITY => take("-Inf"),
        number if number == 0.0 || PLAIN_NUMBERS.contains(&number.abs()) => {
            let mut buffer = zmij::Buffer::new();
            let text = buffer.format_finite(number);
            take(text.strip_suffix(".0").unwrap_or(text))
        }
        number if WITHOUT_EXPONENT.contains(&number.abs()) => take(&number.to_string()),
        number => take(&with_exponent(number)),
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
mod tests;
