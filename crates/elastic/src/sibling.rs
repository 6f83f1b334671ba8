//! Sibling pipelines: numbers over all buckets of another aggregation, such as `avg_bucket`.

use serde_json::{Map, Value as Json, json};

use super::metric;
use super::paths::number_at;
use super::pipeline::check_gaps;
use language::search_error::{Result, SearchError};

/// The names of sibling pipelines.
pub(super) const SIBLINGS: [&str; 6] =
    ["avg_bucket", "max_bucket", "min_bucket", "percentiles_bucket", "stats_bucket", "sum_bucket"];

/// A sibling pipeline.
#[derive(Clone, Debug)]
pub(super) struct Sibling {
    kind: SiblingKind,
    /// The path, for errors.
    pub(super) path: String,
}

#[derive(Clone, Debug)]
enum SiblingKind {
    Average,
    Sum,
    Min,
    Max,
    Stats,
    Percentiles { percents: Vec<f64>, is_keyed: bool },
}

/// Reads one of the [`SIBLINGS`].
pub(super) fn parse(kind: &str, body: &Json, at: &str) -> Result<Sibling> {
    let path = body.get("buckets_path").and_then(|path| match path {
        // Some clients send a single path as a list.
        Json::Array(paths) => paths.first()?.as_str(),
        path => path.as_str(),
    });
    let Some(path) = path else { return Err(SearchError::parsing(at, "needs a [buckets_path]")) };
    check_gaps(body, at)?;
    let kind = match kind {
        "avg_bucket" => SiblingKind::Average,
        "sum_bucket" => SiblingKind::Sum,
        "min_bucket" => SiblingKind::Min,
        "max_bucket" => SiblingKind::Max,
        "stats_bucket" => SiblingKind::Stats,
        _ => {
            let (percents, is_keyed) = metric::percents_of(body, at)?;
            SiblingKind::Percentiles { percents, is_keyed }
        }
    };
    Ok(Sibling { kind, path: path.to_owned() })
}

impl Sibling {
    /// Returns the aggregation that the path begins with.
    pub(super) fn needs(&self) -> &str {
        self.path.split(['>', '.', '[']).next().unwrap_or_default()
    }

    /// Returns the result, given the results of the other aggregations.
    pub(super) fn result(&self, object: &Map<String, Json>) -> Json {
        let mut found = Vec::new();
        collect(object, &self.path, &mut found);
        let mut values: Vec<f64> = found.iter().map(|(_, value)| *value).collect();
        let (n, sum) = (values.len(), values.iter().sum::<f64>());
        let least = values.iter().copied().reduce(f64::min);
        let most = values.iter().copied().reduce(f64::max);
        let mean = (n > 0).then(|| sum / n as f64);
        let extreme = |value: Option<f64>| {
            let keys: Vec<&String> = found.iter().filter(|(_, one)| Some(*one) == value).map(|(key, _)| key).collect();
            json!({"value": value, "keys": keys})
        };
        match &self.kind {
            SiblingKind::Average => json!({"value": mean}),
            SiblingKind::Sum => json!({"value": sum}),
            SiblingKind::Min => extreme(least),
            SiblingKind::Max => extreme(most),
            SiblingKind::Stats => json!({"count": n, "min": least, "max": most, "avg": mean, "sum": sum}),
            SiblingKind::Percentiles { percents, is_keyed } => {
                values.sort_by(f64::total_cmp);
                // The nearest bucket, without interpolation.
                let at = |percent: f64| values.get((percent / 100.0 * n.saturating_sub(1) as f64).round() as usize);
                let all = percents.iter().map(|percent| (format!("{percent:?}"), json!(at(*percent))));
                match is_keyed {
                    true => json!({"values": all.collect::<Map<_, _>>()}),
                    false => {
                        let list = percents.iter().map(|percent| json!({"key": percent, "value": at(*percent)}));
                        json!({"values": list.collect::<Vec<_>>()})
                    }
                }
            }
        }
    }
}

/// Returns keys and numbers of the buckets at a path such as `2>1` or `errors>2>1.max`.
fn collect(object: &Map<String, Json>, path: &str, found: &mut Vec<(String, f64)>) {
    let (name, rest) = path.split_once('>').unwrap_or((path, "_count"));
    let Some(Json::Object(aggregation)) = object.get(name.trim()) else { return };
    let mut add = |key: Option<&String>, bucket: &Json| {
        let Json::Object(bucket) = bucket else { return };
        let Some(number) = number_at(bucket, rest.trim()) else { return };
        let shown = bucket.get("key_as_string").or_else(|| bucket.get("key"));
        let shown = shown.map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned));
        found.push((key.cloned().or(shown).unwrap_or_default(), number));
    };
    match aggregation.get("buckets") {
        Some(Json::Array(buckets)) => buckets.iter().for_each(|bucket| add(None, bucket)),
        Some(Json::Object(buckets)) => buckets.iter().for_each(|(key, bucket)| add(Some(key), bucket)),
        _ => collect(aggregation, rest, found),
    }
}
