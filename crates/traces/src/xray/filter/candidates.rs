//! Conditions on spans that lead to all traces that a filter can match.
//!
//! A filter is about several spans, a plan about one. Conditions on a segment itself are about its one span and hold together;
//! others may hold for different spans of the trace. A condition that can hold without any span of its own, such as most
//! negations, is left out.

use std::cmp::Reverse;

use plan::{Comparison, Expr, balanced};
use types::Value;

use super::{AnnotationTest, Filter, Node, NumberKey, Outcome, TextKey, TextTest};
use crate::plans::{compare, equal, is_present};
use crate::span::field_of_attribute;
use crate::xray::attributes::CALL_NAMES;

/// A condition that some span of each matching trace fulfils.
#[derive(Clone, Debug)]
struct Condition {
    /// An estimate of how few spans fulfil it: the higher, the fewer.
    selectivity: u8,
    expr: Expr,
    /// Whether that span is the segment's own; for a trace, that of its root.
    is_own: bool,
}

/// A single condition of at least this selectivity is enough: it leaves few traces.
const SELECTIVITY_ENOUGH: u8 = 5;

/// Conditions of one plan.
const CONDITIONS_MAX: usize = 4;

/// Returns conditions that are each fulfilled by some span of every matching trace; none if any trace may match.
pub(crate) fn conditions(filter: &Filter) -> Vec<Expr> {
    let mut found = match filter {
        Filter::All(filters) => joined(filters.iter().filter_map(condition_of)),
        other => condition_of(other).into_iter().collect(),
    };
    found.sort_by_key(|condition| Reverse(condition.selectivity));
    let is_enough = found.first().is_some_and(|condition| condition.selectivity >= SELECTIVITY_ENOUGH);
    found.truncate(if is_enough { 1 } else { CONDITIONS_MAX });
    found.into_iter().map(|condition| condition.expr).collect()
}

fn own(selectivity: u8, expr: Expr) -> Option<Condition> {
    Some(Condition { selectivity, expr, is_own: true })
}

/// Joins the conditions that are about the same span.
fn joined(conditions: impl Iterator<Item = Condition>) -> Vec<Condition> {
    let (own, mut all): (Vec<Condition>, Vec<Condition>) = conditions.partition(|condition| condition.is_own);
    all.extend(own.into_iter().reduce(|a, b| Condition {
        selectivity: a.selectivity.saturating_add(b.selectivity),
        expr: Expr::And(Box::new(a.expr), Box::new(b.expr)),
        is_own: true,
    }));
    all
}

/// Returns the best of conditions that must all hold.
fn all(conditions: impl Iterator<Item = Condition>) -> Option<Condition> {
    joined(conditions).into_iter().max_by_key(|condition| condition.selectivity)
}

fn condition_of(filter: &Filter) -> Option<Condition> {
    match filter {
        Filter::All(filters) => all(filters.iter().filter_map(condition_of)),
        Filter::Any(filters) => {
            let all: Vec<Condition> = filters.iter().map(condition_of).collect::<Option<_>>()?;
            Some(Condition {
                selectivity: all.iter().map(|condition| condition.selectivity).min()?,
                is_own: all.iter().all(|condition| condition.is_own),
                expr: any(all.into_iter().map(|condition| condition.expr).collect()),
            })
        }
        Filter::Not(filter) => match &**filter {
            Filter::Outcome(outcome, is) => condition_of(&Filter::Outcome(*outcome, !is)),
            _ => None,
        },
        Filter::Outcome(outcome, is) => ended(*outcome, *is),
        Filter::Number(NumberKey::HttpStatus, Comparison::Equal, status) => {
            own(2, of_status(Comparison::Equal, Value::Float(*status)))
        }
        Filter::Number(NumberKey::ResponseTime, Comparison::Greater | Comparison::GreaterOrEqual, seconds)
            if *seconds > 0.0 =>
        {
            // Rounding a duration to nanoseconds must not exclude a span.
            let milliseconds = Value::Float((seconds * 1e3 - 1e-6) * (1.0 - 1e-9));
            own(1, compare("duration_ms", Comparison::GreaterOrEqual, milliseconds))
        }
        Filter::Text(key, test) => {
            let (names, is_own) = fields_of(*key)?;
            Some(Condition {
                selectivity: if matches!(test, TextTest::Equal(_)) { 5 } else { 2 },
                expr: any(names.iter().map(|name| text_condition(name, test)).collect()),
                is_own,
            })
        }
        Filter::Annotation(name, test) => {
            let (selectivity, expr) = annotation_condition(&field_of_attribute(name), test);
            Some(Condition { selectivity, expr, is_own: false })
        }
        Filter::Service(node, filter) => of_node(node, filter.as_deref()),
        Filter::Edge(from, to, filter) => of_node(to, filter.as_deref()).or_else(|| of_node(from, None)),
        Filter::Number(..) => None,
    }
}

fn annotation_condition(field: &str, test: &AnnotationTest) -> (u8, Expr) {
    match test {
        AnnotationTest::Text(test @ TextTest::Equal(_)) => (6, text_condition(field, test)),
        AnnotationTest::Number(Comparison::Equal, number) => {
            (5, compare(field, Comparison::Equal, Value::Float(*number)))
        }
        AnnotationTest::Boolean(is) => (3, compare(field, Comparison::Equal, Value::Boolean(*is))),
        AnnotationTest::Text(_) | AnnotationTest::Number(..) => (3, is_present(field)),
    }
}

/// Returns the condition on a segment: the name of its service, and the filter in braces.
fn of_node(node: &Node, filter: Option<&Filter>) -> Option<Condition> {
    let name = node.name.as_ref().and_then(|name| {
        let names = ["service", "name"].into_iter().chain(CALL_NAMES);
        own(4, any(names.map(|field| equal(field, name.as_str())).collect()))
    });
    let found = all(name.into_iter().chain(filter.and_then(condition_of)));
    // The segment is not the root of the trace.
    found.map(|condition| Condition { is_own: false, ..condition })
}

/// Returns a condition that holds for every segment with an outcome, or without it.
fn ended(outcome: Outcome, is: bool) -> Option<Condition> {
    let flag = |name: &str| compare(name, Comparison::Equal, Value::Boolean(true));
    let bad = || [equal("status", "error"), of_status(Comparison::GreaterOrEqual, Value::Integer(400))].into_iter();
    let failed = |names: &[&str]| own(2, any(names.iter().map(|name| flag(name)).chain(bad()).collect()));
    match (outcome, is) {
        (Outcome::Ok, false) => failed(&["aws.xray.error", "aws.xray.throttle", "aws.xray.fault"]),
        (Outcome::Error, true) => failed(&["aws.xray.error"]),
        (Outcome::Throttle, true) => failed(&["aws.xray.throttle"]),
        (Outcome::Fault, true) => failed(&["aws.xray.fault"]),
        (Outcome::Partial, true) => {
            Some(Condition { selectivity: 3, expr: flag("aws.xray.in_progress"), is_own: false })
        }
        _ => None,
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

/// Returns the fields that have a text, and whether they are those of the segment itself.
fn fields_of(key: TextKey) -> Option<(&'static [&'static str], bool)> {
    Some(match key {
        TextKey::HttpUrl => (&["url.full", "http.url"], true),
        TextKey::HttpMethod => (&["http.request.method", "http.method"], true),
        TextKey::HttpUserAgent => (&["user_agent.original", "http.user_agent"], true),
        TextKey::HttpClientIp => (&["client.address", "http.client_ip"], true),
        TextKey::User => (&["enduser.id"], false),
        TextKey::InstanceId => (&["host.id"], false),
        TextKey::AvailabilityZone => (&["cloud.availability_zone"], false),
        TextKey::Name => return None,
    })
}

/// Returns a condition that holds for every value that passes a test.
fn text_condition(name: &str, test: &TextTest) -> Expr {
    match test {
        TextTest::Equal(text) => equal(name, text.as_str()),
        _ => is_present(name),
    }
}
