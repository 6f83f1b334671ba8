//! Classes of characters in brackets.

use crate::SyntaxError;
use crate::escape::{Escape, escape, push_character};

/// The classes with names, as in `[[:alpha:]]`.
const NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// Copies the class at the beginning of a text; returns what follows.
pub(crate) fn class<'t>(text: &'t str, out: &mut String) -> Result<&'t str, SyntaxError> {
    let mut rest = &text[1..];
    out.push('[');
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    // A closing bracket that comes first stands for itself.
    let mut is_first = true;
    while is_first || !rest.starts_with(']') {
        is_first = false;
        rest = match named(rest)? {
            Some((name, after)) => {
                out.push_str(name);
                after
            }
            None => member(rest, text, out)?,
        };
    }
    out.push(']');
    Ok(&rest[1..])
}

/// Reads a class with a name; without the end of a name the bracket stands for itself.
fn named(text: &str) -> Result<Option<(&str, &str)>, SyntaxError> {
    let end = text.strip_prefix("[:").and_then(|name| name.find(":]"));
    let Some(end) = end else { return Ok(None) };
    let (whole, after) = text.split_at(end + 4);
    let name = &text[2..end + 2];
    match NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        true => Ok(Some((whole, after))),
        false => Err(SyntaxError::new("invalid character class range", whole)),
    }
}

/// Copies a character, a range, or a class that an escape stands for; returns what follows.
fn member<'t>(text: &'t str, class: &str, out: &mut String) -> Result<&'t str, SyntaxError> {
    let (first, after) = character(text, class)?;
    let first = match first {
        Escape::Character(first) => first,
        Escape::Class(members) => {
            out.push_str(&members);
            return Ok(after);
        }
    };
    push_member(first, out);
    // Before the closing bracket, or at the end, a hyphen stands for itself.
    let Some(end) = after.strip_prefix('-').filter(|end| !end.is_empty() && !end.starts_with(']')) else {
        return Ok(after);
    };
    let (last, after) = character(end, class)?;
    match last {
        Escape::Character(last) if last >= first => {
            out.push('-');
            push_member(last, out);
            Ok(after)
        }
        Escape::Character(_) => {
            Err(SyntaxError::new("invalid character class range", &text[..text.len() - after.len()]))
        }
        Escape::Class(_) => Err(SyntaxError::new("invalid escape sequence", &end[..2])),
    }
}

fn character<'t>(text: &'t str, class: &str) -> Result<(Escape, &'t str), SyntaxError> {
    match text.chars().next() {
        None => Err(SyntaxError::new("missing closing ]", class)),
        Some('\\') => escape(text),
        Some(c) => Ok((Escape::Character(c), &text[c.len_utf8()..])),
    }
}

/// Writes a character of a class; `&&`, `--` and `~~` would be operators.
fn push_member(c: char, out: &mut String) {
    match c {
        '-' | '&' | '~' => out.extend(['\\', c]),
        '.' | '+' | '*' | '?' | '(' | ')' | '|' | '{' | '}' | '$' => out.push(c),
        _ => push_character(c, out),
    }
}
