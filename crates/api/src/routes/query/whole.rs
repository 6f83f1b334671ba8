//! Queries that are answered as a whole, not row by row as they are found: those for numbers in PromQL, LogQL and TraceQL, and
//! ES|QL.

use axum::response::Response;
use execute::Answer;
use language::{Language, logql};
use serde_json::Map;

use super::row_limit::{JSON_ROWS_DEFAULT, JSON_ROWS_MAX, more_rows};
use super::{esql, series, spans};
use crate::answer::{Form, respond};
use crate::ask::Ask;
use crate::state::Shared;
use door::Result;

/// Reports whether a query is answered here.
pub(super) fn is_whole(ask: &Ask) -> bool {
    match ask.language() {
        Some(Language::Promql | Language::Traceql | Language::Esql) => true,
        Some(Language::Logql) => matches!(logql::parse(&ask.query), Ok(logql::Query::Metric(_))),
        _ => false,
    }
}

/// Answers a query, with at most as many rows as are asked for, or fit the form.
pub(super) async fn answer(server: &Shared, ask: Ask, form: Form) -> Result<Response> {
    types::ensure!(!ask.all_fields, super::all_fields::no_events());
    let asked = ask.limit;
    let limit = match form {
        Form::Json => asked.unwrap_or(JSON_ROWS_DEFAULT).min(JSON_ROWS_MAX),
        _ => asked.unwrap_or(usize::MAX),
    };
    let mut answer = rows(server, ask, limit).await?;
    if answer.rows.len() > limit {
        answer.rows.truncate(limit);
        answer.more = true;
        answer.warnings.extend((asked != Some(limit)).then(|| more_rows(limit)));
    }
    Ok(respond(form, answer, Map::new()))
}

/// Returns the rows of a query. `rows_max` is how many are wanted; there may be more.
pub(super) async fn rows(server: &Shared, ask: Ask, rows_max: usize) -> Result<Answer> {
    let now = server.now();
    let rows = match ask.language() {
        Some(Language::Esql) => esql::rows(&ask, rows_max, now)?,
        Some(Language::Logql) => series::of_logql(&ask, now)?,
        Some(Language::Traceql) => spans::rows(&ask, now)?,
        _ => series::of_promql(&ask, now)?,
    };
    server.read(&ask.query, rows).await
}
