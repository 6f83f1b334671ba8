//! `/api/v1/silences`: for a time nobody is told of alerts with certain labels.

use alert::NewSilence;
use axum::http::StatusCode;
use serde_json::json;

use crate::state::Call;
use door::{Outcome, Problem, Reply, RequestBody};

pub(crate) fn list(Call { server, .. }: Call) -> Outcome {
    let mut silences = server.app.alerts.silences();
    silences.retain(|silence| server.caller.scope.covers(&silence.scope));
    Ok(Reply::json(&json!({"silences": silences})))
}

pub(crate) fn post(Call { server, .. }: &Call, body: &RequestBody) -> Outcome {
    let bad = |error: serde_json::Error| {
        let problem = Problem::bad_request("bad-definition", error.to_string());
        problem.hint(r#"send {"match": ["severity=~'page|error'"], "duration": "2h", "comment": "why"}"#)
    };
    let silence: NewSilence = serde_json::from_value(body.json()?).map_err(bad)?;
    let made = server.app.alerts.add_silence(silence, &server.caller.author())?;
    let matchers = serde_json::to_value(&made.matchers).unwrap_or_default();
    server.audit_own(
        "silence made",
        &json!({"silence": made.id, "matchers": matchers, "ends_at": made.ends_at, "comment": made.comment}),
    );
    Ok(Reply::serialized(&made).with_status(StatusCode::CREATED))
}

/// Ends a silence; it is listed for some days.
pub(crate) fn delete(Call { server, path: [id, _], .. }: &Call) -> Outcome {
    server.app.alerts.end_silence(id, &server.caller.author())?;
    server.audit_own("silence ended", &json!({"silence": id}));
    Ok(Reply::json(&json!({"ended": true})))
}
