//! Requests of remote write 1.0: protobuf, packed with snappy.
//!
//! ```text
//! WriteRequest { TimeSeries timeseries = 1 … }
//! TimeSeries   { Label labels = 1 … (sorted by name, __name__ among them), Sample samples = 2 …, Exemplar exemplars = 3 … }
//! Label        { string name = 1, string value = 2 }
//! Sample       { double value = 1, int64 timestamp = 2 (milliseconds) }
//! Exemplar     { Label labels = 1 …, double value = 2, int64 timestamp = 3 (milliseconds) }
//! ```

use std::collections::BTreeMap;

use exposition::{Format, Sample, read};
use types::Timestamp;
use types::codec::put_count;

use crate::metrics::family::Exemplar;

/// Returns a request with one value of each series.
pub(super) fn request(samples: &[NamedSample], instance: &str, now: Timestamp) -> Vec<u8> {
    let mut request = Vec::new();
    for sample in samples {
        let mut series = Vec::new();
        // Labels of the sample take precedence.
        let mut labels = BTreeMap::from([("job", "catat"), ("instance", instance)]);
        labels.extend(sample.labels.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        labels.insert("__name__", &sample.name);
        // A label without a value is none.
        for (name, text) in labels.into_iter().filter(|(_, text)| !text.is_empty()) {
            put_label(&mut series, name, text);
        }
        let mut point = Vec::new();
        put_point(&mut point, 1, sample.value, now);
        put_bytes(&mut series, 2, &point);
        if let Some((name, exemplar)) = &sample.exemplar {
            let mut point = Vec::new();
            put_label(&mut point, name, &exemplar.id);
            put_point(&mut point, 2, exemplar.value, exemplar.at);
            put_bytes(&mut series, 3, &point);
        }
        put_bytes(&mut request, 1, &series);
    }
    // It is refused beyond four gigabytes alone.
    snap::raw::Encoder::new().compress_vec(&request).unwrap_or_default()
}

fn put_label(out: &mut Vec<u8>, name: &str, text: &str) {
    let mut label = Vec::new();
    put_bytes(&mut label, 1, name.as_bytes());
    put_bytes(&mut label, 2, text.as_bytes());
    put_bytes(out, 1, &label);
}

/// Writes a value as `field`, and its time as the next one.
fn put_point(out: &mut Vec<u8>, field: u8, value: f64, at: Timestamp) {
    out.push(field << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
    out.push((field + 1) << 3);
    put_count(at.0.div_euclid(1_000_000).cast_unsigned(), out);
}

fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    put_count(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Returns the samples of a page in the text format, as catat itself writes it: no timestamps, no exemplars.
pub(in crate::metrics) fn samples_of_page(page: &str) -> Vec<NamedSample> {
    let families = read(page, Format::Text, usize::MAX).unwrap_or_else(|error| error.before);
    let samples = families.into_iter().flat_map(|family| family.samples).filter(|sample| !sample.value.is_nan());
    samples.map(|Sample { name, labels, value, .. }| NamedSample { name, labels, value, exemplar: None }).collect()
}

/// A sample with its whole name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NamedSample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
    pub(crate) exemplar: Option<(String, Exemplar)>,
}

#[cfg(test)]
mod tests;
