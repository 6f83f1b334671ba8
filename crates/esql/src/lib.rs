//! ES|QL, Elasticsearch's piped language, as plans.
//!
//! Types are known before a query runs: each expression is checked against the columns of its indices ([`Schema`]), and what
//! the query language of ours would answer differently (whole division, overflow, texts that read as numbers, null in
//! conditions) becomes calls of typed functions. What is not supported is an error that names it and its place.

mod aggregate;
mod arithmetic;
mod bucket;
mod check;
mod comparison;
mod date_pattern;
mod dissect;
mod explain;
mod expression;
mod full_text;
mod function_call;
mod function_dates;
mod function_lists;
mod function_names;
mod function_texts;
mod kind;
mod mentioned;
mod read;
mod read_expression;
mod regex_text;
mod schema;
mod scope;
mod stats;
mod syntax;
#[cfg(test)]
mod tests;
mod typed;

use std::sync::Arc;

use serde_json::Value as Json;
use types::{Run, TimeRange, Timestamp};

pub use kind::Kind;
pub use schema::{Schema, mapped_type};

use language::dsl::Selection;
use plan::Plan;
use plan::error::place;
use syntax::{Literal, Query, Source};

/// Rows of a query without a limit.
pub const ROWS_DEFAULT: u64 = 1_000;

/// Most rows of any query.
pub const ROWS_MAX: u64 = 10_000;

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct EsqlError {
    /// What Elasticsearch calls errors of the kind.
    pub kind: &'static str,
    /// What is wrong, with its place.
    pub reason: String,
    /// Line from 1.
    pub line: usize,
    /// Column from 1, in code points.
    pub column: usize,
}

impl EsqlError {
    /// Text that is no query.
    fn parsing(text: &str, at: usize, message: String) -> Self {
        let (line, column) = place(text, at);
        let reason = format!("line {line}:{column}: {message}");
        Self { kind: "parsing_exception", reason, line, column }
    }

    /// A query that cannot be answered, such as one about an unknown column.
    fn verification(text: &str, at: usize, message: String) -> Self {
        let (line, column) = place(text, at);
        let reason = format!("Found 1 problem\nline {line}:{column}: {message}");
        Self { kind: "verification_exception", reason, line, column }
    }
}

/// Values for `?` in a query, with names where they have some.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(Option<String>, Literal)>);

impl Parameters {
    /// Reads `params` of a request: values, or objects of a name and a value.
    pub fn read(json: &Json) -> Result<Self, String> {
        let Json::Array(items) = json else { return Err("[params] is no list".into()) };
        let mut found = Vec::new();
        for item in items {
            match item {
                Json::Object(members) => {
                    let mut members = members.iter();
                    let (Some((name, value)), None) = (members.next(), members.next()) else {
                        return Err("an object of [params] has one name and its value".into());
                    };
                    let value = match value {
                        Json::Object(inner) => match (inner.get("value"), inner.get("identifier")) {
                            (Some(value), None) if inner.len() == 1 => value,
                            (None, Some(name)) if inner.len() == 1 => name,
                            _ => return Err(format!("the parameter [{name}] is of a kind that is not supported")),
                        },
                        value => value,
                    };
                    found.push((Some(name.clone()), literal_of(value).ok_or("a parameter is no value")?));
                }
                value => found.push((None, literal_of(value).ok_or("a parameter is no value")?)),
            }
        }
        if found.iter().any(|(name, _)| name.is_some()) && found.iter().any(|(name, _)| name.is_none()) {
            return Err("named and unnamed parameters cannot be used together".into());
        }
        Ok(Self(found))
    }

    /// The parameter of a name, or at a place from 1.
    fn named(&self, name: &str) -> Option<&Literal> {
        if let Ok(place) = name.parse::<usize>() {
            return self.0.get(place.checked_sub(1)?).map(|(_, value)| value);
        }
        self.0.iter().find(|(known, _)| known.as_deref() == Some(name)).map(|(_, value)| value)
    }
}

fn literal_of(json: &Json) -> Option<Literal> {
    Some(match json {
        Json::Null => Literal::Null,
        Json::Bool(truth) => Literal::Boolean(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Literal::Whole(number),
            None => Literal::Decimal(number.as_f64()?),
        },
        Json::String(text) => Literal::Text(text.clone()),
        Json::Array(items) => Literal::List(items.iter().map(literal_of).collect::<Option<_>>()?),
        Json::Object(_) => return None,
    })
}

/// A query that was read, and not yet checked against the columns of its indices.
#[derive(Clone, Debug)]
pub struct Statement {
    text: String,
    query: Query,
}

/// Reads a query.
pub fn parse(text: &str, parameters: &Parameters) -> Result<Statement, EsqlError> {
    Ok(Statement { text: text.to_owned(), query: crate::read::read(text, parameters)? })
}

/// A query that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What runs.
    pub plan: Plan,
    /// The time that the conditions leave.
    pub range: TimeRange,
    /// The columns of the answer with their types.
    pub columns: Vec<(String, Kind)>,
    /// What the author of the query should know.
    pub warnings: Vec<String>,
}

impl Statement {
    /// The names of indices and their patterns; `None` for a query about no index.
    pub fn indices(&self) -> Option<Vec<&str>> {
        match &self.query.source {
            Source::From { indices, .. } => Some(indices.iter().map(|index| index.name.as_str()).collect()),
            Source::Row(_) => None,
        }
    }

    /// The columns of its indices, whose runs are given.
    pub fn schema(&self, runs: &[Arc<dyn Run>]) -> Schema {
        match mentioned::columns(&self.query) {
            Some(names) => Schema::of(runs, &|field| mentioned::is_of(&names, field)),
            None => Schema::of(runs, &|_| true),
        }
    }

    /// Adds what the mappings of its indices declare.
    ///
    /// # Errors
    /// Where a column of the query has values of another type than the declared one.
    pub fn declare(&self, schema: &mut Schema, mappings: language::mapping::Schema) -> Result<(), EsqlError> {
        let names = mentioned::columns(&self.query);
        let is_wanted = |field: &str| names.as_ref().is_none_or(|names| mentioned::is_of(names, field));
        schema.declare(mappings, &is_wanted).map_err(|(name, declared, found)| {
            let message = format!(
                "[{name}] is mapped as [{declared}] and its values are [{found}], which ES|QL does not convert here; leave it \
                 out with KEEP or DROP as the first command"
            );
            EsqlError::verification(&self.text, 0, message)
        })
    }

    /// The error that there is no such index.
    pub fn unknown_index(&self, name: &str) -> EsqlError {
        let at = match &self.query.source {
            Source::From { indices, .. } => {
                indices.iter().find(|index| index.name == name).or(indices.first()).map_or(0, |index| index.span.start)
            }
            Source::Row(_) => 0,
        };
        EsqlError::verification(&self.text, at, format!("Unknown index [{name}]"))
    }

    /// Checks the query against the columns of its indices. `filter` is the query DSL that chooses events beforehand.
    pub fn check(&self, schema: &Schema, filter: Option<&Selection>, now: Timestamp) -> Result<Checked, EsqlError> {
        crate::check::check(&self.query, &self.text, schema, filter, now)
    }
}
