//! The query protocol of Amazon's services: a form whose parameter `Action` names the operation, and an answer in XML.

mod form_input;

use axum::body::Body;
use axum::extract::{Form as Extracted, FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use types::Timestamp;

use super::answer::request_id;

/// Members that are maps.
const MAPS: [&str; 2] = ["Attributes", "ExtendedStatistics"];

/// Returns the operation of a query form, and its parameters as members. The members are `None` if they cannot be read.
pub(super) async fn of_form(body: Vec<u8>) -> Option<(String, Option<Value>)> {
    let content_type = "application/x-www-form-urlencoded";
    let request = Request::post("/").header(header::CONTENT_TYPE, content_type).body(Body::from(body)).ok()?;
    let Extracted(pairs) = Extracted::<Vec<(String, String)>>::from_request(request, &()).await.ok()?;
    let action = pairs.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.clone());
    Some((action.unwrap_or_default(), form_input::structured(pairs)))
}

/// Returns an answer with the id of its request.
pub(super) fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = (status, body.into()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// Returns the answer of an operation; `times` are names of members that are times, in s since the epoch.
pub(super) fn xml_answer(namespace: &str, operation: &str, answer: &Value, times: &[&str]) -> String {
    let (id, mut result) = (request_id(), String::new());
    if !answer.is_null() {
        result.push_str(&format!("<{operation}Result>"));
        write_xml(answer, times, &mut result);
        result.push_str(&format!("</{operation}Result>"));
    }
    format!(
        "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{id}</RequestId>\
        </ResponseMetadata></{operation}Response>"
    )
}

/// Returns an error.
pub(super) fn xml_error(namespace: &str, status: StatusCode, code: &str, message: &str) -> String {
    let side = if status.is_server_error() { "Receiver" } else { "Sender" };
    let (message, id) = (escaped(message), request_id());
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{side}</Type><Code>{code}</Code>\
        <Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
    )
}

/// Escapes a text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Returns times in s, or a list of them, as texts of ISO 8601.
fn with_times_as_text(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(with_times_as_text).collect(),
        value => {
            let ms = (value.as_f64().unwrap_or_default() * 1e3).round() as i64;
            let digits = if ms % 1000 == 0 { 0 } else { 3 };
            let mut text = String::new();
            Timestamp(ms.saturating_mul(Timestamp::MILLISECOND)).write_rfc3339(digits, &mut text);
            text.into()
        }
    }
}

/// Writes members as elements, and items of a list as elements `member`.
fn write_xml(value: &Value, times: &[&str], out: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if value.as_array().is_some_and(Vec::is_empty) {
                    out.push_str(&format!("<{name}/>"));
                    continue;
                }
                out.push_str(&format!("<{name}>"));
                match value {
                    Value::Object(entries) if MAPS.contains(&name.as_str()) => {
                        for (key, value) in entries {
                            out.push_str(&format!("<entry><key>{}</key><value>", escaped(key)));
                            write_xml(value, times, out);
                            out.push_str("</value></entry>");
                        }
                    }
                    value if times.contains(&name.as_str()) => write_xml(&with_times_as_text(value), times, out),
                    value => write_xml(value, times, out),
                }
                out.push_str(&format!("</{name}>"));
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str("<member>");
                write_xml(item, times, out);
                out.push_str("</member>");
            }
        }
        Value::String(text) => out.push_str(&escaped(text)),
        other => out.push_str(&other.to_string()),
    }
}
