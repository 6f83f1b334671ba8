//! A channel as settings, rule files and the API write it.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use types::{Secret, parse_duration_ns};

/// What is set of a channel. Which keys belong to which type is checked when it is made a [`crate::Channel`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelSettings {
    /// Its name.
    pub name: String,
    /// `webhook`, `slack`, `pagerduty`, `alertmanager`, `email` or `command`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it posts to; of an e-mail `smtp://user:password@host:587` or `smtps://…`.
    #[serde(deserialize_with = "some_secret")]
    pub url: Option<Secret>,
    /// Topics of alerts that it receives; none for all.
    pub topics: Vec<String>,
    /// What labels have to be: `severity=~'page|error'`.
    #[serde(rename = "match")]
    pub matchers: Vec<String>,
    /// Labels whose values form a group; the rule by default, and `...` for every label.
    pub group_by: Option<Vec<String>>,
    /// How long alerts are gathered after the first one of a group.
    pub group_wait: Option<String>,
    /// How long resolved alerts are gathered while others of the group fire.
    pub group_interval: Option<String>,
    /// Interval at which it is notified again of firing alerts.
    pub repeat_interval: Option<String>,
    /// Whether it receives resolved notifications.
    pub send_resolved: Option<bool>,
    /// Signs what a webhook is posted.
    #[serde(deserialize_with = "some_secret")]
    pub secret: Option<Secret>,
    /// What a webhook is posted, as a template.
    pub body: Option<String>,
    /// Headers of a webhook's posts.
    #[serde(deserialize_with = "secrets")]
    pub headers: BTreeMap<String, Secret>,
    /// How a webhook is posted: `POST`, `PUT` or `PATCH`.
    pub method: Option<String>,
    /// Names the service of PagerDuty.
    #[serde(deserialize_with = "some_secret")]
    pub routing_key: Option<Secret>,
    /// Who an e-mail is from.
    pub from: Option<String>,
    /// Whom an e-mail is for.
    pub to: Vec<String>,
    /// The program that is run, and its arguments.
    pub command: Vec<String>,
}

/// Reads a secret; an error does not repeat the wrong value.
fn some_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let text = Option::<String>::deserialize(deserializer);
    text.map(|text| text.map(Secret::from)).map_err(|_| D::Error::custom("must be a text; put it in quotes"))
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Secret>, D::Error> {
    let texts = BTreeMap::<String, String>::deserialize(deserializer);
    let texts = texts.map_err(|_| D::Error::custom("must be names with texts; put them in quotes"))?;
    Ok(texts.into_iter().map(|(name, value)| (name, Secret::from(value))).collect())
}

/// Returns a duration that may be there.
pub(super) fn duration(key: &str, text: Option<&str>) -> Result<Option<i64>, String> {
    text.map(|text| parse_duration_ns(text).map_err(|error| format!("{key}: {error}"))).transpose()
}
