//! Messages to the subscribers of a topic.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A message to the subscribers of a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopicMessage {
    /// Who receives it.
    pub receiver: Receiver,
    /// `Notification` or `SubscriptionConfirmation`.
    pub kind: String,
    /// Its id, the same for all subscribers.
    pub id: String,
    /// The name of the topic for subscribers.
    pub topic_arn: String,
    /// Its title.
    pub subject: Option<String>,
    /// Its text.
    pub text: String,
    /// Texts for single protocols.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// Attributes as subscribers get them.
    #[serde(default)]
    pub attributes: Json,
    /// When it was made, ms since the Unix epoch.
    pub made_ms: i64,
    /// The groups that the message is about. A message that a caller publishes is about the groups in the scope of the caller.
    pub groups: Option<Vec<String>>,
    /// Labels that silences match, and that channels show.
    pub labels: BTreeMap<String, String>,
}

/// Who receives a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receiver {
    /// Subscriptions to a topic.
    Subscribers(String),
    /// Subscriptions to a topic, and all channels with it that take texts.
    Topic(String),
    /// The subscription with an id.
    Subscription(String),
}
