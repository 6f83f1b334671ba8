//! The version of the server, formatting of queries, and statistics of selectors.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plan::function::Function;
use plan::{Aggregate, AggregateKind, Expr, Operator};
use serde_json::{Value, json};

use super::{lines, select, times};
use crate::parameters::LokiParameters;
use crate::problem::{LokiProblem, in_time};
use door::parameters::Parameters;
use door::problem::Problem;
use door::query_run::{Scope, read};
use door::server::Shared;

/// The version of Loki whose API this is.
pub(crate) const LOKI_VERSION: &str = "3.5.0";

pub(crate) async fn buildinfo(server: Shared) -> Json<Value> {
    Json(json!({
        "version": LOKI_VERSION, "revision": format!("catat {}", server.app.version), "branch": "", "buildUser": "",
        "buildDate": "", "goVersion": "",
    }))
}

/// Answers with a query in Loki's layout. An invalid query is refused in the form of this route.
pub(crate) async fn format_query(_: Shared, LokiParameters(parameters): LokiParameters) -> Response {
    match language::logql::format(parameters.get("query").unwrap_or_default()) {
        Ok(text) => Json(json!({"status": "success", "data": text})).into_response(),
        Err(errors) => {
            let body = json!({"status": "invalid-query", "error": LokiProblem::from(errors).text()});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    }
}

/// Answers with the streams, lines and bytes that a selector matches, and the number of segments read.
pub(crate) async fn index_stats(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Value>, LokiProblem> {
    Ok(Json(stats_of(&server, &parameters).await?))
}

/// Returns the numbers of [`index_stats`].
pub(crate) async fn stats_of(server: &Shared, parameters: &Parameters) -> Result<Value, Problem> {
    let (range, now) = (times::range(parameters, server.now())?, server.now());
    let text = parameters.get("query").unwrap_or_default().to_owned();
    let log = select::lookup(&text)?;
    let (rows, n_segments) = read(server, &text, move |reading| {
        let scope = Scope { groups: log.sources.clone(), ..times::scope(now) };
        let field = |name: &str| (name.into(), Expr::Field(name.into()));
        let count = Aggregate { name: "n".into(), kind: AggregateKind::Count, argument: None };
        let length = Expr::Call(Function::ByteLength, vec![Expr::Field("@message".into())]);
        let bytes = Aggregate { name: "bytes".into(), kind: AggregateKind::Sum, argument: Some(length) };
        let mut operators = log.operators.clone();
        let by = vec![field("@log"), field("@logStream")];
        operators.push(Operator::Aggregate { by, aggregates: vec![count, bytes] });
        let plan = lines::finished(&log, operators, vec![field("n"), field("bytes")]);
        let answer = in_time(reading.execute(&plan, &scope, range)?)?;
        Ok((answer.rows, answer.stats.segments_total))
    })
    .await?;
    let sum = |at: usize| -> i64 {
        let number = |row: &Vec<Option<types::Value>>| match row.get(at) {
            Some(Some(types::Value::Integer(number))) => *number,
            _ => 0,
        };
        rows.iter().map(number).fold(0, i64::saturating_add)
    };
    Ok(json!({"streams": rows.len(), "chunks": n_segments, "entries": sum(0), "bytes": sum(1)}))
}
