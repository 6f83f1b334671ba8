//! `composite`: buckets by combinations of values, page by page.

use std::cmp::Ordering;

use chrono_tz::Tz;
use serde_json::{Map, Value as Json, json};
use types::{Value, ensure};

use super::bucket::Candidate;
use super::histogram::{self, Histogram, Step};
use super::operands::{number, time};
use super::terms::{SIZE_DEFAULT, compare_values};
use super::{BUCKETS_MAX, json_of_value};
use language::dsl::{forms, object, only_member, value_of_json};
use language::mapping::Schema;
use language::search_error::{Result, SearchError};
use plan::Expr;

/// A `composite` aggregation: all combinations of values, page by page.
#[derive(Clone, Debug)]
pub(super) struct Composite {
    pub(super) sources: Vec<Source>,
    pub(super) size: usize,
    after: Option<Vec<Option<Value>>>,
}

/// One of the values that are combined.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) value: Expr,
    descending: bool,
    has_missing: bool,
    /// The place of missing values, unless they come with the least ones.
    missing_first: Option<bool>,
    format: Option<String>,
    /// The histogram of the values, if the source has one.
    histogram: Option<Histogram>,
}

/// Reads `composite`. Sets the zone of the search if a source names one.
pub(super) fn parse(schema: &Schema, body: &Json, zone: &mut Option<Tz>, at: &str) -> Result<Composite> {
    let members = object(body, at)?;
    let Some(Json::Array(written)) = members.get("sources") else {
        return Err(SearchError::parsing(at, "needs a list of [sources]"));
    };
    ensure!(!written.is_empty() && written.len() <= 16, SearchError::parsing(at, "has between 1 and 16 sources"));
    let mut sources = Vec::new();
    for (index, source) in written.iter().enumerate() {
        let at = format!("{at}.sources[{index}]");
        let (name, body) = only_member(source, &at)?;
        let (kind, options) = only_member(body, &at)?;
        forms::check_source(kind, options, &at)?;
        let text = |name: &str| options.get(name).and_then(Json::as_str);
        let (value, histogram) = match kind {
            "terms" => match text("field") {
                Some(field) => (time(schema, field)?, None),
                None => return Err(SearchError::parsing(&at, "needs a [field]")),
            },
            "histogram" => {
                let histogram = histogram::histogram(schema, options, &at)?;
                (histogram.value.clone(), Some(histogram))
            }
            "date_histogram" => {
                let histogram = histogram::date_histogram(schema, options, zone, &at)?;
                (histogram.value.clone(), Some(histogram))
            }
            other => return Err(SearchError::parsing(&at, format!("a source [{other}] is not supported"))),
        };
        if sources.iter().any(|known: &Source| known.name == name) {
            return Err(SearchError::argument(format!(
                "Composite source names must be unique, found duplicates: [{name}]"
            )));
        }
        let missing_first = match text("missing_order") {
            None | Some("default") => None,
            Some("first") => Some(true),
            Some("last") => Some(false),
            Some(other) => return Err(SearchError::argument(format!("[{at}] unknown missing_order [{other}]"))),
        };
        sources.push(Source {
            name: name.to_owned(),
            value,
            descending: text("order").is_some_and(|order| order.eq_ignore_ascii_case("desc")),
            has_missing: options.get("missing_bucket").and_then(Json::as_bool).unwrap_or(false),
            missing_first,
            format: text("format").map(str::to_owned),
            histogram,
        });
    }
    let after = members
        .get("after")
        .filter(|after| !after.is_null())
        .map(|after| read_after(&sources, after, at))
        .transpose()?;
    let size = number(members.get("size"), at)?.unwrap_or(SIZE_DEFAULT).clamp(1, BUCKETS_MAX);
    Ok(Composite { sources, size, after })
}

/// Reads `after`, the key before the first bucket of the page, with a value for each source.
fn read_after(sources: &[Source], after: &Json, at: &str) -> Result<Vec<Option<Value>>> {
    let members = object(after, &format!("{at}.after"))?;
    if members.len() != sources.len() {
        let reason = format!("[after] has {} value(s) but [sources] has {}", members.len(), sources.len());
        return Err(SearchError::argument(reason));
    }
    let read = |source: &Source| match members.get(&source.name) {
        None => Err(SearchError::argument(format!("Missing value for [after.{}]", source.name))),
        Some(Json::Null) => Ok(None),
        Some(json) => match source.read(json) {
            Some(value) => Ok(Some(value)),
            None => Err(SearchError::argument(format!("Invalid value for [after.{}], got {json}", source.name))),
        },
    };
    sources.iter().map(read).collect()
}

impl Source {
    /// Converts a value of `after` to its form in the rows of a plan.
    fn read(&self, json: &Json) -> Option<Value> {
        match &self.histogram {
            Some(histogram) => match histogram.step {
                Step::Number { .. } => {
                    histogram.first_key(json.as_f64().or_else(|| json.as_str()?.trim().parse().ok())?)
                }
                Step::Time { zone, .. } => {
                    let written = plan::date_math::read(json, self.format.as_deref(), types::Timestamp(0), zone)?;
                    Some(Value::Timestamp(types::Timestamp(written.first)))
                }
            },
            None => value_of_json(json),
        }
    }

    fn shown(&self, value: Option<&Value>) -> Json {
        match (value, &self.format, &self.histogram) {
            (Some(Value::Timestamp(instant)), Some(format), histogram) => {
                let zone = histogram.as_ref().map_or(Tz::UTC, Histogram::zone);
                json!(plan::date_math::format_time_in(zone, *instant, Some(format)))
            }
            (Some(value @ (Value::Integer(_) | Value::Float(_))), _, Some(histogram)) => {
                json!(histogram.position(value))
            }
            (value, ..) => json_of_value(value),
        }
    }

    /// Compares two values. A missing value is less than all others, unless it has a place of its own.
    fn compare(&self, a: Option<&Value>, b: Option<&Value>) -> Ordering {
        if let (Some(first), true) = (self.missing_first, a.is_some() != b.is_some()) {
            return if a.is_none() == first { Ordering::Less } else { Ordering::Greater };
        }
        let order = compare_values(a, b);
        if self.descending { order.reverse() } else { order }
    }
}

impl Composite {
    /// Orders the buckets and keeps those of the page.
    pub(super) fn keep(&self, candidates: &mut Vec<Candidate>) {
        let is_wanted = |one: &Candidate| {
            self.sources.iter().zip(&one.key).all(|(source, value)| source.has_missing || value.is_some())
        };
        candidates.retain(is_wanted);
        candidates.sort_by(|a, b| self.compare(&a.key, &b.key));
        if let Some(after) = &self.after {
            candidates.retain(|one| self.compare(&one.key, after).is_gt());
        }
        candidates.truncate(self.size);
    }

    fn compare(&self, a: &[Option<Value>], b: &[Option<Value>]) -> Ordering {
        for ((source, a), b) in self.sources.iter().zip(a).zip(b) {
            let order = source.compare(a.as_ref(), b.as_ref());
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }

    /// Returns the key of a bucket.
    pub(super) fn key(&self, key: &[Option<Value>]) -> Json {
        let members = self.sources.iter().zip(key);
        members.map(|(source, value)| (source.name.clone(), source.shown(value.as_ref()))).collect::<Map<_, _>>().into()
    }
}
