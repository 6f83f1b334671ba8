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
mod tests {
    use super::*;

    fn subscriber(is_raw: bool) -> Subscriber {
        let (topic_arn, arn) = ("arn:aws:sns:eu:0:ops".to_owned(), "arn:aws:sns:eu:0:ops:1".to_owned());
        Subscriber { url: "http://a.example/".into(), topic_arn, arn, unsubscribe: "http://u/".into(), is_raw }
    }

    fn published() -> Json {
        json!({"topic_message": {
            "receiver": {"Topic": "ops"}, "kind": "Notification", "id": "m-1", "topic_arn": "arn:aws:sns:eu:0:ops", "subject": "S",
            "text": "for all", "texts": {"http": "for the web"}, "attributes": {"a": {"Type": "String", "Value": "b"}},
            "made_ms": 1_500, "groups": null, "labels": {},
        }})
    }

    #[test]
    fn a_message_has_the_members_and_headers_that_amazon_documents() {
        let post = subscriber(false).post(&published(), Timestamp(0));
        let body: Json = serde_json::from_str(&post.body).unwrap();
        let expected = json!({
            "Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu:0:ops", "Subject": "S", "Message": "for the web",
            "Timestamp": "1970-01-01T00:00:01.500Z", "SignatureVersion": "1", "Signature": "", "SigningCertURL": "",
            "UnsubscribeURL": "http://u/", "MessageAttributes": {"a": {"Type": "String", "Value": "b"}},
        });
        assert_eq!(body, expected);
        let names: Vec<&str> = post.headers.iter().map(|(name, _)| *name).collect();
        let expected = [
            "Content-Type",
            "x-amz-sns-message-type",
            "x-amz-sns-message-id",
            "x-amz-sns-topic-arn",
            "x-amz-sns-subscription-arn",
        ];
        assert_eq!(names, expected);
        assert_eq!(subscriber(true).post(&published(), Timestamp(0)).body, "for the web");
    }

    #[test]
    fn an_alert_of_a_rule_is_the_message_as_json() {
        let id = "0123456789abcdef0123456789abcdef";
        let alert = json!({"id": id, "rule": "errors", "status": "firing", "annotations": {"summary": "3 errors"}});
        let post = subscriber(false).post(&alert, Timestamp(0));
        let body: Json = serde_json::from_str(&post.body).unwrap();
        assert_eq!(body["MessageId"], "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(body["Subject"], "[FIRING] errors: 3 errors");
        assert_eq!(serde_json::from_str::<Json>(body["Message"].as_str().unwrap()).unwrap(), alert);
    }
}
