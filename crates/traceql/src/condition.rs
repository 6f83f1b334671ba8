//! Conditions of spans as expressions of a plan.
//!
//! A plan compares texts that read as numbers as numbers, and anything else as text; TraceQL never compares values of
//! different types. So the type is tested wherever the two could differ. What a plan cannot express becomes a condition
//! that holds for at least the same spans.

use std::sync::Arc;

use plan::each::each;
use plan::{Comparison, Expr, Function, Name, Number, Span, TextPattern, TypedFunction, not};
use regex::Regex;
use types::{Value, write_json_string};

use crate::datum::{Datum, compare};
use crate::evaluate::{constant_truth, datum_of};
use crate::field::{Field, Intrinsic, Members, Scope};
use crate::literal::Literal;
use crate::span_view::{DURATION_FIELD, PARENT_FIELD, stored_field};
use crate::syntax::{BinaryOperator, Expression, ExpressionKind, Pattern};

/// Nanoseconds up to which a duration in milliseconds gives back each whole one.
const EXACT_NS_MAX: i64 = 1 << 53;

/// A condition of a plan.
#[derive(Clone, Debug)]
pub(crate) struct SpanCondition {
    /// Holds for every span that the query's condition holds for.
    pub(crate) expr: Expr,
    /// The part of the query that makes it hold for other spans too.
    pub(crate) inexact: Option<Span>,
}

impl SpanCondition {
    fn exact(expr: Expr) -> Self {
        Self { expr, inexact: None }
    }

    fn wider(expr: Expr, span: Span) -> Self {
        Self { expr, inexact: Some(span) }
    }
}

pub(crate) fn truth(value: bool) -> Expr {
    Expr::Literal(Some(Value::Boolean(value)))
}

pub(crate) fn is_true(condition: &Expr) -> bool {
    matches!(condition, Expr::Literal(Some(Value::Boolean(true))))
}

pub(crate) fn and(left: Expr, right: Expr) -> Expr {
    match (is_true(&left), is_true(&right)) {
        (true, _) => right,
        (_, true) => left,
        _ => Expr::And(Box::new(left), Box::new(right)),
    }
}

pub(crate) fn or(left: Expr, right: Expr) -> Expr {
    let holds_always = is_true(&left) || is_true(&right);
    if holds_always { truth(true) } else { Expr::Or(Box::new(left), Box::new(right)) }
}

pub(crate) fn field(name: &str) -> Expr {
    Expr::Field(name.into())
}

pub(crate) fn is_present(expr: Expr) -> Expr {
    Expr::Call(Function::IsPresent, vec![expr])
}

/// Returns the condition that a value is a number, and no text that reads as one.
pub(crate) fn is_number(expr: Expr) -> Expr {
    is_present(Expr::Call(Function::Typed(TypedFunction::Sign), vec![expr]))
}

fn compared(comparison: Comparison, left: Expr, right: Value) -> Expr {
    Expr::Compare(comparison, Box::new(left), Box::new(Expr::Literal(Some(right))))
}

/// Returns the condition of a selection.
pub(crate) fn selection(expression: &Expression) -> SpanCondition {
    let mut found = condition(expression);
    let mut n_of_members = 0;
    expression.visit_fields(&mut |field| n_of_members += usize::from(field.members().is_some()));
    // Several conditions are about the same event; a plan finds one event for each.
    if n_of_members > 1 {
        found.inexact = found.inexact.or(Some(expression.span));
    }
    found
}

fn condition(expression: &Expression) -> SpanCondition {
    let span = expression.span;
    match &expression.kind {
        ExpressionKind::Literal(literal) => SpanCondition::exact(truth(*literal == Literal::Boolean(true))),
        ExpressionKind::Field(asked) => match stored_field(asked) {
            Some(name) => SpanCondition::exact(field(&name)),
            None => unstored(asked, span),
        },
        ExpressionKind::Negate(_) => SpanCondition::exact(truth(false)),
        ExpressionKind::Not(inner) => negated(inner, span),
        ExpressionKind::Exists(value, is_there) => existence(value, *is_there, span),
        ExpressionKind::Match(text, pattern, is_negated) => match &text.kind {
            ExpressionKind::Field(asked) => matched(asked, pattern, *is_negated, span),
            _ => folded(expression, &[text]),
        },
        ExpressionKind::Binary(operator @ (BinaryOperator::And | BinaryOperator::Or), left, right) => {
            let (left, right) = (condition(left), condition(right));
            let join = if *operator == BinaryOperator::And { and } else { or };
            SpanCondition { expr: join(left.expr, right.expr), inexact: left.inexact.or(right.inexact) }
        }
        ExpressionKind::Binary(BinaryOperator::Compare(comparison), left, right) => match (&left.kind, &right.kind) {
            (ExpressionKind::Field(asked), ExpressionKind::Literal(literal)) => {
                comparison_of(*comparison, asked, literal, span)
            }
            (ExpressionKind::Literal(literal), ExpressionKind::Field(asked)) => {
                comparison_of(comparison.swapped(), asked, literal, span)
            }
            _ => folded(expression, &[left, right]),
        },
        ExpressionKind::Binary(BinaryOperator::Arithmetic(_), ..) => SpanCondition::exact(truth(false)),
    }
}

/// Returns the value of a condition without fields, else the condition that all fields of its computed sides have values.
fn folded(condition: &Expression, sides: &[&Expression]) -> SpanCondition {
    if let Some(holds) = constant_truth(condition) {
        return SpanCondition::exact(truth(holds));
    }
    let mut all = truth(true);
    for side in sides.iter().filter(|side| is_computed(side)) {
        side.visit_fields(&mut |asked| {
            if let Some(name) = stored_field(asked) {
                all = and(all.clone(), is_present(field(&name)));
            }
        });
    }
    SpanCondition::wider(all, condition.span)
}

/// Reports whether an expression is missing where one of its fields is. A comparison is false there, and not missing.
fn is_computed(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Literal(_) | ExpressionKind::Field(_) => true,
        ExpressionKind::Negate(inner) => is_computed(inner),
        ExpressionKind::Binary(BinaryOperator::Arithmetic(_), left, right) => is_computed(left) && is_computed(right),
        _ => false,
    }
}

/// Returns the condition of a field that is not stored in a field of the event.
fn unstored(asked: &Field, span: Span) -> SpanCondition {
    match (asked, asked.members()) {
        (Field::Parent(_), _) => SpanCondition::wider(is_present(field(PARENT_FIELD)), span),
        (_, Some(members)) => SpanCondition::wider(is_present(field(list_of(members))), span),
        (_, None) => SpanCondition::wider(truth(true), span),
    }
}

fn list_of(members: Members) -> &'static str {
    match members {
        Members::Events => "events",
        Members::Links => "links",
    }
}

fn negated(inner: &Expression, span: Span) -> SpanCondition {
    let mut is_of_members = false;
    inner.visit_fields(&mut |field| is_of_members |= field.members().is_some());
    match &inner.kind {
        ExpressionKind::Not(twice) => return condition(twice),
        // A value that is not a boolean has no opposite.
        ExpressionKind::Field(asked) => {
            return match stored_field(asked) {
                Some(name) => SpanCondition::exact(json_is(field(&name), "false")),
                None => unstored(asked, span),
            };
        }
        _ => {}
    }
    let found = condition(inner);
    match found.inexact.or(is_of_members.then_some(span)) {
        // The opposite of a condition that holds for too many spans holds for too few.
        Some(_) => SpanCondition::wider(truth(true), span),
        None => SpanCondition::exact(not(found.expr)),
    }
}

fn existence(value: &Expression, is_there: bool, span: Span) -> SpanCondition {
    let ExpressionKind::Field(asked) = &value.kind else {
        return SpanCondition::wider(truth(true), span);
    };
    match (stored_field(asked), is_there) {
        (Some(name), true) => SpanCondition::exact(is_present(field(&name))),
        (Some(name), false) => SpanCondition::exact(not(is_present(field(&name)))),
        (None, true) => unstored(asked, span),
        (None, false) => SpanCondition::wider(truth(true), span),
    }
}

/// Where the values of a field are.
enum Place {
    /// A field of the event, which may hold a list.
    Field(Arc<str>),
    /// A part of each event or link of the span.
    Member(String),
}

impl Place {
    fn of(asked: &Field) -> Option<Self> {
        let part = |list: &str, name: &str| Some(Self::Member(format!("{list}.{name}")));
        match asked {
            Field::Intrinsic(Intrinsic::EventName) => part("events", "name"),
            Field::Intrinsic(Intrinsic::LinkTraceId) => part("links", "trace_id"),
            Field::Intrinsic(Intrinsic::LinkSpanId) => part("links", "span_id"),
            Field::Attribute { scope: Scope::Event, name } => part("events.attributes", name),
            Field::Attribute { scope: Scope::Link, name } => part("links.attributes", name),
            _ => stored_field(asked).map(Self::Field),
        }
    }

    /// Returns the condition that `inner`, a condition of the field, holds for one of its values.
    fn one(&self, inner: impl FnOnce(Expr) -> Expr) -> Expr {
        match self {
            // Lists above a field are not values of it: `a.b` is not in the elements of `a`.
            Self::Field(name) => Expr::Call(Function::Each, vec![field(name), inner(field(name))]),
            Self::Member(path) => each(&Name::from(path.as_str()), inner(field(path))),
        }
    }
}

/// Returns a condition that one value is enough for, as with `=`; with `!=`, its opposite among values of the same type.
fn of_values(
    place: &Place,
    is_negated: bool,
    span: Span,
    holds: impl Fn(Expr) -> Expr,
    is_of_type: impl Fn(Expr) -> Expr,
) -> SpanCondition {
    match (is_negated, place) {
        (false, _) => SpanCondition::exact(place.one(holds)),
        (true, Place::Field(_)) => SpanCondition::exact(and(place.one(is_of_type), not(place.one(holds)))),
        (true, Place::Member(_)) => {
            SpanCondition::wider(place.one(|value| and(is_of_type(value.clone()), not(holds(value)))), span)
        }
    }
}

fn matched(asked: &Field, pattern: &Pattern, is_negated: bool, span: Span) -> SpanCondition {
    let Some(place) = Place::of(asked) else { return unstored(asked, span) };
    let matches = |value: Expr| Expr::Match(Box::new(value), TextPattern::Regex(pattern.regex.clone()));
    match has_texts_only(asked) {
        true => of_values(&place, is_negated, span, matches, is_present),
        false => of_values(&place, is_negated, span, |value| and(matches(value.clone()), is_text(value)), is_text),
    }
}

/// Reports whether a field is always a text, so that its type need not be tested.
fn has_texts_only(asked: &Field) -> bool {
    matches!(asked, Field::Intrinsic(_)) || stored_field(asked).is_some_and(|name| *name == *"service")
}

fn comparison_of(comparison: Comparison, asked: &Field, literal: &Literal, span: Span) -> SpanCondition {
    match asked {
        Field::Intrinsic(Intrinsic::Duration) => return of_duration(comparison, literal, span),
        Field::Intrinsic(Intrinsic::NestedSetParent) => return of_parent(comparison, literal, span),
        _ => {}
    }
    let Some(place) = Place::of(asked) else { return unstored(asked, span) };
    let is_negated = comparison == Comparison::NotEqual;
    let positive = if is_negated { Comparison::Equal } else { comparison };
    match literal {
        Literal::Integer(_) | Literal::Float(_) | Literal::Duration(_) => {
            let number = match literal {
                Literal::Float(number) => Value::Float(*number),
                Literal::Integer(number) | Literal::Duration(number) => Value::Integer(*number),
                _ => return unstored(asked, span),
            };
            let holds = |value: Expr| and(compared(positive, value.clone(), number.clone()), is_number(value));
            of_values(&place, is_negated, span, holds, is_number)
        }
        Literal::Boolean(true) => of_values(&place, is_negated, span, |value| value, is_boolean),
        Literal::Boolean(false) => of_values(&place, is_negated, span, |value| json_is(value, "false"), is_boolean),
        Literal::Status(word) | Literal::Kind(word) => {
            let is_status = matches!(literal, Literal::Status(_));
            let fits = if is_status { Intrinsic::Status } else { Intrinsic::Kind };
            // An attribute is a text and never a status.
            match *asked == Field::Intrinsic(fits) {
                true => of_values(&place, is_negated, span, |value| text_is(value, word), is_present),
                false => SpanCondition::exact(truth(false)),
            }
        }
        Literal::Text(text) if positive == Comparison::Equal => match has_texts_only(asked) {
            true => of_values(&place, is_negated, span, |value| text_is(value, text), is_present),
            false => of_values(&place, is_negated, span, |value| text_is(value, text), is_text),
        },
        Literal::Text(text) => {
            let holds = |value: Expr| {
                let sides = vec![value.clone(), Expr::Literal(Some(Value::text(text.as_str())))];
                let order = Expr::Call(Function::Typed(TypedFunction::CompareTexts), sides);
                and(is_text(value), compared(comparison, order, Value::Integer(0)))
            };
            SpanCondition::exact(place.one(holds))
        }
    }
}

/// Returns the condition that a value is a text, and this one.
fn text_is(value: Expr, text: &str) -> Expr {
    let equal = compared(Comparison::Equal, value.clone(), Value::text(text));
    // Other values are equal to such a text as well: the number, or the same number in another notation.
    if Number::read(text).is_none() && !matches!(text, "true" | "false") && !text.starts_with(['[', '{']) {
        return equal;
    }
    let mut json = String::new();
    write_json_string(text, &mut json);
    and(equal, json_is(value, &json))
}

fn json(value: Expr) -> Expr {
    Expr::Call(Function::JsonStringify, vec![value])
}

fn json_is(value: Expr, text: &str) -> Expr {
    compared(Comparison::Equal, json(value), Value::text(text))
}

fn json_matches(value: Expr, pattern: &str) -> Expr {
    match Regex::new(pattern) {
        Ok(regex) => Expr::Match(Box::new(json(value)), TextPattern::Regex(regex)),
        Err(_) => truth(false),
    }
}

fn is_text(value: Expr) -> Expr {
    json_matches(value, "^\"")
}

fn is_boolean(value: Expr) -> Expr {
    json_matches(value, "^(?:true|false)$")
}

/// Compares the duration, which is stored in milliseconds.
fn of_duration(comparison: Comparison, literal: &Literal, span: Span) -> SpanCondition {
    let whole = match literal {
        Literal::Integer(number) | Literal::Duration(number) => Some(*number),
        Literal::Float(number) if number.fract() == 0.0 && number.abs() < EXACT_NS_MAX as f64 => Some(*number as i64),
        _ => None,
    };
    match whole.filter(|number| number.unsigned_abs() < EXACT_NS_MAX.unsigned_abs()) {
        Some(number) => {
            SpanCondition::exact(compared(comparison, field(DURATION_FIELD), Value::Float(number as f64 / 1e6)))
        }
        None => SpanCondition::wider(truth(true), span),
    }
}

/// Compares the number of the parent: -1 for a root, which is how queries find roots; at least 0 for others.
fn of_parent(comparison: Comparison, literal: &Literal, span: Span) -> SpanCondition {
    let holds = |number: i64| compare(comparison, Datum::Integer(number), datum_of(literal));
    let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let is_negative = compare(Comparison::Less, datum_of(literal), Datum::Integer(0));
    let of_others = (holds(0) == holds(i64::MAX) && (!is_equality || is_negative)).then(|| holds(0));
    let has_parent = || is_present(field(PARENT_FIELD));
    match (holds(-1), of_others) {
        (for_roots, Some(for_others)) if for_roots == for_others => SpanCondition::exact(truth(for_roots)),
        (true, Some(_)) => SpanCondition::exact(not(has_parent())),
        (false, Some(_)) => SpanCondition::exact(has_parent()),
        (true, None) => SpanCondition::wider(truth(true), span),
        (false, None) => SpanCondition::wider(has_parent(), span),
    }
}
