//! What Loki's clients ask about the server itself, and about how much a selector touches.

use axum::Json;
use query::plan::{Aggregate, AggregateKind, Expr, Operator};
use serde_json::{Value, json};
use types::GroupPattern;

use super::{LokiParameters, LokiProblem, lines, select, times};
use crate::reading::{Scope, read};
use crate::server::Shared;

/// The Loki whose API this follows.
const LOKI_VERSION: &str = "3.5.0";

pub(crate) async fn buildinfo(server: Shared) -> Json<Value> {
    Json(json!({
        "version": LOKI_VERSION, "revision": format!("catat {}", server.app.version), "branch": "", "buildUser": "",
        "buildDate": "", "goVersion": "",
    }))
}

/// The query as it came: one that cannot be read is refused with its place, and one that can has no other form here.
pub(crate) async fn format_query(
    _: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    let text = parameters.get("query").unwrap_or_default();
    query::logql::parse(text).map_err(crate::problem::Problem::from)?;
    Ok(Json(json!({"status": "success", "data": text.trim()})))
}

/// Streams, events and bytes that a selector touches. Bytes are estimated from the mean of each group.
pub(crate) async fn index_stats(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    let range = times::range(&parameters, server.now())?;
    let log = select::selector(parameters.get("query").unwrap_or_default())?;
    let scope = Scope { groups: log.sources.clone(), ..select::scope(server.now()) };
    let text = parameters.get("query").unwrap_or_default().to_owned();
    let (rows, groups, segments) = read(&server, &text, move |reading| {
        let field = |name: &str| (name.into(), Expr::Field(name.into()));
        let count = Aggregate { name: "n".into(), kind: AggregateKind::Count, argument: None };
        let mut operators = log.operators.clone();
        let by = vec![field("@log"), field("@logStream")];
        operators.push(Operator::Aggregate { by, aggregates: vec![count] });
        let plan = lines::finished(&log, operators, vec![field("@log"), field("n")]);
        let answer = reading.execute(&plan, &scope, range)?;
        Ok((answer.rows, reading.server.groups(), answer.stats.segments_total))
    })
    .await?;
    let (mut n_entries, mut n_bytes) = (0u64, 0f64);
    for row in &rows {
        let [Some(group), Some(types::Value::Integer(count))] = row.as_slice() else { continue };
        let count = u64::try_from(*count).unwrap_or_default();
        let name = GroupPattern::new(group.to_string());
        let known = groups.iter().find(|known| name.matches(known.name.as_str()));
        let mean = known.map_or(0.0, |known| known.bytes_raw as f64 / known.n_events.max(1) as f64);
        n_entries = n_entries.saturating_add(count);
        n_bytes += mean * count as f64;
    }
    Ok(Json(json!({"streams": rows.len(), "chunks": segments, "entries": n_entries, "bytes": n_bytes as u64})))
}
