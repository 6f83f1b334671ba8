//! Paths to the numbers of a bucket, as orders and pipelines name them: `_count`, `1.max`, `1[95.0]`, `filter>1`.

use serde_json::{Map, Value as Json};

/// Returns the aggregation that a path begins with.
pub(super) fn name_of(path: &str) -> &str {
    path.split(['>', '.', '[']).next().unwrap_or_default()
}

/// Returns the number at a path of a bucket: `_count`, `1`, `1.max`, `1[95.0]`, `filter>1`.
pub(super) fn number_at(bucket: &Map<String, Json>, path: &str) -> Option<f64> {
    if let Some((outer, inner)) = path.split_once('>') {
        return number_at(bucket.get(outer)?.as_object()?, inner);
    }
    if matches!(path, "_count" | "doc_count") {
        return bucket.get("doc_count")?.as_f64();
    }
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let metric = bucket.get(&path[..end])?.as_object()?;
    let inside = path[end..].trim_matches(['.', '[', ']']);
    if inside.is_empty() || inside == "_count" {
        return metric.get("value").or_else(|| metric.get("doc_count"))?.as_f64();
    }
    if let Some(value) = metric.get(inside).or_else(|| metric.get("std_deviation_bounds")?.get(inside)) {
        return value.as_f64();
    }
    let values = metric.get("values")?.as_object()?;
    // Keys are written with a point: `95` is the percentile `95.0`.
    let wanted: f64 = inside.parse().ok()?;
    values.iter().find(|(key, _)| key.parse() == Ok(wanted)).and_then(|(_, value)| value.as_f64())
}
