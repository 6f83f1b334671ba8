//! Delivery of a notification: its receiver's words for it, over HTTP or as a letter.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value as Json;
use sha2::Sha256;
use types::{Secret, Timestamp};

use super::{alertmanager, pagerduty, slack};
use crate::{Channel, PostError, Poster, Target};

/// Delivers notifications to a channel.
pub trait Post: Send + Sync {
    /// Makes one attempt to deliver a notification, as catat words it. Blocks.
    fn post(&self, channel: &Channel, notification: &Json, now: Timestamp) -> Result<(), PostError>;

    /// Tells a receiver that forgets what it is not told again of everything that fires. Blocks.
    fn repeat(&self, channel: &Channel, firing: &[Json], now: Timestamp) -> Result<(), PostError>;
}

/// Delivers to where channels really are.
pub struct ChannelPost(Poster);

impl ChannelPost {
    /// Makes a client; does not connect yet.
    pub fn new() -> Result<Self, String> {
        Poster::new().map(Self)
    }

    fn post_json(&self, url: &Secret, body: &Json, secret: Option<&Secret>) -> Result<(), PostError> {
        let body = body.to_string().into_bytes();
        let signature = secret.map(|secret| signature(secret, &body));
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(signature.as_deref().map(|signature| ("X-Catat-Signature", signature)));
        self.0.post(url, &headers, body)
    }
}

impl Post for ChannelPost {
    fn post(&self, channel: &Channel, notification: &Json, now: Timestamp) -> Result<(), PostError> {
        match &channel.target {
            Target::Webhook { url, secret } => self.post_json(url, notification, secret.as_ref()),
            Target::Slack { url } => self.post_json(url, &slack::message(notification), None),
            Target::PagerDuty { url, routing_key } => {
                self.post_json(url, &pagerduty::event(notification, routing_key), None)
            }
            Target::Alertmanager { url } => {
                self.post_json(url, &Json::Array(vec![alertmanager::alert(notification, now)]), None)
            }
            Target::Email(mailbox) => mailbox.deliver(notification),
        }
    }

    fn repeat(&self, channel: &Channel, firing: &[Json], now: Timestamp) -> Result<(), PostError> {
        let Target::Alertmanager { url } = &channel.target else { return Ok(()) };
        let alerts = firing.iter().map(|notification| alertmanager::alert(notification, now)).collect();
        self.post_json(url, &Json::Array(alerts), None)
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
