//! Functions of texts. Go's texts are bytes: where one is cut inside a character, the rest of it is U+FFFD.

use data_encoding::BASE64;

use super::super::limits::TEXT_BYTES_MAX;
use super::super::value::GoValue;

/// Returns the value of a function of texts.
pub(super) fn call(name: &str, arguments: &[GoValue]) -> Result<GoValue, String> {
    let text = |index: usize| match arguments.get(index) {
        Some(GoValue::Text(text)) => &**text,
        _ => "",
    };
    let number = |index: usize| match arguments.get(index) {
        Some(GoValue::Integer(number)) => *number,
        _ => 0,
    };
    let is_in = |set: usize| move |c: char| text(set).contains(c);
    Ok(match name {
        "ToLower" | "lower" => text(0).to_lowercase().into(),
        "ToUpper" | "upper" => text(0).to_uppercase().into(),
        "title" => title(text(0)).into(),
        "Replace" => return replace(text(0), text(1), text(2), number(3)),
        "replace" => return replace(text(2), text(0), text(1), -1),
        "Trim" => text(0).trim_matches(is_in(1)).into(),
        "TrimLeft" => text(0).trim_start_matches(is_in(1)).into(),
        "TrimRight" => text(0).trim_end_matches(is_in(1)).into(),
        "trimAll" => text(1).trim_matches(is_in(0)).into(),
        "TrimPrefix" => text(0).strip_prefix(text(1)).unwrap_or(text(0)).into(),
        "TrimSuffix" => text(0).strip_suffix(text(1)).unwrap_or(text(0)).into(),
        "trimPrefix" => text(1).strip_prefix(text(0)).unwrap_or(text(1)).into(),
        "trimSuffix" => text(1).strip_suffix(text(0)).unwrap_or(text(1)).into(),
        "TrimSpace" | "trim" => text(0).trim().into(),
        "contains" => GoValue::Boolean(text(1).contains(text(0))),
        "hasPrefix" => GoValue::Boolean(text(1).starts_with(text(0))),
        "hasSuffix" => GoValue::Boolean(text(1).ends_with(text(0))),
        "trunc" => truncated(number(0), text(1)),
        "substr" => return substring(number(0), number(1), text(2)),
        "indent" => indented(number(0), text(1), "")?.into(),
        "nindent" => indented(number(0), text(1), "\n")?.into(),
        "repeat" => repeated(text(1), number(0))?.into(),
        "alignLeft" | "alignRight" => aligned(name, number(0), text(1))?.into(),
        "urlencode" => url_encoded(text(0)).into(),
        "urldecode" => return url_decoded(text(0)),
        "b64enc" => BASE64.encode(text(0).as_bytes()).into(),
        "b64dec" => base64_decoded(text(0)),
        _ => return Err(format!("function {name:?} not defined")),
    })
}

pub(super) fn of_bytes(bytes: &[u8]) -> GoValue {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn too_long() -> String {
    format!("text of more than {TEXT_BYTES_MAX} bytes")
}

/// Returns each word with its first letter as a capital.
fn title(text: &str) -> String {
    let mut before = ' ';
    let capital = |c: char| {
        let is_start = !(before.is_alphanumeric() || before == '_') && (before.is_ascii() || before.is_whitespace());
        before = c;
        if is_start { c.to_uppercase().next().unwrap_or(c) } else { c }
    };
    text.chars().map(capital).collect()
}

/// Replaces the first `n` texts, all of them where `n` is negative.
fn replace(text: &str, old: &str, new: &str, n: i64) -> Result<GoValue, String> {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let places = text.matches(old).take(n).count();
    if text.len().saturating_add(places.saturating_mul(new.len())) > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    Ok(text.replacen(old, new, n).into())
}

/// Returns the first `n` bytes, or the last ones where `n` is negative.
fn truncated(n: i64, text: &str) -> GoValue {
    let length = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    match text.len() {
        n_bytes if length >= n_bytes => text.into(),
        n_bytes if n < 0 => of_bytes(&text.as_bytes()[n_bytes - length..]),
        _ => of_bytes(&text.as_bytes()[..length]),
    }
}

fn substring(start: i64, end: i64, text: &str) -> Result<GoValue, String> {
    let n_bytes = text.len();
    let (from, to) = match (usize::try_from(start), usize::try_from(end)) {
        (Err(_), Ok(end)) => (0, end),
        (Err(_), Err(_)) => return Err("slice bounds out of range".to_owned()),
        (Ok(start), Ok(end)) if end <= n_bytes => (start, end),
        (Ok(start), _) => (start, n_bytes),
    };
    let bytes = text.as_bytes().get(from..to);
    bytes.map(of_bytes).ok_or_else(|| "slice bounds out of range".to_owned())
}

fn repeated(text: &str, n: i64) -> Result<String, String> {
    let n = usize::try_from(n).map_err(|_| "strings: negative Repeat count".to_owned())?;
    if text.len().saturating_mul(n) > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    Ok(text.repeat(n))
}

fn indented(n: i64, text: &str, before: &str) -> Result<String, String> {
    let pad = repeated(" ", n)?;
    let n_lines = text.matches('\n').count() + 1;
    if pad.len().saturating_mul(n_lines).saturating_add(text.len()) > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    Ok(format!("{before}{pad}{}", text.replace('\n', &format!("\n{pad}"))))
}

/// Exactly `count` characters: filled with spaces, or cut on the other side.
fn aligned(name: &str, count: i64, text: &str) -> Result<String, String> {
    let Ok(count) = usize::try_from(count) else { return Ok(text.to_owned()) };
    let n = text.chars().count();
    let pad = || repeated(" ", count.saturating_sub(n) as i64);
    Ok(match (name == "alignLeft", n < count) {
        (true, true) => format!("{text}{}", pad()?),
        (false, true) => format!("{}{text}", pad()?),
        (true, false) => text.chars().take(count).collect(),
        (false, false) => text.chars().skip(n - count).collect(),
    })
}

/// Returns a text as part of the query of an address.
pub(super) fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn url_decoded(text: &str) -> Result<GoValue, String> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match first {
            b'+' => (b' ', after),
            b'%' => {
                let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                let is_hexadecimal = |digits: &&str| digits.bytes().all(|b| b.is_ascii_hexdigit());
                let byte = digits.filter(is_hexadecimal).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                (byte.ok_or_else(|| format!("invalid URL escape in {text:?}"))?, &after[2..])
            }
            byte => (*byte, after),
        };
        out.push(byte);
        rest = after;
    }
    Ok(of_bytes(&out))
}

/// Returns what cannot be decoded is said instead of the text, as Loki has it.
fn base64_decoded(text: &str) -> GoValue {
    let mut padded = text.to_owned();
    if !matches!(text.len() % 4, 0 | 1) {
        padded.push_str(&"=".repeat(4 - text.len() % 4));
    }
    match BASE64.decode(padded.as_bytes()) {
        Ok(bytes) => of_bytes(&bytes),
        Err(error) => format!("illegal base64 data at input byte {}", error.position).into(),
    }
}

/// Returns a text for HTML.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Returns a text inside a string of JavaScript.
pub(super) fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => {
                out.push('\\');
                out.push(c);
            }
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
