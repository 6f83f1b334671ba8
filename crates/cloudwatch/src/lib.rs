//! The APIs of Amazon CloudWatch Logs and, for senders of traces, AWS X-Ray (`xray`). Agents, SDKs and Grafana's data source
//! need the URL of this server as their endpoint and a pair of keys.
//!
//! Requests are JSON 1.1 with the operation in `X-Amz-Target`, at `/cloudwatch`, with or without a final slash, and at `/`
//! for clients that drop the path of an endpoint. They are signed with a pair of `catat keys create`, or contain a key in
//! any other form; before the first key exists, clients on loopback may sign with anything. Senders create, tag and fill
//! groups and streams, and list their names; readers run queries in the Insights language; retention and deletion need an
//! admin. CloudWatch's metrics and alarms have the same address (`metrics`), SNS has one of its own (`sns`).

mod answer;
mod audit;
mod authentication;
mod cbor;
mod definitions;
mod event_stream;
mod events;
#[cfg(test)]
#[path = "../../files/src/objects/fake.rs"]
mod fake_s3;
mod fields;
mod filters;
#[cfg(test)]
#[path = "../../alert/src/fleet_lab.rs"]
mod fleet_lab;
mod group_registry;
mod groups;
mod input;
mod kept_dashboards;
mod listings;
mod live_tail;
mod members;
mod metric_filters;
mod metrics;
mod paging;
mod pattern_test;
mod patterns;
#[cfg(test)]
#[path = "../../database/src/postgres/testing.rs"]
mod postgres_server;
pub mod put;
mod queries;
mod query_protocol;
mod query_registry;
mod request;
mod results;
mod saved_filters;
mod signature;
mod sns;
mod state;
mod subscriptions;
mod time;
pub mod xray;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use ingest::decode;
#[cfg(test)]
use storage::ObjectStoreOptions;

use self::answer::{Result, answer};
use self::authentication::{AuthenticatedRequest, admit};
use self::input::Input;
use self::request::{BODY_BYTES_MAX, OperationRequest, Step};
use door::{DeliveryMark, ErrorFormat, FamilyServer, Problem, Role, Routes};

pub use self::answer::CloudWatchProblem;
pub use self::kept_dashboards::{KeepDashboards, KeptDashboard};
pub use self::saved_filters::saved_filters;
pub use self::signature::authorization;
pub use self::state::CloudWatchState;

/// Errors in the form of Amazon's services.
pub struct CloudWatchFormat;

impl ErrorFormat for CloudWatchFormat {
    fn refuse(&self, problem: &Problem) -> Response {
        CloudWatchProblem::refuse(problem)
    }
}

/// The prefix of an operation in `X-Amz-Target`.
const TARGET: &str = "Logs_20140328.";

/// The service that signatures are for.
const SERVICE: &str = "logs";

/// Returns the routes of this API. They need no role: only the handler can check a signature, which covers the body.
pub fn routes() -> Routes<CloudWatchState> {
    let routes = ["/cloudwatch", "/cloudwatch/", "/cloudwatch/service/{service}/operation/{operation}"]
        .into_iter()
        .fold(Routes::default(), |routes, path| routes.post(path, Role::None, |call| call.answered_by(post)));
    sns::add(xray::add(routes))
}

/// Operations and the roles that allow them: a caller needs one of these. Operations that are not listed check their input first, then
/// the role.
const ROLES: [(&str, &[Role]); 6] = [
    ("CreateLogGroup CreateLogStream TagResource TagLogGroup UntagResource UntagLogGroup", &[Role::Ingest]),
    ("DescribeLogStreams ListTagsForResource ListTagsLogGroup", &[Role::Ingest, Role::Read]),
    (
        "StartLiveTail FilterLogEvents GetLogEvents GetLogGroupFields GetLogRecord StartQuery GetQueryResults StopQuery \
        DescribeQueries DescribeQueryDefinitions DescribeMetricFilters TestMetricFilter",
        &[Role::Read],
    ),
    (
        "PutQueryDefinition DeleteQueryDefinition PutMetricFilter DeleteMetricFilter PutSubscriptionFilter \
        DescribeSubscriptionFilters DeleteSubscriptionFilter",
        &[Role::Operate],
    ),
    ("DeleteLogGroup DeleteLogStream PutLogGroupDeletionProtection", &[Role::Admin]),
    ("DescribeLogGroups ListLogGroups PutRetentionPolicy DeleteRetentionPolicy", &[]),
];

/// Reports whether a request without a route is for this API.
pub fn is_meant(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let is_named = || target(headers).is_some() || metrics::is_meant(headers) || sns::is_meant(headers);
    *method == Method::POST && uri.path() == "/" && is_named()
}

/// Reports whether a request is for one of these APIs, with a route or without.
pub fn is_spoken<B>(request: &Request<B>) -> bool {
    let path = request.uri().path();
    let is_route =
        path == "/cloudwatch" || path.starts_with("/cloudwatch/") || xray::is_address(path) || sns::is_address(path);
    is_route || is_meant(request.method(), request.uri(), request.headers())
}

/// Has the alarms of a server judged from now on.
pub fn start_alarms(server: &std::sync::Arc<door::server::Server>) {
    metrics::alarms::start(server);
}

/// Returns the operation that a request names.
fn target(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(TARGET)
}

/// Answers a request: the operation that `X-Amz-Target` names.
///
/// # Errors
/// The reason for a refusal, in the form of the service.
pub async fn post(server: FamilyServer<CloudWatchState>, request: Request) -> Result<Response> {
    // Requests for `/` arrive without a route, and are not refused elsewhere while the store is locked.
    if let Some(reason) = server.whole_store().locked() {
        return Err(Problem::locked(reason).into());
    }
    let (parts, body) = request.into_parts();
    if sns::is_meant(&parts.headers) {
        return Ok(sns::answer(server, &parts, body).await);
    }
    if let Some(form) = metrics::form_of(&parts) {
        return Ok(metrics::answer(server, &parts, body, form).await);
    }
    let unknown = || CloudWatchProblem::new("UnknownOperationException", "X-Amz-Target names no operation.");
    let operation = target(&parts.headers).ok_or_else(unknown)?.to_owned();
    let is_put = operation == "PutLogEvents";
    let bytes_max = if is_put { server.app.limits.body_bytes_max } else { BODY_BYTES_MAX };
    let AuthenticatedRequest { server, region, received, encoding } =
        admit(server, &parts, body, SERVICE, bytes_max).await?;
    let asked = OperationRequest { server, region, operation };
    if is_put {
        return put::put(asked, received, encoding).await.map(DeliveryMark::mark);
    }
    let input = Input::read(&decode(received.bytes(), encoding, bytes_max)?)?;
    drop(received);
    if let Some(refusal) = input.refusal(&asked.operation) {
        return Err(CloudWatchProblem::parameter(refusal));
    }
    asked.carry_out(input).await
}

impl OperationRequest {
    /// Carries out the operation.
    async fn carry_out(self, input: Input) -> Result<Response> {
        self.check_role()?;
        let server = self.server.clone();
        let step = match &*self.operation {
            "StartLiveTail" => return server.lookups.run(move || self.live_tail(&input)).await?,
            "GetLogRecord" => self.record(&input)?,
            "GetQueryResults" => return self.query_results(&input),
            "StopQuery" => self.stop_query(&input).map(Step::Answer)?,
            "DescribeQueries" => self.describe_queries(&input).map(Step::Answer)?,
            _ => server.lookups.run(move || self.begin(&input)).await??,
        };
        step.answer(&server).await.map(|value| answer(&value))
    }

    /// Refuses callers without a role for the operation, and operations that there are none of.
    fn check_role(&self) -> Result<()> {
        let known = ROLES.iter().find(|(names, _)| names.split_whitespace().any(|name| name == self.operation));
        let (_, roles) = known.ok_or_else(|| {
            let message = format!("The operation {:?} is not supported here.", self.operation);
            CloudWatchProblem::new("UnknownOperationException", message)
        })?;
        if roles.is_empty() { Ok(()) } else { self.require(roles) }
    }

    /// Carries out an operation, or begins one that reads events or waits. Blocks.
    fn begin(self, input: &Input) -> Result<Step> {
        let done = match &*self.operation {
            "DeleteLogStream" => return self.delete_stream(input),
            "DescribeLogStreams" => return self.describe_streams(input),
            "PutSubscriptionFilter" => return self.put_subscription_filter(input),
            "FilterLogEvents" => return self.filter_events(input),
            "GetLogEvents" => return self.events(input),
            "GetLogGroupFields" => return self.group_fields(input),
            "StartQuery" => return self.start_query(input),
            "CreateLogGroup" => self.create_group(input),
            "DeleteLogGroup" => self.delete_group(input),
            "CreateLogStream" => self.create_stream(input),
            "DescribeLogGroups" => self.describe_groups(input),
            "ListLogGroups" => self.list_groups(input),
            "PutLogGroupDeletionProtection" => self.put_protection(input),
            "PutRetentionPolicy" => self.put_retention(input),
            "DeleteRetentionPolicy" => self.set_retention(input, None),
            "TagResource" | "TagLogGroup" => self.tag(input),
            "UntagResource" | "UntagLogGroup" => self.untag(input),
            "ListTagsForResource" | "ListTagsLogGroup" => self.list_tags(input),
            "PutQueryDefinition" => self.put_definition(input),
            "DescribeQueryDefinitions" => self.describe_definitions(input),
            "DeleteQueryDefinition" => self.delete_definition(input),
            "PutMetricFilter" => self.put_metric_filter(input),
            "DescribeMetricFilters" => self.describe_metric_filters(input),
            "DeleteMetricFilter" => self.delete_metric_filter(input),
            "TestMetricFilter" => self.test_metric_filter(input),
            "DescribeSubscriptionFilters" => self.describe_subscription_filters(input),
            // DeleteSubscriptionFilter: what is none is not carried out.
            _ => self.delete_subscription_filter(input),
        }?;
        let is_change =
            ["MetricFilter", "QueryDefinition", "TagResource", "UntagResource", "TagLogGroup", "UntagLogGroup"]
                .iter()
                .any(|name| self.operation.ends_with(name) && !self.operation.starts_with("Test"));
        if is_change {
            audit::operation(&self.server, &self.operation, input.value());
        }
        Ok(Step::Answer(done))
    }
}
