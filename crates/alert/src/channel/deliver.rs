//! Delivery of a notification: its receiver's words for it, over HTTP or as a letter.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value as Json;
use sha2::Sha256;
use types::{Secret, Timestamp};

use super::{alertmanager, command, pagerduty, slack, sns, words};
use crate::post::Request;
use crate::{Channel, PostError, Poster, Reach, Target};

/// Delivers notifications to a channel.
pub trait Post: Send + Sync {
    /// Makes one attempt to deliver a notification, as catat words it. Blocks.
    fn post(&self, channel: &Channel, notification: &Json, now: Timestamp) -> Result<(), PostError>;

    /// Sends all firing alerts again to a receiver that forgets alerts without repetition. Blocks.
    fn repeat(&self, channel: &Channel, firing: &[Json], now: Timestamp) -> Result<(), PostError>;
}

/// Delivers to where channels really are.
pub struct ChannelPost {
    poster: Poster,
    allows_private: bool,
    allows_commands: bool,
}

impl ChannelPost {
    /// Makes a client; does not connect yet. `allows_private`: channels made through the API may lead to this machine and
    /// its neighbours. `allows_commands`: channels may run programs.
    pub fn new(allows_private: bool, allows_commands: bool) -> Result<Self, String> {
        Ok(Self { poster: Poster::new(Reach::Anywhere)?, allows_private, allows_commands })
    }

    /// Reports whether the channel may lead to far addresses only.
    fn guards(&self, channel: &Channel) -> bool {
        channel.maker.is_some() && !self.allows_private
    }

    fn post_json(&self, channel: &Channel, url: &Secret, body: &Json) -> Result<(), PostError> {
        let headers = [("Content-Type", "application/json")];
        let body = body.to_string().into_bytes();
        self.poster.send(Request { method: "POST", url, headers: &headers, body, is_guarded: self.guards(channel) })
    }

    fn post_shaped(&self, channel: &Channel, notification: &Json) -> Result<(), PostError> {
        let Target::Webhook { url, secret, shape } = &channel.target else { return Ok(()) };
        let (content_type, body) = shape.render(notification).map_err(PostError::Refused)?;
        let signature = secret.as_ref().map(|secret| signature(secret, &body));
        let mut headers = vec![("Content-Type", content_type)];
        headers.extend(signature.as_deref().map(|signature| ("X-Catat-Signature", signature)));
        for (name, value) in &shape.headers {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name, value.reveal()));
        }
        let is_guarded = self.guards(channel);
        self.poster.send(Request { method: shape.method, url, headers: &headers, body, is_guarded })
    }
}

impl Post for ChannelPost {
    fn post(&self, channel: &Channel, notification: &Json, now: Timestamp) -> Result<(), PostError> {
        match &channel.target {
            Target::Webhook { .. } => self.post_shaped(channel, notification),
            Target::Slack { url } => self.post_json(channel, url, &slack::message(notification)),
            Target::PagerDuty { url, routing_key } => {
                // Incidents are opened and closed one by one; those sent before a failure are sent once more, with the
                // same incident.
                words::alerts(notification)
                    .try_for_each(|alert| self.post_json(channel, url, &pagerduty::event(alert, routing_key)))
            }
            Target::Alertmanager { url } => {
                let alerts = words::alerts(notification).map(|alert| alertmanager::alert(alert, now)).collect();
                self.post_json(channel, url, &Json::Array(alerts))
            }
            Target::Sns(subscriber) => {
                let sns::SnsPost { headers, body } = subscriber.post(notification, now);
                let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let (url, is_guarded) = (&subscriber.url, self.guards(channel));
                self.poster.send(Request {
                    method: "POST",
                    url,
                    headers: &headers,
                    body: body.into_bytes(),
                    is_guarded,
                })
            }
            Target::Email(mailbox) => mailbox.deliver(notification, self.guards(channel)),
            Target::Command(_) if !self.allows_commands => {
                Err(PostError::Refused("commands are switched off: [alerts] allow_commands".to_string()))
            }
            Target::Command(arguments) => command::run(arguments, notification),
        }
    }

    fn repeat(&self, channel: &Channel, firing: &[Json], now: Timestamp) -> Result<(), PostError> {
        let Target::Alertmanager { url } = &channel.target else { return Ok(()) };
        let alerts = firing.iter().map(|notification| alertmanager::alert(notification, now)).collect();
        self.post_json(channel, url, &Json::Array(alerts))
    }
}

/// Returns `sha256=` and the HMAC of the body in hexadecimal, as GitHub and others sign their webhooks.
fn signature(secret: &Secret, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", types::hexadecimal(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
