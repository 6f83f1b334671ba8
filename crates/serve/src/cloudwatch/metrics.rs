//! As much of CloudWatch's metrics as a data source asks before it believes in an endpoint: `ListMetrics`.
//!
//! One endpoint stands for both services in Grafana's settings, and "Save & test" asks both. There are no metrics of
//! Amazon's here, so that the list is empty. The same operation comes in three forms: JSON 1.0 with `X-Amz-Target`, the
//! older form with an answer in XML, and CBOR below `/service/…/operation/…`, which SDKs choose today.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ingest::decode;
use serde_json::json;

use super::BODY_BYTES_MAX;
use super::admit::{Admitted, admit};
use super::answer::{CloudWatchProblem, request_id};
use crate::access::Role;
use crate::server::Shared;

/// What the service calls itself in its protocols, and in signatures.
const TARGET: &str = "GraniteServiceVersion20100801";
const SERVICE: &str = "monitoring";

/// The namespace of its XML.
const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// Forms of a request, each of which is answered in its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON 1.0, and the operation that the header names.
    Json(String),
    /// CBOR, and the operation that the path names.
    Cbor(String),
    /// Parameters of a form, one of which names the operation; answered in XML.
    Query,
}

/// The form of a request, where it is for this service.
pub(super) fn form_of(parts: &Parts) -> Option<Form> {
    if let Some((service, operation)) = parts.uri.path().rsplit_once("/operation/")
        && service.ends_with(&format!("/service/{TARGET}"))
    {
        return Some(Form::Cbor(operation.to_owned()));
    }
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    match text("x-amz-target") {
        Some(target) => target.strip_prefix(TARGET)?.strip_prefix('.').map(|name| Form::Json(name.to_owned())),
        None => is_form(&parts.headers).then_some(Form::Query),
    }
}

/// Whether a request for no route is for this service: by its target, or as a form that is signed for it.
pub(super) fn is_meant(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text("x-amz-target").starts_with(TARGET)
        || is_form(headers) && text("authorization").contains(&format!("/{SERVICE}/aws4_request"))
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// Answers a request in its form.
pub(super) async fn answer(server: Shared, parts: &Parts, body: Body, form: Form) -> Response {
    match list(server, parts, body, &form).await {
        Ok(()) => form.empty_list(),
        Err(problem) => form.refuse(problem),
    }
}

/// Checks that somebody may ask, and that this is what they ask.
async fn list(server: Shared, parts: &Parts, body: Body, form: &Form) -> Result<(), CloudWatchProblem> {
    let Admitted { server, received, encoding, .. } = admit(server, parts, body, SERVICE, BODY_BYTES_MAX).await?;
    if !server.caller.may(Role::Read) {
        let message = format!("User: {} is not authorized to perform: cloudwatch:ListMetrics", server.caller.name);
        return Err(CloudWatchProblem::denied(message));
    }
    let body = decode(received.bytes(), encoding, BODY_BYTES_MAX)?;
    let operation = match form {
        Form::Json(operation) | Form::Cbor(operation) => operation.clone(),
        Form::Query => action_of(&body),
    };
    if operation == "ListMetrics" {
        return Ok(());
    }
    let kind = if *form == Form::Query { "InvalidAction" } else { "UnknownOperationException" };
    Err(CloudWatchProblem::new(
        kind,
        format!("The operation {operation:?} of CloudWatch's metrics is not supported here."),
    ))
}

/// The operation that a form names. Names of operations are letters, which no form escapes.
fn action_of(body: &[u8]) -> String {
    let action = body.split(|byte| *byte == b'&').find_map(|pair| pair.strip_prefix(b"Action="));
    String::from_utf8_lossy(action.unwrap_or_default()).into_owned()
}

impl Form {
    fn empty_list(&self) -> Response {
        match self {
            Self::Json(_) => respond(StatusCode::OK, "application/x-amz-json-1.0", json!({"Metrics": []}).to_string()),
            Self::Cbor(_) => {
                let mut cbor = vec![CBOR_MAP | 1];
                write_text("Metrics", &mut cbor);
                cbor.push(CBOR_LIST);
                of_cbor(respond(StatusCode::OK, "application/cbor", cbor))
            }
            Self::Query => {
                let id = request_id();
                let xml = format!(
                    "<ListMetricsResponse xmlns=\"{NAMESPACE}\"><ListMetricsResult><Metrics/></ListMetricsResult>\
                    <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></ListMetricsResponse>"
                );
                respond(StatusCode::OK, "text/xml", xml)
            }
        }
    }

    fn refuse(&self, problem: CloudWatchProblem) -> Response {
        let (status, kind, message) = problem.parts();
        match self {
            Self::Json(_) => problem.into_response(),
            Self::Cbor(_) => {
                let mut cbor = vec![CBOR_MAP | 2];
                for text in ["__type", kind, "message", message] {
                    write_text(text, &mut cbor);
                }
                of_cbor(respond(status, "application/cbor", cbor))
            }
            Self::Query => {
                let side = if status.is_server_error() { "Receiver" } else { "Sender" };
                let (message, id) = (escaped(message), request_id());
                let xml = format!(
                    "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{side}</Type><Code>{kind}</Code>\
                    <Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
                );
                respond(status, "text/xml", xml)
            }
        }
    }
}

fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = (status, body.into()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// Clients of this form believe only answers that say so.
fn of_cbor(mut response: Response) -> Response {
    response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    response
}

/// Text as it may stand in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// First bytes of what CBOR calls major types 3, 4 and 5 (RFC 8949 §3.1), for lengths below 24.
const CBOR_TEXT: u8 = 0x60;
const CBOR_LIST: u8 = 0x80;
const CBOR_MAP: u8 = 0xa0;

fn write_text(text: &str, out: &mut Vec<u8>) {
    let n_bytes = text.len();
    match u8::try_from(n_bytes) {
        Ok(short @ ..24) => out.push(CBOR_TEXT | short),
        Ok(byte) => out.extend([CBOR_TEXT | 24, byte]),
        Err(_) => {
            out.push(CBOR_TEXT | 27);
            out.extend((n_bytes as u64).to_be_bytes());
        }
    }
    out.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_texts_are_written_as_cbor_has_them() {
        for (n, head) in [(3, vec![0x63]), (24, vec![0x78, 24]), (300, vec![0x7b, 0, 0, 0, 0, 0, 0, 1, 44])] {
            let mut out = Vec::new();
            write_text(&"a".repeat(n), &mut out);
            assert_eq!((&out[..head.len()], out.len()), (&head[..], head.len() + n));
        }
    }
}
