//! Traces as rows, and the evaluation of filters over them, written as plainly as possible.

use plan::{Comparison, Expr, Name};
use proptest::prelude::*;
use types::{Timestamp, Value};

use crate::read::Trace;
use crate::span::Span;
use crate::tree::Tree;
use crate::xray::filter::{AnnotationTest, Filter, Node, NumberKey, Outcome, TextKey, TextTest};

/// The names of services and users.
pub(super) const WORDS: [&str; 4] = ["api", "pay", "a\"b", "7"];

/// A segment in its plainest form: a service that was called by another, and its only span.
#[derive(Clone, Debug)]
pub(super) struct Row {
    service: usize,
    /// The row of the caller, before this one.
    caller: Option<usize>,
    /// Whether the caller has a span for the call.
    is_through: bool,
    seconds: i64,
    status: Option<i64>,
    is_failed: bool,
    is_open: bool,
    user: Option<usize>,
    annotation: Option<Value>,
    /// The target that it calls without an answer.
    calls: Option<usize>,
}

pub(super) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        (0..WORDS.len(), any::<prop::sample::Index>(), any::<bool>(), 0..4_i64),
        prop::option::of(prop::sample::select(vec![200_i64, 404, 429, 503])),
        (any::<bool>(), prop::bool::weighted(0.1)),
        prop::option::of(0..WORDS.len()),
        prop::option::of(prop_oneof![
            Just(Value::Integer(7)),
            Just(Value::Float(3.5)),
            Just(Value::text("api")),
            Just(Value::Boolean(true))
        ]),
        prop::option::weighted(0.3, 0..WORDS.len()),
    );
    prop::collection::vec(row, 1..5).prop_map(|rows| {
        let row = |(
            index,
            ((service, caller, is_through, seconds), status, (is_failed, is_open), user, annotation, calls),
        ): (usize, (_, _, _, _, _, _))| {
            let caller: prop::sample::Index = caller;
            let caller = (index > 0).then(|| caller.index(index.max(1)));
            Row { service, caller, is_through, seconds, status, is_failed, is_open, user, annotation, calls }
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

pub(super) fn trace(rows: &[Row]) -> Trace {
    let id = |n: usize| Value::text(format!("{:016x}", n + 1));
    let span = |n: usize, second: usize, fields: Vec<(&str, Value)>| {
        let mut all = vec![
            (Name::from("trace_id"), Value::text("0".repeat(31) + "1")),
            (Name::from("span_id"), id(n)),
            (Name::from("@timestamp"), Value::Timestamp(Timestamp(second as i64 * Timestamp::SECOND))),
        ];
        all.extend(fields.into_iter().map(|(name, value)| (Name::from(name), value)));
        Span::of_event(all)
    };
    let mut spans = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let mut fields = vec![
            ("service", Value::text(WORDS[row.service])),
            ("kind", Value::text("server")),
            ("duration_ms", Value::Integer(row.seconds * 1_000)),
            ("status", Value::text(if row.is_failed { "error" } else { "unset" })),
        ];
        if let Some(caller) = row.caller {
            let call = 2 * rows.len() + index;
            fields.push(("parent_span_id", id(if row.is_through { call } else { caller })));
            let of_call = vec![
                ("parent_span_id", id(caller)),
                ("service", Value::text(WORDS[rows[caller].service])),
                ("kind", Value::text("client")),
                ("peer.service", Value::text(WORDS[(row.service + 1) % WORDS.len()])),
            ];
            spans.extend(row.is_through.then(|| span(call, index, of_call)));
        }
        fields.extend(row.status.map(|status| ("http.response.status_code", Value::Integer(status))));
        fields.extend(row.is_open.then_some(("aws.xray.in_progress", Value::Boolean(true))));
        fields.extend(row.user.map(|user| ("enduser.id", Value::text(WORDS[user]))));
        fields.push(("url.full", Value::text(format!("/{}", WORDS[row.service]))));
        if let Some(value) = &row.annotation {
            fields.push(("attributes.kind", value.clone()));
            fields.push(("k", value.clone()));
            let names = vec![Some(Value::text("k")), Some(Value::text("kind"))];
            fields.push(("aws.xray.annotations", Value::List(names.into())));
        }
        spans.push(span(index, index, fields));
    }
    for (index, row) in rows.iter().enumerate() {
        if let Some(called) = row.calls {
            let fields = vec![
                ("parent_span_id", id(index)),
                ("service", Value::text(WORDS[row.service])),
                ("kind", Value::text("client")),
                ("duration_ms", Value::Integer(500)),
                ("peer.service", Value::text(WORDS[called])),
            ];
            spans.push(span(rows.len() + index, rows.len() + index, fields));
        }
    }
    let tree = Tree::of(&spans);
    Trace { spans, tree, ..Trace::default() }
}

/// A segment of the rows: its service, that of its caller, and its row unless it is inferred.
pub(super) struct Plain<'r> {
    service: &'static str,
    caller: Option<&'static str>,
    row: Option<&'r Row>,
}

/// Returns the segments of rows, then the inferred ones.
fn plains<'r>(rows: &'r [Row]) -> Vec<Plain<'r>> {
    let of_row = |row: &'r Row| {
        let caller = row.caller.map(|caller| WORDS[rows[caller].service]);
        Plain { service: WORDS[row.service], caller, row: Some(row) }
    };
    let inferred = |row: &Row| Some(Plain { service: WORDS[row.calls?], caller: Some(WORDS[row.service]), row: None });
    rows.iter().map(of_row).chain(rows.iter().filter_map(inferred)).collect()
}

/// Reports whether a node means a segment. Only inferred ones have a type.
fn is(node: &Node, plain: &Plain<'_>) -> bool {
    node.name.as_ref().is_none_or(|name| name == plain.service)
        && node.kind.as_ref().is_none_or(|kind| plain.row.is_none() && kind == "remote")
}

fn text(found: &str, test: &TextTest) -> bool {
    match test {
        TextTest::Equal(text) => found == text,
        TextTest::NotEqual(text) => found != text,
        TextTest::Contains(text) => found.contains(&**text),
        TextTest::BeginsWith(text) => found.starts_with(&**text),
        TextTest::EndsWith(text) => found.ends_with(&**text),
    }
}

fn number(found: f64, order: Comparison, value: f64) -> bool {
    match order {
        Comparison::Equal => found == value,
        Comparison::NotEqual => found != value,
        Comparison::Less => found < value,
        Comparison::LessOrEqual => found <= value,
        Comparison::Greater => found > value,
        Comparison::GreaterOrEqual => found >= value,
    }
}

fn annotated(row: &Row, test: &AnnotationTest) -> bool {
    match (&row.annotation, test) {
        (Some(_), AnnotationTest::Text(TextTest::Contains(empty))) if empty.is_empty() => true,
        (Some(Value::String(found)), AnnotationTest::Text(test)) => text(found, test),
        (Some(Value::Integer(found)), AnnotationTest::Number(order, value)) => number(*found as f64, *order, *value),
        (Some(Value::Float(found)), AnnotationTest::Number(order, value)) => number(*found, *order, *value),
        (Some(Value::Boolean(found)), AnnotationTest::Boolean(is)) => found == is,
        _ => false,
    }
}

/// Returns the seconds until the last row and the last call end.
fn last_end(rows: &[Row]) -> f64 {
    let end = |(index, row): (usize, &Row)| {
        let call = row.calls.map_or(0.0, |_| (rows.len() + index) as f64 + 0.5);
        call.max(index as f64 + row.seconds as f64)
    };
    rows.iter().enumerate().map(end).fold(0.0, f64::max)
}

/// Evaluates a filter over rows, word by word of its description.
pub(super) fn plainly(filter: &Filter, rows: &[Row], one: Option<&Plain<'_>>) -> bool {
    let within = |plain: &Plain<'_>, filter: &Option<Box<Filter>>| {
        filter.as_ref().is_none_or(|filter| plainly(filter, rows, Some(plain)))
    };
    // An inferred segment has no row, and nothing but its name and its half second.
    let main = one.map_or(Some(&rows[0]), |plain| plain.row);
    let status = main.and_then(|row| row.status);
    let (is_error, is_fault) = match status {
        Some(400..500) => (true, false),
        Some(500..600) => (false, true),
        _ => (false, main.is_some_and(|row| row.is_failed)),
    };
    let some: Vec<&Row> = one.map_or(rows.iter().collect(), |plain| plain.row.into_iter().collect());
    match filter {
        Filter::All(filters) => filters.iter().all(|filter| plainly(filter, rows, one)),
        Filter::Any(filters) => filters.iter().any(|filter| plainly(filter, rows, one)),
        Filter::Not(filter) => !plainly(filter, rows, one),
        Filter::Outcome(Outcome::Ok, expected) => (!is_error && !is_fault) == *expected,
        Filter::Outcome(Outcome::Error, expected) => is_error == *expected,
        Filter::Outcome(Outcome::Fault, expected) => is_fault == *expected,
        Filter::Outcome(Outcome::Throttle, expected) => (status == Some(429)) == *expected,
        Filter::Outcome(Outcome::Partial, expected) => some.iter().any(|row| row.is_open) == *expected,
        Filter::Number(NumberKey::HttpStatus, order, value) => {
            status.is_some_and(|status| number(status as f64, *order, *value))
        }
        Filter::Number(NumberKey::Duration, order, value) if one.is_none() => number(last_end(rows), *order, *value),
        Filter::Number(_, order, value) => number(main.map_or(0.5, |row| row.seconds as f64), *order, *value),
        Filter::Text(TextKey::HttpUrl, test) => main.is_some_and(|row| text(&format!("/{}", WORDS[row.service]), test)),
        Filter::Text(TextKey::User, test) => {
            some.iter().any(|row| row.user.is_some_and(|user| text(WORDS[user], test)))
        }
        Filter::Text(_, test) => match one {
            Some(plain) => text(plain.service, test),
            None => plains(rows).iter().any(|plain| text(plain.service, test)),
        },
        Filter::Annotation(_, test) => some.iter().any(|row| annotated(row, test)),
        Filter::Service(node, filter) => plains(rows).iter().any(|plain| is(node, plain) && within(plain, filter)),
        Filter::Edge(from, to, filter) => plains(rows).iter().any(|plain| {
            let is_from = plain.caller.is_some_and(|caller| from.name.as_deref().is_none_or(|name| name == caller));
            is_from && from.kind.is_none() && is(to, plain) && within(plain, filter)
        }),
    }
}

/// Evaluates the condition of a plan over a span, as far as conditions of candidates go.
pub(super) fn holds(condition: &Expr, span: &Span) -> bool {
    let value = |expr: &Expr| match expr {
        Expr::Field(name) => span.field(name).cloned(),
        Expr::Literal(value) => value.clone(),
        other => panic!("{other:?}"),
    };
    match condition {
        Expr::Or(a, b) => holds(a, span) || holds(b, span),
        Expr::And(a, b) => holds(a, span) && holds(b, span),
        Expr::Call(plan::function::Function::IsPresent, arguments) => value(&arguments[0]).is_some(),
        Expr::Compare(comparison, a, b) => {
            let (Some(a), Some(b)) = (value(a), value(b)) else { return false };
            match (comparison, crate::span::number(&a), crate::span::number(&b)) {
                (Comparison::Equal, Some(a), Some(b)) => a == b,
                (Comparison::GreaterOrEqual, Some(a), Some(b)) => a >= b,
                (Comparison::Equal, ..) => a.to_string() == b.to_string(),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}
