//! The credentials that a request carries, in any of the forms that clients can send.
//!
//! Nothing here says whether they are right. A request that carries two of them is refused, since programs on its way
//! may differ in which one counts.

use axum::http::{HeaderMap, HeaderName, Uri, header};
use data_encoding::BASE64;
use types::{Secret, ensure};

use super::keys::PREFIX;
use crate::problem::{Problem, Result};

/// What a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Nothing.
    None,
    /// A text that ought to be a key. What cannot be one is the empty text.
    Key(Secret),
    /// A signature of Amazon's kind, version 4.
    Signature,
}

/// Names of parameters that hold credentials elsewhere.
const PARAMETERS: [&str; 8] =
    ["api_key", "apikey", "access_token", "token", "key", "x-catat-key", "dd-api-key", "sentry_key"];

/// Headers that hold nothing but a key: ours, Datadog's and Firehose's.
const HEADERS: [&str; 3] = ["x-catat-key", "dd-api-key", "x-amz-firehose-access-key"];

/// Sentry's header: `Sentry sentry_key=KEY, sentry_version=7`.
const SENTRY_HEADER: &str = "x-sentry-auth";

/// Paths of protocols that call something else `key`, here the name of a tag.
const PATHS_WITH_KEY: [&str; 1] = ["/zipkin/api/v2/autocompleteValues"];

/// Reads the headers.
pub(super) fn of(headers: &HeaderMap) -> Result<Credentials> {
    let usual = single(headers, &header::AUTHORIZATION)?;
    let of_sentry = single(headers, &HeaderName::from_static(SENTRY_HEADER))?.map(sentry_key);
    let mut own = of_sentry;
    for name in HEADERS {
        let Some(key) = single(headers, &HeaderName::from_static(name))? else { continue };
        if own.replace(key).is_some() {
            return Err(Problem::bad_request("two-keys", format!("a request has one key; {name} is another one")));
        }
    }
    if let Some(key) = own {
        return Ok(Credentials::Key(key.into()));
    }
    let Some(text) = usual else { return Ok(Credentials::None) };
    let (scheme, rest) = text.trim().split_once([' ', '\t']).unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    Ok(match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "splunk" | "token" => Credentials::Key(rest.into()),
        // Of Elasticsearch: the base64 of id and key. What is none is the key itself.
        "apikey" => Credentials::Key(after_colon(rest).unwrap_or_else(|| rest.to_owned()).into()),
        "basic" => Credentials::Key(after_colon(rest).unwrap_or_default().into()),
        "aws4-hmac-sha256" => Credentials::Signature,
        _ => Credentials::Key("".into()),
    })
}

/// Returns the key in Sentry's header; empty without one.
fn sentry_key(text: &str) -> &str {
    let pairs = text.trim_start().strip_prefix("Sentry").unwrap_or_default().split(',');
    pairs.filter_map(|pair| pair.trim().strip_prefix("sentry_key=")).next().unwrap_or_default().trim()
}

/// Returns the access key id of a signature.
pub(super) fn access_key_id(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(text.split_once("Credential=")?.1.split('/').next().unwrap_or_default())
}

/// Returns the text after the first colon of a base64 pair.
fn after_colon(encoded: &str) -> Option<String> {
    let pair = String::from_utf8(BASE64.decode(encoded.as_bytes()).ok()?).ok()?;
    pair.split_once(':').map(|(_, key)| key.to_owned())
}

/// Returns the only header of a name; empty if it is no text.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    ensure!(values.next().is_none(), Problem::bad_request("two-keys", format!("a request has one {name} header")));
    Ok(first.map(|value| value.to_str().unwrap_or_default()))
}

/// Refuses a key in an address, where it comes to stand in the logs of every proxy and in a browser's history.
pub(super) fn check_address(uri: &Uri) -> Result<()> {
    let query = uri.query().unwrap_or_default();
    let is_no_key = |name: &str| name == "key" && PATHS_WITH_KEY.contains(&uri.path());
    let names_key = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| !is_no_key(name))
        .any(|(name, value)| !value.is_empty() && PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name)));
    let in_authority = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if names_key || in_authority || holds_key(uri.path()) || holds_key(query) {
        let problem = Problem::bad_request("key-in-address", "a key is never taken from an address");
        return Err(problem.hint("send it as Authorization: Bearer KEY; one that stood in an address is to be revoked"));
    }
    Ok(())
}

/// Reports whether a text contains something in the form of a key.
fn holds_key(text: &str) -> bool {
    text.match_indices(PREFIX).any(|(at, _)| {
        let rest = text[at + PREFIX.len()..].bytes();
        rest.take_while(|b| b.is_ascii_hexdigit() || *b == b'_').count() >= super::keys::SECRET_CHARS
    })
}

#[cfg(test)]
mod tests;
