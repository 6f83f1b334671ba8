//! Where alerts are told: what a channel may say of itself, checked.
//!
//! A notification is made once, in catat's own words; each kind of channel puts it into those of its receiver when
//! it is delivered: `slack`, `pagerduty`, `alertmanager`, `email`.

pub(crate) mod alertmanager;
mod deliver;
pub(crate) mod email;
pub(crate) mod pagerduty;
pub(crate) mod slack;
mod words;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use types::Secret;

pub use self::deliver::{ChannelPost, Post};
use crate::check_address;

/// Where PagerDuty takes events, where a channel names no other address.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// Most recipients of an e-mail.
const RECIPIENTS_MAX: usize = 100;

/// A channel, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name, unique.
    pub name: String,
    /// Topics that it is told of; none for all.
    pub topics: Vec<String>,
    /// Whom it tells, and how.
    pub target: Target,
}

/// Whom a channel tells, and how. Many of these addresses are all that their receiver asks for: they are secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The notification as it is, as JSON.
    Webhook {
        /// Where it is posted to.
        url: Secret,
        /// Signs what is posted.
        secret: Option<Secret>,
    },
    /// A message in a room: Slack, and what takes Slack's messages (Mattermost, Rocket.Chat, Discord's `/slack`).
    Slack {
        /// The address of the incoming webhook.
        url: Secret,
    },
    /// An incident of PagerDuty, Events API version 2.
    PagerDuty {
        /// Where events are posted to.
        url: Secret,
        /// Names the service there.
        routing_key: Secret,
    },
    /// An alert of Prometheus's Alertmanager, API version 2.
    Alertmanager {
        /// Its base address with `/api/v2/alerts`.
        url: Secret,
    },
    /// A letter.
    Email(email::Mailbox),
}

/// A channel as settings and rule files write it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelSettings {
    /// Its name.
    pub name: String,
    /// `webhook`, `slack`, `pagerduty`, `alertmanager` or `email`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it posts to; of an e-mail `smtp://user:password@host:587` or `smtps://…`.
    #[serde(deserialize_with = "some_secret")]
    pub url: Option<Secret>,
    /// Topics that it is told of; none for all.
    pub topics: Vec<String>,
    /// Signs what a webhook is posted.
    #[serde(deserialize_with = "some_secret")]
    pub secret: Option<Secret>,
    /// Names the service of PagerDuty.
    #[serde(deserialize_with = "some_secret")]
    pub routing_key: Option<Secret>,
    /// Who an e-mail is from.
    pub from: Option<String>,
    /// Whom an e-mail is for.
    pub to: Vec<String>,
}

/// Reads a secret; an error does not repeat what stands there instead of a text.
fn some_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text = Option::<String>::deserialize(deserializer);
    text.map(|text| text.map(Secret::from)).map_err(|_| D::Error::custom("must be a text; put it in quotes"))
}

impl Channel {
    /// Checks the settings of a channel; an error names the channel and the key.
    pub fn new(settings: ChannelSettings) -> Result<Self, String> {
        let name = settings.name.clone();
        let topics = settings.topics.clone();
        if name.is_empty() {
            return Err("a channel has no name".to_string());
        }
        let target = Target::new(settings).map_err(|message| format!("channel \"{name}\": {message}"))?;
        Ok(Self { name, topics, target })
    }

    /// Tells whether the channel is told of alerts with `topics`.
    pub fn takes(&self, topics: &[String]) -> bool {
        self.topics.is_empty() || topics.iter().any(|topic| self.topics.contains(topic))
    }
}

impl Target {
    /// How often the receiver wants to hear again of what goes on, if it does.
    pub(crate) fn repeat_ns(&self) -> Option<i64> {
        matches!(self, Self::Alertmanager { .. }).then_some(alertmanager::RESEND_NS)
    }

    fn new(settings: ChannelSettings) -> Result<Self, String> {
        refuse_foreign_keys(&settings)?;
        let url = settings.url.as_ref();
        let posted_to = || {
            let url = url.ok_or("url is missing")?;
            check_address(url.reveal()).map(|_| url.clone())
        };
        match settings.kind.as_str() {
            "webhook" => Ok(Self::Webhook { url: posted_to()?, secret: settings.secret }),
            "slack" => Ok(Self::Slack { url: posted_to()? }),
            "pagerduty" => {
                let url = url.map_or_else(|| Ok(Secret::from(PAGERDUTY_URL)), |_| posted_to())?;
                let routing_key = settings.routing_key.ok_or("routing_key is missing")?;
                Ok(Self::PagerDuty { url, routing_key })
            }
            "alertmanager" => Ok(Self::Alertmanager { url: alertmanager::address(&posted_to()?)? }),
            "email" => {
                if settings.to.len() > RECIPIENTS_MAX {
                    return Err(format!("to: more than {RECIPIENTS_MAX} recipients"));
                }
                let from = settings.from.ok_or("from is missing")?;
                email::Mailbox::new(url.ok_or("url is missing")?, &from, &settings.to).map(Self::Email)
            }
            "command" => Err("type \"command\" is not available".to_string()),
            "" => Err("type is missing".to_string()),
            other => {
                Err(format!("unknown type \"{other}\"; there are webhook, slack, pagerduty, alertmanager and email"))
            }
        }
    }
}

/// A key that another type has is a mistake that would go unnoticed.
fn refuse_foreign_keys(settings: &ChannelSettings) -> Result<(), String> {
    let has = [
        ("secret", settings.secret.is_some(), "webhook"),
        ("routing_key", settings.routing_key.is_some(), "pagerduty"),
        ("from", settings.from.is_some(), "email"),
        ("to", !settings.to.is_empty(), "email"),
    ];
    let foreign = has.into_iter().find(|(_, is_there, kind)| *is_there && settings.kind != *kind);
    foreign.map_or(Ok(()), |(key, _, kind)| Err(format!("{key}: only type \"{kind}\" has it")))
}

#[cfg(test)]
mod tests;
