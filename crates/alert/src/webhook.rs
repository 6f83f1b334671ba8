//! Posting to a webhook: body, signature, and what the answers mean.

mod addresses;

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::blocking::Client;
use sha2::Sha256;

use types::Secret;

use crate::Channel;

/// A receiver that takes longer is taken for dead; it will be asked again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a post did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// It may work later.
    #[error("{reason}")]
    Retry {
        /// How long the receiver asks to wait, if it does.
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// It will never work.
    #[error("refused: {0}")]
    Refused(String),
}

/// Posts a body to a channel.
pub trait Post: Send + Sync {
    /// Makes one attempt. Blocks.
    fn post(&self, channel: &Channel, body: &[u8]) -> Result<(), PostError>;
}

/// Why nothing is posted to an address, whoever set it.
pub fn check_address(url: &str) -> Result<(), String> {
    let address = reqwest::Url::parse(url).map_err(|error| format!("url: {error}"))?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err("url must begin with http:// or https://".into());
    }
    if address.host_str().is_none_or(addresses::is_barred_host) {
        return Err("url points to a link-local or metadata address".into());
    }
    Ok(())
}

/// Posts to addresses that people set: the one way out of here. The process must have installed a TLS provider (rustls)
/// before the first `https` address.
pub struct Poster {
    client: Client,
}

impl Poster {
    /// Makes a client; does not connect yet. Blocks, and so does what it is for.
    pub fn new() -> Result<Self, String> {
        let client = Client::builder()
            .timeout(ANSWER_TIMEOUT)
            // A redirect could lead anywhere, also to where no channel may point.
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(addresses::Resolver))
            .user_agent("catat")
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client })
    }

    /// Makes one attempt.
    pub fn post(&self, url: &Secret, headers: &[(&str, &str)], body: Vec<u8>) -> Result<(), PostError> {
        let request = self.client.post(url.reveal()).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().map_err(|error| {
            // Without the address, which may hold a secret.
            PostError::Retry { after: None, reason: error.without_url().to_string() }
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let after = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let is_final = status.is_client_error() && !matches!(status.as_u16(), 408 | 429);
        let reason = format!("answered {status}");
        Err(if is_final { PostError::Refused(reason) } else { PostError::Retry { after, reason } })
    }
}

/// Posts notifications.
pub struct WebhookPost(Poster);

impl WebhookPost {
    /// Makes a client; does not connect yet.
    pub fn new() -> Result<Self, String> {
        Poster::new().map(Self)
    }
}

impl Post for WebhookPost {
    fn post(&self, channel: &Channel, body: &[u8]) -> Result<(), PostError> {
        let signature = channel.secret.as_ref().map(|secret| signature(secret, body));
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(signature.as_deref().map(|signature| ("X-Catat-Signature", signature)));
        self.0.post(&channel.url, &headers, body.to_vec())
    }
}

/// `sha256=` and the HMAC of the body in hexadecimal, as GitHub and others sign their webhooks.
fn signature(secret: &Secret, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    let mut text = String::from("sha256=");
    for byte in mac.finalize().into_bytes() {
        use std::fmt::Write;
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let secret = Secret::from("Jefe");
        assert_eq!(
            signature(&secret, b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
