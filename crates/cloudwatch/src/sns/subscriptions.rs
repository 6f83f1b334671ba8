//! Subscriptions: made, confirmed by their receivers, listed, ended.

use alert::{Receiver, SUBSCRIPTION, TopicMessage, TopicSubscription};
use door::{Problem, Role};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use types::SecretUrl;

use super::input::{SnsInput, invalid};
use super::registry::SnsRegistry;
use super::topics::page_of;
use crate::answer::{CloudWatchProblem, Result, random_id};
use crate::metrics::alarms::ACCOUNT;
use crate::paging::with_next_token;

type Answer = Result<Value>;

/// Most subscriptions: each has a thread, as channels do.
const SUBSCRIPTIONS_MAX: usize = 64;

/// Longest address.
const ENDPOINT_CHARS_MAX: usize = 2_048;

/// Protocols of Amazon's that are not done.
const UNSUPPORTED: [&str; 6] = ["email-json", "sms", "sqs", "application", "lambda", "firehose"];

impl SnsRegistry<'_> {
    pub(super) fn subscribe(&self, input: &SnsInput) -> Answer {
        input.know(&["TopicArn", "Protocol", "Endpoint", "Attributes", "ReturnSubscriptionArn"])?;
        let topic_arn = input.needed("TopicArn")?;
        let topic = self.known_topic(topic_arn)?;
        let (protocol, endpoint) = (input.needed("Protocol")?, input.needed("Endpoint")?);
        self.check_endpoint(protocol, endpoint)?;
        let mut is_raw = false;
        for (name, value) in input.map("Attributes")? {
            let unsupported = || invalid(format!("Attributes Reason: {name} = {value} is not supported here"));
            is_raw = raw_delivery(protocol, &name, &value).ok_or_else(unsupported)?;
        }
        let all = self.all_subscriptions()?;
        let is_same = |one: &TopicSubscription| {
            one.topic == topic && one.protocol == protocol && one.endpoint == endpoint && self.covers(&one.scope())
        };
        let known = all.iter().find(|(_, one)| is_same(one));
        if known.is_none() && all.len() >= SUBSCRIPTIONS_MAX {
            let message = format!("There are {SUBSCRIPTIONS_MAX} subscriptions already.");
            return Err(CloudWatchProblem::new("SubscriptionLimitExceeded", message));
        }
        let (id, one) = match known {
            Some((id, one)) => (id.clone(), one.clone()),
            None => {
                let id = random_id()?;
                let mut one = TopicSubscription::new(
                    topic,
                    (protocol, endpoint),
                    &self.server.caller.author(),
                    self.server.now(),
                );
                topic_arn.clone_into(&mut one.topic_arn);
                one.arn = format!("{topic_arn}:{id}");
                one.token = types::hexadecimal(&door::random::<32>()?);
                one.is_raw = is_raw;
                self.store_subscription(&id, &one)?;
                (id, one)
            }
        };
        if one.is_confirmed {
            return Ok(json!({"SubscriptionArn": one.arn}));
        }
        let asked = self.server.app.alerts.publish(&self.confirmation(&id, &one)?);
        asked.map_err(Problem::internal)?;
        let shows = input.text("ReturnSubscriptionArn") == Some("true");
        Ok(json!({"SubscriptionArn": if shows { one.arn.as_str() } else { "pending confirmation" }}))
    }

    fn check_endpoint(&self, protocol: &str, endpoint: &str) -> Result<()> {
        if endpoint.chars().count() > ENDPOINT_CHARS_MAX {
            return Err(invalid(format!("Endpoint Reason: it has more than {ENDPOINT_CHARS_MAX} characters")));
        }
        match protocol {
            "http" | "https" => {
                if !endpoint.to_ascii_lowercase().starts_with(&format!("{protocol}://")) {
                    return Err(invalid("Endpoint Reason: Endpoint must match the specified protocol"));
                }
                let checked = self.server.app.alerts.check_subscriber(endpoint);
                checked.map_err(|reason| invalid(format!("Unsupported endpoint: {reason}")))
            }
            "email" => {
                let is_address =
                    endpoint.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
                if !is_address || endpoint.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
                    return Err(invalid("Email address"));
                }
                if !self.server.app.alerts.has_mail_server() {
                    let reason = "mail needs a channel of type email in a file of rules, whose mail server is used";
                    return Err(invalid(format!("Protocol Reason: {reason}")));
                }
                Ok(())
            }
            other if UNSUPPORTED.contains(&other) => {
                Err(invalid(format!("Protocol Reason: {other} is not supported here; http, https and email are")))
            }
            _ => Err(invalid("Protocol Reason: Does not support this protocol string")),
        }
    }

    /// Returns the message that asks a receiver to confirm.
    fn confirmation(&self, id: &str, one: &TopicSubscription) -> Result<TopicMessage> {
        let TopicSubscription { topic, topic_arn, token, .. } = one;
        let base = self.server.app.alerts.base_url();
        let url = format!("{base}/sns/?Action=ConfirmSubscription&TopicArn={topic_arn}&Proof={token}");
        let text = format!(
            "You have chosen to subscribe to the topic {topic_arn}.\nTo confirm the subscription, visit the SubscribeURL included in \
            this message."
        );
        let of_mail = format!(
            "Someone subscribed this address to the topic {topic_arn}.\n\nTo confirm: {url}\n\nIf that was not you, do nothing."
        );
        Ok(TopicMessage {
            receiver: Receiver::Subscription(id.to_owned()),
            kind: "SubscriptionConfirmation".to_owned(),
            id: random_id()?,
            topic_arn: topic_arn.clone(),
            subject: (one.protocol == "email").then(|| format!("Confirm your subscription to {topic}")),
            text,
            texts: [("email".to_owned(), of_mail)].into(),
            attributes: json!({"Token": token, "SubscribeURL": url}),
            made_ms: self.now_ms(),
            groups: None,
            labels: [("topic".to_owned(), topic.clone())].into(),
        })
    }

    pub(super) fn confirm(&self, input: &SnsInput) -> Answer {
        input.know(&["TopicArn", "Token", "AuthenticateOnUnsubscribe"])?;
        if input.text("AuthenticateOnUnsubscribe") == Some("true") {
            return Err(invalid("AuthenticateOnUnsubscribe: it is not supported here"));
        }
        self.confirm_by_token(input)
    }

    /// Confirms the subscription of a token.
    pub(super) fn confirm_by_token(&self, input: &SnsInput) -> Answer {
        let topic = self.name_of(input.needed("TopicArn")?)?;
        let token = input.needed("Token")?;
        let found = self.all_subscriptions()?.into_iter().find(|(_, one)| one.topic == topic && has_token(one, token));
        let (id, mut one) = found.ok_or_else(|| invalid("Token"))?;
        if !one.is_confirmed {
            one.is_confirmed = true;
            self.store_subscription(&id, &one)?;
        }
        Ok(json!({"SubscriptionArn": one.arn}))
    }

    /// Ends a subscription of the caller's. One that is not there is no error, as at Amazon.
    pub(super) fn unsubscribe(&self, input: &SnsInput) -> Answer {
        input.know(&["SubscriptionArn"])?;
        let arn = input.needed("SubscriptionArn")?;
        let found = self.subscriptions()?.into_iter().find(|(_, one)| one.arn == arn);
        self.end(found.map(|(id, _)| id))
    }

    /// Ends the subscription of a token.
    pub(super) fn unsubscribe_by_token(&self, input: &SnsInput) -> Answer {
        let (arn, token) = (input.needed("SubscriptionArn")?, input.needed("Token")?);
        let found = self.all_subscriptions()?.into_iter().find(|(_, one)| one.arn == arn && has_token(one, token));
        let unknown = || CloudWatchProblem::new("NotFound", "Subscription does not exist");
        self.end(Some(found.ok_or_else(unknown)?.0))
    }

    fn end(&self, id: Option<String>) -> Answer {
        if let Some(id) = id {
            self.server.settings().remove(SUBSCRIPTION, &id)?;
            self.refresh()?;
        }
        Ok(Value::Null)
    }

    pub(super) fn list_subscriptions(&self, input: &SnsInput) -> Answer {
        input.know(&["TopicArn", "NextToken"])?;
        let topic = input.text("TopicArn").map(|arn| self.known_topic(arn)).transpose()?;
        let mut all: Vec<TopicSubscription> = self.subscriptions()?.into_values().collect();
        all.retain(|one| topic.is_none_or(|topic| one.topic == topic));
        let (page, next) = page_of(input, &all)?;
        let shown = |one: &TopicSubscription| {
            json!({
                "SubscriptionArn": if one.is_confirmed { one.arn.as_str() } else { "PendingConfirmation" },
                "Owner": ACCOUNT,
                "Protocol": one.protocol,
                "Endpoint": self.shown_endpoint(one),
                "TopicArn": one.topic_arn,
            })
        };
        Ok(with_next_token(json!({"Subscriptions": page.iter().map(shown).collect::<Vec<_>>()}), next))
    }

    /// Returns where messages go. Who may not make subscriptions is not shown what an address may hold besides its host.
    fn shown_endpoint(&self, one: &TopicSubscription) -> String {
        if one.protocol == "email" || self.server.caller.may(Role::Operate) {
            return one.endpoint.clone();
        }
        SecretUrl(&one.endpoint).to_string()
    }

    /// Sets an attribute of a subscription of the caller's: `RawMessageDelivery`.
    pub(super) fn set_subscription_attribute(&self, input: &SnsInput) -> Answer {
        input.know(&["SubscriptionArn", "AttributeName", "AttributeValue"])?;
        let (arn, name) = (input.needed("SubscriptionArn")?, input.needed("AttributeName")?);
        let value = input.text("AttributeValue").unwrap_or_default();
        let found = self.subscriptions()?.into_iter().find(|(_, one)| one.arn == arn);
        let unknown = || CloudWatchProblem::new("NotFound", "Subscription does not exist");
        let (id, mut one) = found.ok_or_else(unknown)?;
        let unsupported = || invalid(format!("AttributeName: {name} = {value} is not supported here"));
        one.is_raw = raw_delivery(&one.protocol, name, value).ok_or_else(unsupported)?;
        self.store_subscription(&id, &one)?;
        Ok(Value::Null)
    }

    pub(super) fn subscription_attributes(&self, input: &SnsInput) -> Answer {
        input.know(&["SubscriptionArn"])?;
        let arn = input.needed("SubscriptionArn")?;
        let found = self.subscriptions()?.into_values().find(|one| one.arn == arn);
        let one = found.ok_or_else(|| CloudWatchProblem::new("NotFound", "Subscription does not exist"))?;
        Ok(json!({"Attributes": {
            "SubscriptionArn": one.arn,
            "TopicArn": one.topic_arn,
            "Owner": ACCOUNT,
            "Protocol": one.protocol,
            "Endpoint": self.shown_endpoint(&one),
            "PendingConfirmation": (!one.is_confirmed).to_string(),
            "RawMessageDelivery": one.is_raw.to_string(),
            "ConfirmationWasAuthenticated": "false",
        }}))
    }
}

/// Reads the attribute `RawMessageDelivery`; `None` if it is another attribute, or has no such value or protocol.
fn raw_delivery(protocol: &str, name: &str, value: &str) -> Option<bool> {
    let is_supported = name == "RawMessageDelivery" && protocol != "email";
    value.parse().ok().filter(|_| is_supported)
}

fn has_token(one: &TopicSubscription, token: &str) -> bool {
    one.token.as_bytes().ct_eq(token.as_bytes()).into()
}

#[cfg(test)]
mod tests;
