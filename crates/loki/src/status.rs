//! The version of the server, formatting of queries, and statistics of selectors.

use axum::http::StatusCode;
use execute::Answer;
use plan::{Aggregate, AggregateKind, Expr, Function, Operator};
use serde_json::{Value, json};

use super::{lines, select, times};
use crate::problem::{LokiProblem, in_time};
use crate::state::Call;
use door::{Outcome, Reply, Scope};

/// The version of Loki whose API this is.
pub(crate) const LOKI_VERSION: &str = "3.5.0";

pub(crate) fn buildinfo(call: Call) -> Outcome {
    Ok(Reply::json(&json!({
        "version": LOKI_VERSION, "revision": format!("catat {}", call.server.app.version), "branch": "",
        "buildUser": "", "buildDate": "", "goVersion": "",
    })))
}

/// Answers with a query in Loki's layout. An invalid query is refused in the form of this route.
pub(crate) fn format_query(call: Call) -> Outcome {
    match language::logql::format(call.parameters.get("query").unwrap_or_default()) {
        Ok(text) => Ok(Reply::json(&json!({"status": "success", "data": text}))),
        Err(errors) => {
            let body = json!({"status": "invalid-query", "error": LokiProblem::from(errors).text()});
            Ok(Reply::json(&body).with_status(StatusCode::BAD_REQUEST))
        }
    }
}

/// Answers with the streams, lines and bytes that a selector matches, and the number of segments read.
pub(crate) fn index_stats(call: Call) -> Outcome {
    with_stats(&call, |stats| stats)
}

/// Answers with what `shown` makes of the numbers of [`index_stats`].
pub(crate) fn with_stats(call: &Call, shown: impl FnOnce(Value) -> Value + Send + 'static) -> Outcome {
    let (range, now) = (times::range(&call.parameters, call.server.now())?, call.server.now());
    let text = call.parameters.get("query").unwrap_or_default();
    let log = select::lookup(text)?;
    Ok(Reply::query(&call.server, text, move |reading| {
        let scope = Scope { groups: log.sources.clone(), ..times::scope(now) };
        let field = |name: &str| (name.into(), Expr::Field(name.into()));
        let count = Aggregate { name: "n".into(), kind: AggregateKind::Count, argument: None };
        let length = Expr::Call(Function::ByteLength, vec![Expr::Field("@message".into())]);
        let bytes = Aggregate { name: "bytes".into(), kind: AggregateKind::Sum, argument: Some(length) };
        let mut operators = log.operators.clone();
        let by = vec![field("@log"), field("@logStream")];
        operators.push(Operator::Aggregate { by, aggregates: vec![count, bytes] });
        let plan = lines::finished(&log, operators, vec![field("n"), field("bytes")]);
        let Answer { rows, stats, .. } = in_time(reading.execute(&plan, &scope, range)?)?;
        let sum = |at: usize| -> i64 {
            let number = |row: &Vec<Option<types::Value>>| match row.get(at) {
                Some(Some(types::Value::Integer(number))) => *number,
                _ => 0,
            };
            rows.iter().map(number).fold(0, i64::saturating_add)
        };
        let (entries, bytes) = (sum(0), sum(1));
        let stats = json!({"streams": rows.len(), "chunks": stats.segments_total, "entries": entries, "bytes": bytes});
        Ok(Reply::json(&shown(stats)))
    }))
}
