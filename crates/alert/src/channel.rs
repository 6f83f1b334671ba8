//! Channels: the receivers of notifications, and the check of their settings.
//!
//! A notification is made once, in catat's own words; each kind of channel puts it into those of its receiver when
//! it is delivered: `slack`, `pagerduty`, `alertmanager`, `email`.

pub(crate) mod alertmanager;
mod command;
mod deliver;
pub(crate) mod email;
pub(crate) mod pagerduty;
mod settings;
pub(crate) mod slack;
pub(crate) mod sns;
pub(crate) mod templated;
pub(crate) mod words;

use types::{GroupScope, Secret, ensure};

pub use self::deliver::{ChannelPost, Post};
pub use self::settings::ChannelSettings;
use self::settings::duration;
use crate::channel_state::{POSTS_MAX, POSTS_MAX_OF_PROGRAMS};
use crate::check_address;
use crate::labels::Labels;
use crate::matcher::Matcher;

/// Where PagerDuty takes events, where a channel names no other address.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// Longest name of a channel.
const NAME_BYTES_MAX: usize = 200;

/// Most recipients of an e-mail.
const RECIPIENTS_MAX: usize = 100;

/// A channel, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name, unique.
    pub name: String,
    /// Topics of alerts that it receives; none for all.
    pub topics: Vec<String>,
    /// The receiver, and how it is reached.
    pub target: Target,
    /// Label conditions that an alert must match to be sent.
    pub(crate) matchers: Vec<Matcher>,
    /// Labels whose values form a group, which is sent as one message.
    pub(crate) group_by: Vec<String>,
    pub(crate) group_wait_ns: Option<i64>,
    pub(crate) group_interval_ns: Option<i64>,
    pub(crate) repeat_ns: Option<i64>,
    /// Whether it receives resolved notifications.
    pub(crate) send_resolved: bool,
    /// The file that it comes from; empty of one that was made through the API.
    pub file: String,
    /// Who made it through the API. Its address is then looked at more closely.
    pub maker: Option<String>,
    /// The groups that exist for its author: it receives alerts of rules about these alone.
    pub scope: GroupScope,
    /// Of a subscription to a topic, whether its receiver has confirmed it.
    pub(crate) subscription: Option<bool>,
    /// What was set.
    pub(crate) settings: Box<ChannelSettings>,
}

/// The receiver of a channel. Many of these addresses are the only credential that the receiver checks: they are secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The notification as it is, as JSON.
    Webhook {
        /// Where it is posted to.
        url: Secret,
        /// Signs what is posted.
        secret: Option<Secret>,
        /// What is posted instead, where its receiver wants something else.
        shape: templated::Shape,
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
    /// A subscriber of SNS over HTTP.
    Sns(sns::Subscriber),
    /// A letter.
    Email(email::Mailbox),
    /// A program of this machine, with its arguments; no shell reads them.
    Command(Vec<String>),
}

impl Channel {
    /// Checks the settings of a channel; an error names the channel and the key.
    pub fn new(settings: ChannelSettings) -> Result<Self, String> {
        let channel = Self::in_force(settings)?;
        channel.warning().map_or(Ok(channel), Err)
    }

    /// Checks the settings of a channel that may be in force already: a body that was right when it was written is no mistake.
    pub(crate) fn in_force(settings: ChannelSettings) -> Result<Self, String> {
        let name = settings.name.clone();
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            let message = "a channel has no name, or an invalid one";
            return Err(if name.is_empty() { "a channel has no name".to_string() } else { message.to_string() });
        }
        Self::named(settings).map_err(|message| format!("channel \"{name}\": {message}"))
    }

    /// Returns what is wrong with its body.
    pub(crate) fn warning(&self) -> Option<String> {
        let Target::Webhook { shape, .. } = &self.target else { return None };
        shape.warning.as_ref().map(|warning| format!("channel \"{}\": {warning}", self.name))
    }

    fn named(settings: ChannelSettings) -> Result<Self, String> {
        let matchers =
            settings.matchers.iter().map(|text| Matcher::parse(text).map_err(|error| format!("match: {error}")));
        let by_rule = || vec!["alertname".to_string()];
        Ok(Self {
            name: settings.name.clone(),
            topics: settings.topics.clone(),
            matchers: matchers.collect::<Result<_, _>>()?,
            group_by: settings.group_by.clone().unwrap_or_else(by_rule),
            group_wait_ns: duration("group_wait", settings.group_wait.as_deref())?,
            group_interval_ns: duration("group_interval", settings.group_interval.as_deref())?,
            repeat_ns: duration("repeat_interval", settings.repeat_interval.as_deref())?,
            send_resolved: settings.send_resolved.unwrap_or(true),
            file: String::new(),
            maker: None,
            scope: GroupScope::All,
            subscription: None,
            settings: Box::new(settings.clone()),
            target: Target::new(settings)?,
        })
    }

    /// Reports whether it receives an alert with these topics and labels, of a rule about these groups.
    pub(crate) fn hears(&self, topics: &[String], groups: &[String], labels: &Labels) -> bool {
        let is_within =
            self.scope.is_everything() || !groups.is_empty() && groups.iter().all(|pattern| self.scope.admits(pattern));
        let is_confirmed = self.subscription != Some(false);
        is_within && is_confirmed && self.takes(topics) && self.matchers.iter().all(|matcher| matcher.matches(labels))
    }

    /// Returns what alerts of one message have in common.
    pub(crate) fn group_of(&self, labels: &Labels) -> String {
        let all = self.group_by.iter().any(|name| name == "...");
        let is_named = |name: &&String| all || self.group_by.contains(*name);
        let named = labels.iter().filter(|(name, _)| is_named(name)).map(|(name, value)| format!("{name}={value:?}"));
        format!("{{{}}}", named.collect::<Vec<_>>().join(","))
    }

    /// Reports whether the channel receives alerts with `topics`.
    pub fn takes(&self, topics: &[String]) -> bool {
        self.topics.is_empty() || topics.iter().any(|topic| self.topics.contains(topic))
    }
}

impl Target {
    /// Reports whether it is a program that sorts alerts itself, each on its own: then nothing is gained by holding them back.
    pub(crate) fn sorts(&self) -> bool {
        matches!(self, Self::Alertmanager { .. } | Self::PagerDuty { .. })
    }

    /// Returns the most posts in ten minutes while all is well.
    pub(crate) fn posts_max(&self) -> usize {
        match self {
            Self::Slack { .. } | Self::Email(_) => POSTS_MAX,
            _ => POSTS_MAX_OF_PROGRAMS,
        }
    }

    /// Returns how often the receiver needs a repetition of firing alerts, if it does.
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
            "webhook" => {
                let (url, shape) = (posted_to()?, templated::Shape::new(&settings)?);
                Ok(Self::Webhook { url, secret: settings.secret, shape })
            }
            "slack" => Ok(Self::Slack { url: posted_to()? }),
            "pagerduty" => {
                let url = url.map_or_else(|| Ok(Secret::from(PAGERDUTY_URL)), |_| posted_to())?;
                let routing_key = settings.routing_key.ok_or("routing_key is missing")?;
                Ok(Self::PagerDuty { url, routing_key })
            }
            "alertmanager" => Ok(Self::Alertmanager { url: alertmanager::address(&posted_to()?)? }),
            "email" => {
                ensure!(settings.to.len() <= RECIPIENTS_MAX, format!("to: more than {RECIPIENTS_MAX} recipients"));
                let from = settings.from.ok_or("from is missing")?;
                email::Mailbox::new(url.ok_or("url is missing")?, &from, &settings.to).map(Self::Email)
            }
            "command" => command::checked(settings.command).map(Self::Command),
            "" => Err("type is missing".to_string()),
            other => {
                let known = "webhook, slack, pagerduty, alertmanager, email and command";
                Err(format!("unknown type \"{other}\"; there are {known}"))
            }
        }
    }
}

/// Refuses a key of another type: it would have no effect.
fn refuse_foreign_keys(settings: &ChannelSettings) -> Result<(), String> {
    let has = [
        ("secret", settings.secret.is_some(), "webhook"),
        ("body", settings.body.is_some(), "webhook"),
        ("headers", !settings.headers.is_empty(), "webhook"),
        ("method", settings.method.is_some(), "webhook"),
        ("command", !settings.command.is_empty(), "command"),
        ("routing_key", settings.routing_key.is_some(), "pagerduty"),
        ("from", settings.from.is_some(), "email"),
        ("to", !settings.to.is_empty(), "email"),
    ];
    let foreign = has.into_iter().find(|(_, is_there, kind)| *is_there && settings.kind != *kind);
    foreign.map_or(Ok(()), |(key, _, kind)| Err(format!("{key}: belongs to type \"{kind}\" only")))
}

#[cfg(test)]
mod tests;
