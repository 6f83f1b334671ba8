//! `/api/v1/silences`: for a time nobody is told of alerts with certain labels.

use alert::{NewSilence, SilenceView};
use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::rules::Body;
use door::{PathName, Problem, Shared};

pub(crate) async fn list(server: Shared) -> Json<Value> {
    let mut silences = server.app.alerts.silences();
    silences.retain(|silence| server.caller.scope.covers(&silence.scope));
    Json(json!({"silences": silences}))
}

pub(crate) fn post(server: &Shared, body: Body) -> Result<(StatusCode, Json<SilenceView>), Problem> {
    let bad = |error: serde_json::Error| {
        let problem = Problem::bad_request("bad-definition", error.to_string());
        problem.hint(r#"send {"match": ["severity=~'page|error'"], "duration": "2h", "comment": "why"}"#)
    };
    let silence: NewSilence = serde_json::from_value(body.read()?).map_err(bad)?;
    let made = server.app.alerts.add_silence(silence, &server.caller.author())?;
    let matchers = serde_json::to_value(&made.matchers).unwrap_or_default();
    server.audit_own(
        "silence made",
        &json!({"silence": made.id, "matchers": matchers, "ends_at": made.ends_at, "comment": made.comment}),
    );
    Ok((StatusCode::CREATED, Json(made)))
}

/// Ends a silence; it is listed for some days.
pub(crate) fn delete(server: &Shared, PathName(id): PathName) -> Result<Json<Value>, Problem> {
    server.app.alerts.end_silence(&id, &server.caller.author())?;
    server.audit_own("silence ended", &json!({"silence": id}));
    Ok(Json(json!({"ended": true})))
}
