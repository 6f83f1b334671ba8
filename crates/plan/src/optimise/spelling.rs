//! One spelling for what can be said in several ways, so that none of them costs more than another.
//!
//! `strcontains(f, "x")` and `f like /x/` become `f like "x"`, `f in ["x"]` becomes `f = "x"`, what every event has needs
//! no test, and `sum(1)`, or `count(f)` of a field that a filter asked for, become `count(*)`.

use regex::Regex;
use regex_syntax::hir::HirKind;
use types::Value;

use crate::function::Function;
use crate::operator::{AggregateKind, Comparison};
use crate::plan::{Aggregate, Expr, Operator};
use crate::text_pattern::TextPattern;

/// System fields that every event has.
const ALWAYS_THERE: [&str; 4] = ["@timestamp", "@ingestionTime", "@message", "@log"];

/// Returns operators that say the same in the spelling that costs least.
pub(super) fn respelled(operators: Vec<Operator>) -> Vec<Operator> {
    let mut done: Vec<Operator> = Vec::with_capacity(operators.len());
    // Whether rows still are events with all their system fields.
    let mut are_events = true;
    for operator in operators {
        let operator = match operator {
            Operator::Filter(condition) => Operator::Filter(condition_of(condition, are_events)),
            Operator::Aggregate { by, aggregates } => {
                let of = |aggregate| counted(aggregate, !by.is_empty(), are_events, &done);
                let aggregates = aggregates.into_iter().map(of).collect();
                Operator::Aggregate { by, aggregates }
            }
            other => other,
        };
        are_events &= match &operator {
            Operator::Filter(_) | Operator::Sort(_) | Operator::Limit(_) | Operator::Tail(_) | Operator::Dedup(_) => {
                true
            }
            Operator::Extend { name, .. } => !name.starts_with('@'),
            _ => false,
        };
        done.push(operator);
    }
    done
}

/// Returns a condition that is true for the same rows.
fn condition_of(condition: Expr, are_events: bool) -> Expr {
    let boxed = |inner: Box<Expr>| Box::new(condition_of(*inner, are_events));
    match condition {
        Expr::And(left, right) => Expr::And(boxed(left), boxed(right)),
        Expr::Or(left, right) => Expr::Or(boxed(left), boxed(right)),
        Expr::Not(inner) => Expr::Not(boxed(inner)),
        Expr::Call(Function::IsPresent, arguments) if are_events && is_always_there(&arguments) => {
            Expr::Literal(Some(Value::Boolean(true)))
        }
        Expr::Call(Function::Contains, arguments) => match <[Expr; 2]>::try_from(arguments) {
            Ok([Expr::Field(name), Expr::Literal(Some(Value::String(part)))]) if *name != *"@any" => {
                Expr::Match(Box::new(Expr::Field(name)), TextPattern::Substring(part.to_string()))
            }
            Ok(arguments) => Expr::Call(Function::Contains, arguments.into()),
            Err(arguments) => Expr::Call(Function::Contains, arguments),
        },
        Expr::Match(text, TextPattern::Regex(regex)) => match literal(&regex) {
            Some(part) if matches!(&*text, Expr::Field(_)) => Expr::Match(text, TextPattern::Substring(part)),
            _ => Expr::Match(text, TextPattern::Regex(regex)),
        },
        Expr::In(item, mut list) if matches!(&list[..], [Expr::Literal(Some(_))]) => match list.pop() {
            Some(only) => Expr::Compare(Comparison::Equal, item, Box::new(only)),
            None => Expr::In(item, list),
        },
        other => other,
    }
}

fn is_always_there(arguments: &[Expr]) -> bool {
    matches!(arguments, [Expr::Field(name)] if ALWAYS_THERE.contains(&&**name))
}

/// Returns the text that an expression stands for, if it matches just where that text stands.
fn literal(regex: &Regex) -> Option<String> {
    let HirKind::Literal(literal) = regex_syntax::parse(regex.as_str()).ok()?.into_kind() else { return None };
    let text = String::from_utf8(literal.0.to_vec()).ok()?;
    // Whoever compiled it may have said elsewhere that it ignores case or spaces.
    let is_whole = regex.find(&text).is_some_and(|found| found.range() == (0..text.len()));
    let swapped = if text.chars().any(char::is_lowercase) { text.to_uppercase() } else { text.to_lowercase() };
    (is_whole && (swapped == text || !regex.is_match(&swapped))).then_some(text)
}

/// Returns `count(*)` for an aggregate that counts every row.
fn counted(aggregate: Aggregate, is_grouped: bool, are_events: bool, before: &[Operator]) -> Aggregate {
    let counts_all = match (aggregate.kind, &aggregate.argument) {
        // Without groups there may be no row at all, of which the sum is missing and the count zero.
        (AggregateKind::Sum, Some(Expr::Literal(Some(Value::Integer(1))))) => is_grouped,
        (AggregateKind::Count, Some(Expr::Field(name))) => {
            are_events && ALWAYS_THERE.contains(&&**name) || is_asked_for(name, before)
        }
        _ => false,
    };
    if counts_all { Aggregate { kind: AggregateKind::Count, argument: None, ..aggregate } } else { aggregate }
}

/// Reports whether one of the filters right before demands a value of a field.
fn is_asked_for(name: &str, before: &[Operator]) -> bool {
    let filters = before.iter().rev().map_while(|operator| match operator {
        Operator::Filter(condition) => Some(Some(condition)),
        Operator::Sort(_) => Some(None),
        _ => None,
    });
    filters.flatten().any(|condition| demands(condition, name))
}

/// Reports whether a condition is true only for rows that have the field.
fn demands(condition: &Expr, name: &str) -> bool {
    let is_it = |expr: &Expr| matches!(expr, Expr::Field(field) if **field == *name);
    match condition {
        Expr::And(left, right) => demands(left, name) || demands(right, name),
        Expr::Or(left, right) => demands(left, name) && demands(right, name),
        Expr::Call(Function::IsPresent, arguments) => arguments.len() == 1 && is_it(&arguments[0]),
        Expr::Compare(comparison, left, right) => *comparison != Comparison::NotEqual && (is_it(left) || is_it(right)),
        Expr::Match(text, _) => is_it(text),
        Expr::In(item, _) | Expr::Between(item, _, _) => is_it(item),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
