//! Checks ID tokens (OpenID Connect Core 1.0, section 3.1.3.7).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Map, Value};
use types::{Timestamp, ensure};

use crate::attempt::seconds;

/// How far the provider's clock may differ from this one.
const SKEW_S: i64 = 60;

/// Longest identifier of an account.
const SUBJECT_BYTES_MAX: usize = 255;

/// What a provider says about an account.
pub(crate) type Claims = Map<String, Value>;

/// What a token must say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
}

/// Returns the claims of a token that `key` signed for this sign-in.
///
/// # Errors
/// Why the token is none.
pub(crate) fn verify(
    token: &str,
    algorithm: Algorithm,
    key: &Jwk,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Claims, String> {
    let named = key.common.key_algorithm.map(|named| named.to_string());
    if !algorithms_of(key).contains(&algorithm) || named.is_some_and(|named| named != format!("{algorithm:?}")) {
        return Err(format!("its key does not sign with {algorithm:?}"));
    }
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["aud"]);
    // Everything else is compared below: times with the clock of the caller.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
    let claims = decode::<Claims>(token, &key, &validation).map_err(|error| error.to_string())?.claims;
    check_times(&claims, seconds(now))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    ensure!(text("iss") == Some(expected.issuer), "it was made by another issuer (iss)".into());
    ensure!(text("nonce") == Some(expected.nonce), "it was made for another sign-in (nonce)".into());
    let is_for_several = claims.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() > 1);
    match claims.get("azp") {
        None if !is_for_several => {}
        Some(party) if party.as_str() == Some(expected.client_id) => {}
        _ => return Err("it was made for another application (azp)".into()),
    }
    match text("sub") {
        Some(subject) if (1..=SUBJECT_BYTES_MAX).contains(&subject.len()) => Ok(claims),
        _ => Err("its subject is empty or too long".into()),
    }
}

fn check_times(claims: &Claims, now_s: i64) -> Result<(), String> {
    let time = |name: &str| claims.get(name).map(|value| value.as_f64().unwrap_or(f64::NAN));
    let (now, skew) = (now_s as f64, SKEW_S as f64);
    // A comparison with something that is no number is false.
    let is_due = |from: f64| from <= now + skew;
    if !time("exp").is_some_and(|exp| exp > now - skew) {
        return Err("it has expired, or the clocks differ by more than a minute".into());
    }
    if !time("iat").is_some_and(is_due) || !time("nbf").is_none_or(is_due) {
        return Err("it is not valid yet, or the clocks differ by more than a minute".into());
    }
    Ok(())
}

/// Returns the algorithms that a key may sign with. A secret that both sides share is no key here.
fn algorithms_of(key: &Jwk) -> &'static [Algorithm] {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        _ => &[],
    }
}
