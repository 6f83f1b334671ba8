//! Subscriptions to topics, made by SNS's API: channels that receive messages of one topic, besides the alerts of rules with it.
//!
//! A subscription is a document of kind `sns-subscription` in the control store. Its receiver confirms it: before that, the only message
//! that it gets is the one that asks. Mail goes over the server of the first channel of type `email` in a file, whose
//! operator is trusted.

use serde::{Deserialize, Serialize};
use types::{GroupScope, Secret, Timestamp};

use crate::channel::sns::Subscriber;
use crate::{Author, Channel, ChannelSettings, Target, check_address};

/// The kind of documents that are subscriptions.
pub const SUBSCRIPTION: &str = "sns-subscription";

/// A subscription as it is stored, by its id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TopicSubscription {
    /// The topic.
    pub topic: String,
    /// The name of the topic for subscribers.
    pub topic_arn: String,
    /// The name of the subscription for subscribers.
    pub arn: String,
    /// `http`, `https` or `email`.
    pub protocol: String,
    /// An address of the web or of a person.
    pub endpoint: String,
    /// Whether its receiver wants it.
    pub is_confirmed: bool,
    /// Proves that the receiver got the message that asks, and may end it.
    pub token: String,
    /// Whether a post is the message alone.
    pub is_raw: bool,
    /// When it was made, ms since the Unix epoch.
    pub made_ms: i64,
    maker: String,
    scope: Option<Vec<String>>,
}

impl TopicSubscription {
    /// Makes an unconfirmed subscription.
    pub fn new(topic: &str, (protocol, endpoint): (&str, &str), author: &Author, now: Timestamp) -> Self {
        Self {
            topic: topic.to_owned(),
            protocol: protocol.to_owned(),
            endpoint: endpoint.to_owned(),
            made_ms: now.0.div_euclid(Timestamp::MILLISECOND),
            maker: author.name.clone(),
            scope: author.scope.texts(),
            ..Self::default()
        }
    }

    /// Returns the groups whose alerts it receives.
    pub fn scope(&self) -> GroupScope {
        GroupScope::of_texts(self.scope.as_deref())
    }

    /// Returns the name of its channel.
    pub(crate) fn channel_name(id: &str) -> String {
        format!("sns {id}")
    }

    /// Returns the channel of a subscription. `channels` are those of files.
    pub(crate) fn channel(&self, id: &str, channels: &[Channel], base_url: &str) -> Result<Channel, String> {
        let name = Self::channel_name(id);
        let unsubscribe =
            format!("{base_url}/sns/?Action=Unsubscribe&SubscriptionArn={}&Proof={}", self.arn, self.token);
        let mut settings =
            ChannelSettings { name: name.clone(), topics: vec![self.topic.clone()], ..Default::default() };
        let (target, maker) = if self.protocol == "email" {
            let server = channels.iter().find_map(|channel| match &channel.target {
                Target::Email(mailbox) => Some((mailbox, channel)),
                _ => None,
            });
            let (mailbox, channel) =
                server.ok_or("mail needs a channel of type email in a file, whose mail server is used")?;
            settings.kind = "email".to_owned();
            settings.url.clone_from(&channel.settings.url);
            settings.to = vec![self.endpoint.clone()];
            (Target::Email(mailbox.for_subscriber(&self.endpoint, unsubscribe)?), None)
        } else {
            check_address(&self.endpoint)?;
            let url = Secret::from(self.endpoint.as_str());
            settings.kind = "sns".to_owned();
            settings.url = Some(url.clone());
            let (topic_arn, arn, is_raw) = (self.topic_arn.clone(), self.arn.clone(), self.is_raw);
            (Target::Sns(Subscriber { url, topic_arn, arn, unsubscribe, is_raw }), Some(self.maker.clone()))
        };
        Ok(Channel {
            name,
            topics: settings.topics.clone(),
            target,
            matchers: Vec::new(),
            group_by: vec!["alertname".to_owned()],
            group_wait_ns: None,
            group_interval_ns: None,
            repeat_ns: None,
            send_resolved: true,
            file: String::new(),
            maker,
            scope: self.scope(),
            subscription: Some(self.is_confirmed),
            settings: Box::new(settings),
        })
    }
}
