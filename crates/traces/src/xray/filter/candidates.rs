//! The condition of spans that leads to all traces which a filter can match.
//!
//! A filter says something about several spans, a plan about one. Of conditions that must all hold the most selective one is taken;
//! what can hold without any span of its own, such as a negation, gives none.

use plan::{Comparison, Expr, balanced};
use types::Value;

use super::{AnnotationTest, Filter, Node, NumberKey, Order, Outcome, TextKey, TextTest};
use crate::plans::{compare, equal, is_present};
use crate::span::field_of_attribute;
use crate::xray::attributes::CALL_NAMES;

/// How few spans fulfil a condition, as far as one can know: more is fewer.
type Selectivity = u8;

/// Returns a condition that a span of each matching trace fulfils; `None` if any trace may match.
pub(crate) fn condition(filter: &Filter) -> Option<Expr> {
    weighed(filter).map(|(_, condition)| condition)
}

fn weighed(filter: &Filter) -> Option<(Selectivity, Expr)> {
    match filter {
        Filter::All(filters) => filters.iter().filter_map(weighed).max_by_key(|(selectivity, _)| *selectivity),
        Filter::Any(filters) => {
            let all: Vec<(Selectivity, Expr)> = filters.iter().map(weighed).collect::<Option<_>>()?;
            let least = all.iter().map(|(selectivity, _)| *selectivity).min()?;
            Some((least, any(all.into_iter().map(|(_, condition)| condition).collect())))
        }
        Filter::Outcome(outcome, true) => Some((1, failed(*outcome)?)),
        Filter::Number(NumberKey::HttpStatus, Order::Equal, status) => {
            Some((2, of_status(Comparison::Equal, Value::Float(*status))))
        }
        Filter::Number(NumberKey::ResponseTime, Order::Greater | Order::GreaterOrEqual, seconds) if *seconds > 0.0 => {
            // Rounding of a duration to nanoseconds must leave out no span.
            let milliseconds = Value::Float((seconds * 1e3 - 1e-6) * (1.0 - 1e-9));
            Some((1, compare("duration_ms", Comparison::GreaterOrEqual, milliseconds)))
        }
        Filter::Text(key, test) => {
            let names = fields_of(*key)?;
            Some((3, any(names.iter().map(|name| text_condition(name, test)).collect())))
        }
        Filter::Annotation(name, test) => {
            let field = field_of_attribute(name);
            let condition = match test {
                AnnotationTest::Text(test) => text_condition(&field, test),
                AnnotationTest::Number(Order::Equal, number) => {
                    compare(&field, Comparison::Equal, Value::Float(*number))
                }
                AnnotationTest::Boolean(is) => compare(&field, Comparison::Equal, Value::Boolean(*is)),
                AnnotationTest::Number(..) => is_present(&field),
            };
            Some((4, condition))
        }
        Filter::Service(node, filter) => of_node(node, filter.as_deref()),
        Filter::Edge(from, to, filter) => of_node(to, filter.as_deref()).or_else(|| of_node(from, None)),
        Filter::Not(_) | Filter::Outcome(..) | Filter::Number(..) => None,
    }
}

/// Returns the condition of a service: its name, else what a segment of it is like.
fn of_node(node: &Node, filter: Option<&Filter>) -> Option<(Selectivity, Expr)> {
    match &node.name {
        Some(name) => {
            let names = ["service", "name"].into_iter().chain(CALL_NAMES);
            Some((3, any(names.map(|field| equal(field, name.as_str())).collect())))
        }
        None => filter.and_then(weighed),
    }
}

/// Returns the condition of a span that can end this way.
fn failed(outcome: Outcome) -> Option<Expr> {
    let flag = |name: &str| compare(name, Comparison::Equal, Value::Boolean(true));
    let failed = |name: &str| {
        any(vec![flag(name), equal("status", "error"), of_status(Comparison::GreaterOrEqual, Value::Integer(400))])
    };
    match outcome {
        Outcome::Ok => None,
        Outcome::Error => Some(failed("aws.xray.error")),
        Outcome::Throttle => Some(failed("aws.xray.throttle")),
        Outcome::Fault => Some(failed("aws.xray.fault")),
        Outcome::Partial => Some(flag("aws.xray.in_progress")),
    }
}

/// Returns a condition on the status of a response. Plans compare texts of digits as numbers.
fn of_status(comparison: Comparison, status: Value) -> Expr {
    let of = |name| compare(name, comparison, status.clone());
    any(vec![of("http.response.status_code"), of("http.status_code")])
}

fn any(conditions: Vec<Expr>) -> Expr {
    balanced(conditions, Expr::Or)
}

fn fields_of(key: TextKey) -> Option<&'static [&'static str]> {
    Some(match key {
        TextKey::HttpUrl => &["url.full", "http.url"],
        TextKey::HttpMethod => &["http.request.method", "http.method"],
        TextKey::HttpUserAgent => &["user_agent.original", "http.user_agent"],
        TextKey::HttpClientIp => &["client.address", "http.client_ip"],
        TextKey::User => &["enduser.id"],
        TextKey::InstanceId => &["host.id"],
        TextKey::AvailabilityZone => &["cloud.availability_zone"],
        TextKey::Name => return None,
    })
}

/// Returns a condition that each value fulfils which fulfils a test.
fn text_condition(name: &str, test: &TextTest) -> Expr {
    match test {
        TextTest::Equal(text) => equal(name, text.as_str()),
        _ => is_present(name),
    }
}
