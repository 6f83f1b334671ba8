//! The operands of aggregations: numbers in a request, and the values of fields with their substitutes.

use serde_json::Value as Json;

use language::dsl::value_of_json;
use language::mapping::{Kind, Schema};
use language::search_error::{Result, SearchError};
use plan::{Expr, Function};

/// Returns a value with a substitute for a missing one.
pub(super) fn with_missing(value: Expr, missing: Option<&Json>) -> Expr {
    match missing.and_then(value_of_json) {
        Some(missing) => Expr::Call(Function::Coalesce, vec![value, Expr::Literal(Some(missing))]),
        None => value,
    }
}

/// Reads a whole number, or a string of one: Grafana sends both.
pub(super) fn number(json: Option<&Json>, at: &str) -> Result<Option<usize>> {
    let read = |json: &Json| json.as_u64().or_else(|| json.as_str()?.trim().parse().ok());
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(json) => match read(json).and_then(|number| usize::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(SearchError::parsing(at, format!("{json} is not a valid number"))),
        },
    }
}

/// Returns the values of a field. Numbers of a field that is declared as a date are milliseconds.
pub(super) fn time(schema: &Schema, written: &str) -> Result<Expr> {
    let value = schema.value(written)?;
    Ok(match schema.kind(written)? {
        Some(Kind::Date { .. }) => Expr::Call(Function::FromMillis, vec![Expr::Call(Function::Measure, vec![value])]),
        _ => value,
    })
}

/// Returns the elements of a list, one thing without a list, or nothing.
pub(super) fn one_or_many(json: Option<&Json>) -> Vec<&Json> {
    match json {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(elements)) => elements.iter().collect(),
        Some(one) => vec![one],
    }
}

/// Returns the name of the field that an aggregation is over.
pub(super) fn named<'m>(field: Option<&'m Json>, either: &str, at: &str) -> Result<&'m str> {
    let message = || format!("Required one of fields [{either}], but none were specified.");
    field.and_then(Json::as_str).ok_or_else(|| SearchError::parsing(at, message()))
}
