//! A notification as a message of SNS, for subscribers over HTTP: the JSON that Amazon documents, and its headers.
//!
//! `Signature` and `SigningCertURL` are there and empty: the key that signs Amazon's messages is Amazon's, and a receiver that checks
//! them must refuse what is not signed with it.
//! Source: Amazon SNS, "Parsing Amazon SNS message formats".

use serde_json::{Value as Json, json};
use types::{Secret, Timestamp};

use super::words;
use crate::topic_message::{Receiver, TopicMessage};

/// A subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub(crate) url: Secret,
    pub(crate) topic_arn: String,
    pub(crate) arn: String,
    pub(crate) unsubscribe: String,
    pub(crate) is_raw: bool,
}

/// What is posted to a subscriber.
pub(super) struct SnsPost {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// Longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 100;

/// Returns the message for a protocol, if the notification is one for subscribers.
pub(super) fn message_of(notification: &Json, protocol: &str) -> Option<TopicMessage> {
    let mut message: TopicMessage = serde_json::from_value(notification.get("topic_message")?.clone()).ok()?;
    if let Some(text) = message.texts.remove(protocol) {
        message.text = text;
    }
    Some(message)
}

impl Subscriber {
    /// Returns the post of a notification.
    pub(super) fn post(&self, notification: &Json, now: Timestamp) -> SnsPost {
        let protocol = if self.url.reveal().starts_with("https:") { "https" } else { "http" };
        let message = message_of(notification, protocol).unwrap_or_else(|| self.of_alert(notification, now));
        let is_notification = message.kind == "Notification";
        let mut headers = vec![
            ("Content-Type", "text/plain; charset=UTF-8".to_owned()),
            ("x-amz-sns-message-type", message.kind.clone()),
            ("x-amz-sns-message-id", message.id.clone()),
            ("x-amz-sns-topic-arn", self.topic_arn.clone()),
        ];
        if is_notification {
            headers.push(("x-amz-sns-subscription-arn", self.arn.clone()));
        }
        if self.is_raw && is_notification {
            headers.push(("x-amz-sns-rawdelivery", "true".to_owned()));
            return SnsPost { headers, body: message.text };
        }
        let mut body = json!({
            "Type": message.kind,
            "MessageId": message.id,
            "TopicArn": self.topic_arn,
            "Message": message.text,
            "Timestamp": time_text(message.made_ms),
            "SignatureVersion": "1",
            "Signature": "",
            "SigningCertURL": "",
        });
        if let Some(subject) = message.subject {
            body["Subject"] = subject.into();
        }
        match (is_notification, message.attributes) {
            (true, attributes) => {
                body["UnsubscribeURL"] = self.unsubscribe.as_str().into();
                if attributes.as_object().is_some_and(|attributes| !attributes.is_empty()) {
                    body["MessageAttributes"] = attributes;
                }
            }
            // Of a confirmation these are members of the message itself.
            (false, attributes) => {
                for (name, value) in attributes.as_object().into_iter().flatten() {
                    body[name] = value.clone();
                }
            }
        }
        SnsPost { headers, body: body.to_string() }
    }

    /// Returns the message about alerts of rules.
    fn of_alert(&self, notification: &Json, now: Timestamp) -> TopicMessage {
        let hex = words::text(notification, "id");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let id = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        let subject = words::title(notification).chars().take(SUBJECT_CHARS_MAX).collect();
        TopicMessage {
            receiver: Receiver::Subscribers(String::new()),
            kind: "Notification".to_owned(),
            id,
            topic_arn: self.topic_arn.clone(),
            subject: Some(subject),
            text: notification.to_string(),
            texts: Default::default(),
            attributes: Json::Null,
            made_ms: now.0.div_euclid(Timestamp::MILLISECOND),
            groups: None,
            labels: Default::default(),
        }
    }
}

/// Returns a time as SNS writes it.
fn time_text(ms: i64) -> String {
    let mut text = String::new();
    Timestamp(ms.saturating_mul(Timestamp::MILLISECOND)).write_rfc3339(3, &mut text);
    text
}

#[cfg(test)]
mod tests;
