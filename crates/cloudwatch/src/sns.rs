//! Amazon's SNS: topics, subscriptions over HTTP and by mail, and messages.
//!
//! A topic is one of the topics that rules and channels name. A subscription is a channel of the crate `alert`, with its sender,
//! its retries and its protection of private addresses; so subscribers get the alerts of rules with the topic, the actions of
//! alarms, and what is published. Requests are forms, signed for the service `sns`, at `/sns` or wherever CloudWatch is. Receivers
//! confirm and end subscriptions by links, which hold a token instead of a key.

mod input;
mod messages;
mod registry;
mod subscriptions;
mod topics;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use door::{Call, Outcome, Problem, Reply, Role};
use ingest::decode;
use serde_json::Value;

use self::input::SnsInput;
use self::messages::publish;
use self::registry::SnsRegistry;
use crate::answer::{CloudWatchProblem, Result};
use crate::authentication::{AuthenticatedRequest, admit};
use crate::query_protocol::{of_form, respond, xml_answer, xml_error};
use crate::request::BODY_BYTES_MAX;
use crate::state::{CloudWatchState, Routes, Shared};

/// The service that signatures are for, and the XML namespace of answers.
const SERVICE: &str = "sns";
const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// Operations and the roles that they need.
const OPERATIONS: [(&str, Role); 16] = [
    ("CreateTopic", Role::Operate),
    ("DeleteTopic", Role::Operate),
    ("ListTopics", Role::Read),
    ("GetTopicAttributes", Role::Read),
    ("SetTopicAttributes", Role::Operate),
    ("Subscribe", Role::Operate),
    ("ConfirmSubscription", Role::Operate),
    ("Unsubscribe", Role::Operate),
    ("ListSubscriptions", Role::Read),
    ("ListSubscriptionsByTopic", Role::Read),
    ("GetSubscriptionAttributes", Role::Read),
    ("SetSubscriptionAttributes", Role::Operate),
    ("Publish", Role::Operate),
    ("TagResource", Role::Operate),
    ("UntagResource", Role::Operate),
    ("ListTagsForResource", Role::Read),
];

/// Names of errors here, and their codes and statuses there.
const CODES: [(&str, &str, StatusCode); 10] = [
    ("AccessDeniedException", "AuthorizationError", StatusCode::FORBIDDEN),
    ("AuthorizationError", "AuthorizationError", StatusCode::FORBIDDEN),
    ("NotFound", "NotFound", StatusCode::NOT_FOUND),
    ("ResourceNotFoundException", "NotFound", StatusCode::NOT_FOUND),
    ("InvalidParameterException", "InvalidParameter", StatusCode::BAD_REQUEST),
    ("SubscriptionLimitExceeded", "SubscriptionLimitExceeded", StatusCode::FORBIDDEN),
    ("TopicLimitExceeded", "TopicLimitExceeded", StatusCode::FORBIDDEN),
    ("ThrottlingException", "Throttled", StatusCode::TOO_MANY_REQUESTS),
    ("UnknownOperationException", "InvalidAction", StatusCode::BAD_REQUEST),
    ("ServiceUnavailableException", "InternalError", StatusCode::SERVICE_UNAVAILABLE),
];

/// Adds the routes of this API. They need no role: a handler checks signatures and tokens.
pub(crate) fn add(routes: Routes) -> Routes {
    ["/sns", "/sns/"].into_iter().fold(routes, |routes, path| {
        routes.post(path, Role::None, |call| call.answered_by(post)).get(path, Role::None, follow_link)
    })
}

/// Reports whether a path is one of SNS.
pub(crate) fn is_address(path: &str) -> bool {
    path == "/sns" || path == "/sns/"
}

/// Reports whether a request is signed for SNS.
pub(crate) fn is_meant(headers: &HeaderMap) -> bool {
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.contains(&format!("/{SERVICE}/aws4_request"))
}

async fn post(server: Shared, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer(server, &parts, body).await
}

/// Answers a request.
pub(crate) async fn answer(server: Shared, parts: &Parts, body: Body) -> Response {
    if let Some(reason) = server.whole_store().locked() {
        return refuse(&Problem::locked(reason).into());
    }
    respond_with(asked(server, parts, body).await)
}

async fn asked(server: Shared, parts: &Parts, body: Body) -> Result<(String, Value)> {
    let AuthenticatedRequest { server, region, received, encoding } =
        admit(server, parts, body, SERVICE, BODY_BYTES_MAX).await?;
    let body = decode(received.bytes(), encoding, BODY_BYTES_MAX)?;
    let (operation, input) = of_form(body.to_vec()).await.unwrap_or_default();
    let Some((_, role)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
        let shown: String = operation.chars().take(100).collect();
        let message = format!("The operation {shown:?} of SNS is not supported here.");
        return Err(CloudWatchProblem::new("UnknownOperationException", message));
    };
    CloudWatchProblem::unless(&server.caller, &format!("SNS:{operation}"), &[*role])?;
    let unreadable = || CloudWatchProblem::parameter("Invalid parameter: the form is not readable");
    let input = SnsInput::new(input.ok_or_else(unreadable)?);
    let (name, of_thread) = (operation.clone(), server.clone());
    let is_change = *role == Role::Operate && operation != "Publish";
    let work = move || {
        let answer = carry_out(&of_thread, &region, &name, &input)?;
        if is_change {
            crate::audit::operation(&of_thread, &name, input.value());
        }
        Ok::<_, CloudWatchProblem>(answer)
    };
    let answer = server.lookups.run(work).await??;
    Ok((operation, answer))
}

fn carry_out(server: &Shared, region: &str, operation: &str, input: &SnsInput) -> Result<Value> {
    let registry = SnsRegistry::new(server, region);
    match operation {
        "CreateTopic" => registry.create_topic(input),
        "DeleteTopic" => registry.delete_topic(input),
        "ListTopics" => registry.list_topics(input),
        "GetTopicAttributes" => registry.topic_attributes(input),
        "SetTopicAttributes" => registry.set_topic_attribute(input),
        "Subscribe" => registry.subscribe(input),
        "ConfirmSubscription" => registry.confirm(input),
        "Unsubscribe" => registry.unsubscribe(input),
        "ListSubscriptions" | "ListSubscriptionsByTopic" => registry.list_subscriptions(input),
        "GetSubscriptionAttributes" => registry.subscription_attributes(input),
        "SetSubscriptionAttributes" => registry.set_subscription_attribute(input),
        "TagResource" | "UntagResource" => registry.tag_topic(input, operation == "TagResource"),
        "ListTagsForResource" => registry.list_tags(input),
        _ => publish(&registry, input),
    }
}

/// Follows the link of a message: confirms or ends a subscription by its token, which stands for a key.
fn follow_link(Call { server, parts, .. }: Call<CloudWatchState>) -> Outcome {
    if let Some(reason) = server.whole_store().locked() {
        return Ok(Reply::Whole(refuse(&Problem::locked(reason).into())));
    }
    let input = SnsInput::of_query(parts.uri.query().unwrap_or_default());
    let of_thread = server.clone();
    let work = move || {
        let (registry, operation) = (SnsRegistry::new(&of_thread, "us-east-1"), input.action());
        let done = match operation.as_str() {
            "ConfirmSubscription" => registry.confirm_by_token(&input),
            "Unsubscribe" => registry.unsubscribe_by_token(&input),
            _ => Err(CloudWatchProblem::new("UnknownOperationException", "A link confirms or ends a subscription.")),
        };
        done.map(|answer| (operation, answer))
    };
    Ok(Reply::later(async move {
        let done = server.lookups.run(work).await.map_err(CloudWatchProblem::from).and_then(|done| done);
        Ok(Reply::Whole(respond_with(done)))
    }))
}

fn respond_with(done: Result<(String, Value)>) -> Response {
    match done {
        Ok((operation, answer)) => respond(StatusCode::OK, "text/xml", xml_answer(NAMESPACE, &operation, &answer, &[])),
        Err(problem) => refuse(&problem),
    }
}

fn refuse(problem: &CloudWatchProblem) -> Response {
    let (status, kind, message) = problem.parts();
    let known = CODES.iter().find(|(name, ..)| *name == kind).map(|(_, code, status)| (*code, *status));
    let (code, status) = known.unwrap_or((kind, status));
    respond(status, "text/xml", xml_error(NAMESPACE, status, code, message))
}
