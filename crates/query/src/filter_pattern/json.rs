//! Conditions on the properties of a JSON event: `{ ($.status >= 500) && ($.path = "/api*") }`.
//!
//! A property is a field of the event: `$.user.id` is `user.id`, `$.items[0].id` is `items.0.id`. What asks for absence
//! (`!=`, `NOT EXISTS`, `IS NULL`) would also hold of events that are no records at all; those are left out.

use pest::iterators::Pair;
use types::Value;

use super::{Reader, Rule, message, not, span_of, value};
use crate::error::QueryError;
use crate::function::Function;
use crate::insights::{balanced, compile_regex};
use crate::plan::{Comparison, Expr, TextPattern};

/// The condition of a pattern in braces.
pub(super) fn condition(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let span = span_of(&pair);
    match pair.into_inner().find(|part| part.as_rule() == Rule::any_of) {
        Some(any_of) => tree(reader, any_of),
        None => Err(reader.error("syntax", "a condition is missing here", span)),
    }
}

fn tree(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let join = if pair.as_rule() == Rule::any_of { Expr::Or } else { Expr::And };
    let mut parts = Vec::new();
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::and | Rule::or => {}
            Rule::nested => parts.push(condition(reader, part)?),
            Rule::condition => parts.push(test(reader, part)?),
            _ => parts.push(tree(reader, part)?),
        }
    }
    Ok(balanced(parts, join))
}

/// One test of one property.
fn test(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr, QueryError> {
    let span = span_of(&pair);
    let mut parts = pair.into_inner();
    let missing = || reader.error("syntax", "a test is missing here", span);
    let path = path(reader, parts.next().ok_or_else(missing)?)?;
    let test = parts.next().ok_or_else(missing)?;
    let field = Expr::Field(path.as_str().into());
    Ok(match test.as_rule() {
        Rule::not_exists => {
            let is_there = or(is_present(field), is_null(&path));
            and(is_record()?, not(is_there))
        }
        Rule::is_null => is_null(&path),
        Rule::is_true => is_boolean(field, true),
        Rule::is_false => is_boolean(field, false),
        _ => {
            let written = parts.next().ok_or_else(missing)?;
            let compared = value::compare(reader, field, &test, written)?;
            if test.as_str() == "!=" { and(is_record()?, compared) } else { compared }
        }
    })
}

/// The name of the field that a selector speaks of.
pub(super) fn path(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<String, QueryError> {
    let mut steps: Vec<String> = Vec::new();
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::member => steps.push(part.as_str().to_owned()),
            Rule::in_brackets => {
                for step in part.into_inner() {
                    match step.as_rule() {
                        Rule::index => steps.push(step.as_str().to_owned()),
                        Rule::quoted => steps.push(value::unquoted(step.as_str())),
                        Rule::any_index => {
                            let message = "a selector names one element of a list";
                            let error = reader.error("not-supported", message, span_of(&step));
                            return Err(error.with_hint("write an index such as [0]"));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(steps.join("."))
}

fn and(a: Expr, b: Expr) -> Expr {
    Expr::And(Box::new(a), Box::new(b))
}

fn or(a: Expr, b: Expr) -> Expr {
    Expr::Or(Box::new(a), Box::new(b))
}

fn is_present(field: Expr) -> Expr {
    Expr::Call(Function::IsPresent, vec![field])
}

/// Whether the event is a record: its message is a JSON object, or it came as one with a message in it.
fn is_record() -> Result<Expr, QueryError> {
    let starts_as_object = compile_regex(r"\A\s*\{", false).map_err(|(message, at)| {
        QueryError::new("bad-regex", message, "", crate::error::Span { start: at, end: at })
    })?;
    let is_object = Expr::Match(Box::new(message()), TextPattern::Regex(starts_as_object));
    let has = |name: &str| is_present(Expr::Field(name.into()));
    Ok(or(is_object, or(has("message"), has("msg"))))
}

/// A `null` is no value of a field, but it stands in the message.
fn is_null(path: &str) -> Expr {
    Expr::Call(Function::IsJsonNull, vec![message(), Expr::Literal(Some(Value::text(path)))])
}

/// True and false themselves, not the texts.
fn is_boolean(field: Expr, wanted: bool) -> Expr {
    let written = Expr::Call(Function::JsonStringify, vec![field.clone()]);
    let literal = |value| Box::new(Expr::Literal(Some(value)));
    let equals = Expr::Compare(Comparison::Equal, Box::new(field), literal(Value::Boolean(wanted)));
    let is_written = Expr::Compare(Comparison::Equal, Box::new(written), literal(Value::text(wanted.to_string())));
    and(equals, is_written)
}
