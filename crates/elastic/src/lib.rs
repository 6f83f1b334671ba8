//! The Elasticsearch API ([`routes`]) and its search requests: orders and cursors of hits, and aggregations as plans whose
//! rows become buckets. The query DSL itself is a language ([`language::dsl`]).
//!
//! Parsing is pure and bounded; the caller runs the plans ([`Executor`]). An unsupported option is an error that names the
//! option and its position; it is never ignored, since the answer would be wrong without a sign. Only weights and scores
//! are ignored: logs have no relevance.

mod aggregation;
mod aggregation_parser;
mod aggregation_run;
mod aggregation_runner;
mod auto_histogram;
mod bucket;
mod bulk;
mod choice;
mod composite;
mod histogram;
mod http;
mod metric;
mod operands;
mod order;
mod paths;
mod pipeline;
mod results;
mod shape;
mod sibling;
mod significant_buckets;
mod significant_terms;
mod terms;
#[cfg(test)]
mod tests;
mod typed_keys;

use plan::date_math::milliseconds;
use serde_json::Value as Json;
use types::Value;

pub use aggregation::Aggregations;
pub use aggregation_parser::{AGGREGATIONS, parse_aggregations};
pub use aggregation_run::{AggregationResult, run_aggregations};
pub use aggregation_runner::Executor;
pub use bulk::{Action, BulkTerms, Check, DocumentCounter, DocumentIntake, Item, Items, Outcome, Refusal};
pub use http::{ElasticFormat, ElasticState, at_the_root, is_address, nothing_at, refused, routes, version_wanted};
pub use order::{Cursor, Order, SortKind, parse_sort};

/// Limit on the buckets of one search, as in Elasticsearch (`search.max_buckets`).
pub const BUCKETS_MAX: usize = 65_536;

/// Returns a value as JSON for clients: times are milliseconds since the epoch.
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
