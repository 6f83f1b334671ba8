//! Conditions on the properties of a JSON event: `{ ($.status >= 500) && ($.path = "/api*") }`.
//!
//! A property is a field of the event: `$.user.id` is `user.id`, `$.items[0].id` is `items.0.id`. What asks for absence
//! (`!=`, `NOT EXISTS`, `IS NULL`) would also hold of events that are no records at all; those are left out.

use pest::iterators::Pair;
use types::Value;

use super::grammar::Rule;
use super::reader::{Reader, message};
use super::value;
use crate::grammar::span_of;
use plan::each::each;
use plan::function::{ANY_VALUE, SELECTOR_ANY, SELECTOR_STEP};
use plan::{Comparison, Expr, Function, Name, QueryError, Result, TextPattern, balanced, compile_regex, not};

/// Wildcards in the selectors of one pattern, as Amazon has it.
const WILDCARDS_MAX: usize = 3;

/// Returns the condition of a pattern in braces.
pub(super) fn condition(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr> {
    let span = span_of(&pair);
    if wildcards(pair.clone()) > WILDCARDS_MAX {
        let message = format!("a filter pattern has {WILDCARDS_MAX} wildcards in selectors at most");
        return Err(reader.error("too-many-wildcards", message, span));
    }
    match pair.into_inner().find(|part| part.as_rule() == Rule::any_of) {
        Some(any_of) => tree(reader, any_of),
        None => Err(reader.error("syntax", "a condition is missing here", span)),
    }
}

fn tree(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr> {
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

/// Returns one test of one property.
fn test(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Expr> {
    let span = span_of(&pair);
    let mut parts = pair.into_inner();
    let missing = || reader.error("syntax", "a test is missing here", span);
    let selector = parts.next().ok_or_else(missing)?;
    let steps = steps(reader, selector)?;
    let test = parts.next().ok_or_else(missing)?;
    if steps.iter().any(Step::is_any) {
        return test_of_any(reader, &steps, &test, parts.next());
    }
    let path = written(&steps);
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

/// Returns a test that holds for one of the elements or members that a selector with `[*]` or `.*` selects.
///
/// They are selected in the message, where it is an object. Of an event that came as a record with a message of its
/// own, `[*]` selects in the field; such an event has no members that could be enumerated.
fn test_of_any(
    reader: &Reader<'_>,
    steps: &[Step],
    test: &Pair<'_, Rule>,
    written_value: Option<Pair<'_, Rule>>,
) -> Result<Expr> {
    let refused = |what: &str| {
        let message = format!("{what} is not supported for a selector with a wildcard");
        let hint = "select one element, such as [0], or compare with =, >, >=, < or <=";
        Err(reader.error("not-supported", message, span_of(test)).with_hint(hint))
    };
    let Some(written_value) = written_value else { return refused(test.as_str()) };
    if test.as_str() == "!=" {
        return refused("!=");
    }
    let path: Vec<&str> = steps.iter().map(Step::encoded).collect();
    let path = Expr::Literal(Some(Value::text(path.join(SELECTOR_STEP))));
    let one = value::compare(reader, Expr::Field(ANY_VALUE.into()), test, written_value.clone())?;
    let in_message = Expr::Call(Function::JsonSelected, vec![message(), path, one]);
    let [names @ .., Step::AnyElement] = steps else { return Ok(in_message) };
    let name: Name = written(names).as_str().into();
    let of_field = value::compare(reader, Expr::Field(name.clone()), test, written_value)?;
    Ok(or(in_message, and(not(is_object()?), each(&name, of_field))))
}

/// One step of a selector.
#[derive(Debug)]
enum Step {
    /// A member or an element.
    One(String),
    /// Any element, `[*]`.
    AnyElement,
    /// Any member, `.*`.
    AnyMember,
}

impl Step {
    /// As [`Function::JsonSelected`] takes it.
    fn encoded(&self) -> &str {
        match self {
            Self::One(name) => name,
            Self::AnyElement | Self::AnyMember => SELECTOR_ANY,
        }
    }

    fn is_any(&self) -> bool {
        !matches!(self, Self::One(_))
    }
}

/// Returns the name of the field that a selector selects, which has no wildcard.
pub(super) fn path(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<String> {
    let span = span_of(&pair);
    let steps = steps(reader, pair)?;
    if steps.iter().any(Step::is_any) {
        let error = reader.error("not-supported", "a selector with a wildcard has no single value", span);
        return Err(error.with_hint("write an index such as [0]"));
    }
    Ok(written(&steps))
}

/// Reports whether a selector has a wildcard.
pub(super) fn has_wildcard(pair: &Pair<'_, Rule>) -> bool {
    wildcards(pair.clone()) > 0
}

/// Returns how many wildcards the selectors in this part of a pattern have.
pub(super) fn wildcards(pair: Pair<'_, Rule>) -> usize {
    pair.into_inner().flatten().filter(|part| matches!(part.as_rule(), Rule::any_index | Rule::any_member)).count()
}

fn written(steps: &[Step]) -> String {
    let names: Vec<&str> = steps.iter().map(Step::encoded).collect();
    names.join(".")
}

fn steps(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<Vec<Step>> {
    let span = span_of(&pair);
    let mut steps: Vec<Step> = Vec::new();
    for part in pair.into_inner().flatten() {
        match part.as_rule() {
            Rule::member | Rule::index => steps.push(Step::One(part.as_str().to_owned())),
            Rule::quoted | Rule::single_quoted => steps.push(Step::One(value::unquoted(part.as_str()))),
            Rule::any_index => steps.push(Step::AnyElement),
            Rule::any_member => steps.push(Step::AnyMember),
            _ => {}
        }
    }
    if steps.iter().filter(|step| step.is_any()).count() > 1 {
        return Err(reader.error("too-many-wildcards", "a selector has one wildcard at most", span));
    }
    Ok(steps)
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

/// Reports whether the event is a record: its message is a JSON object, or it came as one with a message in it.
fn is_record() -> Result<Expr> {
    let has = |name: &str| is_present(Expr::Field(name.into()));
    Ok(or(is_object()?, or(has("message"), has("msg"))))
}

/// Reports whether the message is a JSON object.
fn is_object() -> Result<Expr> {
    let starts_as_object = compile_regex(r"\A\s*\{", false)
        .map_err(|(message, at)| QueryError::new("bad-regex", message, "", plan::Span { start: at, end: at }))?;
    Ok(Expr::Match(Box::new(message()), TextPattern::Regex(starts_as_object)))
}

/// Returns a `null` is no value of a field, but it is in the message.
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
