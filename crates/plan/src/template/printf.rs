//! `printf`: Go's verbs, flags, widths and precisions. What does not fit is said in the text, as Go says it.

use super::numbers::{SHORTEST_LIMIT, general, scientific, special};
use super::value::GoValue;

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
    width: Option<usize>,
    precision: Option<usize>,
}

/// Formats arguments.
pub(super) fn printf(form: &str, arguments: &[GoValue]) -> String {
    let (mut out, mut rest, mut arguments) =
        (String::new(), form, Arguments { all: arguments, at: 0, reordered: false });
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

struct Arguments<'a> {
    all: &'a [GoValue],
    at: usize,
    reordered: bool,
}

impl<'a> Arguments<'a> {
    fn next(&mut self) -> Option<&'a GoValue> {
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
                Some(GoValue::Integer(number) | GoValue::Long(number)) => Some(*number),
                _ => None,
            };
            return (number, after);
        }
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        (rest[..end].parse().ok(), &rest[end..])
    }
}

/// Writes one value; gives what follows its verb.
fn verb<'t>(rest: &'t str, arguments: &mut Arguments<'_>, out: &mut String) -> &'t str {
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
    form.width = width.map(|width| (width.unsigned_abs() as usize).min(WIDTH_MAX));
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
        Some(value) => out.push_str(&padded(&formatted(value, letter, form), value, letter, form)),
        None if arguments.reordered => out.push_str(&format!("%!{letter}(BADINDEX)")),
        None => out.push_str(&format!("%!{letter}(MISSING)")),
    }
    rest
}

fn padded(text: &str, value: &GoValue, letter: char, form: Form) -> String {
    let n_missing = form.width.unwrap_or(0).saturating_sub(text.chars().count());
    if n_missing == 0 {
        return text.to_owned();
    }
    if form.is_left {
        return format!("{text}{}", " ".repeat(n_missing));
    }
    let is_finite = !matches!(value, GoValue::Float(number) if !number.is_finite());
    if !form.has_zeros || !is_finite {
        return format!("{}{text}", " ".repeat(n_missing));
    }
    let is_number = matches!(value, GoValue::Integer(_) | GoValue::Long(_) | GoValue::Float(_))
        && !matches!(letter, 'q' | 'c' | 'U');
    let sign = text.chars().next().filter(|c| is_number && matches!(c, '-' | '+' | ' '));
    let digits = &text[sign.map_or(0, char::len_utf8)..];
    format!("{}{}{digits}", sign.map(String::from).unwrap_or_default(), "0".repeat(n_missing))
}

/// Returns a value without padding.
fn formatted(value: &GoValue, letter: char, form: Form) -> String {
    if letter == 'T' {
        return value.type_name().to_owned();
    }
    let written = match value {
        GoValue::Boolean(_) => matches!(letter, 't' | 'v').then(|| value.printed()),
        GoValue::Integer(number) | GoValue::Long(number) => integer(*number, letter, form),
        GoValue::Float(number) => float(*number, letter, form),
        GoValue::Text(text) => self::text(text, letter, form),
        GoValue::ZonedTime(_) => self::text(&value.printed(), letter, form),
        GoValue::List(items) => {
            let items: Vec<String> = items.iter().map(|item| formatted(item, letter, form)).collect();
            Some(format!("[{}]", items.join(" ")))
        }
        GoValue::Map(members) => {
            let member = |(name, value): (&String, &GoValue)| {
                let name = formatted(&GoValue::from(name.as_str()), letter, form);
                format!("{name}:{}", formatted(value, letter, form))
            };
            Some(format!("map[{}]", members.iter().map(member).collect::<Vec<_>>().join(" ")))
        }
        GoValue::Nil => (letter == 'v').then(|| "<nil>".to_owned()),
    };
    written.unwrap_or_else(|| match value {
        GoValue::Nil => format!("%!{letter}(<nil>)"),
        _ => format!("%!{letter}({}={})", value.type_name(), value.printed()),
    })
}

fn signed(text: String, form: Form) -> String {
    match () {
        () if text.starts_with('-') => text,
        () if form.has_sign => format!("+{text}"),
        () if form.has_space => format!(" {text}"),
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
        'v' | 'g' | 'G' => general(number, form.precision, SHORTEST_LIMIT),
        'e' | 'E' => scientific(number, precision),
        'f' | 'F' => special(number).map_or_else(|| format!("{number:.precision$}"), str::to_owned),
        _ => return None,
    };
    let text = if letter.is_ascii_uppercase() && number.is_finite() { text.to_uppercase() } else { text };
    Some(signed(text, form)).map(|text| if form.has_sign { text } else { text.trim_start_matches('+').to_owned() }).map(
        |text| match special(number) {
            // Infinity keeps its sign.
            Some("+Inf") => "+Inf".to_owned(),
            _ => text,
        },
    )
}

fn text(text: &str, letter: char, form: Form) -> Option<String> {
    let cut: String = match form.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    let separator = if form.has_space { " " } else { "" };
    let bytes = text.as_bytes();
    let bytes = &bytes[..form.precision.map_or(bytes.len(), |precision| precision.min(bytes.len()))];
    let hexadecimal = |byte: &u8| if letter == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") };
    Some(match letter {
        's' | 'v' => cut,
        'q' if form.is_sharp && !cut.contains(['`', '\n']) => format!("`{cut}`"),
        'q' => quoted(&cut, form.has_sign),
        'x' | 'X' => bytes.iter().map(hexadecimal).collect::<Vec<_>>().join(separator),
        _ => return None,
    })
}

/// Returns a text in quotes with Go's escapes.
fn quoted(text: &str, is_ascii: bool) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_ascii() || !is_ascii && !c.is_control() => out.push(c),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}
