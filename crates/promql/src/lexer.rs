//! Words of a query with their places, and what words mean: numbers, durations, quoted texts.

use crate::error::ParseError;
use crate::syntax::{Operator, Span};

/// More operators and parentheses than this are refused: reading and evaluation recurse over the tree, and must fit into
/// a thread's stack of 2 MiB, unoptimised code included.
const NESTING_MAX: usize = 200;

/// Kinds of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Name,
    Number,
    Duration,
    Quoted,
    Sign,
}

/// A word and its place.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) word: Word,
    pub(crate) span: Span,
}

const SIGNS: [&str; 26] = [
    "</", ">/", "==", "!=", "=~", "!~", ">=", "<=", "+", "-", "*", "/", "%", "^", ">", "<", "=", "(", ")", "{", "}",
    "[", "]", ",", ":", "@",
];

/// Splits a text into words; comments and white space separate them. Each bracket is closed.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut found: Vec<Token> = Vec::new();
    let mut open: Vec<Span> = Vec::new();
    let (mut at, mut brackets, mut operators) = (0, 0_usize, 0_usize);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if first == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (word, len) =
            next(rest, brackets > 0).map_err(|message| ParseError::new(at..at + first.len_utf8(), message))?;
        let (token, span) = (&rest[..len], at..at + len);
        match token {
            "(" | "[" | "{" => {
                brackets += usize::from(token != "(");
                open.push(span.clone());
            }
            ")" | "]" | "}" => {
                brackets -= usize::from(token != ")" && brackets > 0);
                let wanted = open.pop().map_or("", |span| &text[span]);
                if !matches!((wanted, token), ("(", ")") | ("[", "]") | ("{", "}")) {
                    return Err(ParseError::new(span, format!("unexpected {token:?}, which closes nothing")));
                }
            }
            _ => {}
        }
        // In braces nothing nests.
        let nests = token == "(" || Operator::ALL.iter().any(|(text, _)| text.eq_ignore_ascii_case(token));
        operators += usize::from(nests && open.last().is_none_or(|span| &text[span.clone()] != "{"));
        if operators > NESTING_MAX {
            let message =
                format!("query has more than {NESTING_MAX} operators and brackets; split it by recording rules");
            return Err(ParseError::new(span, message));
        }
        found.push(Token { word, span });
        at += len;
    }
    match open.pop() {
        Some(span) => Err(ParseError::new(span.clone(), format!("{:?} is not closed", &text[span]))),
        None => Ok(found),
    }
}

/// Returns kind and length of the first word.
fn next(rest: &str, in_brackets: bool) -> Result<(Word, usize), String> {
    let first = rest.chars().next().unwrap_or_default();
    if matches!(first, '"' | '\'' | '`') {
        return quoted_len(rest, first).map(|len| (Word::Quoted, len));
    }
    if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
        return number_len(rest);
    }
    // In brackets a colon separates range and step.
    if first.is_ascii_alphabetic() || first == '_' || (first == ':' && !in_brackets) {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && !in_brackets);
        let len = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let number = rest[..len].eq_ignore_ascii_case("inf") || rest[..len].eq_ignore_ascii_case("nan");
        return Ok((if number { Word::Number } else { Word::Name }, len));
    }
    SIGNS
        .iter()
        .find(|sign| rest.starts_with(**sign))
        .map(|sign| (Word::Sign, sign.len()))
        .ok_or_else(|| format!("unexpected character {first:?}"))
}

fn quoted_len(rest: &str, quote: char) -> Result<usize, String> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote != '`' {
            escaped = true;
        } else if c == quote {
            return Ok(at + 1);
        } else if c == '\n' && quote != '`' {
            break;
        }
    }
    Err(format!("unterminated quoted string; it must end with {quote}"))
}

fn number_len(rest: &str) -> Result<(Word, usize), String> {
    let hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut len = 0;
    for c in rest.chars() {
        let exponent = !hex && matches!(c, '+' | '-') && rest[..len].ends_with(['e', 'E']);
        if !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || exponent) {
            break;
        }
        len += 1;
    }
    let text = &rest[..len];
    if duration(text).is_ok() {
        Ok((Word::Duration, len))
    } else if number(text).is_some() {
        Ok((Word::Number, len))
    } else {
        Err(format!("bad number or duration syntax: {text:?}"))
    }
}

/// Reads a number as Prometheus does: decimal with exponent, `0x`, octal after a leading zero, `_` between digits. Go's `0b` and `0o`
/// are none.
pub(crate) fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (if text.starts_with('-') { -1.0 } else { 1.0 }, rest),
        None => (1.0, text),
    };
    let lower = digits.to_ascii_lowercase();
    if lower.starts_with(['+', '-']) || lower.is_empty() {
        return None;
    }
    let radix = |prefix: &str, radix| {
        let rest = lower.strip_prefix(prefix)?;
        let plain = rest.replace('_', "");
        (!plain.starts_with(['+', '-'])).then(|| i64::from_str_radix(&plain, radix).ok()).flatten().map(|n| n as f64)
    };
    let parsed = match lower.as_str() {
        "inf" | "+inf" | "infinity" => Some(f64::INFINITY),
        "nan" => Some(f64::NAN),
        _ if lower.len() > 1
            && lower.starts_with('0')
            && lower[1..].bytes().all(|b| b.is_ascii_digit() || b == b'_') =>
        {
            radix("0", 8).or_else(|| lower.parse().ok())
        }
        _ => radix("0x", 16).or_else(|| {
            let plain = lower.split('_').all(|part| part.starts_with(|c: char| c.is_ascii_digit()));
            let decimal = lower.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-' | b'_'));
            (decimal && (plain || !lower.contains('_'))).then(|| lower.replace('_', "").parse().ok()).flatten()
        }),
    };
    parsed.map(|value| sign * value)
}

/// Reads a duration (`1h30m`) in ms; the units fall from year to millisecond, each at most once.
///
/// Errors: the text is not a duration.
pub fn duration(text: &str) -> Result<i64, String> {
    const UNITS: [(&str, i64); 7] = [
        ("y", 31_536_000_000),
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("ms", 1),
        ("m", 60_000),
        ("s", 1000),
    ];
    // `ms` is tried before `m`, and ranks below `s`.
    const RANKS: [usize; 7] = [0, 1, 2, 3, 6, 4, 5];
    let bad = || format!("not a valid duration string: {text:?}");
    if text == "0" {
        return Ok(0);
    }
    let (mut rest, mut total, mut least) = (text, 0_i64, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|n| *n > 0).ok_or_else(bad)?;
        let unit = UNITS.iter().position(|(unit, _)| rest[digits..].starts_with(unit)).ok_or_else(bad)?;
        if RANKS[unit] < least {
            return Err(bad());
        }
        least = RANKS[unit] + 1;
        let amount: Option<i64> = rest[..digits].parse().ok();
        total = amount
            .and_then(|n| n.checked_mul(UNITS[unit].1))
            .and_then(|ms| ms.checked_add(total))
            .filter(|ms| *ms <= DURATION_MAX)
            .ok_or_else(|| format!("duration out of range: {text:?}"))?;
        rest = &rest[digits + UNITS[unit].0.len()..];
    }
    if text.is_empty() { Err(bad()) } else { Ok(total) }
}

/// The longest duration, ms: what 64 bits of nanoseconds hold.
pub(crate) const DURATION_MAX: i64 = 9_223_372_036_854;

/// Times beyond this many ms from the epoch are refused, so that no sum of times overflows.
pub const TIME_MAX: u64 = 1 << 53;

/// Returns what a quoted word means: Go's escapes between `"` or `'`, none between backticks.
pub(crate) fn unquote(text: &str) -> Result<String, String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')).ok_or("not a quoted string")?;
    let inner = text.get(1..).and_then(|rest| rest.strip_suffix(quote)).ok_or("unterminated quoted string")?;
    if quote == '`' {
        return Ok(inner.to_owned());
    }
    let (mut bytes, mut chars) = (Vec::new(), inner.chars());
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let kind = chars.next().ok_or("escape at the end of a quoted string")?;
        let simple = "abfnrtv\\'\"".find(kind).map(|at| b"\x07\x08\x0c\n\r\t\x0b\\'\""[at]);
        if let Some(byte) = simple {
            bytes.push(byte);
            continue;
        }
        let (len, radix) = match kind {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (3, 8),
            _ => return Err(format!("unknown escape sequence \\{kind}")),
        };
        let digits: String = (radix == 8)
            .then_some(kind)
            .into_iter()
            .chain(chars.by_ref().take(len - usize::from(radix == 8)))
            .collect();
        let code = u32::from_str_radix(&digits, radix).ok().filter(|_| digits.len() == len);
        match (kind, code) {
            ('u' | 'U', Some(code)) => {
                let c = char::from_u32(code).ok_or_else(|| format!("\\{kind}{digits} is no Unicode character"))?;
                bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            (_, Some(code)) if code < 256 => bytes.push(code as u8),
            _ => return Err(format!("invalid escape sequence \\{kind}")),
        }
    }
    String::from_utf8(bytes).map_err(|_| "escapes yield bytes that are not UTF-8, which labels cannot hold".to_owned())
}
