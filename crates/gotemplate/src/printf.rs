//! `printf`: Go's verbs, flags, widths and precisions. What does not fit is said in the text, as Go says it.

use crate::escape::quoted;
use crate::numbers::{fixed, general, scientific};
use crate::value::Value;

/// Widest that a value is padded.
const WIDTH_MAX: usize = 10_000;

/// What is between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
struct Form {
    is_left: bool,
    has_sign: bool,
    is_sharp: bool,
    has_space: bool,
    has_zeros: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats arguments as Go does.
pub fn printf(form: &str, arguments: &[Value]) -> String {
    let (mut out, mut rest, mut arguments) =
        (String::new(), form, Operands { all: arguments, at: 0, reordered: false });
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = verb(&rest[at + 1..], &mut arguments, &mut out);
    }
    out.push_str(rest);
    let left = arguments.all.get(arguments.at..).unwrap_or_default();
    if !left.is_empty() && !arguments.reordered {
        let shown = left.iter().map(|value| format!("{}={}", value.type_name(), value.printed()));
        out.push_str(&format!("%!(EXTRA {})", shown.collect::<Vec<_>>().join(", ")));
    }
    out
}

struct Operands<'a> {
    all: &'a [Value],
    at: usize,
    reordered: bool,
}

impl<'a> Operands<'a> {
    fn next(&mut self) -> Option<&'a Value> {
        let value = self.all.get(self.at)?;
        self.at += 1;
        Some(value)
    }

    /// `[2]` chooses the next argument.
    fn index<'t>(&mut self, rest: &'t str) -> &'t str {
        let Some((number, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) else { return rest };
        self.at = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).unwrap_or(usize::MAX);
        self.reordered = true;
        after
    }

    /// Returns a number in the form, or `*` for one of the arguments.
    fn number<'t>(&mut self, rest: &'t str) -> (Option<i64>, &'t str) {
        if let Some(after) = rest.strip_prefix('*') {
            let number = match self.next() {
                Some(Value::Integer(number) | Value::Long(number)) => Some(*number),
                _ => None,
            };
            return (number, after);
        }
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        (rest[..end].parse().ok(), &rest[end..])
    }
}

/// Writes one value; returns what follows its verb.
fn verb<'t>(rest: &'t str, arguments: &mut Operands<'_>, out: &mut String) -> &'t str {
    let (mut form, mut rest) = (Form::default(), rest);
    while let Some(flag) = rest.chars().next() {
        match flag {
            '-' => form.is_left = true,
            '+' => form.has_sign = true,
            '#' => form.is_sharp = true,
            ' ' => form.has_space = true,
            '0' => form.has_zeros = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    rest = arguments.index(rest);
    let (width, after) = arguments.number(rest);
    form.is_left |= width.is_some_and(|width| width < 0);
    form.width = width.map_or(0, |width| (width.unsigned_abs() as usize).min(WIDTH_MAX));
    rest = after;
    if let Some(after) = rest.strip_prefix('.') {
        let after = arguments.index(after);
        let (precision, after) = arguments.number(after);
        form.precision = Some(precision.map_or(0, |n| usize::try_from(n).unwrap_or(0).min(WIDTH_MAX)));
        rest = after;
    }
    rest = arguments.index(rest);
    let Some(letter) = rest.chars().next() else {
        out.push_str("%!(NOVERB)");
        return rest;
    };
    rest = &rest[letter.len_utf8()..];
    if letter == '%' {
        out.push('%');
        return rest;
    }
    match arguments.next() {
        Some(value) => pad(&formatted(value, letter, form), value, letter, form, out),
        None if arguments.reordered => out.push_str(&format!("%!{letter}(BADINDEX)")),
        None => out.push_str(&format!("%!{letter}(MISSING)")),
    }
    rest
}

fn pad(text: &str, value: &Value, letter: char, form: Form, out: &mut String) {
    let n_missing = form.width.saturating_sub(text.chars().count());
    let is_finite = !matches!(value, Value::Float(number) if !number.is_finite());
    if form.is_left {
        out.push_str(text);
        out.extend(std::iter::repeat_n(' ', n_missing));
    } else if form.has_zeros && is_finite {
        let is_number =
            matches!(value, Value::Integer(_) | Value::Long(_) | Value::Float(_)) && !matches!(letter, 'q' | 'c' | 'U');
        let has_sign = is_number && text.starts_with(['-', '+', ' ']);
        let (sign, digits) = text.split_at(usize::from(has_sign));
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', n_missing));
        out.push_str(digits);
    } else {
        out.extend(std::iter::repeat_n(' ', n_missing));
        out.push_str(text);
    }
}

/// Returns a value without padding.
fn formatted(value: &Value, letter: char, form: Form) -> String {
    if letter == 'T' {
        return value.type_name().to_owned();
    }
    let element = |out: &mut String, value: &Value| out.push_str(&formatted(value, letter, form));
    let mut all = String::new();
    let written = match value {
        Value::Boolean(_) => matches!(letter, 't' | 'v').then(|| value.printed()),
        Value::Integer(number) | Value::Long(number) => integer(*number, letter, form),
        Value::Float(number) => float(*number, letter, form),
        Value::Text(text) => self::text(text, letter, form),
        Value::Time(_) => self::text(&value.printed(), letter, form),
        Value::List(list) => {
            list.write(&mut all, element);
            Some(all)
        }
        Value::Map(map) => {
            map.write(&mut all, element);
            Some(all)
        }
        Value::Nil if letter == 'v' => Some("<nil>".to_owned()),
        Value::Nil => Some(format!("%!{letter}(<nil>)")),
    };
    written.unwrap_or_else(|| format!("%!{letter}({}={})", value.type_name(), value.printed()))
}

/// Adds a sign if one is asked for. Infinity has one anyway.
fn signed(text: String, form: Form) -> String {
    let digits = text.strip_prefix('+').unwrap_or(&text);
    match () {
        () if text.starts_with('-') => text,
        () if form.has_sign => format!("+{digits}"),
        () if form.has_space => format!(" {digits}"),
        () => text,
    }
}

fn integer(number: i64, letter: char, form: Form) -> Option<String> {
    let of = |digits: String, prefix: &str| {
        let n_zeros = form.precision.unwrap_or(0).saturating_sub(digits.len());
        let sign = if number < 0 { "-" } else { "" };
        let prefix = if form.is_sharp { prefix } else { "" };
        signed(format!("{sign}{prefix}{}{digits}", "0".repeat(n_zeros)), form)
    };
    let (magnitude, character) = (number.unsigned_abs(), u32::try_from(number).ok().and_then(char::from_u32));
    Some(match letter {
        'd' | 'v' => of(magnitude.to_string(), ""),
        'x' => of(format!("{magnitude:x}"), "0x"),
        'X' => of(format!("{magnitude:X}"), "0X"),
        'o' => of(format!("{magnitude:o}"), "0"),
        'O' => signed(format!("{}0o{magnitude:o}", if number < 0 { "-" } else { "" }), form),
        'b' => of(format!("{magnitude:b}"), "0b"),
        'c' => character.unwrap_or(char::REPLACEMENT_CHARACTER).to_string(),
        'q' => format!("'{}'", character.unwrap_or(char::REPLACEMENT_CHARACTER)),
        'U' => match character.filter(|_| form.is_sharp) {
            Some(character) => format!("U+{magnitude:04X} '{character}'"),
            None => format!("U+{magnitude:04X}"),
        },
        _ => return None,
    })
}

fn float(number: f64, letter: char, form: Form) -> Option<String> {
    let precision = form.precision.unwrap_or(6);
    let text = match letter {
        'v' | 'g' | 'G' => general(number, form.precision),
        'e' | 'E' => scientific(number, precision),
        'f' | 'F' => fixed(number, precision),
        _ => return None,
    };
    Some(signed(if matches!(letter, 'E' | 'G') && number.is_finite() { text.to_uppercase() } else { text }, form))
}

fn text(text: &str, letter: char, form: Form) -> Option<String> {
    let n_bytes = |n| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    let cut = &text[..form.precision.map_or(text.len(), n_bytes)];
    let bytes = &text.as_bytes()[..form.precision.map_or(text.len(), |precision| precision.min(text.len()))];
    let hexadecimal = |byte: &u8| if letter == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") };
    Some(match letter {
        'v' if form.is_sharp => quoted(cut),
        's' | 'v' => cut.to_owned(),
        'q' if form.is_sharp && !cut.contains(['`', '\n']) => format!("`{cut}`"),
        'q' if form.has_sign => ascii(&quoted(cut)),
        'q' => quoted(cut),
        'x' | 'X' => bytes.iter().map(hexadecimal).collect::<Vec<_>>().join(if form.has_space { " " } else { "" }),
        _ => return None,
    })
}

/// Returns a text with escapes of all characters that ASCII does not have.
fn ascii(text: &str) -> String {
    let escape = |c: char| match u32::from(c) {
        0..0x80 => c.to_string(),
        code @ 0..0x1_0000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    text.chars().map(escape).collect()
}
