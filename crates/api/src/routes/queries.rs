//! `/api/v1/queries`: what runs now, and how to stop it.

use serde_json::json;

use crate::state::Call;
use door::{Outcome, Problem, Reply, stats_json};

pub(crate) fn list(Call { server, .. }: Call) -> Outcome {
    let now = server.now();
    let mut running = server.queries.list();
    running.retain(|query| server.may_see_query(query));
    let entry = |query: &std::sync::Arc<door::queries::RunningQuery>| {
        let elapsed_ms = now.0.saturating_sub(query.started.0) / 1_000_000;
        json!({
            "id": query.id.to_string(), "query": query.text, "started": query.started.to_string(),
            "elapsed_ms": elapsed_ms, "progress": stats_json(&query.progress()),
        })
    };
    Ok(Reply::json(&json!({"queries": running.iter().map(entry).collect::<Vec<_>>()})))
}

pub(crate) fn cancel(Call { server, path: [id, _], .. }: Call) -> Outcome {
    let is_known = id.parse().is_ok_and(|id| server.queries.cancel(id, |running| server.may_see_query(running)));
    if is_known {
        Ok(Reply::json(&json!({"cancelled": true})))
    } else {
        Err(Problem::not_found(format!("no query {id:?} is running")))
    }
}
