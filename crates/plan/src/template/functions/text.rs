//! Functions of texts.

use data_encoding::BASE64;
use gotemplate::{TEXT_BYTES_MAX, Value, of_bytes, too_long};

/// Reports of a character whether it is in a set.
pub(super) fn is_in(set: &str) -> impl Fn(char) -> bool {
    move |c| set.contains(c)
}

pub(super) fn without_prefix(text: &str, prefix: &str) -> Value {
    text.strip_prefix(prefix).unwrap_or(text).into()
}

pub(super) fn without_suffix(text: &str, suffix: &str) -> Value {
    text.strip_suffix(suffix).unwrap_or(text).into()
}

/// Replaces the first `n` texts, all of them where `n` is negative.
pub(super) fn replaced(text: &str, old: &str, new: &str, n: i64) -> Result<Value, String> {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let places = text.matches(old).take(n).count();
    types::ensure!(text.len().saturating_add(places.saturating_mul(new.len())) <= TEXT_BYTES_MAX, too_long());
    Ok(text.replacen(old, new, n).into())
}

/// Returns the first `n` bytes, or the last ones where `n` is negative.
pub(super) fn truncated(n: i64, text: &str) -> Value {
    let length = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    match text.len() {
        n_bytes if length >= n_bytes => text.into(),
        n_bytes if n < 0 => of_bytes(&text.as_bytes()[n_bytes - length..]),
        _ => of_bytes(&text.as_bytes()[..length]),
    }
}

pub(super) fn substring(start: i64, end: i64, text: &str) -> Result<Value, String> {
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

pub(super) fn repeated(text: &str, n: i64) -> Result<String, String> {
    let n = usize::try_from(n).map_err(|_| "strings: negative Repeat count".to_owned())?;
    types::ensure!(text.len().saturating_mul(n) <= TEXT_BYTES_MAX, too_long());
    Ok(text.repeat(n))
}

pub(super) fn indented(n: i64, text: &str, before: &str) -> Result<Value, String> {
    let pad = repeated(" ", n)?;
    let n_lines = text.matches('\n').count() + 1;
    types::ensure!(pad.len().saturating_mul(n_lines).saturating_add(text.len()) <= TEXT_BYTES_MAX, too_long());
    Ok(format!("{before}{pad}{}", text.replace('\n', &format!("\n{pad}"))).into())
}

/// Returns exactly `n` characters: filled with spaces, or cut at the end; the whole text where `n` is negative.
pub(super) fn aligned_left(n: i64, text: &str) -> Result<Value, String> {
    let Ok(n) = usize::try_from(n) else { return Ok(text.into()) };
    let cut: String = text.chars().take(n).collect();
    Ok((cut + &repeated(" ", n.saturating_sub(text.chars().count()) as i64)?).into())
}

/// The same, filled or cut at the start.
pub(super) fn aligned_right(n: i64, text: &str) -> Result<Value, String> {
    let Ok(n) = usize::try_from(n) else { return Ok(text.into()) };
    let n_chars = text.chars().count();
    let pad = repeated(" ", n.saturating_sub(n_chars) as i64)?;
    Ok((pad + &text.chars().skip(n_chars.saturating_sub(n)).collect::<String>()).into())
}

pub(super) fn url_decoded(text: &str) -> Result<Value, String> {
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

/// Returns the decoded text, or what is wrong with it, as Loki does.
pub(super) fn base64_decoded(text: &str) -> Value {
    let mut padded = text.to_owned();
    if !matches!(text.len() % 4, 0 | 1) {
        padded.push_str(&"=".repeat(4 - text.len() % 4));
    }
    match BASE64.decode(padded.as_bytes()) {
        Ok(bytes) => of_bytes(&bytes),
        Err(error) => format!("illegal base64 data at input byte {}", error.position).into(),
    }
}
