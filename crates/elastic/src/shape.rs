//! The JSON of buckets: keys, rates, lists, and their pipelines.

use serde_json::{Map, Value as Json, json};
use types::Value;

use super::aggregation::{Aggregation, Form, Kind};
use super::bucket::Parent;
use super::histogram::{Histogram, Step};
use super::results::metrics;
use super::terms::{write_key, write_keys};

/// Turns the sums of a bucket into rates, by the length of the bucket.
pub(super) fn scale_rates(
    histogram: &Histogram,
    children: &[Aggregation],
    key: &[Option<Value>],
    object: &mut Map<String, Json>,
) {
    let (Step::Time { span, .. }, Some(Some(Value::Timestamp(from)))) = (histogram.step, key.first()) else { return };
    let Some(Value::Timestamp(to)) = histogram.next_key(&Value::Timestamp(*from)) else { return };
    for (child, metric) in metrics(children) {
        let Some(factor) = metric.rate_factor(span, to.0 - from.0) else { continue };
        let shown = object.get_mut(&child.name).and_then(|result| result.get_mut("value"));
        if let Some(shown) = shown
            && let Some(value) = shown.as_f64()
        {
            *shown = json!(value * factor);
        }
    }
}

pub(super) fn write_bucket_key(kind: &Kind, key: &[Option<Value>], object: &mut Map<String, Json>) {
    match (kind, key) {
        (Kind::Histogram(histogram), [Some(value)]) => histogram.write_key(value, object),
        (Kind::Composite(composite), key) => _ = object.insert("key".into(), composite.key(key)),
        (Kind::Terms(terms), key) if terms.values.len() > 1 => write_keys(key, object),
        (_, key) => write_key(key.first().and_then(Option::as_ref), object),
    }
}

pub(super) fn branches_json(form: Form, list: Vec<(String, Map<String, Json>)>) -> Json {
    match form {
        Form::Single => list.into_iter().next().map(|(_, object)| object).unwrap_or_default().into(),
        Form::Keyed => {
            json!({"buckets": list.into_iter().map(|(key, object)| (key, object.into())).collect::<Map<_, Json>>()})
        }
        Form::List | Form::Anonymous => {
            let bucket = |(key, mut object): (String, Map<String, Json>)| {
                if form == Form::List {
                    object.insert("key".into(), key.into());
                }
                Json::Object(object)
            };
            json!({"buckets": list.into_iter().map(bucket).collect::<Vec<_>>()})
        }
    }
}

/// Returns the buckets of one parent, with their pipelines.
pub(super) fn groups_json(aggregation: &Aggregation, mut list: Vec<Parent>, n_other: u64) -> Json {
    let mut after = None;
    if let Kind::Composite(composite) = &aggregation.kind {
        // Also if the last bucket of the page is not shown.
        after = list.last().map(|last| composite.key(&last.key));
    }
    run_pipelines(&aggregation.children, &mut list);
    let is_keyed = matches!(&aggregation.kind, Kind::Histogram(histogram) if histogram.is_keyed);
    let buckets: Json = if is_keyed {
        let key = |object: &Map<String, Json>| {
            object
                .get("key_as_string")
                .or_else(|| object.get("key"))
                .map(|key| key.to_string().trim_matches('"').to_owned())
        };
        list.into_iter().map(|one| (key(&one.object).unwrap_or_default(), Json::Object(one.object))).collect()
    } else {
        list.into_iter().map(|one| Json::Object(one.object)).collect()
    };
    let mut result = json!({"buckets": buckets});
    if matches!(aggregation.kind, Kind::Terms(_)) && aggregation.kind_name != "rare_terms" {
        result["doc_count_error_upper_bound"] = json!(0);
        result["sum_other_doc_count"] = json!(n_other);
    }
    if let Some(after) = after {
        result["after_key"] = after;
    }
    result
}

/// Runs the pipelines among `aggregations`, each after those that it reads.
fn run_pipelines(aggregations: &[Aggregation], list: &mut Vec<Parent>) {
    let mut pending: Vec<&Aggregation> =
        aggregations.iter().filter(|one| matches!(one.kind, Kind::Pipeline(_) | Kind::Choice(_))).collect();
    while !pending.is_empty() {
        let names: Vec<&str> = pending.iter().map(|one| one.name.as_str()).collect();
        let is_ready = |one: &&Aggregation| match &one.kind {
            Kind::Pipeline(pipeline) => !pipeline.needs().any(|name| names.contains(&name)),
            Kind::Choice(choice) => !choice.needs().iter().any(|name| names.contains(name)),
            _ => true,
        };
        // Pipelines that wait for each other have no number.
        let Some(place) = pending.iter().position(is_ready) else { return };
        let aggregation = pending.remove(place);
        match &aggregation.kind {
            Kind::Pipeline(pipeline) => {
                let mut buckets: Vec<&mut Map<String, Json>> = list.iter_mut().map(|one| &mut one.object).collect();
                pipeline.apply(&aggregation.name, &mut buckets);
            }
            Kind::Choice(choice) => {
                let kept = choice.kept(&list.iter().map(|one| &one.object).collect::<Vec<_>>());
                let mut all: Vec<Option<Parent>> = list.drain(..).map(Some).collect();
                list.extend(kept.into_iter().filter_map(|place| all.get_mut(place)?.take()));
            }
            _ => {}
        }
    }
}
