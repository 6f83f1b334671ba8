//! Splits a template into text and actions, and actions into words.

use crate::TemplateError;

/// A word of an action.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    /// A function or keyword.
    Name(String),
    /// `$name`, without the sign.
    Variable(String),
    /// `.name`, without the dot.
    Field(String),
    /// `.`.
    Dot,
    /// A text, without its quotes.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// `'c'` as its code.
    Character(i64),
    /// `:=`.
    Declare,
    /// `=`.
    Assign,
    /// `|`, `,`, `(` or `)`.
    Sign(char),
}

/// A word and its place.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) word: Word,
    pub(crate) at: usize,
    /// Whether white space precedes it: `$x .y` are two operands, `$x.y` is one.
    pub(crate) is_spaced: bool,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Text, trimmed as the actions around it ask.
    Text(String),
    /// An action, and where it begins.
    Action(Vec<Token>, usize),
}

/// Splits a template.
pub(crate) fn split(text: &str) -> Result<Vec<Part>, TemplateError> {
    let (mut parts, mut at, mut trims_next) = (Vec::new(), 0, false);
    loop {
        let open = text[at..].find("{{").map(|found| at + found);
        let mut literal = &text[at..open.unwrap_or(text.len())];
        if trims_next {
            literal = literal.trim_start_matches(is_space);
        }
        let Some(open) = open else {
            push_text(&mut parts, literal);
            return Ok(parts);
        };
        let mut begin = open + 2;
        // A minus belongs to the braces if white space follows.
        let is_trimming = text[begin..].starts_with('-') && text[begin + 1..].starts_with(is_space);
        if is_trimming {
            begin += 1;
            literal = literal.trim_end_matches(is_space);
        }
        push_text(&mut parts, literal);
        if let Some(end) = comment_end(text, begin)? {
            (at, trims_next) = end;
            continue;
        }
        let (words, end) = action(text, begin, open)?;
        parts.push(Part::Action(words, open));
        (at, trims_next) = end;
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Returns where an action ends, and whether it trims the text after it, if it ends at `at`.
fn close(text: &str, at: usize) -> Option<(usize, bool)> {
    let rest = &text[at..];
    if rest.starts_with("}}") {
        return Some((at + 2, false));
    }
    let spaces = rest.len() - rest.trim_start_matches(is_space).len();
    (spaces > 0 && rest[spaces..].starts_with("-}}")).then_some((at + spaces + 3, true))
}

/// Returns where a comment ends, if one begins at `begin`.
fn comment_end(text: &str, begin: usize) -> Result<Option<(usize, bool)>, TemplateError> {
    let spaces = text[begin..].len() - text[begin..].trim_start_matches(is_space).len();
    if !text[begin + spaces..].starts_with("/*") {
        return Ok(None);
    }
    let after = begin + spaces + 2;
    let end = text[after..].find("*/").ok_or_else(|| TemplateError::new(begin, "unclosed comment"))?;
    let closed = close(text, after + end + 2);
    closed.map(Some).ok_or_else(|| TemplateError::new(begin, "comment ends before closing delimiter"))
}

/// Reads the words of an action up to its end.
fn action(text: &str, begin: usize, open: usize) -> Result<(Vec<Token>, (usize, bool)), TemplateError> {
    let (mut words, mut at, mut is_spaced) = (Vec::new(), begin, true);
    loop {
        if let Some(end) = close(text, at) {
            return Ok((words, end));
        }
        let Some(first) = text[at..].chars().next() else { return Err(TemplateError::new(open, "unclosed action")) };
        if is_space(first) {
            (at, is_spaced) = (at + 1, true);
            continue;
        }
        let (word, length) = word(&text[at..], first, at)?;
        words.push(Token { word, at, is_spaced });
        (at, is_spaced) = (at + length, false);
    }
}

/// Reads one word; returns its length in bytes.
fn word(rest: &str, first: char, at: usize) -> Result<(Word, usize), TemplateError> {
    let next = rest[first.len_utf8()..].chars().next();
    let is_digit = |character: Option<char>| character.is_some_and(|one| one.is_ascii_digit());
    match first {
        '"' => quoted(rest, at),
        '`' => {
            let end = rest[1..].find('`').ok_or_else(|| TemplateError::new(at, "unterminated raw quoted string"))?;
            Ok((Word::Text(rest[1..=end].to_owned()), end + 2))
        }
        '\'' => character(rest, at),
        '|' | ',' | '(' | ')' => Ok((Word::Sign(first), 1)),
        ':' if next == Some('=') => Ok((Word::Declare, 2)),
        '=' => Ok((Word::Assign, 1)),
        '$' => {
            let length = name_length(&rest[1..]);
            Ok((Word::Variable(rest[1..=length].to_owned()), length + 1))
        }
        '.' if !is_digit(next) => {
            let length = name_length(&rest[1..]);
            let word = if length == 0 { Word::Dot } else { Word::Field(rest[1..=length].to_owned()) };
            Ok((word, length + 1))
        }
        '+' | '-' | '.' | '0'..='9' => {
            let is_part = |(n, one): &(usize, char)| {
                one.is_ascii_alphanumeric()
                    || ['.', '_'].contains(one)
                    || (*n == 0 || is_exponent(rest, *n)) && ['+', '-'].contains(one)
            };
            let length: usize = rest.char_indices().take_while(is_part).map(|(_, one)| one.len_utf8()).sum();
            Ok((Word::Number(rest[..length].to_owned()), length))
        }
        _ if first.is_alphabetic() || first == '_' => {
            let length = name_length(rest);
            Ok((Word::Name(rest[..length].to_owned()), length))
        }
        _ => Err(TemplateError::new(at, format!("unexpected {first:?} in action"))),
    }
}

/// Reports whether the sign at `at` belongs to the exponent before it.
fn is_exponent(rest: &str, at: usize) -> bool {
    !rest.starts_with("0x") && rest[..at].ends_with(['e', 'E'])
}

fn name_length(rest: &str) -> usize {
    rest.char_indices().find(|(_, one)| !one.is_alphanumeric() && *one != '_').map_or(rest.len(), |(at, _)| at)
}

/// Reads a text in double quotes with Go's escapes.
fn quoted(rest: &str, at: usize) -> Result<(Word, usize), TemplateError> {
    let (mut text, mut position) = (String::new(), 1);
    loop {
        let unterminated = || TemplateError::new(at, "unterminated quoted string");
        let one = rest[position..].chars().next().ok_or_else(unterminated)?;
        match one {
            '"' => return Ok((Word::Text(text), position + 1)),
            '\n' => return Err(unterminated()),
            '\\' => {
                let (escaped, length) =
                    escape(&rest[position..]).ok_or_else(|| TemplateError::new(at + position, "invalid escape"))?;
                text.push(escaped);
                position += length;
            }
            _ => {
                text.push(one);
                position += one.len_utf8();
            }
        }
    }
}

/// Reads a character in single quotes.
fn character(rest: &str, at: usize) -> Result<(Word, usize), TemplateError> {
    let malformed = || TemplateError::new(at, "malformed character constant");
    let one = rest[1..].chars().next().filter(|one| !['\'', '\n'].contains(one)).ok_or_else(malformed)?;
    let (one, length) = if one == '\\' { escape(&rest[1..]).ok_or_else(malformed)? } else { (one, one.len_utf8()) };
    if !rest[1 + length..].starts_with('\'') {
        return Err(malformed());
    }
    Ok((Word::Character(i64::from(u32::from(one))), length + 2))
}

/// Reads an escape that begins with a backslash; returns its length in bytes.
fn escape(rest: &str) -> Option<(char, usize)> {
    let kind = rest[1..].chars().next()?;
    let plain = |character| Some((character, 2));
    let code = |from: usize, n: usize, radix| {
        let code = u32::from_str_radix(rest.get(from..from + n)?, radix).ok()?;
        Some((char::from_u32(code)?, from + n))
    };
    match kind {
        'n' => plain('\n'),
        't' => plain('\t'),
        'r' => plain('\r'),
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'v' => plain('\u{b}'),
        '\\' | '\'' | '"' => plain(kind),
        'x' => code(2, 2, 16),
        'u' => code(2, 4, 16),
        'U' => code(2, 8, 16),
        '0'..='7' => code(1, 3, 8),
        _ => None,
    }
}
