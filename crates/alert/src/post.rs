//! Posting to addresses that people set: where to is refused, and what the answers mean.

mod addresses;
mod connection;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::{Method, Url};
use types::{Secret, ensure};

pub use self::connection::Connection;

pub(crate) use self::addresses::{allowed_addresses, is_barred_host, is_near_host};

/// A receiver that takes longer is taken for dead; it will be asked again.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

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

/// Returns the address, or why nothing is posted to it.
pub fn check_address(url: &str) -> Result<Url, String> {
    let address = Url::parse(url).map_err(|error| format!("url: {error}"))?;
    ensure!(matches!(address.scheme(), "http" | "https"), "url must begin with http:// or https://".into());
    ensure!(!address.host_str().is_none_or(is_barred_host), "url points to a link-local or metadata address".into());
    Ok(address)
}

/// Where a post may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere but to link-local and metadata addresses.
    Anywhere,
    /// Not to this machine or its private networks either, whatever a name resolves to.
    Far,
}

/// Posts to addresses that people set: the one way out of here. The process must have installed a TLS provider (rustls)
/// before the first `https` address.
pub struct Poster {
    client: Client,
    /// Leads to far addresses only.
    guarded: Client,
    reach: Reach,
}

/// What is sent, and where.
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: &'a Secret,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Vec<u8>,
    /// Whether it may not go to this machine or its private networks.
    pub(crate) is_guarded: bool,
}

impl Poster {
    /// Makes a client; does not connect yet. Blocks, and so does what it is for.
    pub fn new(reach: Reach) -> Result<Self, String> {
        Ok(Self { client: client(false)?, guarded: client(true)?, reach })
    }

    /// Makes one attempt.
    pub fn post(&self, url: &Secret, headers: &[(&str, &str)], body: Vec<u8>) -> Result<(), PostError> {
        self.send(Request { method: "POST", url, headers, body, is_guarded: self.reach == Reach::Far })
    }

    /// Makes one attempt; returns the body of the answer, as far as it is read.
    pub fn ask(&self, url: &Secret, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Vec<u8>, PostError> {
        let asked = Request { method: "POST", url, headers, body, is_guarded: self.reach == Reach::Far };
        let mut answer = Vec::new();
        let read = self.answer_to(asked)?.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
        read.map_err(|error| PostError::Retry { after: None, reason: error.to_string() })?;
        Ok(answer)
    }

    /// Makes one attempt.
    pub(crate) fn send(&self, outgoing: Request<'_>) -> Result<(), PostError> {
        self.answer_to(outgoing).map(drop)
    }

    fn answer_to(&self, outgoing: Request<'_>) -> Result<Response, PostError> {
        let Request { method, url, headers, body, is_guarded } = outgoing;
        let address = Url::parse(url.reveal()).ok();
        // A literal address is not resolved, so the resolver does not get to see it.
        let leads_near = address.as_ref().and_then(Url::host_str).is_none_or(is_near_host);
        if is_guarded && leads_near {
            let message = "the address is one of this machine or a private network; [alerts] allow_private_addresses";
            return Err(PostError::Refused(message.to_string()));
        }
        let client = if is_guarded { &self.guarded } else { &self.client };
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::POST);
        let request = client.request(method, url.reveal()).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().map_err(|error| {
            // Without the address, which may hold a secret.
            PostError::Retry { after: None, reason: cause_of(&error.without_url()) }
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let after = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let is_final = status.is_client_error() && !matches!(status.as_u16(), 408 | 429);
        let not_followed = if status.is_redirection() { "; redirects are not followed" } else { "" };
        let reason = format!("answered {status}{not_followed}");
        Err(if is_final { PostError::Refused(reason) } else { PostError::Retry { after, reason } })
    }
}

/// Returns an error with its causes; the innermost one names a forbidden address.
fn cause_of(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let (outer, inner) = (error.to_string(), innermost.to_string());
    if outer.contains(&inner) { outer } else { format!("{outer}: {inner}") }
}

fn client(is_guarded: bool) -> Result<Client, String> {
    let client = || {
        Client::builder()
            .timeout(ANSWER_TIMEOUT)
            // A redirect could lead anywhere, also to where no channel may point.
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(addresses::Resolver { is_guarded }))
            .user_agent("catat")
    };
    let built = client().build().or_else(|error| {
        // Said once, of two clients.
        if is_guarded {
            let problem = cause_of(&error);
            tracing::warn!(
                problem,
                "no https address is believed; install ca-certificates or name a file in SSL_CERT_FILE"
            );
        }
        client().tls_certs_only([]).build()
    });
    built.map_err(|error| cause_of(&error))
}

#[cfg(test)]
mod tests;
