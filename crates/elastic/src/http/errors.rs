//! Errors in the form of Elasticsearch.

use axum::http::StatusCode;
use serde_json::{Value, json};

use door::{Problem, Reply};

/// The end of errors about features of Elasticsearch that are missing here.
pub(super) const NOT_SUPPORTED: &str = "is not supported here";

/// Returns a problem as status and JSON in the form of Elasticsearch.
pub(super) fn problem_json(problem: &Problem) -> (StatusCode, Value) {
    // Senders drop events after a status that they do not know.
    let status = match problem.status {
        StatusCode::INSUFFICIENT_STORAGE => StatusCode::SERVICE_UNAVAILABLE,
        status => status,
    };
    let kind = match status {
        // A code with an underscore is the name of an exception already.
        _ if problem.code.contains('_') => problem.code,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "security_exception",
        StatusCode::NOT_FOUND => "resource_not_found_exception",
        StatusCode::CONFLICT => "version_conflict_engine_exception",
        StatusCode::PAYLOAD_TOO_LARGE => "content_too_long_exception",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type_header_exception",
        StatusCode::TOO_MANY_REQUESTS => "es_rejected_execution_exception",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable_shards_exception",
        status if status.is_server_error() => "exception",
        _ if problem.code == "bad-body" => "parse_exception",
        _ => "illegal_argument_exception",
    };
    (status, error_json(status, kind, &problem.sentence()))
}

/// Answers with an error in the form of Elasticsearch.
pub(super) fn error_answer(status: StatusCode, kind: &str, reason: &str) -> Reply {
    Reply::json(&error_json(status, kind, reason)).with_status(status)
}

/// Answers that something does not exist.
pub(super) fn not_found(reason: &str) -> Reply {
    error_answer(StatusCode::NOT_FOUND, "resource_not_found_exception", reason)
}

fn error_json(status: StatusCode, kind: &str, reason: &str) -> Value {
    let cause = json!({"type": kind, "reason": reason});
    json!({
        "error": {"root_cause": [cause], "type": kind, "reason": reason},
        "status": status.as_u16(),
    })
}
