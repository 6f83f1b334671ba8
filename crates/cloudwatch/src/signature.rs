//! Checks signatures of Amazon's version 4.
//!
//! A signature covers a canonical form of the request: method, path, query, the headers that it names, and the hash of the
//! body. Its key is derived from the secret, the day, the region and the service. Any region is accepted. A session token
//! is treated as a header like any other.

use axum::http::{HeaderMap, Method, Uri, header};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use types::{Timestamp, days_from_civil, ensure};

use super::answer::{CloudWatchProblem, Result};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";

/// How far the clocks of a sender and the server may be apart.
const SKEW_NS_MAX: i64 = 15 * Timestamp::MINUTE;

/// Most headers that a signature may name.
const SIGNED_HEADERS_MAX: usize = 64;

/// The payload hash of an unsigned body.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The signature of a request, not checked yet.
#[derive(Debug)]
pub(super) struct Signature {
    /// The id of the pair of keys.
    pub(super) access_key_id: String,
    /// Where its sender believes to be.
    pub(super) region: String,
    service: String,
    date: String,
    time: String,
    signed: Vec<String>,
    value: Vec<u8>,
}

impl Signature {
    /// Reads the signature for `service` from the headers; `None` if there is none.
    ///
    /// # Errors
    /// A signature that cannot be checked, or whose time is not now.
    pub(super) fn of(headers: &HeaderMap, service: &'static str, now: Timestamp) -> Result<Option<Self>> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default();
        let Some(rest) = text.strip_prefix(ALGORITHM) else { return Ok(None) };
        let incomplete = |what: &str| CloudWatchProblem::new("IncompleteSignatureException", what);
        let part = |name: &str| {
            let found = rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(|| incomplete(&format!("Authorization header requires '{name}' parameter.")))
        };
        let credential: Vec<&str> = part("Credential")?.split('/').collect();
        let [access_key_id, date, region, of_service, TERMINATOR] = credential[..] else {
            return Err(scope(service));
        };
        ensure!(of_service == service, scope(service));
        let signed: Vec<String> = part("SignedHeaders")?.split(';').map(str::to_owned).collect();
        let value = HEXLOWER
            .decode(part("Signature")?.as_bytes())
            .map_err(|_| incomplete("the signature is not hexadecimal"))?;
        let time = headers.get("x-amz-date").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        check_time(&time, date, now)?;
        check_signed(&signed, headers)?;
        let (access_key_id, region, date) = (access_key_id.to_owned(), region.to_owned(), date.to_owned());
        let service = service.to_owned();
        Ok(Some(Self { access_key_id, region, service, date, time, signed, value }))
    }

    /// Checks that the owner of the secret signed this request.
    pub(super) fn check(
        &self,
        secret: &str,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<()> {
        let canonical = self.canonical_request(method, uri, headers, &payload_hash(headers, body)?);
        if bool::from(self.value_of(secret, &canonical).ct_eq(&self.value)) {
            return Ok(());
        }
        let message = "The request signature we calculated does not match the signature you provided. Check your \
            secret access key, and that nothing on the way changes the host or the path.";
        Err(invalid(message))
    }

    /// What the owner of a secret makes of a canonical request.
    fn value_of(&self, secret: &str, canonical: &str) -> Vec<u8> {
        let to_sign = format!("{ALGORITHM}\n{}\n{}\n{}", self.time, self.scope(), hex_of_hash(canonical.as_bytes()));
        let mut key = format!("AWS4{secret}").into_bytes();
        for step in [&*self.date, &*self.region, &*self.service, TERMINATOR] {
            key = keyed_hash(&key, step.as_bytes());
        }
        keyed_hash(&key, to_sign.as_bytes())
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }

    fn canonical_request(&self, method: &Method, uri: &Uri, headers: &HeaderMap, payload_hash: &str) -> String {
        let mut pairs: Vec<String> = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
            .collect();
        pairs.sort();
        let mut of_headers = String::new();
        for name in &self.signed {
            let values: Vec<String> = headers
                .get_all(name)
                .iter()
                .map(|value| {
                    let text = String::from_utf8_lossy(value.as_bytes());
                    text.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
                })
                .collect();
            of_headers.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        // The paths of this API contain no character that a canonical path escapes.
        let (path, query, names) = (uri.path(), pairs.join("&"), self.signed.join(";"));
        format!("{method}\n{path}\n{query}\n{of_headers}\n{names}\n{payload_hash}")
    }
}

/// Signs a POST of a body to a path with a pair of keys, by these headers, `host` and `x-amz-date` among them; returns the header `Authorization`.
pub fn authorization(
    (access_key_id, secret): (&str, &str),
    (service, region): (&str, &str),
    (path, headers): (&str, &HeaderMap),
    body: &[u8],
) -> String {
    let time = headers.get("x-amz-date").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut signed: Vec<String> = headers.keys().map(|name| name.as_str().to_owned()).collect();
    signed.sort();
    let (date, names) = (time.get(..8).unwrap_or_default().to_owned(), signed.join(";"));
    let (access_key_id, region) = (access_key_id.to_owned(), region.to_owned());
    let (service, uri) = (service.to_owned(), path.parse().unwrap_or_default());
    let signature = Signature { access_key_id, region, service, date, time, signed, value: Vec::new() };
    let canonical = signature.canonical_request(&Method::POST, &uri, headers, &hex_of_hash(body));
    let value = HEXLOWER.encode(&signature.value_of(secret, &canonical));
    let (id, scope) = (&signature.access_key_id, signature.scope());
    format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={value}")
}

/// Returns the hash of the body as the canonical request has it.
fn payload_hash(headers: &HeaderMap, body: &[u8]) -> Result<String> {
    let said = headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    if said == Some(UNSIGNED_PAYLOAD) {
        return Ok(UNSIGNED_PAYLOAD.to_owned());
    }
    let of_body = hex_of_hash(body);
    if said.is_some_and(|said| said != of_body) {
        return Err(invalid("The value of x-amz-content-sha256 is not the hash of the body."));
    }
    Ok(of_body)
}

/// Checks that the headers that select the operation are signed.
fn check_signed(signed: &[String], headers: &HeaderMap) -> Result<()> {
    let is_signed = |name: &str| signed.iter().any(|signed| signed == name);
    let needed = ["x-amz-target", "x-amz-date", "x-amz-content-sha256"];
    let missing = needed.into_iter().find(|name| headers.contains_key(*name) && !is_signed(name));
    let missing = missing.or_else(|| (!is_signed("host")).then_some("host"));
    if let Some(name) = missing {
        return Err(invalid(&format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
    }
    ensure!(signed.len() <= SIGNED_HEADERS_MAX, invalid("The signature names too many headers."));
    Ok(())
}

/// Checks that the time of a signature is now, and on the day of its key.
fn check_time(time: &str, date: &str, now: Timestamp) -> Result<()> {
    let Some(signed) = time_of(time) else {
        return Err(invalid("Date must be in ISO-8601 'basic format' in X-Amz-Date, such as 20261120T120000Z."));
    };
    if !time.starts_with(date) || date.len() != 8 {
        return Err(invalid("Date in Credential scope does not match the date of the request."));
    }
    let ahead = signed.0.saturating_sub(now.0);
    ensure!(ahead >= -SKEW_NS_MAX, invalid(&format!("Signature expired: {time} is more than 15 min. before {now}.")));
    if ahead > SKEW_NS_MAX {
        return Err(invalid(&format!("Signature not yet current: {time} is more than 15 min. after {now}.")));
    }
    Ok(())
}

/// Parses `YYYYMMDDTHHMMSSZ`.
fn time_of(text: &str) -> Option<Timestamp> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let is_digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(date, 8) || !is_digits(clock, 6) {
        return None;
    }
    let number = |digits: &str| digits.parse::<i64>().ok();
    let (month, day) = (date[4..6].parse().ok()?, date[6..8].parse().ok()?);
    let days = days_from_civil(number(&date[..4])?, month, day)?;
    let (hour, minute, second) = (number(&clock[..2])?, number(&clock[2..4])?, number(&clock[4..])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    days.checked_mul(86_400)?
        .checked_add(hour * 3_600 + minute * 60 + second)?
        .checked_mul(Timestamp::SECOND)
        .map(Timestamp)
}

fn scope(service: &str) -> CloudWatchProblem {
    invalid(&format!("Credential should be scoped to a valid region and to correct service: '{service}'."))
}

fn invalid(message: &str) -> CloudWatchProblem {
    CloudWatchProblem::new("InvalidSignatureException", message)
}

pub(crate) fn hex_of_hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

pub(crate) fn keyed_hash(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is one");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
pub(crate) mod tests;
