//! `/api/v1/silences`: for a time nobody is told of alerts with certain labels.

use alert::{NewSilence, SilenceView};
use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use types::GroupScope;

use super::rules::BODY_BYTES_MAX;
use super::session::read_json_of;
use door::access::covers;
use door::parameters::PathName;
use door::problem::Problem;
use door::server::Shared;

fn is_seen(server: &Shared, silence: &SilenceView) -> bool {
    let scope = &server.caller.scope;
    match &silence.scope {
        _ if scope.is_everything() => true,
        GroupScope::All => false,
        GroupScope::Matching(patterns) => patterns.iter().all(|pattern| covers(scope, pattern.as_str())),
    }
}

pub(crate) async fn list(server: Shared) -> Json<Value> {
    let mut silences = server.app.alerts.silences();
    silences.retain(|silence| is_seen(&server, silence));
    Json(json!({"silences": silences}))
}

pub(crate) async fn post(server: Shared, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let silence: Value = read_json_of(&server, &headers, body, BODY_BYTES_MAX).await?;
    let bad = |error: serde_json::Error| {
        let problem = Problem::bad_request("bad-definition", error.to_string());
        problem.hint(r#"send {"match": ["severity=~'page|error'"], "duration": "2h", "comment": "why"}"#)
    };
    let silence: NewSilence = serde_json::from_value(silence).map_err(bad)?;
    let of_thread = server.clone();
    let work = move || {
        let made = of_thread.app.alerts.add_silence(silence, &of_thread.caller.author())?;
        let matchers = serde_json::to_value(&made.matchers).unwrap_or_default();
        of_thread.audit_own(
            "silence made",
            &json!({"silence": made.id, "matchers": matchers, "ends_at": made.ends_at, "comment": made.comment}),
        );
        Ok::<SilenceView, Problem>(made)
    };
    Ok((StatusCode::CREATED, Json(server.lookups.run(work).await??)).into_response())
}

/// Ends a silence; it is listed for some days.
pub(crate) async fn delete(server: Shared, PathName(id): PathName) -> Result<Json<Value>, Problem> {
    let of_thread = server.clone();
    let work = move || {
        of_thread.app.alerts.end_silence(&id, &of_thread.caller.author())?;
        of_thread.audit_own("silence ended", &json!({"silence": id}));
        Ok::<(), Problem>(())
    };
    server.lookups.run(work).await??;
    Ok(Json(json!({"ended": true})))
}
