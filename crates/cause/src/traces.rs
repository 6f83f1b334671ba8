//! A trace that shows an incident: the slowest of those that its events belong to.

use std::sync::Arc;

use execute::{EventSet, Request, Result, execute};
use plan::{Expr, Function, Name, Operator, Plan, SortKey};
use types::{Run, Timestamp, Value};

use crate::text::{conditions_of, equal, is_present};

/// Fields with the id of a trace, and with a duration in milliseconds.
const TRACE_FIELDS: [&str; 4] = ["trace_id", "trace.id", "traceId", "traceID"];
const DURATION_FIELDS: [&str; 4] = ["duration_ms", "durationMs", "latency_ms", "elapsed_ms"];

/// A trace that shows an incident.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WorstTrace {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) duration_ms: Option<f64>,
    pub(crate) query: String,
}

/// Returns the trace of the slowest event of a set; of the newest where durations are not known.
pub(crate) fn worst_trace(set: EventSet<'_>, runs: &[Arc<dyn Run>]) -> Result<Option<WorstTrace>> {
    let has = |field: &&&str| {
        let is_there =
            |run: &Arc<dyn Run>| run.field_names().is_ok_and(|names| names.iter().any(|name| **name == ***field));
        runs.iter().any(is_there)
    };
    let Some(field) = TRACE_FIELDS.iter().find(has) else { return Ok(None) };
    let durations = DURATION_FIELDS.iter().map(|name| Expr::Field((*name).into())).collect();
    let names: [Name; 3] = ["id", "at", "duration"].map(Name::from);
    let mut operators = conditions_of(set.plan);
    operators.push(Operator::Filter(is_present(field)));
    operators.push(Operator::Extend { name: names[2].clone(), expr: Expr::Call(Function::Coalesce, durations) });
    operators.push(Operator::Sort(vec![SortKey { expr: Expr::Field(names[2].clone()), descending: true }]));
    operators.push(Operator::Limit(1));
    let columns = vec![
        (names[0].clone(), Expr::Field((*field).into())),
        (names[1].clone(), Expr::Field("@timestamp".into())),
        (names[2].clone(), Expr::Field(names[2].clone())),
    ];
    operators.push(Operator::Project { columns, is_events: true });
    let answer = execute(&Plan::new(operators), runs, &Request { limit: Some(1), ..*set.request })?;
    let row = answer.rows.first().map(Vec::as_slice);
    let Some([Some(id), Some(Value::Timestamp(at)), duration]) = row else { return Ok(None) };
    let duration_ms = duration.as_ref().and_then(Value::as_f64);
    let query = plan::insights_text::text(&equal(field, Some(id.clone())));
    Ok(query.map(|text| WorstTrace { id: id.to_string(), at: *at, duration_ms, query: format!("filter {text}") }))
}
