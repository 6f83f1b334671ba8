//! Go's `Sprintf`, for the verbs of texts and numbers.

use std::iter::Peekable;
use std::str::Chars;

use crate::number::{fixed, general, scientific};
use crate::value::Value;

/// Widest field and most decimals: Go allows a million, which no text for people needs.
const WIDTH_MAX: usize = 1_000;

/// What stands between the percent sign and the verb.
#[derive(Clone, Copy, Default)]
struct Spec {
    is_left: bool,
    has_plus: bool,
    has_space: bool,
    has_zeros: bool,
    is_alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats the arguments after the first one, which is the format.
pub(crate) fn formatted(arguments: &[Value]) -> Result<String, String> {
    let Some((Value::Text(format), arguments)) = arguments.split_first() else {
        return Err("wrong type for value; expected string".to_owned());
    };
    let (mut text, mut next, mut characters) = (String::new(), 0, format.chars().peekable());
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let spec = spec(&mut characters, arguments, &mut next);
        let Some(verb) = characters.next() else {
            text.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            text.push('%');
            continue;
        }
        match arguments.get(next) {
            Some(value) => text.push_str(&one(verb, spec, value)),
            None => text.push_str(&format!("%!{verb}(MISSING)")),
        }
        next += 1;
    }
    if let Some(extra) = arguments.get(next..).filter(|extra| !extra.is_empty()) {
        let shown: Vec<String> =
            extra.iter().map(|value| format!("{}={}", value.type_name(), value.printed())).collect();
        text.push_str(&format!("%!(EXTRA {})", shown.join(", ")));
    }
    Ok(text)
}

fn spec(characters: &mut Peekable<Chars<'_>>, arguments: &[Value], next: &mut usize) -> Spec {
    let mut spec = Spec::default();
    while let Some(flag) = characters.next_if(|one| ['-', '+', ' ', '0', '#'].contains(one)) {
        match flag {
            '-' => spec.is_left = true,
            '+' => spec.has_plus = true,
            ' ' => spec.has_space = true,
            '#' => spec.is_alternate = true,
            _ => spec.has_zeros = true,
        }
    }
    spec.width = count(characters, arguments, next).unwrap_or(0);
    if characters.next_if_eq(&'.').is_some() {
        spec.precision = Some(count(characters, arguments, next).unwrap_or(0));
    }
    spec
}

/// Reads a number, or takes an argument for `*`.
fn count(characters: &mut Peekable<Chars<'_>>, arguments: &[Value], next: &mut usize) -> Option<usize> {
    if characters.next_if_eq(&'*').is_some() {
        let argument = arguments.get(*next);
        *next += 1;
        let Some(Value::Int(number)) = argument else { return None };
        return usize::try_from(*number).ok().map(|number| number.min(WIDTH_MAX));
    }
    let mut number = None;
    while let Some(digit) = characters.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).unwrap_or(0) as usize;
        number = Some((number.unwrap_or(0) * 10 + digit).min(WIDTH_MAX));
    }
    number
}

/// Formats one value.
fn one(verb: char, spec: Spec, value: &Value) -> String {
    match (verb, value) {
        ('T', _) => padded(value.type_name().to_owned(), spec),
        ('v', Value::Float(number)) => signed(general(*number, spec.precision), spec),
        ('v', Value::Int(number)) => signed(number.to_string(), spec),
        ('v', Value::Text(text)) if spec.is_alternate => padded(format!("{text:?}"), spec),
        ('v', _) => padded(value.printed(), spec),
        ('d', Value::Int(number)) => signed(number.to_string(), spec),
        ('x', Value::Int(number)) => signed(hexadecimal(*number), spec),
        ('X', Value::Int(number)) => signed(hexadecimal(*number).to_uppercase(), spec),
        ('c', Value::Int(code)) => {
            let character = u32::try_from(*code).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
            padded(character.to_string(), spec)
        }
        ('e', Value::Float(number)) => signed(scientific(*number, spec.precision.unwrap_or(6)), spec),
        ('E', Value::Float(number)) => signed(scientific(*number, spec.precision.unwrap_or(6)).to_uppercase(), spec),
        ('f' | 'F', Value::Float(number)) => signed(fixed(*number, spec.precision.unwrap_or(6)), spec),
        ('g', Value::Float(number)) => signed(general(*number, spec.precision), spec),
        ('G', Value::Float(number)) => signed(general(*number, spec.precision).to_uppercase(), spec),
        ('s' | 'q', Value::Text(text)) => {
            let n = spec.precision.unwrap_or(usize::MAX);
            let text: String = text.chars().take(n).collect();
            padded(if verb == 'q' { format!("{text:?}") } else { text }, spec)
        }
        ('s', Value::Labels(_) | Value::Time(_)) => padded(value.printed(), spec),
        ('x', Value::Text(text)) => padded(text.bytes().map(|byte| format!("{byte:02x}")).collect(), spec),
        ('t', Value::Bool(value)) => padded(value.to_string(), spec),
        (_, Value::Nil) => format!("%!{verb}(<nil>)"),
        _ => format!("%!{verb}({}={})", value.type_name(), value.printed()),
    }
}

fn hexadecimal(number: i64) -> String {
    if number < 0 { format!("-{:x}", number.unsigned_abs()) } else { format!("{number:x}") }
}

/// Adds a sign where one is asked for, and zeros between it and the digits.
fn signed(text: String, spec: Spec) -> String {
    let has_sign = text.starts_with(['-', '+']);
    // Infinity has a sign of its own, which goes unless it is asked for.
    let (sign, digits) = if has_sign { text.split_at(1) } else { ("", text.as_str()) };
    let sign = match sign {
        "-" => "-",
        _ if spec.has_plus => "+",
        _ if spec.has_space => " ",
        other => other,
    };
    let is_number = digits.starts_with(|one: char| one.is_ascii_digit());
    if spec.has_zeros && !spec.is_left && is_number {
        let width = spec.width.saturating_sub(sign.len());
        return format!("{sign}{digits:0>width$}");
    }
    padded(format!("{sign}{digits}"), spec)
}

fn padded(text: String, spec: Spec) -> String {
    let width = spec.width;
    if spec.is_left { format!("{text:<width$}") } else { format!("{text:>width$}") }
}
