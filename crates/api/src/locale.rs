//! The language that a request asks for.

use axum::http::{HeaderMap, header};
use types::Locale;

use door::{Parameters, Problem, Result};

/// Returns what `lang` says, else the header `Accept-Language`.
pub(crate) fn locale(parameters: &Parameters, headers: &HeaderMap) -> Result<Locale> {
    if let Some(tag) = parameters.get("lang") {
        return Locale::of_tag(tag).ok_or_else(|| {
            Problem::bad_parameter(format!("lang: {tag:?} is not spoken here")).hint("languages are en, id")
        });
    }
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Ok(Locale::of_header(header.unwrap_or_default()))
}
