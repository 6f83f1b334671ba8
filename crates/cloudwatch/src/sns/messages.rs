//! `Publish`: a message to all who subscribe to a topic.

use std::collections::BTreeMap;

use alert::{Receiver, TopicMessage};
use serde_json::{Map, Value, json};

use super::input::{SnsInput, invalid};
use super::registry::SnsRegistry;
use crate::answer::{CloudWatchProblem, Result, random_id};

/// Longest message; at Amazon it is 256 KiB. Longest subject and most attributes.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
const SUBJECT_CHARS_MAX: usize = 100;
const ATTRIBUTES_MAX: usize = 50;

/// Protocols that may have a text of their own.
const PROTOCOLS: [&str; 3] = ["http", "https", "email"];

/// Sends a message; it is durable when this returns.
pub(super) fn publish(registry: &SnsRegistry<'_>, input: &SnsInput) -> Result<Value> {
    input.know(&["TopicArn", "TargetArn", "Message", "Subject", "MessageStructure", "MessageAttributes"])?;
    let arn = input.text("TopicArn").or_else(|| input.text("TargetArn"));
    let arn = arn.ok_or_else(|| invalid("TopicArn or TargetArn Reason: no value found for required parameter"))?;
    let topic = registry.known_topic(arn)?;
    let message = input.text("Message").ok_or_else(|| invalid("Empty message"))?;
    if message.len() > MESSAGE_BYTES_MAX {
        return Err(invalid(format!("Message too long: it has more than {MESSAGE_BYTES_MAX} bytes")));
    }
    let subject = input.text("Subject");
    let is_subject = |text: &str| text.chars().count() <= SUBJECT_CHARS_MAX && !text.chars().any(char::is_control);
    types::ensure!(subject.is_none_or(is_subject), invalid("Subject"));
    let (text, texts) = match input.text("MessageStructure") {
        None => (message.to_owned(), BTreeMap::new()),
        Some("json") => by_protocol(message)?,
        Some(_) => return Err(invalid("MessageStructure Reason: json is the only one")),
    };
    let groups = registry.server.caller.scope.texts().unwrap_or_else(|| vec!["*".to_owned()]);
    let id = random_id()?;
    let message = TopicMessage {
        receiver: Receiver::Topic(topic.to_owned()),
        kind: "Notification".to_owned(),
        id: id.clone(),
        topic_arn: arn.to_owned(),
        subject: subject.map(str::to_owned),
        text,
        texts,
        attributes: attributes(input)?,
        made_ms: registry.now_ms(),
        groups: Some(groups),
        labels: [("topic".to_owned(), topic.to_owned())].into(),
    };
    let sent = registry.server.app.alerts.publish(&message);
    sent.map_err(|reason| CloudWatchProblem::new("ThrottlingException", format!("{reason}; try again later")))?;
    Ok(json!({"MessageId": id}))
}

/// Reads a message with texts for single protocols: the default, and the others.
fn by_protocol(message: &str) -> Result<(String, BTreeMap<String, String>)> {
    let bad = |what: &str| invalid(format!("Message Structure - {what}"));
    let parsed: Value = serde_json::from_str(message).map_err(|_| bad("JSON message body failed to parse"))?;
    let members = parsed.as_object().ok_or_else(|| bad("JSON message body failed to parse"))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let default = text("default").ok_or_else(|| bad("No default entry in JSON message body"))?;
    let texts = PROTOCOLS.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?)));
    Ok((default, texts.collect()))
}

/// Returns the attributes of a message as subscribers get them.
fn attributes(input: &SnsInput) -> Result<Value> {
    let entries = input.entries("MessageAttributes")?;
    if entries.len() > ATTRIBUTES_MAX {
        return Err(invalid(format!("MessageAttributes: there are more than {ATTRIBUTES_MAX}")));
    }
    let mut attributes = Map::new();
    for entry in &entries {
        let (name, value) = (entry["Name"].as_str(), &entry["Value"]);
        let kind = value["DataType"].as_str();
        let text = value["StringValue"].as_str().or_else(|| value["BinaryValue"].as_str());
        let (Some(name), Some(kind), Some(text)) = (name, kind, text) else {
            return Err(invalid("MessageAttributes: each has Name, DataType, and StringValue or BinaryValue"));
        };
        let is_type =
            ["String", "Number", "Binary"].iter().any(|known| kind == *known || kind.starts_with(&format!("{known}.")));
        types::ensure!(is_type, invalid(format!("MessageAttributes: the type {kind:?} of {name} is not supported")));
        let is_number = kind == "Number" || kind.starts_with("Number.");
        if is_number && !text.parse::<f64>().is_ok_and(f64::is_finite) {
            let message = format!("Could not cast message attribute '{name}' value to number.");
            return Err(CloudWatchProblem::new("ParameterValueInvalid", message));
        }
        attributes.insert(name.to_owned(), json!({"Type": kind, "Value": text}));
    }
    Ok(attributes.into())
}

#[cfg(test)]
mod tests;
