//! Topics and subscriptions of a server as a caller sees them: documents of the control store.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `sns-topic` | its name | [`TopicDocument`] |
//! | `sns-subscription` | its id | [`alert::TopicSubscription`] |

use std::collections::{BTreeMap, BTreeSet};

use alert::{SUBSCRIPTION, TopicSubscription};
use door::{Problem, to_json};
use serde::{Deserialize, Serialize};
use types::{GroupScope, Timestamp};

use super::input::invalid;
use crate::answer::{CloudWatchProblem, Result};
use crate::metrics::alarms::{ACCOUNT, topic_of};
use crate::state::Shared;

/// The kind of documents that are topics.
pub(super) const TOPIC: &str = "sns-topic";

/// Longest name of a topic, as at Amazon.
const NAME_CHARS_MAX: usize = 256;

/// How long an unconfirmed subscription is kept, as at Amazon.
const UNCONFIRMED_MS: i64 = 3 * 86_400_000;

/// A topic as it is stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct TopicDocument {
    pub(super) display_name: String,
    pub(super) tags: BTreeMap<String, String>,
}

/// The topics and subscriptions of a server as a caller sees them.
pub(super) struct SnsRegistry<'s> {
    pub(super) server: &'s Shared,
    pub(super) region: &'s str,
}

impl<'s> SnsRegistry<'s> {
    pub(super) fn new(server: &'s Shared, region: &'s str) -> Self {
        Self { server, region }
    }

    /// Returns the ARN of a topic.
    pub(super) fn arn(&self, topic: &str) -> String {
        format!("arn:aws:sns:{}:{ACCOUNT}:{topic}", self.region)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.server.now().0.div_euclid(Timestamp::MILLISECOND)
    }

    /// Returns the topics that were created here.
    pub(super) fn topics(&self) -> Result<BTreeMap<String, TopicDocument>> {
        let documents = self.server.settings().all(TOPIC)?;
        Ok(documents.into_iter().map(|(name, text)| (name, serde_json::from_str(&text).unwrap_or_default())).collect())
    }

    /// Returns the names of all topics: those created here, and those that channels and rules name.
    pub(super) fn topic_names(&self) -> Result<BTreeSet<String>> {
        let mut names: BTreeSet<String> = self.topics()?.into_keys().collect();
        let alerts = &self.server.app.alerts;
        let of_rules = alerts.rules().into_iter().filter(|rule| self.server.reaches_all(&rule.groups));
        names.extend(of_rules.flat_map(|rule| rule.topics).filter(|name| is_name(name)));
        for channel in alerts.channels().iter().filter(|channel| self.covers(&channel.scope)) {
            let topics = channel.settings["topics"].as_array().into_iter().flatten();
            names.extend(topics.filter_map(|topic| topic.as_str()).filter(|name| is_name(name)).map(str::to_owned));
        }
        Ok(names)
    }

    /// Returns the name of the topic of an ARN.
    pub(super) fn name_of<'a>(&self, arn: &'a str) -> Result<&'a str> {
        topic_of(arn).filter(|name| is_name(name)).ok_or_else(|| invalid("TopicArn Reason: no valid ARN of a topic"))
    }

    /// Returns the name of a topic that must exist.
    pub(super) fn known_topic<'a>(&self, arn: &'a str) -> Result<&'a str> {
        let name = self.name_of(arn)?;
        if self.topic_names()?.contains(name) {
            return Ok(name);
        }
        Err(CloudWatchProblem::new("NotFound", "Topic does not exist"))
    }

    /// Reports whether all that a scope admits exists for the caller.
    pub(super) fn covers(&self, scope: &GroupScope) -> bool {
        let everything = || self.server.caller.scope.is_everything();
        scope.texts().map_or_else(everything, |patterns| self.server.reaches_all(&patterns))
    }

    /// Returns all subscriptions by id. Removes subscriptions that were not confirmed in time.
    pub(super) fn all_subscriptions(&self) -> Result<BTreeMap<String, TopicSubscription>> {
        let documents = self.server.settings().all(SUBSCRIPTION)?;
        let read = |(id, text): (String, String)| Some((id, serde_json::from_str(&text).ok()?));
        let mut all: BTreeMap<String, TopicSubscription> = documents.into_iter().filter_map(read).collect();
        let oldest = self.now_ms() - UNCONFIRMED_MS;
        let expired = |one: &TopicSubscription| !one.is_confirmed && one.made_ms < oldest;
        let gone: Vec<String> = all.iter().filter(|(_, one)| expired(one)).map(|(id, _)| id.clone()).collect();
        for id in &gone {
            self.server.settings().remove(SUBSCRIPTION, id)?;
            all.remove(id);
        }
        if !gone.is_empty() {
            self.refresh()?;
        }
        Ok(all)
    }

    /// Returns the subscriptions that exist for the caller.
    pub(super) fn subscriptions(&self) -> Result<BTreeMap<String, TopicSubscription>> {
        let mut all = self.all_subscriptions()?;
        all.retain(|_, one| self.covers(&one.scope()));
        Ok(all)
    }

    pub(super) fn store_subscription(&self, id: &str, one: &TopicSubscription) -> Result<()> {
        self.server.settings().put(SUBSCRIPTION, id, &to_json(one)?)?;
        self.refresh()
    }

    /// Puts what was stored in force.
    pub(super) fn refresh(&self) -> Result<()> {
        let refreshed = self.server.app.alerts.refresh();
        Ok(refreshed.map_err(|error| Problem::internal(error.to_string()))?)
    }
}

/// Reports whether a text can be the name of a topic.
pub(super) fn is_name(text: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
