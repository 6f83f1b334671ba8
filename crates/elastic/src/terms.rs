//! `terms`, `multi_terms`, `rare_terms`: buckets by value, their order and selection.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json, json};
use types::{Value, ensure};

use super::bucket::Candidate;
use super::operands::{named, number, one_or_many, time, with_missing};
use super::paths::{name_of, number_at};
use super::{BUCKETS_MAX, json_of_value};
use language::dsl::{Reader, object, value_of_json};
use language::lucene::regexp;
use language::mapping::Schema;
use language::search_error::{Result, SearchError};
use plan::{Expr, TextPattern};

/// Default number of buckets, as in Elasticsearch.
pub(super) const SIZE_DEFAULT: usize = 10;

/// Highest count of a rare value, as in Elasticsearch.
const RARE_MAX: usize = 100;

/// Limit on the values of a `multi_terms` aggregation.
const VALUES_MAX: usize = 16;

/// A `terms` aggregation, of one value or several.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) values: Vec<Expr>,
    pub(super) filter: Option<Expr>,
    pub(super) size: usize,
    orders: Vec<TermsOrder>,
    pub(super) least: u64,
    /// The greatest count of a bucket.
    most: Option<u64>,
    /// The requested partition of the values, and the number of partitions.
    partition: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
struct TermsOrder {
    by: OrderBy,
    descending: bool,
}

#[derive(Clone, Debug)]
enum OrderBy {
    Count,
    Key,
    Path(String),
}

/// Reads `terms`.
pub(super) fn parse(reader: &mut Reader<'_>, body: &Json, at: &str) -> Result<Terms> {
    let members = object(body, at)?;
    let field = named(members.get("field"), "field, script", at)?;
    let size = number(members.get("size"), at)?.unwrap_or(SIZE_DEFAULT);
    ensure!(size != 0, SearchError::argument(format!("[{at}] [size] must be greater than 0. Found [0]")));
    let value = with_missing(time(reader.schema, field)?, members.get("missing"));
    let filter = included(reader, members, &value, at)?;
    let least = number(members.get("min_doc_count"), at)?.unwrap_or(1) as u64;
    let size = size.min(BUCKETS_MAX);
    let (orders, partition) = (orders(members.get("order"), at)?, partition(members.get("include"), at)?);
    Ok(Terms { values: vec![value], filter, size, orders, least, most: None, partition })
}

/// Reads `rare_terms`.
pub(super) fn parse_rare(reader: &mut Reader<'_>, body: &Json, at: &str) -> Result<Terms> {
    let members = object(body, at)?;
    let field = named(members.get("field"), "field, script", at)?;
    let most = number(members.get("max_doc_count"), at)?.unwrap_or(1);
    if !(1..=RARE_MAX).contains(&most) {
        let reason = format!("[max_doc_count] must be between 1 and {RARE_MAX}, found [{most}] in [{at}]");
        return Err(SearchError::argument(reason));
    }
    let value = with_missing(reader.schema.value(field)?, members.get("missing"));
    let filter = included(reader, members, &value, at)?;
    let by_count = TermsOrder { by: OrderBy::Count, descending: false };
    let orders = vec![by_count, TermsOrder { by: OrderBy::Key, descending: false }];
    let partition = partition(members.get("include"), at)?;
    let most = Some(most as u64);
    Ok(Terms { values: vec![value], filter, size: BUCKETS_MAX, orders, least: 1, most, partition })
}

/// Returns the condition of `include` and `exclude`.
pub(super) fn included(
    reader: &mut Reader<'_>,
    members: &Map<String, Json>,
    value: &Expr,
    at: &str,
) -> Result<Option<Expr>> {
    let mut filter: Option<Expr> = None;
    for (name, is_excluded) in [("include", false), ("exclude", true)] {
        let Some(written) =
            members.get(name).filter(|written| !(written.is_null() || name == "include" && written.is_object()))
        else {
            continue;
        };
        let condition = admitted(reader, value, written, at)?;
        let condition = if is_excluded { Expr::Not(Box::new(condition)) } else { condition };
        filter = Some(match filter {
            Some(known) => Expr::And(Box::new(known), Box::new(condition)),
            None => condition,
        });
    }
    Ok(filter)
}

/// `{"partition": 0, "num_partitions": 20}`
fn partition(include: Option<&Json>, at: &str) -> Result<Option<(u64, u64)>> {
    let Some(Json::Object(members)) = include else { return Ok(None) };
    let of = |name: &str| members.get(name).and_then(Json::as_u64);
    let place = format!("{at}.include");
    match (of("partition"), of("num_partitions"), members.len()) {
        (Some(partition), Some(n), 2) if partition < n => Ok(Some((partition, n))),
        (Some(_), Some(n), 2) => Err(SearchError::argument(format!(
            "[{place}] [partition] must be less than [num_partitions], which is {n}"
        ))),
        _ => Err(SearchError::parsing(&place, "has [partition] and [num_partitions], which are numbers")),
    }
}

/// Returns the partition that a value belongs to.
fn part_of(key: &[Option<Value>], n_parts: u64) -> u64 {
    let texts = key.iter().flatten().map(ToString::to_string);
    // FNV-1a.
    let hash = texts
        .flat_map(String::into_bytes)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 32)) % n_parts.max(1)
}

/// Reads `multi_terms`.
pub(super) fn parse_several(schema: &Schema, body: &Json, at: &str) -> Result<Terms> {
    let members = object(body, at)?;
    let written = members.get("terms").and_then(Json::as_array).filter(|list| (2..=VALUES_MAX).contains(&list.len()));
    let Some(written) = written else {
        let message = format!("The [terms] parameter of a multi_terms aggregation must have 2 to {VALUES_MAX} terms");
        return Err(SearchError::argument(message));
    };
    let value = |(index, one): (usize, &Json)| match one.get("field").and_then(Json::as_str) {
        Some(field) => Ok(with_missing(time(schema, field)?, one.get("missing"))),
        None => Err(SearchError::parsing(&format!("{at}.terms[{index}]"), "needs a [field]")),
    };
    let values = written.iter().enumerate().map(value).collect::<Result<Vec<Expr>>>()?;
    let size = number(members.get("size"), at)?.unwrap_or(SIZE_DEFAULT).clamp(1, BUCKETS_MAX);
    let least = number(members.get("min_doc_count"), at)?.unwrap_or(1) as u64;
    Ok(Terms {
        values,
        filter: None,
        size,
        orders: orders(members.get("order"), at)?,
        least,
        most: None,
        partition: None,
    })
}

fn admitted(reader: &mut Reader<'_>, value: &Expr, written: &Json, at: &str) -> Result<Expr> {
    match written {
        Json::String(source) => {
            let source = regexp::anchored(source).map_err(|why| SearchError::parsing(at, why))?;
            let regex = reader.regex(&source, at)?;
            Ok(Expr::Match(Box::new(value.clone()), TextPattern::Regex(regex)))
        }
        Json::Array(values) => {
            let literals = values.iter().filter_map(value_of_json).map(|value| Expr::Literal(Some(value)));
            Ok(Expr::In(Box::new(value.clone()), literals.collect()))
        }
        _ => Err(SearchError::parsing(at, "[include] and [exclude] are a regular expression or a list of values")),
    }
}

fn orders(json: Option<&Json>, at: &str) -> Result<Vec<TermsOrder>> {
    let written = one_or_many(json);
    let mut orders = Vec::new();
    // Grafana sends an empty order by default.
    for order in written {
        for (name, direction) in object(order, &format!("{at}.order"))? {
            let by = match name.as_str() {
                "_count" => OrderBy::Count,
                "_key" | "_term" => OrderBy::Key,
                path => OrderBy::Path(path.to_owned()),
            };
            let descending = direction.as_str().is_some_and(|direction| direction.eq_ignore_ascii_case("desc"));
            orders.push(TermsOrder { by, descending });
        }
    }
    if orders.is_empty() {
        orders.push(TermsOrder { by: OrderBy::Count, descending: true });
    }
    // Equal buckets are ordered by value.
    orders.push(TermsOrder { by: OrderBy::Key, descending: false });
    Ok(orders)
}

impl Terms {
    /// Refuses orders by numbers that the buckets do not have when they are selected.
    pub(super) fn check_orders(&self, metrics: &[&str], at: &str) -> Result<()> {
        for order in &self.orders {
            if let OrderBy::Path(path) = &order.by
                && !metrics.contains(&name_of(path))
            {
                let reason = format!(
                    "[{at}.order] Invalid aggregation order path [{path}]: it is not a metric of these buckets"
                );
                return Err(SearchError { kind: "aggregation_execution_exception", reason });
            }
        }
        Ok(())
    }

    /// Orders the buckets and keeps the requested ones. Returns the number of events of the others.
    pub(super) fn keep(&self, candidates: &mut Vec<Candidate>) -> u64 {
        candidates.retain(|one| {
            one.key.iter().all(Option::is_some)
                && one.count >= self.least
                && self.most.is_none_or(|most| one.count <= most)
                && self.partition.is_none_or(|(wanted, n)| part_of(&one.key, n) == wanted)
        });
        candidates.sort_by(|a, b| self.compare(a, b));
        candidates.split_off(self.size.min(candidates.len())).iter().map(|one| one.count).sum()
    }

    fn compare(&self, a: &Candidate, b: &Candidate) -> Ordering {
        let number = |one: &Candidate, path: &str| number_at(&one.object, path);
        for order in &self.orders {
            let ordering = match &order.by {
                OrderBy::Count => a.count.cmp(&b.count),
                OrderBy::Key => compare_keys(&a.key, &b.key),
                OrderBy::Path(path) => match (number(a, path), number(b, path)) {
                    (Some(a), Some(b)) => a.total_cmp(&b),
                    // Buckets without a number come last in either order.
                    (a, b) => match b.is_none().cmp(&a.is_none()) {
                        Ordering::Equal => Ordering::Equal,
                        ordering => return ordering.reverse(),
                    },
                },
            };
            let ordering = if order.descending { ordering.reverse() } else { ordering };
            if ordering.is_ne() {
                return ordering;
            }
        }
        Ordering::Equal
    }
}

/// Compares values: numbers come before texts.
pub(super) fn compare_values(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let number = |value: &Value| match value {
        Value::Boolean(truth) => Some(f64::from(u8::from(*truth))),
        Value::Timestamp(instant) => Some(instant.0 as f64),
        other => other.as_f64(),
    };
    match (a, b) {
        (Some(Value::Timestamp(a)), Some(Value::Timestamp(b))) => a.cmp(b),
        (Some(Value::Integer(a)), Some(Value::Integer(b))) => a.cmp(b),
        (Some(a), Some(b)) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.to_string().cmp(&b.to_string()),
        },
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn compare_keys(a: &[Option<Value>], b: &[Option<Value>]) -> Ordering {
    let ordered = a.iter().zip(b).map(|(a, b)| compare_values(a.as_ref(), b.as_ref()));
    ordered.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Writes the key of a bucket by value.
pub(super) fn write_key(value: Option<&Value>, object: &mut Map<String, Json>) {
    match value {
        Some(Value::Boolean(truth)) => {
            object.insert("key".into(), json!(u8::from(*truth)));
            object.insert("key_as_string".into(), json!(truth.to_string()));
        }
        Some(value @ Value::Timestamp(instant)) => {
            object.insert("key".into(), json_of_value(Some(value)));
            object.insert("key_as_string".into(), json!(plan::date_math::format_time(*instant, None)));
        }
        value => _ = object.insert("key".into(), json_of_value(value)),
    }
}

/// Writes the key of a bucket of several values.
pub(super) fn write_keys(values: &[Option<Value>], object: &mut Map<String, Json>) {
    let keys: Vec<Json> = values.iter().map(|value| json_of_value(value.as_ref())).collect();
    let texts: Vec<String> =
        keys.iter().map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned)).collect();
    object.insert("key".into(), keys.into());
    object.insert("key_as_string".into(), texts.join("|").into());
}
