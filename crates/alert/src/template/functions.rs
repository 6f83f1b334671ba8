//! The functions of our templates beyond Go's and Prometheus', and how values are written.
//!
//! Numbers of any kind can be compared and calculated with each other, and what is missing is less than everything.

use std::cmp::Ordering;

use gotemplate::Body::{Partial, Total};
use gotemplate::Parameter::{self, Any, Text};
use gotemplate::{Arguments, Function, MapType, Value, printf};
use serde_json::{Value as Json, json};

use crate::prometheus_text;

const TWO: &[Parameter] = &[Any, Any];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("eq", TWO, Total(|of| of[1..].iter().any(|other| is_equal(&of[0], other)).into())),
    Function::new("ne", TWO, Total(|of| (!is_equal(&of[0], &of[1])).into())),
    Function::new("lt", TWO, Total(|of| order(of).is_some_and(Ordering::is_lt).into())),
    Function::new("le", TWO, Total(|of| order(of).is_some_and(Ordering::is_le).into())),
    Function::new("gt", TWO, Total(|of| order(of).is_some_and(Ordering::is_gt).into())),
    Function::new("ge", TWO, Total(|of| order(of).is_some_and(Ordering::is_ge).into())),
    Function::variadic("add", TWO, Partial(added)),
    Function::variadic("sub", TWO, Partial(|of| folded(of, i64::checked_sub, |a, b| a - b))),
    Function::variadic("mul", TWO, Partial(|of| folded(of, i64::checked_mul, |a, b| a * b))),
    Function::variadic("div", TWO, Partial(divided)),
    Function::variadic("round", &[Any], Partial(rounded)),
    Function::new("int", &[Any], Partial(whole)),
    Function::new("contains", TWO, Total(|of| is_in(&of[0], &of[1]).into())),
    Function::new("default", TWO, Total(|of| of[usize::from(of[1] != Value::Nil)].clone())),
    Function::new("replace", &[Text, Text, Text], Total(|of| of.text(2).replace(of.text(0), of.text(1)).into())),
    Function::new("trim", &[Text], Total(|of| of.text(0).trim().into())),
    Function::variadic("index", &[Any], Partial(|of| of[1..].iter().try_fold(of[0].clone(), member))),
    Function::variadic("print", &[], Total(print)),
    Function::variadic("printf", &[Text], Total(|of| printf(of.text(0), &fitting(of.text(0), &of[1..])).into())),
];

/// Returns what values are compared by: what is missing comes first, then truth, numbers of any kind, texts.
fn key(value: &Value) -> (u8, f64, &str) {
    match value {
        Value::Nil => (0, 0.0, ""),
        Value::Boolean(is_true) => (1, f64::from(*is_true), ""),
        Value::Integer(number) | Value::Long(number) => (2, *number as f64, ""),
        Value::Float(number) => (2, *number, ""),
        Value::Text(text) => (3, 0.0, text),
        Value::List(_) | Value::Map(_) | Value::Time(_) => (4, 0.0, ""),
    }
}

fn is_equal(left: &Value, right: &Value) -> bool {
    if key(left).0 == 4 { left == right } else { key(left) == key(right) }
}

fn order(of: Arguments<'_>) -> Option<Ordering> {
    key(&of[0]).partial_cmp(&key(&of[1]))
}

fn number(value: &Value) -> Result<f64, String> {
    if let Value::Boolean(is_true) = value { Ok(f64::from(*is_true)) } else { prometheus_text::number(value) }
}

/// Texts are put one behind the other.
fn added(of: Arguments<'_>) -> Result<Value, String> {
    let is_texts = of.iter().all(|value| matches!(value, Value::Text(_)));
    if is_texts { Ok(print(of)) } else { folded(of, i64::checked_add, |a, b| a + b) }
}

/// Calculates from left to right: whole numbers stay whole.
fn folded(of: Arguments<'_>, whole: fn(i64, i64) -> Option<i64>, float: fn(f64, f64) -> f64) -> Result<Value, String> {
    of[1..].iter().try_fold(of[0].clone(), |left, right| match (&left, right) {
        (Value::Integer(left), Value::Integer(right)) => {
            whole(*left, *right).map(Value::Integer).ok_or_else(|| "number too large".to_owned())
        }
        (left, right) => Ok(Value::Float(float(number(left)?, number(right)?))),
    })
}

fn divided(of: Arguments<'_>) -> Result<Value, String> {
    types::ensure!(!of[1..].iter().any(|by| number(by) == Ok(0.0)), "division by zero".to_owned());
    of[1..].iter().try_fold(of[0].clone(), |left, by| Ok(Value::Float(number(&left)? / number(by)?)))
}

/// `round X PLACES`.
fn rounded(of: Arguments<'_>) -> Result<Value, String> {
    let places = usize::try_from(of.integer(1)).unwrap_or(0).min(300);
    match &of[0] {
        whole @ Value::Integer(_) => Ok(whole.clone()),
        other => format!("{:.places$}", number(other)?).parse().map(Value::Float).map_err(|_| "no number".to_owned()),
    }
}

fn whole(of: Arguments<'_>) -> Result<Value, String> {
    if of[0] == Value::Nil { Ok(Value::Integer(0)) } else { number(&of[0]).map(|number| Value::Integer(number as i64)) }
}

/// `contains X Y`: whether the text Y has the part X, the list Y the element X, the map Y the name X.
fn is_in(what: &Value, of: &Value) -> bool {
    match of {
        Value::Text(text) => text.contains(&written(what)),
        Value::List(list) => list.items.iter().any(|item| is_equal(item, what)),
        Value::Map(map) => map.members.contains_key(&written(what)),
        _ => false,
    }
}

/// Returns an element; from the end where the place is negative, and nothing where there is none.
fn member(of: Value, at: &Value) -> Result<Value, String> {
    let found = match (&of, at) {
        (Value::List(list), Value::Integer(at)) => {
            let at = if *at < 0 { *at + list.items.len() as i64 } else { *at };
            usize::try_from(at).ok().and_then(|at| list.items.get(at).cloned())
        }
        (Value::Map(map), Value::Text(name)) => map.get(name),
        (Value::Text(text), Value::Integer(at)) => {
            usize::try_from(*at).ok().and_then(|at| text.chars().nth(at)).map(|c| c.to_string().into())
        }
        _ => None,
    };
    Ok(found.unwrap_or(Value::Nil))
}

/// Values one after the other, with a space between two that are no texts.
fn print(of: Arguments<'_>) -> Value {
    let mut out = String::new();
    for (index, value) in of.iter().enumerate() {
        let is_apart = index > 0 && !of[index - 1..=index].iter().any(|value| matches!(value, Value::Text(_)));
        out.push_str(if is_apart { " " } else { "" });
        plain(value, &mut out);
    }
    out.into()
}

/// Returns the arguments of `printf` as its verbs want them: a value is a whole number or has decimals as it comes.
fn fitting(form: &str, arguments: &[Value]) -> Vec<Value> {
    let verbs = form.replace("%%", "");
    let mut verbs = verbs.split('%').skip(1).map(|after| after.chars().find(char::is_ascii_alphabetic));
    let fit = |value: &Value| match (verbs.next().flatten(), value) {
        (Some('e' | 'f' | 'g'), Value::Integer(number)) => Value::Float(*number as f64),
        (Some('d'), Value::Float(number)) if number.fract() == 0.0 => Value::Integer(*number as i64),
        (Some('s' | 'q'), value) => written(value).into(),
        (_, value) => value.clone(),
    };
    arguments.iter().map(fit).collect()
}

/// Writes a value into a text: what is missing as nothing, lists and maps as JSON.
pub(super) fn plain(value: &Value, out: &mut String) {
    match value {
        Value::Nil => {}
        Value::List(_) | Value::Map(_) => out.push_str(&as_json(value).to_string()),
        Value::Float(number) => {
            let digits = number.to_string();
            out.push_str(&digits);
            out.push_str(if digits.contains(|c: char| c == '.' || c.is_alphabetic()) { "" } else { ".0" });
        }
        other => out.push_str(&other.printed()),
    }
}

/// Writes a value into a body that is JSON: a text as the inside of a text.
pub(super) fn in_json(value: &Value, out: &mut String) {
    match value {
        Value::Text(text) => {
            let json = json!(**text).to_string();
            out.push_str(&json[1..json.len() - 1]);
        }
        Value::Float(number) if !number.is_finite() => out.push_str("null"),
        other => plain(other, out),
    }
}

fn written(value: &Value) -> String {
    let mut out = String::new();
    plain(value, &mut out);
    out
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(number) | Value::Long(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Text(text) => json!(**text),
        Value::List(list) => list.items.iter().map(as_json).collect(),
        Value::Map(map) => map.members.iter().map(|(name, value)| (name.clone(), as_json(value))).collect(),
        Value::Time(_) => json!(value.printed()),
    }
}

/// Returns JSON as a value.
pub(super) fn of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Integer)
        }
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Value::list(items.iter().map(of_json).collect()),
        Json::Object(members) => {
            Value::map(MapType::Values, members.iter().map(|(name, value)| (name.clone(), of_json(value))).collect())
        }
    }
}
