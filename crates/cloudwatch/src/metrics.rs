//! `ListMetrics` of CloudWatch's metrics API, with which data sources test an endpoint.
//!
//! Grafana has one endpoint for both services, and "Save & test" asks both. The list contains the metrics of metric
//! filters. The operation has three forms: JSON 1.0 with `X-Amz-Target`; the older query form, answered in XML; and CBOR
//! below `/service/…/operation/…`, which current SDKs use.

use axum::body::Body;
use axum::extract::{Form as Extracted, FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ingest::decode;
use serde_json::{Value, json};

use super::answer::{CloudWatchProblem, request_id};
use super::authentication::{AuthenticatedRequest, admit};
use super::cbor;
use super::input::Input;
use super::metric_filters::counters::{self, Metric};
use super::paging::{page_of, with_next};
use super::request::BODY_BYTES_MAX;
use super::state::Shared;
use door::access::Role;

/// The name of the service in its protocols and in signatures.
const TARGET: &str = "GraniteServiceVersion20100801";
const SERVICE: &str = "monitoring";

/// Limits on the metrics of a page and the dimensions of a request, as at Amazon.
const PAGE_MAX: usize = 500;
const DIMENSIONS_MAX: usize = 10;

/// The XML namespace of answers.
const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// The form of a request, which its answer has, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON 1.0, and the operation that the header names.
    Json(String),
    /// CBOR, and the operation that the path names.
    Cbor(String),
    /// Parameters of a form, one of which names the operation; answered in XML.
    Query,
}

/// Returns the form of a request; `None` if it is for another service.
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

/// Reports whether a request without a route is for this service: by its target, or as a form signed for it.
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
    match asked(server, parts, body, &form).await {
        Ok(answer) => form.respond(&answer),
        Err(problem) => form.refuse(problem),
    }
}

/// Checks the caller and the operation, and lists the metrics.
async fn asked(server: Shared, parts: &Parts, body: Body, form: &Form) -> Result<Value, CloudWatchProblem> {
    let AuthenticatedRequest { server, received, encoding, .. } =
        admit(server, parts, body, SERVICE, BODY_BYTES_MAX).await?;
    if !server.caller.may(Role::Read) {
        let message = format!("User: {} is not authorized to perform: cloudwatch:ListMetrics", server.caller.name);
        return Err(CloudWatchProblem::denied(message));
    }
    let body = decode(received.bytes(), encoding, BODY_BYTES_MAX)?;
    let (operation, input) = match form {
        Form::Json(operation) | Form::Cbor(operation) if body.is_empty() => (operation.clone(), Some(json!({}))),
        Form::Json(operation) => (operation.clone(), serde_json::from_slice(&body).ok()),
        Form::Cbor(operation) => (operation.clone(), cbor::read(&body)),
        Form::Query => {
            of_form(body.to_vec()).await.map_or_else(Default::default, |(action, input)| (action, Some(input)))
        }
    };
    if operation == "ListMetrics" {
        let input = input
            .filter(Value::is_object)
            .ok_or_else(|| CloudWatchProblem::new("SerializationException", "The body is not a readable object."))?;
        return list(server, &input).await;
    }
    let kind = if *form == Form::Query { "InvalidAction" } else { "UnknownOperationException" };
    Err(CloudWatchProblem::new(
        kind,
        format!("The operation {operation:?} of CloudWatch's metrics is not supported here."),
    ))
}

/// Returns the operation of a query form, and its parameters as members.
async fn of_form(body: Vec<u8>) -> Option<(String, Value)> {
    let content_type = "application/x-www-form-urlencoded";
    let request = Request::post("/").header(header::CONTENT_TYPE, content_type).body(Body::from(body)).ok()?;
    let Extracted(pairs) = Extracted::<Vec<(String, String)>>::from_request(request, &()).await.ok()?;
    let value_of = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let mut input = json!({});
    for name in ["Namespace", "MetricName", "NextToken"] {
        input[name] = value_of(name).into();
    }
    let dimensions = (1..=DIMENSIONS_MAX).map_while(|at| {
        let member = |name: &str| value_of(&format!("Dimensions.member.{at}.{name}"));
        Some(json!({"Name": member("Name")?, "Value": member("Value")}))
    });
    input["Dimensions"] = dimensions.collect();
    Some((value_of("Action").unwrap_or_default(), input))
}

/// Returns a page of the metrics that match a request.
async fn list(server: Shared, input: &Value) -> Result<Value, CloudWatchProblem> {
    let of_work = server.clone();
    let work = move || counters::metrics(&of_work, |group| of_work.reaches(group));
    let mut found: Vec<Metric> = server.lookups.run(work).await??.into_iter().collect();
    let is_meant = |member: &str, text: &str| input[member].as_str().is_none_or(|wanted| wanted == text);
    let dimensions = input["Dimensions"].as_array().map(Vec::as_slice).unwrap_or_default();
    found.retain(|metric| {
        is_meant("Namespace", &metric.namespace)
            && is_meant("MetricName", &metric.name)
            && dimensions.iter().all(|wanted| {
                let is_it = |(name, text): &(String, String)| {
                    wanted["Name"] == **name && (wanted["Value"].is_null() || wanted["Value"] == **text)
                };
                metric.dimensions.iter().any(is_it)
            })
    });
    let token = Input::read(json!({"nextToken": input["NextToken"]}).to_string().as_bytes())?;
    let (page, next) = page_of(&found, PAGE_MAX, &token)?;
    let mut answer = json!({"Metrics": page.iter().map(shown).collect::<Vec<_>>()});
    if next.is_some() {
        answer["NextToken"] = with_next(json!({}), next)["nextToken"].take();
    }
    Ok(answer)
}

fn shown(metric: &Metric) -> Value {
    let dimensions: Vec<Value> =
        metric.dimensions.iter().map(|(name, text)| json!({"Name": name, "Value": text})).collect();
    json!({"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions})
}

impl Form {
    fn respond(&self, answer: &Value) -> Response {
        match self {
            Self::Json(_) => respond(StatusCode::OK, "application/x-amz-json-1.0", answer.to_string()),
            Self::Cbor(_) => {
                let mut bytes = Vec::new();
                cbor::write(answer, &mut bytes);
                of_cbor(respond(StatusCode::OK, "application/cbor", bytes))
            }
            Self::Query => {
                let (id, mut result) = (request_id(), String::new());
                write_xml(answer, &mut result);
                let xml = format!(
                    "<ListMetricsResponse xmlns=\"{NAMESPACE}\"><ListMetricsResult>{result}</ListMetricsResult>\
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
                let mut bytes = Vec::new();
                cbor::write(&json!({"__type": kind, "message": message}), &mut bytes);
                of_cbor(respond(status, "application/cbor", bytes))
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

/// Adds the header that clients of this form require.
fn of_cbor(mut response: Response) -> Response {
    response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    response
}

/// Escapes a text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writes members as elements, and items of a list as elements `member`.
fn write_xml(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if value.as_array().is_some_and(Vec::is_empty) {
                    out.push_str(&format!("<{name}/>"));
                    continue;
                }
                out.push_str(&format!("<{name}>"));
                write_xml(value, out);
                out.push_str(&format!("</{name}>"));
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str("<member>");
                write_xml(item, out);
                out.push_str("</member>");
            }
        }
        Value::String(text) => out.push_str(&escaped(text)),
        other => out.push_str(&other.to_string()),
    }
}
