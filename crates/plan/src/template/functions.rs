//! The functions of templates: Go's own, sprig's as far as Loki has them, and Loki's.

mod numeric;
mod text;

use std::cmp::Ordering;

use regex::Regex;

use super::layout;
use super::limits::TEXT_BYTES_MAX;
use super::times::{ZonedTime, zone};
use super::value::GoValue;
use crate::regular_expression::compile_go_regex;
use crate::template::printf::printf;

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Any,
    Text,
    Integer,
    Float,
    ZonedTime,
}

use Parameter::{Any, Float, Integer, Text, ZonedTime as Time};

/// A function by its name, what it takes, and what any number of further arguments are.
#[derive(Clone, Copy)]
pub(super) struct Builtin(&'static (&'static str, &'static [Parameter], Option<Parameter>));

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Name, parameters, and what further arguments are.
const BUILTINS: [(&str, &[Parameter], Option<Parameter>); 87] = [
    ("and", &[Any], Some(Any)),
    ("or", &[Any], Some(Any)),
    ("not", &[Any], None),
    ("eq", &[Any, Any], Some(Any)),
    ("ne", &[Any, Any], None),
    ("lt", &[Any, Any], None),
    ("le", &[Any, Any], None),
    ("gt", &[Any, Any], None),
    ("ge", &[Any, Any], None),
    ("len", &[Any], None),
    ("index", &[Any], Some(Any)),
    ("slice", &[Any], Some(Any)),
    ("print", &[], Some(Any)),
    ("println", &[], Some(Any)),
    ("printf", &[Text], Some(Any)),
    ("html", &[], Some(Any)),
    ("js", &[], Some(Any)),
    ("urlquery", &[], Some(Any)),
    ("__line__", &[], None),
    ("__timestamp__", &[], None),
    ("now", &[], None),
    ("ToLower", &[Text], None),
    ("ToUpper", &[Text], None),
    ("lower", &[Text], None),
    ("upper", &[Text], None),
    ("title", &[Text], None),
    ("Replace", &[Text, Text, Text, Integer], None),
    ("replace", &[Text, Text, Text], None),
    ("Trim", &[Text, Text], None),
    ("TrimLeft", &[Text, Text], None),
    ("TrimRight", &[Text, Text], None),
    ("TrimPrefix", &[Text, Text], None),
    ("TrimSuffix", &[Text, Text], None),
    ("TrimSpace", &[Text], None),
    ("trim", &[Text], None),
    ("trimAll", &[Text, Text], None),
    ("trimPrefix", &[Text, Text], None),
    ("trimSuffix", &[Text, Text], None),
    ("trunc", &[Integer, Text], None),
    ("substr", &[Integer, Integer, Text], None),
    ("contains", &[Text, Text], None),
    ("hasPrefix", &[Text, Text], None),
    ("hasSuffix", &[Text, Text], None),
    ("indent", &[Integer, Text], None),
    ("nindent", &[Integer, Text], None),
    ("repeat", &[Integer, Text], None),
    ("alignLeft", &[Integer, Text], None),
    ("alignRight", &[Integer, Text], None),
    ("regexReplaceAll", &[Text, Text, Text], None),
    ("regexReplaceAllLiteral", &[Text, Text, Text], None),
    ("count", &[Text, Text], None),
    ("urldecode", &[Text], None),
    ("urlencode", &[Text], None),
    ("b64enc", &[Text], None),
    ("b64dec", &[Text], None),
    ("bytes", &[Text], None),
    ("duration", &[Text], None),
    ("duration_seconds", &[Text], None),
    ("unixEpoch", &[Time], None),
    ("unixEpochMillis", &[Time], None),
    ("unixEpochNanos", &[Time], None),
    ("unixToTime", &[Text], None),
    ("toDate", &[Text, Text], None),
    ("toDateInZone", &[Text, Text, Text], None),
    ("date", &[Text, Any], None),
    ("default", &[Any], Some(Any)),
    ("fromJson", &[Text], None),
    ("int", &[Any], None),
    ("float64", &[Any], None),
    ("add", &[], Some(Any)),
    ("sub", &[Any, Any], None),
    ("mul", &[Any], Some(Any)),
    ("div", &[Any, Any], None),
    ("mod", &[Any, Any], None),
    ("addf", &[], Some(Any)),
    ("subf", &[Any], Some(Any)),
    ("mulf", &[Any], Some(Any)),
    ("divf", &[Any], Some(Any)),
    ("max", &[Any], Some(Any)),
    ("min", &[Any], Some(Any)),
    ("maxf", &[Any], Some(Any)),
    ("minf", &[Any], Some(Any)),
    ("ceil", &[Any], None),
    ("floor", &[Any], None),
    ("round", &[Any, Integer], Some(Float)),
    // Methods of times.
    (".Format", &[Time, Text], None),
    (".Unix", &[Time], None),
];

impl Builtin {
    pub(super) fn of(name: &str) -> Option<Self> {
        let found = BUILTINS.iter().find(|(known, ..)| *known == name && !known.starts_with('.'));
        found.map(Self)
    }

    /// Returns a method of a value.
    pub(super) fn method(name: &str) -> Option<Self> {
        BUILTINS.iter().find(|(known, ..)| known.strip_prefix('.') == Some(name)).map(Self)
    }

    pub(super) fn name(self) -> &'static str {
        self.0.0
    }

    /// Reports whether its first argument is a regular expression.
    pub(super) fn takes_regex(self) -> bool {
        matches!(self.name(), "regexReplaceAll" | "regexReplaceAllLiteral" | "count")
    }

    /// Checks arguments, each with whether it is a constant, whose type may then be changed.
    ///
    /// Errors: which of them is wrong, where 0 is the function, and why.
    pub(super) fn check(self, arguments: &mut [(GoValue, bool)]) -> Result<(), (usize, String)> {
        let (name, fixed, more) = *self.0;
        if arguments.len() < fixed.len() || more.is_none() && arguments.len() > fixed.len() {
            let least = if more.is_some() { "at least " } else { "" };
            let (want, got) = (fixed.len(), arguments.len());
            return Err((0, format!("wrong number of args for {name}: want {least}{want} got {got}")));
        }
        let parameters = fixed.iter().copied().chain(std::iter::repeat(more.unwrap_or(Any)));
        for (index, ((value, is_constant), parameter)) in arguments.iter_mut().zip(parameters).enumerate() {
            let wanted = match (parameter, &*value) {
                (Any, _) | (Text, GoValue::Text(_)) | (Integer, GoValue::Integer(_)) => continue,
                (Float, GoValue::Float(_)) | (Time, GoValue::ZonedTime(_)) => continue,
                (Float, GoValue::Integer(number)) if *is_constant => {
                    *value = GoValue::Float(*number as f64);
                    continue;
                }
                (Integer, GoValue::Float(number)) if *is_constant && number.fract() == 0.0 => {
                    *value = GoValue::Integer(*number as i64);
                    continue;
                }
                (Text, _) => "string",
                (Integer, _) => "int",
                (Float, _) => "float64",
                (Time, _) => "time.Time",
            };
            let problem = format!("wrong type for value; expected {wanted}; got {}", value.type_name());
            return Err((index + 1, problem));
        }
        Ok(())
    }

    /// Returns the value of the function; its arguments were checked.
    pub(super) fn call(self, arguments: &[GoValue], regex: Option<&Regex>) -> Result<GoValue, String> {
        let name = self.name();
        match name {
            "not" => Ok(GoValue::Boolean(!arguments[0].is_true())),
            "eq" => equal(&arguments[0], &arguments[1..]).map(GoValue::Boolean),
            "ne" => equal(&arguments[0], &arguments[1..]).map(|is_equal| GoValue::Boolean(!is_equal)),
            "lt" | "le" | "gt" | "ge" => ordered(name, &arguments[0], &arguments[1]).map(GoValue::Boolean),
            "len" => length(&arguments[0]),
            "index" => arguments[1..].iter().try_fold(arguments[0].clone(), |value, at| element(&value, at)),
            "slice" => slice(&arguments[0], &arguments[1..]),
            "print" => Ok(sprint(arguments).into()),
            "println" => {
                let parts: Vec<String> = arguments.iter().map(GoValue::printed).collect();
                Ok(format!("{}\n", parts.join(" ")).into())
            }
            "printf" => match &arguments[0] {
                GoValue::Text(form) => Ok(printf(form, &arguments[1..]).into()),
                _ => Ok("".into()),
            },
            "html" => Ok(text::html(&sprint(arguments)).into()),
            "js" => Ok(text::js(&sprint(arguments)).into()),
            "urlquery" => Ok(text::url_encoded(&sprint(arguments)).into()),
            "default" => {
                let given = arguments.get(1).filter(|value| value.is_true());
                Ok(given.unwrap_or(&arguments[0]).clone())
            }
            "fromJson" => {
                let json = serde_json::from_str(&arguments[0].printed());
                Ok(json.map_or(GoValue::Nil, GoValue::of_json))
            }
            "date" | "toDate" | "toDateInZone" | "unixToTime" | "unixEpoch" | "unixEpochMillis" | "unixEpochNanos"
            | ".Format" | ".Unix" => time(name, arguments),
            "regexReplaceAll" | "regexReplaceAllLiteral" | "count" => matched(name, arguments, regex),
            _ => match numeric::call(name, arguments) {
                Some(result) => result,
                None => text::call(name, arguments),
            },
        }
    }
}

/// Values one after the other, with a space between two that are no texts.
fn sprint(values: &[GoValue]) -> String {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        let is_text = |value: &GoValue| matches!(value, GoValue::Text(_));
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            out.push(' ');
        }
        value.print(&mut out);
    }
    out
}

fn equal(first: &GoValue, others: &[GoValue]) -> Result<bool, String> {
    for other in others {
        let is_equal = match (first, other) {
            (GoValue::Integer(a) | GoValue::Long(a), GoValue::Integer(b) | GoValue::Long(b)) => a == b,
            (GoValue::Boolean(_), GoValue::Boolean(_))
            | (GoValue::Float(_), GoValue::Float(_))
            | (GoValue::Text(_), GoValue::Text(_))
            | (GoValue::ZonedTime(_), GoValue::ZonedTime(_)) => first == other,
            (GoValue::List(_) | GoValue::Map(_), _) | (_, GoValue::List(_) | GoValue::Map(_)) => {
                return Err("non-comparable type in a comparison".to_owned());
            }
            (GoValue::Nil, _) | (_, GoValue::Nil) => first == other,
            _ => return Err("incompatible types for comparison".to_owned()),
        };
        if is_equal {
            return Ok(true);
        }
    }
    Ok(false)
}

fn ordered(name: &str, left: &GoValue, right: &GoValue) -> Result<bool, String> {
    let order = match (left, right) {
        (GoValue::Integer(a) | GoValue::Long(a), GoValue::Integer(b) | GoValue::Long(b)) => Some(a.cmp(b)),
        (GoValue::Float(a), GoValue::Float(b)) => a.partial_cmp(b),
        (GoValue::Text(a), GoValue::Text(b)) => Some(a.cmp(b)),
        (
            GoValue::Integer(_) | GoValue::Long(_) | GoValue::Float(_) | GoValue::Text(_),
            GoValue::Boolean(_) | GoValue::Nil,
        )
        | (GoValue::Boolean(_) | GoValue::Nil | GoValue::List(_) | GoValue::Map(_) | GoValue::ZonedTime(_), _) => {
            return Err("invalid type for comparison".to_owned());
        }
        _ => return Err("incompatible types for comparison".to_owned()),
    };
    Ok(match name {
        "lt" => order == Some(Ordering::Less),
        "le" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "gt" => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

fn length(value: &GoValue) -> Result<GoValue, String> {
    let n = match value {
        GoValue::Text(text) => text.len(),
        GoValue::List(items) => items.len(),
        GoValue::Map(members) => members.len(),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(GoValue::Integer(n as i64))
}

/// Returns a whole number as a place in something of `n` elements.
fn place(at: &GoValue, n: usize) -> Result<usize, String> {
    match at {
        GoValue::Integer(at) | GoValue::Long(at) => {
            usize::try_from(*at).ok().filter(|at| *at <= n).ok_or_else(|| format!("index out of range: {at}"))
        }
        other => Err(format!("cannot index slice/array with type {}", other.type_name())),
    }
}

fn element(value: &GoValue, at: &GoValue) -> Result<GoValue, String> {
    let missing = |at: usize| format!("index out of range: {at}");
    match value {
        GoValue::List(items) => {
            let at = place(at, items.len())?;
            items.get(at).cloned().ok_or_else(|| missing(at))
        }
        GoValue::Text(text) => {
            let at = place(at, text.len())?;
            text.as_bytes().get(at).map(|byte| GoValue::Integer(i64::from(*byte))).ok_or_else(|| missing(at))
        }
        GoValue::Map(members) => match at {
            GoValue::Text(name) => Ok(members.get(&**name).cloned().unwrap_or(GoValue::Nil)),
            other => Err(format!("value has type {}; should be string", other.type_name())),
        },
        GoValue::Nil => Err("index of untyped nil".to_owned()),
        other => Err(format!("can't index item of type {}", other.type_name())),
    }
}

fn slice(value: &GoValue, at: &[GoValue]) -> Result<GoValue, String> {
    let n = match value {
        GoValue::Text(text) => text.len(),
        GoValue::List(items) => items.len(),
        GoValue::Nil => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    if at.len() > 3 || at.len() == 3 && matches!(value, GoValue::Text(_)) {
        return Err("too many slice indexes".to_owned());
    }
    let places: Vec<usize> = at.iter().map(|at| place(at, n)).collect::<Result<_, _>>()?;
    let (from, to) = (places.first().copied().unwrap_or(0), places.get(1).copied().unwrap_or(n));
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match value {
        GoValue::List(items) => GoValue::List(items[from..to].into()),
        GoValue::Text(text) => text::of_bytes(&text.as_bytes()[from..to]),
        other => other.clone(),
    })
}

fn time(name: &str, arguments: &[GoValue]) -> Result<GoValue, String> {
    let text = |index: usize| arguments.get(index).map(GoValue::printed).unwrap_or_default();
    let units = |per_second: i64| match &arguments[0] {
        GoValue::ZonedTime(moment) => moment.units(per_second),
        _ => 0,
    };
    let parsed = |layout: &str, value: &str, name: &str| {
        GoValue::ZonedTime(layout::parse(layout, value, zone(name)).unwrap_or(ZonedTime::ZERO))
    };
    Ok(match name {
        "toDate" => parsed(&text(0), &text(1), "Local"),
        "toDateInZone" => parsed(&text(0), &text(2), &text(1)),
        "unixToTime" => GoValue::ZonedTime(unix_time(&text(0))?),
        "unixEpoch" => units(1).to_string().into(),
        "unixEpochMillis" => units(1_000).to_string().into(),
        "unixEpochNanos" => units(1_000_000_000).to_string().into(),
        ".Unix" => GoValue::Long(units(1)),
        ".Format" => match &arguments[0] {
            GoValue::ZonedTime(moment) => layout::format(moment, &text(1)).into(),
            _ => "".into(),
        },
        _ => match &arguments[1] {
            GoValue::ZonedTime(moment) => {
                layout::format(&ZonedTime { zone: super::times::Zone::Named(zone("")), ..*moment }, &text(0)).into()
            }
            GoValue::Integer(seconds) | GoValue::Long(seconds) => {
                layout::format(&ZonedTime::of_seconds(*seconds), &text(0)).into()
            }
            other => return Err(format!("date of type {} is not supported", other.type_name())),
        },
    })
}

/// Days, seconds, milliseconds, microseconds or nanoseconds since 1970, by the number of digits.
fn unix_time(text: &str) -> Result<ZonedTime, String> {
    let unreadable = || format!("unable to parse time '{text}'");
    let number: i64 = text.parse().map_err(|_| unreadable())?;
    let unit_ns: i64 = match text.len() {
        5 => return Ok(ZonedTime::of_seconds(number.saturating_mul(86_400))),
        10 => return Ok(ZonedTime::of_seconds(number)),
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return Err(unreadable()),
    };
    Ok(ZonedTime::of_nanoseconds(number.saturating_mul(unit_ns)))
}

fn matched(name: &str, arguments: &[GoValue], known: Option<&Regex>) -> Result<GoValue, String> {
    let text = |index: usize| arguments.get(index).map(GoValue::printed).unwrap_or_default();
    let compiled;
    let regex = match known {
        Some(regex) => regex,
        None => {
            compiled = compile_go_regex(&text(0))?;
            &compiled
        }
    };
    let subject = text(1);
    Ok(match name {
        "count" => GoValue::Integer(regex.find_iter(&subject).count() as i64),
        "regexReplaceAll" => bounded_replacement(regex, &subject, &text(2), true)?,
        _ => bounded_replacement(regex, &subject, &text(2), false)?,
    })
}

/// Replaces all matches, unless the text becomes too long.
fn bounded_replacement(regex: &Regex, subject: &str, with: &str, expands: bool) -> Result<GoValue, String> {
    let (mut out, mut last) = (String::new(), 0);
    for found in regex.captures_iter(subject) {
        let whole = found.get_match();
        out.push_str(&subject[last..whole.start()]);
        if expands {
            goregex::expand(&found, with, &mut out);
        } else {
            out.push_str(with);
        }
        last = whole.end();
        if out.len() > TEXT_BYTES_MAX {
            return Err(format!("text of more than {TEXT_BYTES_MAX} bytes"));
        }
    }
    out.push_str(&subject[last..]);
    Ok(out.into())
}
