//! Requests to the provider, bounded in time and size.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};
use serde::de::DeserializeOwned;

use crate::error::{Result, SignInError};

/// How long one request may take, with its answer.
pub(crate) const REQUEST_TIMEOUT: Duration =
    if cfg!(test) { Duration::from_millis(500) } else { Duration::from_secs(5) };

/// Most bytes of an answer. The largest in use are lists of keys with certificates, some 20 kB.
pub(crate) const ANSWER_BYTES_MAX: usize = 256 << 10;

pub(crate) fn client() -> Result<Client, String> {
    // No redirect: an address that the provider did not name is none of its.
    let client = || Client::builder().timeout(REQUEST_TIMEOUT).redirect(redirect::Policy::none());
    // A machine without certificates of authorities believes no provider by HTTPS, and serves all the same.
    client().build().or_else(|_| client().tls_certs_only([]).build()).map_err(|error| error.to_string())
}

/// Sends a request and returns the answer's status and body.
async fn send(request: RequestBuilder, place: &Url) -> Result<(StatusCode, Vec<u8>)> {
    let failed = |error: reqwest::Error| SignInError::Unreachable(format!("{place}: {}", cause_of(&error)));
    let mut response = request.header("accept", "application/json").send().await.map_err(failed)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(SignInError::BadAnswer(format!("{place}: it is larger than {} KiB", ANSWER_BYTES_MAX >> 10)));
        }
    }
    Ok((response.status(), body))
}

/// Sends a request and reads the JSON of a successful answer.
pub(crate) async fn json<T: DeserializeOwned>(request: RequestBuilder, place: &Url) -> Result<T> {
    let (status, body) = send(request, place).await?;
    types::ensure!(!status.is_server_error(), SignInError::Unreachable(format!("{place}: {status}")));
    types::ensure!(status.is_success(), SignInError::Refused(format!("{place}: {status}{}", reason_in(&body))));
    // The text of the error may quote the answer, which may hold a token.
    serde_json::from_slice(&body).map_err(|error| {
        SignInError::BadAnswer(format!("{place}: not the JSON expected, at column {}", error.column()))
    })
}

/// Returns the reason in an error answer of OAuth 2.0 (RFC 6749, section 5.2).
fn reason_in(body: &[u8]) -> String {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| answer[name].as_str().map(|text| format!(", {}", printable(text))).unwrap_or_default();
    format!("{}{}", text("error"), text("error_description"))
}

/// Shortens a text from outside and replaces its control characters, so that it is one line of a log.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns the innermost cause of an error, which says the most.
fn cause_of(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {REQUEST_TIMEOUT:?}");
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
