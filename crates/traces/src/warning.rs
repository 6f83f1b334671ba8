//! The header `Warning`, for partial answers whose form has no place for the reasons.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::read::Reading;

/// Limit on the characters of a warning.
const WARNING_MAX: usize = 1_000;

/// Adds `Warning: 199 catat "…"` (RFC 7234, section 5.5) to a partial answer.
pub(crate) fn with_warning(answer: impl IntoResponse, reading: &Reading) -> Response {
    let mut response = answer.into_response();
    if let Some(reason) = reading.not_whole() {
        // A quoted text of visible characters.
        let is_plain = |c: char| (c.is_ascii_graphic() && !"\"\\".contains(c)) || c == ' ';
        let text: String = reason.chars().map(|c| if is_plain(c) { c } else { '?' }).take(WARNING_MAX).collect();
        if let Ok(value) = HeaderValue::try_from(format!("199 catat \"{text}\"")) {
            response.headers_mut().insert(header::WARNING, value);
        }
    }
    response
}

#[cfg(test)]
mod tests;
