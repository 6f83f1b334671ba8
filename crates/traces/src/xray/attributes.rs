//! Attributes by OpenTelemetry's names, and their paths in a segment document.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};
use types::Value;

use crate::span::{Span, SpanKind, number};

/// Paths in a segment document, and the attributes that hold their values, newest names first.
const PATHS: [(&str, &[&str]); 24] = [
    ("http.request.method", &["http.request.method", "http.method"]),
    ("http.request.url", &["url.full", "http.url"]),
    ("http.request.user_agent", &["user_agent.original", "http.user_agent"]),
    ("http.request.client_ip", &["client.address", "http.client_ip"]),
    ("http.response.status", &["http.response.status_code", "http.status_code"]),
    ("http.response.content_length", &["http.response.body.size", "http.response_content_length"]),
    ("aws.account_id", &["cloud.account.id"]),
    ("aws.region", &["cloud.region"]),
    ("aws.operation", &["rpc.method"]),
    ("aws.queue_url", &["aws.sqs.queue.url"]),
    ("aws.table_name", &["aws.dynamodb.table_names"]),
    ("aws.ec2.instance_id", &["host.id"]),
    ("aws.ec2.availability_zone", &["cloud.availability_zone"]),
    ("aws.ec2.instance_size", &["host.type"]),
    ("aws.ec2.ami_id", &["host.image.id"]),
    ("aws.ecs.container", &["container.name"]),
    ("aws.ecs.container_id", &["container.id"]),
    ("aws.xray.sdk", &["telemetry.sdk.name"]),
    ("aws.xray.sdk_version", &["telemetry.sdk.version"]),
    ("sql.database_type", &["db.system.name", "db.system"]),
    ("sql.sanitized_query", &["db.query.text", "db.statement"]),
    ("sql.user", &["db.user"]),
    ("sql.url", &["db.connection_string"]),
    ("user", &["enduser.id"]),
];

/// Attributes that name the target of a call, in the order of the service map.
pub(super) const CALL_NAMES: [&str; 10] = [
    "peer.service", "rpc.service", "db.system.name", "db.system", "messaging.system", "server.address",
    "net.peer.name", "network.peer.address", "http.host", "net.peer.ip",
];

/// The field that lists the attributes that are annotations, as OpenTelemetry's exporter for X-Ray names it.
const ANNOTATIONS: &str = "aws.xray.annotations";

/// Origins by `cloud.platform`.
const ORIGINS: [(&str, &str); 6] = [
    ("aws_ec2", "AWS::EC2::Instance"),
    ("aws_ecs", "AWS::ECS::Container"),
    ("aws_eks", "AWS::EKS::Container"),
    ("aws_elastic_beanstalk", "AWS::ElasticBeanstalk::Environment"),
    ("aws_app_runner", "AWS::AppRunner::Service"),
    ("aws_lambda", "AWS::Lambda::Function"),
];

/// Returns a value as JSON.
pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::Boolean(is) => Json::Bool(*is),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::List(items) => items.iter().map(|item| item.as_ref().map_or(Json::Null, json)).collect(),
        Value::Object(members) => {
            let member = |(name, value): &(std::sync::Arc<str>, Option<Value>)| {
                (name.to_string(), value.as_ref().map_or(Json::Null, json))
            };
            Json::Object(members.iter().map(member).collect::<Map<_, _>>())
        }
        text => text.to_string().into(),
    }
}

/// Returns the first of some attributes that has a value.
fn first<'s>(span: &'s Span, names: &[&str]) -> Option<&'s Value> {
    names.iter().find_map(|name| span.field(name))
}

fn first_text(span: &Span, names: &[&str]) -> Option<String> {
    first(span, names).map(Value::to_string).filter(|text| !text.is_empty())
}

/// Returns the path of an attribute in a document, if it has one.
pub(super) fn path_of(span: &Span, name: &str) -> Option<&'static str> {
    let (path, _) = PATHS.iter().find(|(_, names)| names.contains(&name))?;
    let is_meant = match *path {
        "aws.operation" => is_aws_call(span) || span.field("rpc.system").is_none(),
        "sql.url" if !span.text(name).contains("://") => return Some("sql.connection_string"),
        path if path.starts_with("aws.ec2.") || path.starts_with("aws.ecs.") => is_on_aws(span),
        _ => true,
    };
    is_meant.then_some(path)
}

/// Reports whether `host.id` and the like are those of AWS machines. OpenTelemetry's SDKs name the cloud.
fn is_on_aws(span: &Span) -> bool {
    match span.field("cloud.provider") {
        Some(provider) => provider.to_string() == "aws",
        None => span.field("telemetry.sdk.language").is_none(),
    }
}

fn is_aws_call(span: &Span) -> bool {
    span.text("rpc.system") == "aws-api"
}

/// Returns the namespace of a subsegment: `aws` and `remote` are calls of other services. `None` for work of the service itself.
pub(super) fn namespace(span: &Span) -> Option<String> {
    let sent = first_text(span, &["aws.xray.namespace"]);
    let is_call = matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    sent.or_else(|| is_call.then(|| if is_aws_call(span) { "aws" } else { "remote" }.to_owned()))
}

/// Returns the name of a call's target.
pub(super) fn call_name(span: &Span) -> String {
    let names = CALL_NAMES.iter().filter(|name| **name != "rpc.service" || is_aws_call(span));
    let name = names.filter_map(|name| first_text(span, &[name])).next();
    name.unwrap_or_else(|| span.name.to_string())
}

/// Returns the type of a call's target.
pub(super) fn call_type(span: &Span) -> String {
    if namespace(span).as_deref() == Some("aws") {
        return format!("AWS::{}", call_name(span));
    }
    let is_database = first(span, &["db.system.name", "db.system"]).is_some();
    if is_database { "Database::SQL" } else { "remote" }.to_owned()
}

/// Returns the type of the machine of a segment, as far as it is known.
pub(super) fn origin(span: &Span) -> Option<String> {
    let of_platform = || {
        let platform = span.text("cloud.platform");
        ORIGINS.iter().find(|(known, _)| *known == platform).map(|(_, origin)| (*origin).to_owned())
    };
    first_text(span, &["aws.xray.origin"]).or_else(of_platform)
}

/// Returns the AWS account of a segment.
pub(super) fn account(span: &Span) -> Option<String> {
    first_text(span, &["cloud.account.id"])
}

/// Returns the id of the machine and its availability zone.
pub(super) fn machine(span: &Span) -> (Option<String>, Option<String>) {
    let of = |name: &str| first_text(span, &[name]).filter(|_| is_on_aws(span));
    (of("host.id"), of("cloud.availability_zone"))
}

/// Returns the user.
pub(super) fn user(span: &Span) -> Option<String> {
    first_text(span, &["enduser.id"])
}

/// Reports whether the segment had not ended when it was sent.
pub(super) fn is_in_progress(span: &Span) -> bool {
    span.field("aws.xray.in_progress") == Some(&Value::Boolean(true))
}

/// The HTTP request that a segment served.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Http {
    pub(super) url: Option<String>,
    pub(super) method: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) client_ip: Option<String>,
    pub(super) status: Option<i64>,
}

/// Returns the HTTP request of a segment.
pub(super) fn http(span: &Span) -> Http {
    let text = |path: &str| {
        let (_, names) = PATHS.iter().find(|(known, _)| *known == path)?;
        first_text(span, names)
    };
    Http {
        url: text("http.request.url"),
        method: text("http.request.method"),
        user_agent: text("http.request.user_agent"),
        client_ip: text("http.request.client_ip"),
        status: status(span),
    }
}

fn status(span: &Span) -> Option<i64> {
    let status = first(span, &["http.response.status_code", "http.status_code"]).and_then(number)?;
    // A status is far below the limits of an `i64`.
    (status.fract() == 0.0 && status.abs() < 1e9).then_some(status as i64)
}

/// How a segment ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcomes {
    /// An error of the caller.
    pub(super) is_error: bool,
    /// Too many requests.
    pub(super) is_throttle: bool,
    /// An error of the service.
    pub(super) is_fault: bool,
}

impl Outcomes {
    /// Reports whether nothing failed.
    pub(super) fn is_ok(self) -> bool {
        !self.is_error && !self.is_throttle && !self.is_fault
    }
}

/// Returns how a segment ended: as its sender reported it, else by the status of its response, else by its own status.
pub(super) fn outcomes(span: &Span) -> Outcomes {
    let flag = |name: &str| span.field(name) == Some(&Value::Boolean(true));
    let sent = Outcomes {
        is_error: flag("aws.xray.error"),
        is_throttle: flag("aws.xray.throttle"),
        is_fault: flag("aws.xray.fault"),
    };
    match status(span) {
        _ if !sent.is_ok() => sent,
        Some(429) => Outcomes { is_error: true, is_throttle: true, is_fault: false },
        Some(400..500) => Outcomes { is_error: true, ..sent },
        Some(500..600) => Outcomes { is_fault: true, ..sent },
        _ => Outcomes { is_fault: span.is_error, ..sent },
    }
}

/// Returns the names of the attributes that are annotations.
pub(super) fn annotation_names(span: &Span) -> HashSet<String> {
    match span.field(ANNOTATIONS) {
        Some(Value::List(names)) => names.iter().flatten().map(Value::to_string).collect(),
        _ => HashSet::new(),
    }
}

/// Returns the annotations: texts, numbers and truth values under their names.
pub(super) fn annotations(span: &Span) -> Vec<(&str, &Value)> {
    let names = annotation_names(span);
    let is_simple =
        |value: &Value| matches!(value, Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_));
    span.attributes().filter(|(name, value)| names.contains(*name) && is_simple(value)).collect()
}
