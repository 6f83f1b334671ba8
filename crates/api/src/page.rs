//! The page: files of `web/dist`, built into the binary.
//!
//! `index.html` is given for the page's own routes and nothing else, so that a mistyped API address stays a 404.
//! It is revalidated every time; the files it names carry `?v=` with the head of their SHA-256 and are kept for good, and
//! so do those that scripts name. A version that is not this executable's is not there: a tab that was opened before an
//! update would otherwise run parts of two pages at once.
//! Each file lies packed beside itself (`web/README.md`, PACKED), and goes so to whoever takes it.
//! `/reference` is the text of the language reference in the frame `reference.html`, `/docs` the manual in the frame
//! `docs.html`; both are revalidated every time, too.
//! The Content-Security-Policy allows files of this server only; there is no inline script to make an exception for.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::embedded::PAGE;
use crate::reference::Reference;
use door::Problem;

/// Fewest digits of a `?v=` that say which content is meant.
const VERSION_DIGITS_MIN: usize = 8;

/// Which files there are in packed forms: lines of the SHA-256 of the file and its name.
const PACKED: &str = "PACKED";

/// The frame of the language reference, which is nothing without its text.
const REFERENCE_FRAME: &str = "reference.html";

/// The frame of the manual.
const MANUAL_FRAME: &str = "docs.html";

/// Returns the page itself, for its own routes.
pub fn index(headers: &HeaderMap) -> Response {
    file("index.html", None, headers)
}

/// Returns a file of the page, or 404.
pub fn asset(path: &str, version: Option<&str>, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    let is_packed = Coding::ALL.iter().any(|coding| name.ends_with(coding.suffix()));
    if is_packed || matches!(name, "" | "SOURCE_HASH" | PACKED | REFERENCE_FRAME | MANUAL_FRAME) {
        return not_found(path);
    }
    file(name, version, headers)
}

/// Returns the language reference.
pub(crate) fn reference(reference: &Reference, headers: &HeaderMap) -> Response {
    html(reference.page(&PAGE.text(REFERENCE_FRAME)), headers)
}

/// Returns the frame of the manual's pages.
pub(crate) fn manual_frame() -> Cow<'static, str> {
    PAGE.text(MANUAL_FRAME)
}

/// Returns a rendered page, with the tag of its content.
pub(crate) fn html(page: String, headers: &HeaderMap) -> Response {
    let mut hasher = DefaultHasher::new();
    page.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let body = (!is_known(headers, &tag)).then(|| Body::from(page));
    answer(body, content_type(REFERENCE_FRAME), "no-cache", &tag)
}

fn file(name: &str, version: Option<&str>, headers: &HeaderMap) -> Response {
    let Some(file) = PAGE.get(name) else { return not_found(&format!("/{name}")) };
    let digest = file.digest();
    let is_named = |v: &str| v.len() >= VERSION_DIGITS_MIN && digest.starts_with(v);
    if version.is_some_and(|v| !is_named(v)) {
        return Problem::not_found(format!("/{name} is another version by now"))
            .hint("load the page anew")
            .into_response();
    }
    let caching = if version.is_some() { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", &digest[..32]);
    let packed = packed(name, digest, headers);
    let coding = packed.as_ref().map(|(coding, _)| *coding);
    let bytes = packed.map_or(file.bytes, |(_, bytes)| bytes);
    let body = (!is_known(headers, &tag)).then(|| Body::from(Bytes::from_static(bytes)));
    // Both forms have the same content, and are not the same bytes.
    let tag = if coding.is_some() { format!("W/{tag}") } else { tag };
    let mut response = answer(body, content_type(name), caching, &tag);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding.filter(|_| response.status() == StatusCode::OK) {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    response
}

types::named! {
    /// How a file may be packed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Coding {
        Brotli = "br",
        Gzip = "gzip",
    }
}

impl Coding {
    fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Reports whether a client accepts the encoding; `*` alone does not count.
    fn is_taken(self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(self.name()));
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            is_named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
        })
    }
}

/// Returns a file in the best encoding that a client accepts; `None` for an unknown file.
fn packed(name: &str, checksum: &str, headers: &HeaderMap) -> Option<(Coding, &'static [u8])> {
    let is_listed = PAGE.text(PACKED).lines().any(|line| line.split_once(' ') == Some((checksum, name)));
    let coding = Coding::ALL.into_iter().find(|coding| is_listed && coding.is_taken(headers))?;
    Some((coding, PAGE.get(&format!("{name}{}", coding.suffix()))?.bytes))
}

/// Reports whether the client already has the content with this tag.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    // A compressing proxy, or our own layer, may have weakened the tag; the content is the same.
    tags.into_iter().any(|value| value.split(',').any(|known| known.trim().trim_start_matches("W/") == tag))
}

/// Returns the answer with a file; without a body, the answer 304.
fn answer(body: Option<Body>, content_type: &'static str, caching: &'static str, tag: &str) -> Response {
    let mut response = match body {
        Some(body) => ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response(),
        None => StatusCode::NOT_MODIFIED.into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn not_found(path: &str) -> Response {
    Problem::not_found(format!("there is nothing at {path}"))
        .hint("the routes are listed in /api/openapi.json")
        .into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
