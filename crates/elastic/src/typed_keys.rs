//! `typed_keys`: names in answers that contain the kind of each aggregation, for clients that deserialise by it.

use serde_json::{Map, Value as Json};

use super::aggregation::{Aggregation, Aggregations};

impl Aggregations {
    /// Returns their results, each name with the kind of its result before it.
    pub fn typed(&self, shown: Map<String, Json>) -> Map<String, Json> {
        typed(&self.list, shown)
    }
}

/// Returns the results of aggregations with typed names, also in their buckets.
fn typed(aggregations: &[Aggregation], mut shown: Map<String, Json>) -> Map<String, Json> {
    for aggregation in aggregations {
        let Some(mut result) = shown.remove(&aggregation.name) else { continue };
        inside(&aggregation.children, &mut result);
        shown.insert(format!("{}#{}", prefix(&aggregation.kind_name, &result), aggregation.name), result);
    }
    shown
}

fn inside(children: &[Aggregation], result: &mut Json) {
    if children.is_empty() {
        return;
    }
    let retype = |bucket: &mut Json| {
        if let Json::Object(members) = bucket {
            *members = typed(children, std::mem::take(members));
        }
    };
    match result.get_mut("buckets") {
        Some(Json::Array(buckets)) => buckets.iter_mut().for_each(retype),
        Some(Json::Object(buckets)) => buckets.values_mut().for_each(retype),
        _ => retype(result),
    }
}

/// Returns Elasticsearch's name for the kind of a result.
fn prefix<'k>(kind: &'k str, result: &Json) -> &'k str {
    let first_key = || result.get("buckets").and_then(|buckets| buckets.get(0)).map(|bucket| &bucket["key"]);
    match kind {
        "terms" => match first_key() {
            Some(Json::String(_)) => "sterms",
            Some(Json::Number(number)) if number.is_f64() => "dterms",
            Some(_) => "lterms",
            None => "umterms",
        },
        "rare_terms" => match first_key() {
            Some(Json::String(_)) => "srareterms",
            Some(_) => "lrareterms",
            None => "umrareterms",
        },
        "significant_terms" => match first_key() {
            Some(Json::String(_)) => "sigsterms",
            Some(_) => "siglterms",
            None => "umsigterms",
        },
        "percentile_ranks" => "tdigest_percentile_ranks",
        "percentiles" => "tdigest_percentiles",
        "cumulative_sum" | "bucket_script" | "moving_fn" | "serial_diff" | "avg_bucket" | "sum_bucket" => {
            "simple_value"
        }
        "min_bucket" | "max_bucket" => "bucket_metric_value",
        kind => kind,
    }
}
