//! Posting to addresses that people set: where to is refused, and what the answers mean.

mod addresses;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::Client;
use types::Secret;

pub(crate) use self::addresses::{allowed_addresses, is_barred_host};

/// A receiver that takes longer is taken for dead; it will be asked again.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

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

/// The address, or why nothing is posted to it, whoever set it.
pub fn check_address(url: &str) -> Result<Url, String> {
    let address = Url::parse(url).map_err(|error| format!("url: {error}"))?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err("url must begin with http:// or https://".into());
    }
    if address.host_str().is_none_or(is_barred_host) {
        return Err("url points to a link-local or metadata address".into());
    }
    Ok(address)
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
