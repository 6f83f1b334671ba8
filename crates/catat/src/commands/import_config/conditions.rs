//! Conditions of Elasticsearch's clients as Insights queries: Lucene, KQL, and the query DSL in the forms that ElastAlert and Kibana keep.

use language::mapping::Schema;
use language::{Language, dsl, events_text, translate};
use plan::insights_text;
use serde_json::{Value, json};
use storage::Clock;
use types::{TimeRange, ensure};

/// Returns a query for the events for which all clauses of the query DSL hold; nothing where there is none.
///
/// # Errors
/// What is not supported, by its place.
pub(super) fn of_clauses(clauses: &[Value]) -> Result<String, String> {
    if clauses.is_empty() {
        return Ok(String::new());
    }
    let query = json!({"bool": {"filter": clauses}});
    let now = Clock::system().now();
    let found = dsl::parse_query(Some(&query), now, &Schema::default()).map_err(|error| error.reason)?;
    let is_all = found.range.from <= TimeRange::ALL.from && found.range.to >= TimeRange::ALL.to;
    ensure!(is_all, "a range of @timestamp: the time is chosen beside a query".to_owned());
    events_text(&[], &found.operators, &[]).ok_or_else(|| "Insights QL has no words for it".to_owned())
}

/// Returns a query string as an Insights query; nothing for all events.
///
/// # Errors
/// What is wrong with it, or cannot be said.
pub(super) fn of_text(text: &str, language: Language) -> Result<String, String> {
    if matches!(text.trim(), "" | "*" | "*:*") {
        return Ok(String::new());
    }
    translate(text, language).map_err(|errors| errors.to_string())
}

/// Returns a field as Insights writes it.
///
/// # Errors
/// A name that cannot be written.
pub(super) fn field(name: &str) -> Result<String, String> {
    insights_text::name(&dsl::field_of(name)).ok_or_else(|| format!("the field {name:?}"))
}

/// Joins parts of a query; empty ones are left out.
pub(super) fn piped(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" | ")
}

/// Returns the groups that a pattern of indices names: a part that stands for a date is any.
pub(super) fn groups_of(index: &str) -> Vec<String> {
    let names = index.split(',').map(str::trim).filter(|name| !name.is_empty() && !name.starts_with('-'));
    // `<logs-{now/d}>`, `logs-%Y.%m.%d`
    let pattern = |name: &str| {
        let name = name.trim_start_matches('<').trim_end_matches('>');
        let end = name.find(['%', '{']).unwrap_or(name.len());
        if end < name.len() { format!("{}*", &name[..end]) } else { name.to_owned() }
    };
    let names: Vec<String> = names.map(pattern).collect();
    if names.iter().any(|name| name == "*" || name == "_all") { Vec::new() } else { names }
}
