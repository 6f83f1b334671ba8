//! Answers as JSON, in the form of Prometheus' HTTP API.

use promql::{Annotations, Data, Histogram, Labels, Row, Sample, Value};
use serde_json::{Map, Value as Json, json};

/// Returns an answer's data.
pub(crate) fn data(data: &Data, at: i64) -> Json {
    match data {
        Data::Scalar(number) => json!({"resultType": "scalar", "result": [seconds(at), float(*number)]}),
        Data::String(text) => json!({"resultType": "string", "result": [seconds(at), &**text]}),
        Data::Vector(rows) => {
            json!({"resultType": "vector", "result": rows.iter().map(vector_row).collect::<Vec<_>>()})
        }
        Data::Matrix(rows) => {
            json!({"resultType": "matrix", "result": rows.iter().map(matrix_row).collect::<Vec<_>>()})
        }
    }
}

/// Returns the whole answer; `warnings` are ours, and come with those of the evaluation.
pub(crate) fn success(data: Json, mut warnings: Vec<String>, annotations: &Annotations) -> Json {
    let mut answer = json!({"status": "success", "data": data});
    warnings.extend(annotations.warnings.iter().cloned());
    for (name, texts) in [("warnings", warnings), ("infos", annotations.infos.iter().cloned().collect())] {
        if !texts.is_empty() {
            answer[name] = json!(texts);
        }
    }
    answer
}

/// Returns labels as an object.
pub(crate) fn labels(labels: &Labels) -> Json {
    let pairs = labels.iter().map(|label| (label.name.to_string(), Json::from(&*label.value)));
    Json::Object(pairs.collect::<Map<String, Json>>())
}

fn vector_row(row: &Row) -> Json {
    let mut object = json!({"metric": labels(&row.labels)});
    if let Some(sample) = row.samples.first() {
        let (name, pair) = match &sample.value {
            Value::Float(_) => ("value", point(sample)),
            Value::Histogram(_) => ("histogram", point(sample)),
        };
        object[name] = pair;
    }
    object
}

fn matrix_row(row: &Row) -> Json {
    let mut object = json!({"metric": labels(&row.labels)});
    let (floats, histograms): (Vec<&Sample>, Vec<&Sample>) =
        row.samples.iter().partition(|sample| matches!(sample.value, Value::Float(_)));
    for (name, samples) in [("values", floats), ("histograms", histograms)] {
        if !samples.is_empty() {
            object[name] = samples.into_iter().map(point).collect();
        }
    }
    object
}

fn point(sample: &Sample) -> Json {
    match &sample.value {
        Value::Float(number) => json!([seconds(sample.time), float(*number)]),
        Value::Histogram(of_sample) => json!([seconds(sample.time), histogram(of_sample)]),
    }
}

/// Returns a histogram: its buckets as boundary rule, bounds and count.
fn histogram(histogram: &Histogram) -> Json {
    let bucket = |bucket: promql::Bucket| {
        let rule = match (bucket.lower_inclusive, bucket.upper_inclusive) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        };
        json!([rule, float(bucket.lower), float(bucket.upper), float(bucket.count)])
    };
    let mut object = json!({"count": float(histogram.count), "sum": float(histogram.sum)});
    let buckets: Vec<Json> = histogram.buckets().into_iter().filter(|one| one.count != 0.0).map(bucket).collect();
    if !buckets.is_empty() {
        object["buckets"] = buckets.into();
    }
    object
}

/// Returns a time as seconds; a whole one without a fraction.
fn seconds(ms: i64) -> Json {
    if ms % 1_000 == 0 { Json::from(ms / 1_000) } else { Json::from(ms as f64 / 1e3) }
}

/// Returns a number as text, without an exponent.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_texts_that_clients_of_prometheus_read() {
        let numbers = [1.0, 0.1, 1e21, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(float);
        assert_eq!(numbers, ["1", "0.1", "1000000000000000000000", "-0", "NaN", "+Inf", "-Inf"]);
        assert_eq!([seconds(1_000), seconds(1_435_781_430_781)].map(|time| time.to_string()), ["1", "1435781430.781"]);
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
        assert_eq!(data(&Data::Matrix(vec![row]), 0), expected);
    }
}
