//! Pipelines that select or order buckets: `bucket_selector`, `bucket_sort`.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json};

use super::operands::{number, one_or_many};
use super::paths::{name_of, number_at};
use super::pipeline::{Paths, Term, check_gaps, parse_script, paths_of, script_of, value_of_script};
use language::dsl::object;
use language::search_error::{Result, SearchError};

/// The names of such pipelines.
pub(super) const CHOICES: [&str; 2] = ["bucket_selector", "bucket_sort"];

/// Limit on the keys of an order.
const KEYS_MAX: usize = 16;

/// A pipeline that selects or orders buckets.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    /// Selects the buckets for which a script is true.
    Selector { paths: Paths, script: Term },
    /// Orders the buckets and selects a part of them.
    Sort { keys: Vec<(String, bool)>, from: usize, size: Option<usize> },
}

/// Reads one of the [`CHOICES`].
pub(super) fn parse(kind: &str, body: &Json, at: &str) -> Result<Choice> {
    let members = object(body, at)?;
    check_gaps(body, at)?;
    if kind == "bucket_selector" {
        return Ok(Choice::Selector {
            paths: paths_of(members, at)?,
            script: parse_script(script_of(members, at)?, at)?,
        });
    }
    let written = one_or_many(members.get("sort"));
    let mut keys = Vec::new();
    for key in written {
        match key {
            Json::String(path) => keys.push((path.clone(), false)),
            key => {
                for (path, options) in object(key, at)? {
                    let order = options.as_str().or_else(|| options.get("order").and_then(Json::as_str));
                    keys.push((path.clone(), order.is_some_and(|order| order.eq_ignore_ascii_case("desc"))));
                }
            }
        }
    }
    types::ensure!(keys.len() <= KEYS_MAX, SearchError::parsing(at, format!("has more than {KEYS_MAX} keys")));
    let (from, size) = (number(members.get("from"), at)?.unwrap_or(0), number(members.get("size"), at)?);
    if keys.is_empty() && from == 0 && size.is_none() {
        return Err(SearchError::argument(format!(
            "[{at}] is configured to perform nothing. Please set either of [sort, size, from] to use bucket_sort"
        )));
    }
    Ok(Choice::Sort { keys, from, size })
}

impl Choice {
    /// Returns the aggregations whose numbers the pipeline reads.
    pub(super) fn needs(&self) -> Vec<&str> {
        match self {
            Self::Selector { paths, .. } => paths.iter().map(|(_, path)| name_of(path)).collect(),
            Self::Sort { keys, .. } => keys.iter().map(|(path, _)| name_of(path)).collect(),
        }
    }

    /// Returns the positions of the selected buckets, in their new order.
    pub(super) fn kept(&self, buckets: &[&Map<String, Json>]) -> Vec<usize> {
        match self {
            Self::Selector { paths, script } => {
                let holds =
                    |place: &usize| value_of_script(script, paths, buckets[*place]).is_some_and(|value| value != 0.0);
                (0..buckets.len()).filter(holds).collect()
            }
            Self::Sort { keys, from, size } => {
                let mut places: Vec<usize> = (0..buckets.len()).collect();
                // Buckets without any of the numbers are left out.
                places.retain(|place| keys.is_empty() || keys.iter().any(|(path, _)| has(buckets[*place], path)));
                places.sort_by(|a, b| compare(keys, buckets[*a], buckets[*b]));
                places.into_iter().skip(*from).take(size.unwrap_or(usize::MAX)).collect()
            }
        }
    }
}

fn has(bucket: &Map<String, Json>, path: &str) -> bool {
    path == "_key" || number_at(bucket, path).is_some()
}

fn compare(keys: &[(String, bool)], a: &Map<String, Json>, b: &Map<String, Json>) -> Ordering {
    for (path, descending) in keys {
        let ordering = match path.as_str() {
            "_key" => match (&a.get("key"), &b.get("key")) {
                (Some(Json::String(a)), Some(Json::String(b))) => a.cmp(b),
                (a, b) => number_of(*a).total_cmp(&number_of(*b)),
            },
            path => match (number_at(a, path), number_at(b, path)) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                // Buckets without a number come last in either order.
                (a, b) if a.is_some() != b.is_some() => return b.is_some().cmp(&a.is_some()),
                _ => Ordering::Equal,
            },
        };
        let ordering = if *descending { ordering.reverse() } else { ordering };
        if ordering.is_ne() {
            return ordering;
        }
    }
    Ordering::Equal
}

fn number_of(key: Option<&Json>) -> f64 {
    key.and_then(Json::as_f64).unwrap_or(0.0)
}
