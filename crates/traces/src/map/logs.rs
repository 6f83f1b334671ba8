//! Services that write the ids of traces into their log lines and send no spans.

use std::sync::Arc;

use plan::{AggregateKind, Comparison, Expr, Function, Operator, Plan, not};
use types::{GroupPattern, TimeRange, Value};

use door::{QueryRun, Result};

use crate::plans::{aggregate, compare, field, first_of, is_present, is_span, show};
use crate::read::Reading;
use crate::times;

/// Fields that name the service of a log line, in order of preference; the last is the group.
const SERVICE_FIELDS: [&str; 5] = ["service.name", "service", "service_name", "app", "@log"];

/// Limit on the services that only log.
const SERVICES_MAX: u64 = 1_000;

/// A service that is known from its log lines.
#[derive(Clone, Debug)]
pub(crate) struct LoggedService {
    pub(crate) service: Arc<str>,
    /// Distinct traces that it logged.
    pub(crate) n_traces: u64,
    /// Those with an error.
    pub(crate) n_errors: u64,
}

/// Returns the services of the log lines that have the id of a trace.
pub(crate) fn services(
    run: &QueryRun<'_>,
    range: TimeRange,
    groups: &[GroupPattern],
    reading: &mut Reading,
) -> Result<Vec<LoggedService>> {
    let is_error = compare("@level", Comparison::GreaterOrEqual, Value::text("error"));
    let failed = Expr::Call(Function::If, vec![is_error, field("trace_id"), Expr::Literal(None)]);
    let distinct = |name, argument| aggregate(name, AggregateKind::CountDistinct, Some(argument));
    let aggregates = vec![distinct("traces", field("trace_id")), distinct("errors", failed)];
    let plan = Plan::new(vec![
        Operator::Filter(is_present("trace_id")),
        Operator::Filter(not(is_span())),
        Operator::Aggregate { by: vec![("service".into(), first_of(&SERVICE_FIELDS))], aggregates },
        Operator::Limit(SERVICES_MAX),
        show(["service", "traces", "errors"], false),
    ]);
    // Groups without the field in any event are left out before anything is read.
    let mut snapshot = run.snapshot(groups, range);
    let has_ids = |run: &Arc<dyn types::Run>| {
        !run.info().group.as_str().starts_with("traces/")
            && run.field_names().map_or(true, |names| names.iter().any(|name| **name == *"trace_id"))
    };
    snapshot.runs.retain(has_ids);
    let answer = run.execute_on(&snapshot, &plan, &times::scope(run.server.now()), range)?;
    let service = |row: Vec<Option<Value>>| match row.as_slice() {
        [Some(service), Some(Value::Integer(traces)), Some(Value::Integer(errors))] => Some(LoggedService {
            service: service.to_string().into(),
            n_traces: u64::try_from(*traces).unwrap_or_default(),
            n_errors: u64::try_from(*errors).unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(reading.add(answer).into_iter().filter_map(service).collect())
}
