//! What the provider publishes: its metadata (OpenID Connect Discovery 1.0) and its keys.

use std::sync::{Arc, Mutex};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use reqwest::{Client, Url};
use serde::Deserialize;
use types::{Hold, Timestamp};

use crate::error::{Result, SignInError};
use crate::fetch;

/// How long metadata and keys are used before they are fetched again.
const AGE_MAX_NS: i64 = 60 * Timestamp::MINUTE;

/// How soon keys may be fetched again for a token signed with one that is not known.
const KEYS_AGE_MIN_NS: i64 = 10 * Timestamp::SECOND;

/// Most keys of a provider.
const KEYS_MAX: usize = 100;

/// An address of the provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Endpoint(pub(crate) Url);

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Url::parse(&text).map(Self).map_err(|error| error.to_string())
    }
}

/// The provider's metadata, as far as it is used.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) authorization_endpoint: Endpoint,
    pub(crate) token_endpoint: Endpoint,
    jwks_uri: Endpoint,
    pub(crate) userinfo_endpoint: Option<Endpoint>,
    pub(crate) end_session_endpoint: Option<Endpoint>,
    pub(crate) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// A list of keys. Each is read on its own: one of a kind that is not known here makes no other unusable.
#[derive(Deserialize)]
struct KeyList {
    keys: Vec<serde_json::Value>,
}

/// Something fetched, and when.
type Fetched<T> = Mutex<Option<(Arc<T>, Timestamp)>>;

/// Fetches what a provider publishes, and keeps it.
#[derive(Debug)]
pub(crate) struct Publications {
    issuer: String,
    place: Url,
    metadata: Fetched<Metadata>,
    keys: Fetched<Vec<Jwk>>,
}

fn known<T>(cell: &Fetched<T>, age_max_ns: i64, now: Timestamp) -> Option<Arc<T>> {
    // Whatever a panic leaves is a whole value.
    let cell = cell.hold();
    let is_fresh = |at: &Timestamp| (0..age_max_ns).contains(&now.0.saturating_sub(at.0));
    cell.as_ref().filter(|(_, at)| is_fresh(at)).map(|(value, _)| value.clone())
}

fn keep<T>(cell: &Fetched<T>, value: T, now: Timestamp) -> Arc<T> {
    let value = Arc::new(value);
    *cell.hold() = Some((value.clone(), now));
    value
}

impl Publications {
    pub(crate) fn new(issuer: &str) -> Result<Self, String> {
        check_issuer(issuer)?;
        let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let place = Url::parse(&place).map_err(|error| error.to_string())?;
        Ok(Self { issuer: issuer.to_owned(), place, metadata: Fetched::default(), keys: Fetched::default() })
    }

    /// Returns the metadata, which name the issuer that is configured.
    pub(crate) async fn metadata(&self, client: &Client, now: Timestamp) -> Result<Arc<Metadata>> {
        if let Some(known) = known(&self.metadata, AGE_MAX_NS, now) {
            return Ok(known);
        }
        let metadata: Metadata = fetch::json(client.get(self.place.clone()), &self.place).await.map_err(|error| {
            // It is no refusal of anyone: at a wrong address there is no provider.
            if let SignInError::Refused(why) = error { SignInError::BadAnswer(why) } else { error }
        })?;
        if metadata.issuer != self.issuer {
            let named = fetch::printable(&metadata.issuer);
            return Err(SignInError::BadAnswer(format!(
                "it is the issuer {named:?}, not {:?} (oidc.issuer)",
                self.issuer
            )));
        }
        let optional = [&metadata.userinfo_endpoint, &metadata.end_session_endpoint];
        let needed = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        for Endpoint(endpoint) in needed.into_iter().chain(optional.into_iter().flatten()) {
            if endpoint.scheme() != "https" && endpoint.scheme() != self.place.scheme() {
                return Err(SignInError::BadAnswer(format!("{} has no TLS", fetch::printable(endpoint.as_str()))));
            }
        }
        Ok(keep(&self.metadata, metadata, now))
    }

    /// Returns the key that a token names, else the only one. A name that is not known fetches the keys once more, unless they
    /// have just been fetched: providers change their keys.
    pub(crate) async fn key(
        &self,
        client: &Client,
        metadata: &Metadata,
        name: Option<&str>,
        now: Timestamp,
    ) -> Result<Jwk> {
        if let Some(key) = known(&self.keys, AGE_MAX_NS, now).and_then(|keys| chosen(&keys, name)) {
            return Ok(key);
        }
        if known(&self.keys, KEYS_AGE_MIN_NS, now).is_none() {
            let Endpoint(place) = &metadata.jwks_uri;
            let list: KeyList = fetch::json(client.get(place.clone()), place).await?;
            let readable = list.keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value(key).ok());
            let signs = |key: &Jwk| key.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
            let keys = keep(&self.keys, readable.filter(signs).collect(), now);
            if let Some(key) = chosen(&keys, name) {
                return Ok(key);
            }
        }
        Err(SignInError::BadToken("it is signed with a key that the provider does not publish".into()))
    }
}

fn chosen(keys: &[Jwk], name: Option<&str>) -> Option<Jwk> {
    match (name, keys) {
        (Some(name), _) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(name)).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}

/// Checks the address of a provider: TLS, except on this machine.
///
/// # Errors
/// What is wrong with it.
pub fn check_issuer(issuer: &str) -> Result<(), String> {
    let wrong = || format!("{issuer:?} is not the address of a provider, such as https://id.example.org/realms/staff");
    let url = Url::parse(issuer).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.scheme() {
        "https" if is_plain => Ok(()),
        "http" if is_plain && is_here => Ok(()),
        "http" if is_plain => {
            Err(format!("{issuer:?} has no TLS, so anyone on the way can sign in as anyone; use https"))
        }
        _ => Err(wrong()),
    }
}
