//! CloudWatch's metrics: `PutMetricData`, `ListMetrics`, `GetMetricStatistics`, `GetMetricData`, alarms (`alarms`), anomaly
//! detectors (`detectors`) and dashboards (`dashboards`).
//!
//! Grafana has one endpoint for logs and metrics. The list contains the metrics of metric filters, too. Requests have three
//! forms: JSON 1.0 with `X-Amz-Target`; the older query form, answered in XML; and CBOR below `/service/…/operation/…`,
//! which current SDKs use.

pub(crate) mod alarms;
mod band;
mod cursor;
mod dashboards;
mod data;
mod detectors;
mod error;
mod filter_data;
mod get;
mod label;
mod math;
mod parameters;
mod put;
mod search;
mod source;
mod statistic;
mod store;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ingest::decode;
use serde_json::{Value, json};
use types::Timestamp;

use super::answer::{CloudWatchProblem, Result};
use super::authentication::{AuthenticatedRequest, admit};
use super::cbor;
use super::input::Input;
use super::members::{Service, refusal};
use super::metric_filters::counters::{self, Metric};
use super::paging::{page_from, start_of, token_of, with_next_token};
use super::query_protocol::{of_form, respond, xml_answer, xml_error};
use super::request::{BODY_BYTES_MAX, Step};
use super::state::Shared;
use data::DataRequest;
use door::Role;
use error::{bad_value, code_of, with_code};
use get::{StatisticsRequest, check_account};
use ingest::datum::MetricName;
use parameters::Parameters;

/// The name of the service in its protocols and in signatures.
const TARGET: &str = "GraniteServiceVersion20100801";
const SERVICE: &str = "monitoring";

/// The metrics of a page, as at Amazon.
const PAGE_MAX: usize = 500;

/// Limit on the dimensions in a `ListMetrics` request.
const DIMENSION_FILTERS_MAX: usize = 10;

/// How long a metric without new data is listed, and how long it is recently active, as at Amazon.
const LISTED_MS: i64 = 14 * 86_400_000;
const RECENT_MS: i64 = 3 * 3_600_000;

/// The id of a call, which SDKs keep when they repeat a request.
const CALL_ID: &str = "amz-sdk-invocation-id";

/// Members that are times, in s since the epoch.
const TIMES: [&str; 8] = [
    "StartTime",
    "EndTime",
    "Timestamp",
    "Timestamps",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "AlarmConfigurationUpdatedTimestamp",
    "LastModified",
];

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
        Ok((operation, answer)) => form.respond(&operation, &answer),
        Err(problem) => form.refuse(problem),
    }
}

/// Checks the caller, and carries out the operation, which is returned with the answer; `null` has no body.
async fn asked(server: Shared, parts: &Parts, body: Body, form: &Form) -> Result<(String, Value)> {
    let AuthenticatedRequest { server, region, received, encoding } =
        admit(server, parts, body, SERVICE, BODY_BYTES_MAX).await?;
    let body = decode(received.bytes(), encoding, server.app.limits.body_bytes_max)?;
    let (operation, input) = match form {
        Form::Json(operation) | Form::Cbor(operation) if body.is_empty() => (operation.clone(), Some(json!({}))),
        Form::Json(operation) => (operation.clone(), serde_json::from_slice(&body).ok()),
        Form::Cbor(operation) => (operation.clone(), cbor::read(&body)),
        Form::Query => of_form(body.to_vec()).await.unwrap_or_default(),
    };
    let role = [alarms::role_of, detectors::role_of, dashboards::role_of].iter().find_map(|role| role(&operation));
    let needed = role.unwrap_or(if operation == "PutMetricData" { Role::Ingest } else { Role::Read });
    CloudWatchProblem::unless(&server.caller, &format!("cloudwatch:{operation}"), &[needed])?;
    let read_input = || {
        let unreadable = || CloudWatchProblem::new("SerializationException", "The body is not a readable object.");
        let input = input.filter(Value::is_object).ok_or_else(unreadable)?;
        refusal(Service::Metrics, &operation, &input).map_or(Ok(input), |refusal| Err(bad_value(refusal)))
    };
    let step = match &*operation {
        "PutMetricData" => {
            let call_id = parts.headers.get(CALL_ID).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let (input, of_thread, body) = (read_input()?, server.clone(), body.to_vec());
            let (n_bytes, store) = (body.len(), move || put::put(&of_thread, &input, &body, call_id.as_deref()));
            server.intake.run(encoding, n_bytes, store).await?.map(|()| Step::Answer(Value::Null))?
        }
        "GetMetricStatistics" => {
            let request = StatisticsRequest::read(&read_input()?)?;
            Step::query("GetMetricStatistics", move |run| request.answer(run))
        }
        "GetMetricData" => metric_data(&read_input()?)?,
        _ if role.is_some() || operation == "ListMetrics" => {
            let (input, of_thread, operation) = (read_input()?, server.clone(), operation.clone());
            server.lookups.run(move || begin(&of_thread, &region, &operation, input)).await??
        }
        _ => return Err(unknown(&operation)),
    };
    Ok((operation, step.answer(&server).await?))
}

/// Carries out an operation, or begins one that reads data, too, or waits. Blocks.
fn begin(server: &Shared, region: &str, operation: &str, input: Value) -> Result<Step> {
    match operation {
        "ListMetrics" => list(server, &input),
        _ if detectors::role_of(operation).is_some() => detectors::carry_out(server, operation, &input),
        _ if dashboards::role_of(operation).is_some() => {
            dashboards::carry_out(server, operation, &input).map(Step::Answer)
        }
        _ => alarms::carry_out(server, region, operation, &input),
    }
}

fn unknown(operation: &str) -> CloudWatchProblem {
    let shown: String = operation.chars().take(100).collect();
    let message = format!("The operation {shown:?} of CloudWatch's metrics is not supported here.");
    CloudWatchProblem::new("UnknownOperationException", message)
}

/// Answers `GetMetricData`. A token is the number of datapoints before its page.
fn metric_data(input: &Value) -> Result<Step> {
    let start = match Parameters::new(input).text("NextToken", 100)? {
        None => 0,
        Some(token) => token.parse().map_err(|_| bad_value("The value of NextToken is invalid."))?,
    };
    let request = DataRequest::read(input, start)?;
    Ok(Step::query("GetMetricData", move |run| {
        let (answer, next) = request.answer(run)?;
        Ok(with_next_token(answer, next.map(|next| next.to_string())))
    }))
}

/// Begins `ListMetrics`: a page of the metrics that match a request. Blocks.
fn list(server: &Shared, input: &Value) -> Result<Step> {
    let parameters = Parameters::new(input);
    let namespace = parameters.text("Namespace", 255)?.map(str::to_owned);
    let name = parameters.text("MetricName", 255)?.map(str::to_owned);
    check_account(&parameters, "OwningAccount")?;
    let is_recent = match parameters.text("RecentlyActive", 10)? {
        None => false,
        Some("PT3H") => true,
        Some(other) => return Err(bad_value(format!("The value {other:?} of RecentlyActive must be PT3H."))),
    };
    let dimensions = parameters.structures("Dimensions", DIMENSION_FILTERS_MAX)?;
    let filter = |wanted: &Parameters<'_>| {
        let name = wanted.needed_text("Name", 255)?.to_owned();
        Ok((name, wanted.text("Value", 1024)?.map(str::to_owned)))
    };
    let dimensions = dimensions.iter().map(filter).collect::<Result<Vec<_>>>()?;
    let of_filters = counters::metrics(server, |group| server.reaches(group))?;
    let now = server.now().0.div_euclid(Timestamp::MILLISECOND);
    let range = (now - if is_recent { RECENT_MS } else { LISTED_MS }, i64::MAX / Timestamp::MILLISECOND);
    let start = start_of(&Input::read(json!({"nextToken": input["NextToken"]}).to_string().as_bytes())?)?;
    Ok(Step::query("ListMetrics", move |run| {
        let mut found = store::metrics(run, namespace.as_deref(), name.as_deref(), range)?;
        found.extend(of_filters.into_iter().map(of_filter));
        let is_meant = |metric: &MetricName| {
            namespace.as_ref().is_none_or(|wanted| *wanted == metric.namespace)
                && name.as_ref().is_none_or(|wanted| *wanted == metric.name)
                && dimensions.iter().all(|(name, wanted)| {
                    metric.dimensions.get(name).is_some_and(|text| wanted.as_ref().is_none_or(|wanted| wanted == text))
                })
        };
        let found: Vec<MetricName> = found.into_iter().filter(is_meant).collect();
        let (page, next) = page_from(&found, start, PAGE_MAX);
        let answer = json!({"Metrics": page.iter().map(shown).collect::<Vec<_>>()});
        Ok(with_next_token(answer, next.map(token_of)))
    }))
}

/// Returns the metric that a filter makes.
fn of_filter(metric: Metric) -> MetricName {
    let Metric { namespace, name, dimensions } = metric;
    MetricName { namespace, name, dimensions: dimensions.into_iter().collect() }
}

fn shown(metric: &MetricName) -> Value {
    let dimensions: Vec<Value> =
        metric.dimensions.iter().map(|(name, text)| json!({"Name": name, "Value": text})).collect();
    json!({"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions})
}

impl Form {
    fn respond(&self, operation: &str, answer: &Value) -> Response {
        match self {
            Self::Json(_) if answer.is_null() => respond(StatusCode::OK, "application/x-amz-json-1.0", "{}"),
            Self::Json(_) => respond(StatusCode::OK, "application/x-amz-json-1.0", answer.to_string()),
            Self::Cbor(_) => {
                let mut bytes = Vec::new();
                if !answer.is_null() {
                    cbor::write(answer, &TIMES, &mut bytes);
                }
                of_cbor(respond(StatusCode::OK, "application/cbor", bytes))
            }
            Self::Query => respond(StatusCode::OK, "text/xml", xml_answer(NAMESPACE, operation, answer, &TIMES)),
        }
    }

    fn refuse(&self, problem: CloudWatchProblem) -> Response {
        let (status, kind, message) = problem.parts();
        match self {
            Self::Json(_) => with_code(problem.into_response(), kind),
            Self::Cbor(_) => {
                let mut bytes = Vec::new();
                cbor::write(&json!({"__type": kind, "message": message}), &[], &mut bytes);
                with_code(of_cbor(respond(status, "application/cbor", bytes)), kind)
            }
            Self::Query => {
                let xml = xml_error(NAMESPACE, status, code_of(kind), message);
                respond(status, "text/xml", xml)
            }
        }
    }
}

/// Adds the header that clients of this form require.
fn of_cbor(mut response: Response) -> Response {
    response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    response
}
