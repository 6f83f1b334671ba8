//! Labels and fields that are found among events: what Explore and Drilldown offer to choose from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use query::logql::LogQuery;
use query::plan::Plan;
use serde_json::{Value, json};
use types::{Run, TimeRange, Timestamp};

use super::labels::{label_sets, selection};
use super::{LokiParameters, LokiProblem, lines, select, times};
use crate::parameters::{Parameters, PathName};
use crate::problem::Problem;
use crate::reading::{Reading, Scope, read};
use crate::server::Shared;

/// Fields or values where no limit is given, as in Loki, and at most.
const DEFAULT: usize = 1_000;
const MOST: usize = 10_000;

/// The labels of the streams that a selector finds, each with how many values it has.
pub(crate) async fn labels(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    let sets = label_sets(&server, &parameters, &["query"]).await?;
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in sets.iter().flatten() {
        values.entry(name).or_default().insert(value);
    }
    let found = values.iter().map(|(name, values)| json!({"label": name, "cardinality": values.len()}));
    Ok(Json(json!({"detectedLabels": found.collect::<Vec<_>>()})))
}

/// The fields of the events that a query finds. They were recognised before, so no parser has to be named for them.
pub(crate) async fn fields(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    let limit = limit_of(&parameters)?;
    let question = Question::of(&server, &parameters)?;
    let mut found =
        read(&server, &question.text.clone(), move |reading| question.over(reading, query::matched_fields)).await?;
    found.fields.retain(|field| !lines::is_of_labels(&field.name));
    found.fields.sort_by(|a, b| b.n_events.cmp(&a.n_events).then_with(|| a.name.cmp(&b.name)));
    found.fields.truncate(limit);
    let field = |field: &query::FieldSummaryRow| {
        let cardinality = field.n_distinct.unwrap_or(field.n_events);
        json!({"label": field.name, "type": kind(&field.types), "cardinality": cardinality, "parsers": null})
    };
    let fields: Vec<Value> = found.fields.iter().map(field).collect();
    Ok(Json(json!({"fields": fields, "limit": limit})))
}

/// The most frequent values of one of them.
pub(crate) async fn values(
    server: Shared,
    PathName(name): PathName,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    let limit = limit_of(&parameters)?;
    let question = Question::of(&server, &parameters)?;
    let found = read(&server, &question.text.clone(), move |reading| {
        question.over(reading, |plan, runs, request| query::field_values(plan, runs, request, &name, limit))
    })
    .await?;
    let values: Vec<String> = found.values.iter().map(|one| one.value.to_string()).collect();
    Ok(Json(json!({"values": values, "limit": limit})))
}

fn limit_of(parameters: &Parameters) -> Result<usize, Problem> {
    Ok(parameters.number("limit")?.unwrap_or(DEFAULT).clamp(1, MOST))
}

/// Events that are looked at.
struct Question {
    text: String,
    log: LogQuery,
    range: TimeRange,
    now: Timestamp,
}

impl Question {
    fn of(server: &Shared, parameters: &Parameters) -> Result<Self, Problem> {
        let (range, now) = (times::range(parameters, server.now())?, server.now());
        let text = parameters.get("query").unwrap_or_default().to_owned();
        Ok(Self { log: selection(parameters.get("query"))?, text, range, now })
    }

    fn over<T>(
        &self,
        reading: &Reading<'_>,
        find: impl FnOnce(&Plan, &[Arc<dyn Run>], &query::Request<'_>) -> Result<T, query::ExecuteError>,
    ) -> Result<T, Problem> {
        let scope = Scope { groups: self.log.sources.clone(), ..select::scope(self.now) };
        let plan = lines::finished(&self.log, self.log.operators.clone(), Vec::new());
        let snapshot = reading.snapshot(&scope.groups, self.range);
        let progress = |stats: &query::Stats| reading.note(stats);
        let request = reading.request(self.range, &scope, &progress);
        Ok(find(&plan, &snapshot.runs, &request)?)
    }
}

/// The type of a field's values as Loki names it.
fn kind(types: &[&str]) -> &'static str {
    match types {
        ["boolean"] => "boolean",
        ["integer"] => "int",
        _ if !types.is_empty() && types.iter().all(|kind| matches!(*kind, "integer" | "float")) => "float",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_of_loki() {
        let kinds = [&["integer"][..], &["integer", "float"], &["boolean"], &["string", "integer"], &[]].map(kind);
        assert_eq!(kinds, ["int", "float", "boolean", "string", "string"]);
    }
}
