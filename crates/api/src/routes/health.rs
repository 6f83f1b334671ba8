//! `/-/healthy`, `/-/ready`: alive, and able to serve.

use axum::http::StatusCode;
use serde_json::json;

use crate::routes::upkeep::standing_warnings;
use crate::state::Call;
use door::health::reasons;
use door::{Outcome, Reply};

/// Answers that the process is alive.
pub(crate) fn healthy(_: Call) -> Outcome {
    Ok(Reply::json(&json!({"status": "ok"})))
}

pub(crate) fn ready(Call { server, .. }: Call) -> Outcome {
    let status = server.whole_store().status();
    let warnings = standing_warnings(&server, &status);
    let reasons = reasons(&server, status);
    if reasons.is_empty() {
        return Ok(Reply::json(&json!({"status": "ready", "warnings": warnings})));
    }
    let answer = json!({"status": "not ready", "reasons": reasons, "warnings": warnings});
    Ok(Reply::json(&answer).with_status(StatusCode::SERVICE_UNAVAILABLE))
}

/// Answers as Loki does: its clients look for the word `ready`.
pub(crate) fn loki_ready(Call { server, .. }: Call) -> Outcome {
    let reasons = reasons(&server, server.whole_store().status());
    let plain = |text: String| Reply::content("text/plain; charset=utf-8", text);
    if reasons.is_empty() {
        return Ok(plain("ready\n".into()));
    }
    Ok(plain(format!("not ready: {}\n", reasons.join("; "))).with_status(StatusCode::SERVICE_UNAVAILABLE))
}
