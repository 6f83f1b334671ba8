//! What a backslash begins.

use crate::SyntaxError;

/// What an escape stands for.
pub(crate) enum Escape {
    Character(char),
    /// A class as the crate `regex` writes it.
    Class(String),
}

/// Reads the escape at the beginning of a text; returns what it stands for and what follows.
pub(crate) fn escape(text: &str) -> Result<(Escape, &str), SyntaxError> {
    let c = text[1..].chars().next().ok_or_else(|| SyntaxError::new("trailing backslash at end of expression", ""))?;
    let after = &text[1 + c.len_utf8()..];
    if let Some(members) = ascii_class(c) {
        let sign = if c.is_ascii_uppercase() { "^" } else { "" };
        return Ok((Escape::Class(format!("[{sign}{members}]")), after));
    }
    if matches!(c, 'p' | 'P') {
        return property(text).map(|(class, after)| (Escape::Class(class), after));
    }
    let character = |code: u32, n: usize| char::from_u32(code).map(|c| (Escape::Character(c), &after[n..]));
    let found = match c {
        '0'..='7' => {
            let digits = after.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            // One digit that is not 0 would refer to a group.
            let is_number = c == '0' || digits > 0;
            let code = is_number.then(|| u32::from_str_radix(&text[1..2 + digits], 8).ok()).flatten();
            code.and_then(|code| character(code, digits))
        }
        'x' => hexadecimal(after).and_then(|(code, n)| character(code, n)),
        'a' => character(0x07, 0),
        'f' => character(0x0c, 0),
        'n' => character(0x0a, 0),
        'r' => character(0x0d, 0),
        't' => character(0x09, 0),
        'v' => character(0x0b, 0),
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => character(c.into(), 0),
        _ => None,
    };
    found.ok_or_else(|| SyntaxError::new("invalid escape sequence", wrong_part(text)))
}

/// Reads the number after `\x`; returns it and how many bytes it takes.
fn hexadecimal(text: &str) -> Option<(u32, usize)> {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (digits, n) = match text.strip_prefix('{') {
        Some(rest) => rest.split_once('}').map(|(digits, _)| (digits, digits.len() + 2))?,
        None => (text.get(..2)?, 2),
    };
    is_number(digits).then(|| u32::from_str_radix(digits, 16).ok().map(|code| (code, n))).flatten()
}

/// Returns the escape and, of one with a number, the character after it.
fn wrong_part(text: &str) -> &str {
    let n_characters = if text.starts_with("\\x") { 4 } else { 2 };
    &text[..text.char_indices().nth(n_characters).map_or(text.len(), |(at, _)| at)]
}

/// Returns the members of the class that an escaped small letter stands for; the capital one stands for all others.
fn ascii_class(letter: char) -> Option<&'static str> {
    match letter.to_ascii_lowercase() {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some("\\t\\n\\f\\r "),
        _ => None,
    }
}

/// Reads `\pL`, `\p{Greek}` or `\p{^Greek}`.
fn property(text: &str) -> Result<(String, &str), SyntaxError> {
    let wrong = |part: &str| SyntaxError::new("invalid character class range", part);
    let after = &text[2..];
    let (name, after) = match after.strip_prefix('{') {
        Some(named) => named.split_once('}').ok_or_else(|| wrong(text))?,
        None => after.split_at(after.chars().next().map_or(0, char::len_utf8)),
    };
    let whole = &text[..text.len() - after.len()];
    let (is_other, name) = name.strip_prefix('^').map_or((false, name), |name| (true, name));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ');
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(wrong(whole));
    }
    let sign = if is_other == text.starts_with("\\P") { 'p' } else { 'P' };
    let class = format!("\\{sign}{{{name}}}");
    match regex::Regex::new(&class) {
        Ok(_) => Ok((class, after)),
        Err(_) => Err(wrong(whole)),
    }
}

/// Writes a character that stands for itself.
pub(crate) fn push_character(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ if c.is_control() => out.push_str(&format!("\\x{{{:X}}}", u32::from(c))),
        '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => out.extend(['\\', c]),
        _ => out.push(c),
    }
}
