//! The query DSL of Elasticsearch as conditions of a plan.
//!
//! Reading is pure and bounded. What is not supported is an error that names it and where it is, never left out
//! silently. Weights and scores alone change nothing, as logs have no relevance.

mod defaults;
pub mod filter;
pub mod forms;
pub mod highlight;
pub mod keys;
pub mod leaf;
mod members;
mod minimum;
mod range;
mod reader;
mod simple;

use serde_json::Value as Json;
use types::{TimeRange, Value};

pub use crate::logic::{both, never, not};
pub use filter::parse_query;
pub use highlight::{Mark, highlighted};
pub use members::{object, only_member};
pub use reader::Reader;

use crate::lucene::Target;
pub use crate::lucene::shown;
use plan::{Expr, Name, Operator, Plan};

/// Deepest nesting of queries, as in Elasticsearch (`indices.query.bool.max_nested_depth`).
const NESTING_MAX: usize = 30;

/// Most clauses: each costs a pass over what it looks at.
const CLAUSES_MAX: usize = 1_024;

/// Most values of one `terms` query, as in Elasticsearch (`index.max_terms_count`).
const TERMS_MAX: usize = 65_536;

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
    /// Returns a plan of the filters and of `operators`, showing `columns`.
    pub fn plan(&self, operators: Vec<Operator>, columns: Vec<(Name, Expr)>, is_events: bool) -> Plan {
        let mut all = self.operators.clone();
        all.extend(operators);
        all.push(Operator::Project { columns, is_events });
        Plan::new(all)
    }
}

/// Returns the field of ours that a client means by a name.
pub fn field_of(written: &str) -> Name {
    match written {
        "_index" => "@log".into(),
        "_id" => "@id".into(),
        written => match Target::field(written) {
            Target::Field { name, .. } => name.into(),
            _ => "@any".into(),
        },
    }
}

/// Returns a value as a client wrote it; `None` for `null`, lists and objects.
pub fn value_of_json(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => Some(Value::text(text.as_str())),
        Json::Bool(truth) => Some(Value::Boolean(*truth)),
        Json::Number(number) => number.as_i64().map(Value::Integer).or_else(|| number.as_f64().map(Value::Float)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
