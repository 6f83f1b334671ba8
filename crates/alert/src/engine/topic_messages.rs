//! Messages of topics: queued for subscribers and channels, saved, and then delivered like notifications.

use serde_json::json;
use types::{Timestamp, ensure};

use super::{Inner, RuleEngine};
use crate::notify::{Notification, notification};
use crate::silence::Silence;
use crate::state::AlertState;
use crate::subscription::TopicSubscription;
use crate::topic_message::{Receiver, TopicMessage};
use crate::{Channel, Target};

/// Most notifications that wait for all channels when a message is taken: beyond it, a caller is asked to wait, and nothing is
/// dropped for its sake.
const WAITING_MAX: usize = 2_000;

impl RuleEngine {
    /// Queues messages and saves them; they are durable when this returns.
    ///
    /// # Errors
    /// If they cannot be saved, or too much waits.
    pub(crate) fn queue_topic_messages(&self, messages: &[TopicMessage], now: Timestamp) -> Result<(), String> {
        let mut inner = self.locked();
        ensure!(inner.is_leading, "another node of the fleet sends messages".to_owned());
        ensure!(inner.kept.queues.len() < WAITING_MAX, format!("{WAITING_MAX} notifications wait to be delivered"));
        let mut kept = inner.kept.clone();
        if !self.add_topic_messages(&mut kept, &inner, messages, now) {
            return Ok(());
        }
        ensure!(self.commit(&mut inner, kept), inner.save_error.clone().unwrap_or_default());
        drop(inner);
        self.tell_channels();
        Ok(())
    }

    /// Adds messages to the queues of their receivers. Returns whether there are any.
    pub(super) fn add_topic_messages(
        &self,
        kept: &mut AlertState,
        inner: &Inner,
        messages: &[TopicMessage],
        now: Timestamp,
    ) -> bool {
        let mut is_any = false;
        for message in messages.iter().filter(|message| !is_silenced(message, &inner.silences, now)) {
            for channel in inner.active.channels.iter().filter(|channel| channel.receives(message)) {
                kept.queues.push(&channel.name, self.notification_of_message(message, channel, now));
                is_any = true;
            }
        }
        is_any
    }

    fn notification_of_message(&self, message: &TopicMessage, channel: &Channel, now: Timestamp) -> Notification {
        let mut labels = message.labels.clone();
        labels.insert("message_id".to_owned(), message.id.clone());
        let summary = message.subject.as_deref().unwrap_or(&message.text);
        let made_at = Timestamp(message.made_ms.saturating_mul(Timestamp::MILLISECOND));
        let mut body = json!({
            "id": "",
            "rule": labels.get("alertname").or_else(|| labels.get("topic")),
            "labels": labels,
            "annotations": {"summary": summary},
            "value": null,
            "starts_at": made_at.to_string(),
            "events": [],
            "pattern": null,
            "url": self.page_url(),
        });
        match channel.subscription {
            Some(_) => body["topic_message"] = serde_json::to_value(message).unwrap_or_default(),
            None => body["annotations"]["message"] = message.text.as_str().into(),
        }
        notification(&body, &channel.name, None, 0, now)
    }
}

fn is_silenced(message: &TopicMessage, silences: &[Silence], now: Timestamp) -> bool {
    let groups = message.groups.clone().unwrap_or_default();
    message.kind == "Notification" && silences.iter().any(|silence| silence.holds(&groups, &message.labels, now))
}

impl Channel {
    /// Reports whether a message of a topic is for this channel.
    fn receives(&self, message: &TopicMessage) -> bool {
        match &message.receiver {
            Receiver::Subscription(id) => self.name == TopicSubscription::channel_name(id),
            Receiver::Subscribers(topic) => self.subscription == Some(true) && self.takes_of(topic, message),
            // An incident that a text opened would never be closed.
            Receiver::Topic(topic) => {
                let takes_texts = !matches!(self.target, Target::PagerDuty { .. } | Target::Alertmanager { .. });
                takes_texts && self.subscription != Some(false) && self.takes_of(topic, message)
            }
        }
    }

    fn takes_of(&self, topic: &String, message: &TopicMessage) -> bool {
        let groups = message.groups.as_deref().unwrap_or_default();
        let is_within =
            self.scope.is_everything() || !groups.is_empty() && groups.iter().all(|group| self.scope.admits(group));
        is_within && self.topics.contains(topic) && self.matchers.iter().all(|matcher| matcher.matches(&message.labels))
    }
}
