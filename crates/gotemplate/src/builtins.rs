//! The functions that Go's templates have themselves, and the methods of times.

use crate::function::Body::{First, Partial, Total};
use crate::function::{Arguments, Function, Parameter};
use crate::layout;
use crate::printf::printf;
use crate::text::{html, js, of_bytes, url_encoded};
use crate::value::{List, Value};

const ANY: &[Parameter] = &[Parameter::Any];
const TIME: &[Parameter] = &[Parameter::Time];
const TWO: &[Parameter] = &[Parameter::Any, Parameter::Any];

const BUILTINS: &[Function] = &[
    Function::variadic("and", ANY, First(false)),
    Function::variadic("or", ANY, First(true)),
    Function::new("not", ANY, Total(|of| Value::Boolean(!of[0].is_true()))),
    Function::variadic("eq", ANY, Partial(equal)),
    Function::new("ne", TWO, Partial(|of| Ok(Value::Boolean(!is_equal(&of[0], &of[1])?)))),
    Function::new("lt", TWO, Partial(|of| is_less(&of[0], &of[1]).map(Value::Boolean))),
    Function::new("le", TWO, Partial(|of| is_at_most(&of[0], &of[1]).map(Value::Boolean))),
    // The opposites, also of NaN, as in Go.
    Function::new("gt", TWO, Partial(|of| Ok(Value::Boolean(!is_at_most(&of[0], &of[1])?)))),
    Function::new("ge", TWO, Partial(|of| Ok(Value::Boolean(!is_less(&of[0], &of[1])?)))),
    Function::new("len", ANY, Partial(length)),
    Function::variadic("index", ANY, Partial(|of| of[1..].iter().try_fold(of[0].clone(), |of, at| element(&of, at)))),
    Function::variadic("slice", ANY, Partial(slice)),
    Function::variadic("print", &[], Total(|of| sprint(of).into())),
    Function::variadic("println", &[], Total(sprintln)),
    Function::variadic("printf", &[Parameter::Text], Total(|of| printf(of.text(0), &of[1..]).into())),
    Function::variadic("html", &[], Total(|of| html(&sprint(of)).into())),
    Function::variadic("js", &[], Total(|of| js(&sprint(of)).into())),
    Function::variadic("urlquery", &[], Total(|of| url_encoded(&sprint(of)).into())),
    Function::new(
        ".Format",
        &[Parameter::Time, Parameter::Text],
        Total(|of| layout::format(&of.time(0), of.text(1)).into()),
    ),
    Function::new(".Unix", TIME, Total(|of| Value::Long(of.time(0).units(1)))),
    Function::new(".UnixMilli", TIME, Total(|of| Value::Long(of.time(0).units(1_000)))),
    Function::new(".UnixMicro", TIME, Total(|of| Value::Long(of.time(0).units(1_000_000)))),
    Function::new(".UnixNano", TIME, Total(|of| Value::Long(of.time(0).units(1_000_000_000)))),
    Function::new(".Year", TIME, Total(|of| Value::Integer(of.time(0).civil().year.into()))),
    Function::new(".Month", TIME, Total(|of| layout::format(&of.time(0), "January").into())),
    Function::new(".Day", TIME, Total(|of| Value::Integer(of.time(0).civil().day.into()))),
    Function::new(".YearDay", TIME, Total(|of| Value::Integer(of.time(0).civil().day_of_year.into()))),
    Function::new(".Weekday", TIME, Total(|of| layout::format(&of.time(0), "Monday").into())),
    Function::new(".Hour", TIME, Total(|of| Value::Integer(of.time(0).civil().hour.into()))),
    Function::new(".Minute", TIME, Total(|of| Value::Integer(of.time(0).civil().minute.into()))),
    Function::new(".Second", TIME, Total(|of| Value::Integer(of.time(0).civil().second.into()))),
    Function::new(".Nanosecond", TIME, Total(|of| Value::Integer(of.time(0).nanoseconds.into()))),
];

/// Returns a function of Go.
pub(crate) fn builtin(name: &str) -> Option<&'static Function> {
    BUILTINS.iter().find(|function| function.name == name)
}

/// Returns a method of times.
pub(crate) fn method(name: &str) -> Option<&'static Function> {
    BUILTINS.iter().find(|function| function.name.strip_prefix('.') == Some(name))
}

/// Values one after the other, with a space between two that are no texts.
fn sprint(values: Arguments<'_>) -> String {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            out.push(' ');
        }
        value.print(&mut out);
    }
    out
}

fn sprintln(values: Arguments<'_>) -> Value {
    let texts: Vec<String> = values.iter().map(Value::printed).collect();
    (texts.join(" ") + "\n").into()
}

/// `eq`: whether the first argument equals any other.
fn equal(of: Arguments<'_>) -> Result<Value, String> {
    if of.len() < 2 {
        return Err("missing argument for comparison".to_owned());
    }
    for other in &of[1..] {
        if is_equal(&of[0], other)? {
            return Ok(Value::Boolean(true));
        }
    }
    Ok(Value::Boolean(false))
}

const INCOMPATIBLE: &str = "incompatible types for comparison";

fn is_equal(left: &Value, right: &Value) -> Result<bool, String> {
    match (left, right) {
        (Value::Integer(a) | Value::Long(a), Value::Integer(b) | Value::Long(b)) => Ok(a == b),
        (Value::Nil, _) | (_, Value::Nil) => Ok(left == right),
        (Value::List(_) | Value::Map(_), _) | (_, Value::List(_) | Value::Map(_)) => {
            Err("non-comparable type in a comparison".to_owned())
        }
        _ if left.type_name() == right.type_name() => Ok(left == right),
        _ => Err(INCOMPATIBLE.to_owned()),
    }
}

fn is_less(left: &Value, right: &Value) -> Result<bool, String> {
    let is_basic = |value: &Value| !matches!(value, Value::Nil | Value::List(_) | Value::Map(_) | Value::Time(_));
    match (left, right) {
        (Value::Integer(a) | Value::Long(a), Value::Integer(b) | Value::Long(b)) => Ok(a < b),
        (Value::Float(a), Value::Float(b)) => Ok(a < b),
        (Value::Text(a), Value::Text(b)) => Ok(a < b),
        (Value::Boolean(_), Value::Boolean(_)) => Err("invalid type for comparison".to_owned()),
        _ if is_basic(left) && is_basic(right) => Err(INCOMPATIBLE.to_owned()),
        _ => Err("invalid type for comparison".to_owned()),
    }
}

fn is_at_most(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(is_less(left, right)? || is_equal(left, right)?)
}

fn length(of: Arguments<'_>) -> Result<Value, String> {
    let n = match &of[0] {
        Value::Text(text) => text.len(),
        Value::List(list) => list.items.len(),
        Value::Map(map) if !map.is_struct() => map.members.len(),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Integer(n as i64))
}

/// Returns a whole number as a place in something of `n` elements.
fn place(at: &Value, n: usize) -> Result<usize, String> {
    match at {
        Value::Integer(at) | Value::Long(at) => {
            usize::try_from(*at).ok().filter(|at| *at <= n).ok_or_else(|| format!("index out of range: {at}"))
        }
        other => Err(format!("cannot index slice/array with type {}", other.type_name())),
    }
}

fn element(of: &Value, at: &Value) -> Result<Value, String> {
    let missing = |at: usize| format!("index out of range: {at}");
    match of {
        Value::List(list) => {
            let at = place(at, list.items.len())?;
            list.items.get(at).cloned().ok_or_else(|| missing(at))
        }
        Value::Text(text) => {
            let at = place(at, text.len())?;
            text.as_bytes().get(at).map(|byte| Value::Integer(i64::from(*byte))).ok_or_else(|| missing(at))
        }
        Value::Map(map) if !map.is_struct() => match at {
            Value::Text(name) => Ok(map.get(name).unwrap_or(Value::Nil)),
            other => Err(format!("value has type {}; should be string", other.type_name())),
        },
        Value::Nil => Err("index of untyped nil".to_owned()),
        other => Err(format!("can't index item of type {}", other.type_name())),
    }
}

/// `slice`: a part of a text, by bytes, or of a list.
fn slice(of: Arguments<'_>) -> Result<Value, String> {
    let (value, at) = (&of[0], &of[1..]);
    let n = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.items.len(),
        Value::Nil => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    if at.len() > 3 || at.len() == 3 && matches!(value, Value::Text(_)) {
        return Err("too many slice indexes".to_owned());
    }
    let places: Vec<usize> = at.iter().map(|at| place(at, n)).collect::<Result<_, _>>()?;
    let (from, to) = (places.first().copied().unwrap_or(0), places.get(1).copied().unwrap_or(n));
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match value {
        Value::List(list) => {
            let items = list.items[from..to].to_vec();
            Value::List(List { type_name: list.type_name, items }.into())
        }
        Value::Text(text) => of_bytes(&text.as_bytes()[from..to]),
        other => other.clone(),
    })
}
