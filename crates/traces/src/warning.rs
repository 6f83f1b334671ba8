//! The header `Warning`, for partial answers whose form has no place for the reasons.

use axum::http::{HeaderValue, header};
use door::Reply;

use crate::read::Reading;

/// Limit on the characters of a warning.
const WARNING_MAX: usize = 1_000;

/// Adds `Warning: 199 catat "…"` (RFC 7234, section 5.5) to a partial answer.
pub(crate) fn with_warning(answer: Reply, reading: &Reading) -> Reply {
    match warning_of(reading) {
        Some(warning) => answer.with_header(header::WARNING, warning),
        None => answer,
    }
}

fn warning_of(reading: &Reading) -> Option<HeaderValue> {
    // A quoted text of visible characters.
    let is_plain = |c: char| (c.is_ascii_graphic() && !"\"\\".contains(c)) || c == ' ';
    let reason = reading.not_whole()?;
    let text: String = reason.chars().map(|c| if is_plain(c) { c } else { '?' }).take(WARNING_MAX).collect();
    HeaderValue::try_from(format!("199 catat \"{text}\"")).ok()
}

#[cfg(test)]
mod tests;
