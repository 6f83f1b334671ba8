//! ES|QL, Elasticsearch's piped language, as plans.
//!
//! Types are known before a query runs: each expression is checked against the columns of its indices ([`Schema`]), and
//! what the query language of ours would answer differently (whole division, overflow, texts that read as numbers, null
//! in conditions) becomes calls of typed functions. What is not supported is an error that names it and its place.

mod aggregate;
mod aggregation;
mod arithmetic;
mod bucket;
mod check;
mod checker;
mod comparison;
mod date_pattern;
mod dissect;
mod error;
mod explain;
mod expression;
mod full_text;
mod function_call;
mod function_dates;
mod function_lists;
mod function_names;
mod function_texts;
mod grammar;
mod kind;
mod mentioned;
mod parameters;
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

use types::{Run, Timestamp};

pub use check::{CheckedQuery, ROWS_DEFAULT, ROWS_MAX};
pub use error::{EsqlError, Result};
pub use kind::Kind;
pub use parameters::Parameters;
pub use schema::{Schema, mapped_type};

use language::dsl::Selection;
use syntax::{Query, Source};

/// A query that was read, and not yet checked against the columns of its indices.
#[derive(Clone, Debug)]
pub struct Statement {
    text: String,
    query: Query,
}

/// Reads a query.
pub fn parse(text: &str, parameters: &Parameters) -> Result<Statement> {
    Ok(Statement { text: text.to_owned(), query: crate::read::read(text, parameters)? })
}

impl Statement {
    /// Returns the names of indices and their patterns; `None` for a query about no index.
    pub fn indices(&self) -> Option<Vec<&str>> {
        match &self.query.source {
            Source::From { indices, .. } => Some(indices.iter().map(|index| index.name.as_str()).collect()),
            Source::Row(_) => None,
        }
    }

    /// Returns the columns of its indices, whose runs are given.
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
    pub fn declare(&self, schema: &mut Schema, mappings: language::mapping::Schema) -> Result<()> {
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

    /// Returns the error that there is no such index.
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
    pub fn check(&self, schema: &Schema, filter: Option<&Selection>, now: Timestamp) -> Result<CheckedQuery> {
        crate::check::check(&self.query, &self.text, schema, filter, now)
    }
}
