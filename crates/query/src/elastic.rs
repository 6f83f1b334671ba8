//! Elasticsearch's search requests: the query DSL as conditions of a plan, orders and cursors of hits, and aggregations
//! as plans whose rows become buckets.
//!
//! Reading is pure and bounded; whoever asks runs the plans ([`Asker`]). What is not supported is an error that names it
//! and where it stands, never left out silently: an answer to another question would be wrong without a sign. Weights and
//! scores alone change nothing, as logs have no relevance.

mod aggregation;
mod automatic;
mod choice;
mod composite;
mod filter;
mod fold;
mod forms;
mod highlight;
mod histogram;
mod keys;
mod leaf;
mod mapping;
mod metric;
mod order;
mod pipeline;
mod range;
mod shape;
mod sibling;
mod significant;
mod simple;
mod terms;
#[cfg(test)]
mod tests;
mod times;
mod typed_keys;

use serde_json::Value as Json;
use types::{TimeRange, Timestamp, Value};

pub use aggregation::{AGGREGATIONS, Aggregations, parse_aggregations};
pub use filter::parse_query;
pub use fold::{Asker, Folded, run_aggregations};
pub use highlight::{Mark, highlighted};
pub use mapping::{Class, Mapping, Misfit, Schema};
pub(crate) use mapping::{Kind, no_longer};
pub use order::{Cursor, Order, SortKind, parse_sort};
pub(crate) use range::within;
pub(crate) use times::{date_value, read_time};
pub use times::{format_time, zone_of};

use crate::optimise::optimise;
use crate::plan::{Expr, Name, Operator, Plan};

/// Deepest nesting of queries, as in Elasticsearch (`indices.query.bool.max_nested_depth`).
const NESTING_MAX: usize = 30;

/// Most clauses: each costs a pass over what it looks at.
const CLAUSES_MAX: usize = 1_024;

/// Most values of one `terms` query, as in Elasticsearch (`index.max_terms_count`).
const TERMS_MAX: usize = 65_536;

/// Most buckets of one search, as in Elasticsearch (`search.max_buckets`).
pub const BUCKETS_MAX: usize = 65_536;

/// What is wrong with a search request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SearchError {
    /// What Elasticsearch calls errors of the kind, such as `parsing_exception`.
    pub kind: &'static str,
    /// What is wrong, and where in the request.
    pub reason: String,
}

impl SearchError {
    /// Something in the request that is not as it must be; `at` is where, such as `query.bool.must[0]`.
    pub fn parsing(at: &str, message: impl AsRef<str>) -> Self {
        Self { kind: "parsing_exception", reason: format!("[{at}] {}", message.as_ref()) }
    }

    /// A value that is not allowed.
    pub fn argument(reason: impl Into<String>) -> Self {
        Self { kind: "illegal_argument_exception", reason: reason.into() }
    }
}

/// Which events a request is about.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Filters.
    pub operators: Vec<Operator>,
    /// The time that the filters leave; its ends are no part of them any more.
    pub range: TimeRange,
    /// What is highlighted where it occurs.
    pub marks: Vec<Mark>,
}

impl Selection {
    /// A plan of the filters and of `operators`, showing `columns`.
    pub fn plan(&self, operators: Vec<Operator>, columns: Vec<(Name, Expr)>, is_events: bool) -> Plan {
        let mut all = self.operators.clone();
        all.extend(operators);
        all.push(Operator::Project { columns, is_events });
        optimise(Plan { operators: all, ..Plan::default() })
    }
}

/// The field of ours that a client means by a name.
pub fn field_of(written: &str) -> Name {
    match written {
        "_index" => "@log".into(),
        "_id" => "@id".into(),
        written => match crate::lucene::condition::Target::field(written) {
            crate::lucene::condition::Target::Field { name, .. } => name.into(),
            _ => "@any".into(),
        },
    }
}

/// A value as a client wrote it; `None` for `null`, lists and objects.
fn value_of_json(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => Some(Value::text(text.as_str())),
        Json::Bool(truth) => Some(Value::Boolean(*truth)),
        Json::Number(number) => number.as_i64().map(Value::Integer).or_else(|| number.as_f64().map(Value::Float)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A value of ours as clients are shown it: times in milliseconds since the epoch.
pub fn json_of_value(value: Option<&Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::String(text)) => Json::from(&**text),
        Some(Value::Integer(number)) => Json::from(*number),
        Some(Value::Float(number)) => Json::from(*number),
        Some(Value::Boolean(truth)) => Json::from(*truth),
        Some(Value::Timestamp(instant)) => Json::from(milliseconds(*instant)),
        Some(Value::List(items)) => items.iter().map(|item| json_of_value(item.as_ref())).collect(),
        Some(Value::Object(members)) => {
            members.iter().map(|(name, value)| (name.to_string(), json_of_value(value.as_ref()))).collect()
        }
    }
}

/// Milliseconds since the epoch.
fn milliseconds(instant: Timestamp) -> i64 {
    instant.0.div_euclid(1_000_000)
}

/// Boxes both sides of an operator.
fn both(left: Expr, right: Expr, join: fn(Box<Expr>, Box<Expr>) -> Expr) -> Expr {
    join(Box::new(left), Box::new(right))
}

/// The opposite of a condition; of one that always holds, one that never does.
fn not(condition: Option<Expr>) -> Expr {
    condition.map_or_else(never, |condition| Expr::Not(Box::new(condition)))
}

/// A condition that never holds.
fn never() -> Expr {
    Expr::Literal(Some(Value::Boolean(false)))
}
