//! Evaluates expressions of the fields of a span.
//!
//! Within one selection all conditions about events are about the same event, and likewise for links: a selection holds for
//! a span if it holds for one of its events, or without any if it has none. Only `= nil` is about all of them. Elsewhere
//! (`by`, aggregates, answers) a field of events has the value of the first one that has any.

use plan::ArithmeticOperator;
use types::path::dig;
use types::{Timestamp, Value};

use crate::datum::{Datum, any_element, compare, compute};
use crate::field::{Field, Intrinsic, Members, Scope};
use crate::literal::Literal;
use crate::span_view::{member_part, stored_field};
use crate::syntax::{BinaryOperator, Expression, ExpressionKind};
use crate::trace::Trace;

/// A span, and one of its events or links.
#[derive(Clone, Copy)]
struct Subject<'t> {
    trace: &'t Trace<'t>,
    place: u32,
    member: Option<&'t Value>,
}

/// A condition of the spans of a trace.
pub(crate) struct Condition<'e> {
    expression: &'e Expression,
    members: Option<Members>,
}

impl<'e> Condition<'e> {
    pub(crate) fn new(expression: &'e Expression) -> Self {
        Self { expression, members: members_of(expression) }
    }

    /// Reports whether the condition holds for a span.
    pub(crate) fn holds(&self, trace: &Trace<'_>, place: u32) -> bool {
        let subject = Subject { trace, place, member: None };
        let members = self.members.map_or(&[][..], |members| trace.spans[place as usize].members(members));
        if members.is_empty() {
            return evaluate(self.expression, subject).is_true();
        }
        members.iter().any(|member| evaluate(self.expression, Subject { member: member.as_ref(), ..subject }).is_true())
    }
}

/// Returns the value of an expression for a span.
pub(crate) fn value<'t>(expression: &'t Expression, trace: &'t Trace<'t>, place: u32) -> Datum<'t> {
    first_value(members_of(expression), trace, place, |subject| evaluate(expression, subject))
}

/// Returns the value of a field for a span.
pub(crate) fn field_value<'t>(field: &Field, trace: &'t Trace<'t>, place: u32) -> Datum<'t> {
    first_value(field.members(), trace, place, |subject| read(field, subject))
}

/// Returns the list that fields of an expression belong to; in a checked query an expression has at most one.
fn members_of(expression: &Expression) -> Option<Members> {
    let mut members = None;
    expression.visit_fields(&mut |field| members = members.or(field.members()));
    members
}

fn first_value<'t>(
    members: Option<Members>,
    trace: &'t Trace<'t>,
    place: u32,
    value: impl Fn(Subject<'t>) -> Datum<'t>,
) -> Datum<'t> {
    let subject = Subject { trace, place, member: None };
    let Some(members) = members else { return value(subject) };
    let members = trace.spans[place as usize].members(members).iter().flatten();
    let mut values = members.map(|member| value(Subject { member: Some(member), ..subject }));
    values.find(|value| *value != Datum::Nil).unwrap_or(Datum::Nil)
}

/// Returns the number or duration of an expression without fields.
pub(crate) fn constant(expression: &Expression) -> Option<Literal> {
    without_fields(expression, |value| match value {
        Datum::Integer(number) => Some(Literal::Integer(number)),
        Datum::Float(number) => Some(Literal::Float(number)),
        Datum::Duration(length) => Some(Literal::Duration(length)),
        _ => None,
    })?
}

/// Reports whether a condition without fields holds; `None` for a condition with fields.
pub(crate) fn constant_truth(expression: &Expression) -> Option<bool> {
    without_fields(expression, |value| value.is_true())
}

fn without_fields<T>(expression: &Expression, take: impl Fn(Datum<'_>) -> T) -> Option<T> {
    let mut has_fields = false;
    expression.visit_fields(&mut |_| has_fields = true);
    let trace = Trace::new(&[]);
    (!has_fields).then(|| take(evaluate(expression, Subject { trace: &trace, place: 0, member: None })))
}

/// Returns the value of a constant.
pub(crate) fn datum_of(literal: &Literal) -> Datum<'_> {
    match literal {
        Literal::Integer(number) => Datum::Integer(*number),
        Literal::Float(number) => Datum::Float(*number),
        Literal::Duration(length) => Datum::Duration(*length),
        Literal::Text(text) => Datum::Text(text),
        Literal::Boolean(truth) => Datum::Boolean(*truth),
        Literal::Status(word) => Datum::Status(word),
        Literal::Kind(word) => Datum::Kind(word),
    }
}

fn evaluate<'t>(expression: &'t Expression, subject: Subject<'t>) -> Datum<'t> {
    match &expression.kind {
        ExpressionKind::Literal(literal) => datum_of(literal),
        ExpressionKind::Field(field) => read(field, subject),
        ExpressionKind::Negate(inner) => match evaluate(inner, subject) {
            Datum::Duration(length) => length.checked_neg().map_or(Datum::Nil, Datum::Duration),
            value => compute(ArithmeticOperator::Subtract, Datum::Integer(0), value),
        },
        ExpressionKind::Not(inner) => match evaluate(inner, subject) {
            Datum::Boolean(truth) => Datum::Boolean(!truth),
            _ => Datum::Nil,
        },
        ExpressionKind::Match(text, pattern, is_negated) => {
            let mut matches = |element: Datum<'_>| matches!(element, Datum::Text(text) if pattern.regex.is_match(text));
            Datum::Boolean(match evaluate(text, subject) {
                Datum::List(items) if *is_negated => {
                    let has_texts = any_element(items, &mut |element| matches!(element, Datum::Text(_)));
                    has_texts && !any_element(items, &mut matches)
                }
                Datum::List(items) => any_element(items, &mut matches),
                text @ Datum::Text(_) => matches(text) != *is_negated,
                _ => false,
            })
        }
        ExpressionKind::Exists(value, is_there) => Datum::Boolean(exists(value, subject, *is_there) == *is_there),
        ExpressionKind::Binary(operator, left, right) => binary(*operator, left, right, subject),
    }
}

fn binary<'t>(
    operator: BinaryOperator,
    left: &'t Expression,
    right: &'t Expression,
    subject: Subject<'t>,
) -> Datum<'t> {
    let left = evaluate(left, subject);
    match operator {
        BinaryOperator::And => Datum::Boolean(left.is_true() && evaluate(right, subject).is_true()),
        BinaryOperator::Or => Datum::Boolean(left.is_true() || evaluate(right, subject).is_true()),
        BinaryOperator::Compare(comparison) => Datum::Boolean(compare(comparison, left, evaluate(right, subject))),
        BinaryOperator::Arithmetic(operator) => compute(operator, left, evaluate(right, subject)),
    }
}

/// Reports whether a value is present; for `= nil`, whether it is in any event or link.
fn exists<'t>(value: &'t Expression, subject: Subject<'t>, is_there: bool) -> bool {
    let is_present = |subject| evaluate(value, subject) != Datum::Nil;
    let members = match &value.kind {
        ExpressionKind::Field(field) if !is_there => field.members(),
        _ => None,
    };
    match members {
        Some(members) => {
            let members = subject.trace.spans[subject.place as usize].members(members);
            members.iter().any(|member| is_present(Subject { member: member.as_ref(), ..subject }))
        }
        None => is_present(subject),
    }
}

fn read<'t>(field: &Field, subject: Subject<'t>) -> Datum<'t> {
    let Subject { trace, place, member } = subject;
    let span = &trace.spans[place as usize];
    let intrinsic = match field {
        Field::Intrinsic(intrinsic) => intrinsic,
        Field::Attribute { .. } => return attribute(field, subject),
        Field::Parent(of_parent) => {
            let parent = trace.parent(place);
            return parent.map_or(Datum::Nil, |place| read(of_parent, Subject { trace, place, member: None }));
        }
    };
    let part = |name: &str| Datum::of(member.and_then(|member| member_part(member, name)));
    let text = |name: &str| span.text(name);
    match intrinsic {
        Intrinsic::Duration => Datum::Duration(span.duration_ns()),
        Intrinsic::Status => text("status").map_or(Datum::Nil, Datum::Status),
        Intrinsic::Kind => text("kind").map_or(Datum::Nil, Datum::Kind),
        Intrinsic::ChildCount => Datum::Integer(trace.n_children(place).into()),
        Intrinsic::TraceDuration => Datum::Duration(trace.duration_ns),
        Intrinsic::RootName => trace.root().and_then(|root| root.text("name")).map_or(Datum::Nil, Datum::Text),
        Intrinsic::RootService => trace.root().and_then(|root| root.text("service")).map_or(Datum::Nil, Datum::Text),
        Intrinsic::EventName => part("name"),
        Intrinsic::EventTimeSinceStart => match part("timestamp") {
            Datum::Text(time) => Timestamp::parse_rfc3339(time)
                .and_then(|time| time.0.checked_sub(span.start.0))
                .map_or(Datum::Nil, Datum::Duration),
            _ => Datum::Nil,
        },
        Intrinsic::LinkTraceId => part("trace_id"),
        Intrinsic::LinkSpanId => part("span_id"),
        Intrinsic::NestedSetLeft => Datum::Integer(trace.left(place).into()),
        Intrinsic::NestedSetRight => Datum::Integer(trace.right(place).into()),
        Intrinsic::NestedSetParent => Datum::Integer(trace.parent_number(place)),
        _ => attribute(field, subject),
    }
}

/// Reads a field that is stored as it is.
fn attribute<'t>(field: &Field, subject: Subject<'t>) -> Datum<'t> {
    if let Field::Attribute { scope: Scope::Event | Scope::Link, name } = field {
        let attributes = subject.member.and_then(|member| member_part(member, "attributes"));
        return Datum::of(attributes.and_then(|attributes| dig(attributes, name)));
    }
    let span = &subject.trace.spans[subject.place as usize];
    match stored_field(field) {
        Some(name) => match span.path(&name) {
            None if span.has_below(&name) => Datum::Object,
            value => Datum::of(value),
        },
        None => Datum::Nil,
    }
}
