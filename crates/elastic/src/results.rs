//! The results of aggregations as they are put into buckets.

use serde_json::{Map, Value as Json};

use super::aggregation::{Aggregation, Kind};
use super::metric::Metric;

pub(super) fn metrics(aggregations: &[Aggregation]) -> impl Iterator<Item = (&Aggregation, &Metric)> {
    aggregations.iter().filter_map(|one| match &one.kind {
        Kind::Metric(metric) => Some((one, metric)),
        _ => None,
    })
}

/// Puts a result under the name of its aggregation.
pub(super) fn put(aggregation: &Aggregation, mut result: Json, object: &mut Map<String, Json>) {
    if let (Some(meta), Some(members)) = (&aggregation.meta, result.as_object_mut()) {
        members.insert("meta".into(), meta.clone());
    }
    object.insert(aggregation.name.clone(), result);
}

/// Returns the metrics of a bucket without events.
pub(super) fn empty(aggregations: &[Aggregation]) -> Map<String, Json> {
    let mut object = Map::new();
    for (aggregation, metric) in metrics(aggregations) {
        put(aggregation, metric.shown(&[]), &mut object);
    }
    object
}
