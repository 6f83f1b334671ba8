//! What a property or a column is compared with: numbers, texts with stars, regular expressions.

use pest::iterators::Pair;
use regex::Regex;
use types::Value;

use super::grammar::Rule;
use super::reader::Reader;
use crate::grammar::span_of;
use plan::{Comparison, Expr, Function, Result, TextPattern, compile_regex, not};

/// Returns the condition `subject sign value`.
pub(super) fn compare(
    reader: &Reader<'_>,
    subject: Expr,
    sign: &Pair<'_, Rule>,
    written: Pair<'_, Rule>,
) -> Result<Expr> {
    let span = span_of(&written);
    let written = written.into_inner().next().ok_or_else(|| reader.error("syntax", "a value is missing here", span))?;
    let order = match sign.as_str() {
        "!=" => return Ok(not(equal(reader, subject, &written)?)),
        "=" | "==" => return equal(reader, subject, &written),
        other => Comparison::named(other).unwrap_or(Comparison::LessOrEqual),
    };
    let Some(number) = number(written.as_str()) else {
        let message = format!("`{}` compares with a number only", sign.as_str());
        return Err(reader.error("number-expected", message, span).with_hint("texts are compared by = and !="));
    };
    // A text that is no number is neither above nor below one.
    let is_number = Expr::Call(Function::IsPresent, vec![Expr::Call(Function::ToNumber, vec![subject.clone()])]);
    let compared = Expr::Compare(order, Box::new(subject), Box::new(Expr::Literal(Some(number))));
    Ok(Expr::And(Box::new(compared), Box::new(is_number)))
}

fn equal(reader: &Reader<'_>, subject: Expr, written: &Pair<'_, Rule>) -> Result<Expr> {
    let text = match written.as_rule() {
        Rule::regex => {
            return Ok(Expr::Match(Box::new(subject), TextPattern::Regex(regex(reader, written)?)));
        }
        Rule::quoted => unquoted(written.as_str()),
        _ => written.as_str().to_owned(),
    };
    if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
        return Ok(Expr::Call(Function::IsPresent, vec![subject]));
    }
    if text.contains('*') {
        let parts: Vec<String> = text.split('*').map(regex_syntax::escape).collect();
        let source = format!("(?s)^{}$", parts.join(".*"));
        let regex = compile_regex(&source, false)
            .map_err(|(message, _)| reader.error("bad-regex", message, span_of(written)))?;
        return Ok(Expr::Match(Box::new(subject), TextPattern::Regex(regex)));
    }
    let value = match written.as_rule() {
        Rule::quoted => Value::text(text),
        _ => number(&text).unwrap_or_else(|| Value::text(text)),
    };
    Ok(Expr::Compare(Comparison::Equal, Box::new(subject), Box::new(Expr::Literal(Some(value)))))
}

/// Returns a number as it may be written: `500`, `-1.5`, `1e-3`.
fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::Integer(whole));
    }
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let number = text.parse::<f64>().ok().filter(|number| is_number && number.is_finite())?;
    Some(if number.fract() == 0.0 && number.abs() < 9e15 {
        Value::Integer(number as i64)
    } else {
        Value::Float(number)
    })
}

/// Returns the text between quotes; `\"`, `\'` and `\\` are a quote and a backslash, other backslashes stay.
pub(super) fn unquoted(written: &str) -> String {
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(next @ ('"' | '\'' | '\\'))) => {
                text.push(*next);
                characters.next();
            }
            (other, _) => text.push(other),
        }
    }
    text
}

/// Returns the expression between percent signs.
pub(super) fn regex(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<Regex> {
    let written = pair.as_str();
    let source = written.get(1..written.len().saturating_sub(1)).unwrap_or_default().replace("\\%", "%");
    compile_regex(&source, false).map_err(|(message, _)| reader.error("bad-regex", message, span_of(pair)))
}
