//! The message of a transition to the topics of an alarm's actions, in Amazon's form.

use alert::{AlarmQuestion, Receiver, TopicMessage};
use serde_json::{Map, Value, json};

use super::super::parameters::ACCOUNT;
use super::definition::{ACTIONS, topic_of};
use super::state::AlarmMemory;
use super::threshold::time_text;
use crate::answer::request_id;

/// Returns the ARN of an alarm in the region in which another one was made.
pub(super) fn reference(definition: &Value, name: &str) -> String {
    arn(definition["Region"].as_str().unwrap_or("us-east-1"), name)
}

/// Returns the ARN of an alarm.
pub(super) fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{name}")
}

/// Returns a message for each action of the state that an alarm is in now.
pub(super) fn messages(question: &AlarmQuestion<'_>, before: &AlarmMemory, after: &AlarmMemory) -> Vec<TopicMessage> {
    let definition = question.definition;
    if definition["ActionsEnabled"] == json!(false) {
        return Vec::new();
    }
    let list = ACTIONS.iter().find(|(_, state)| *state == after.state).map_or("", |(list, _)| list);
    let actions = definition[list].as_array().into_iter().flatten().filter_map(Value::as_str);
    let region = definition["Region"].as_str().unwrap_or("us-east-1");
    let subject: String = format!("{}: \"{}\" in {region}", after.state, question.name).chars().take(100).collect();
    let text = text_of(question, before, after).to_string();
    let message = |topic_arn: &str| {
        Some(TopicMessage {
            receiver: Receiver::Subscribers(topic_of(topic_arn)?.to_owned()),
            kind: "Notification".to_owned(),
            id: request_id(),
            topic_arn: topic_arn.to_owned(),
            subject: Some(subject.clone()),
            text: text.clone(),
            texts: Default::default(),
            attributes: Value::Null,
            made_ms: after.transitioned_ms,
            groups: Some(question.groups.iter().map(|group| group.as_str().to_owned()).collect()),
            labels: [("alertname".to_owned(), question.name.to_owned())].into(),
        })
    };
    actions.filter_map(message).collect()
}

fn text_of(question: &AlarmQuestion<'_>, before: &AlarmMemory, after: &AlarmMemory) -> Value {
    let definition = question.definition;
    let mut text = json!({
        "AlarmName": question.name,
        "AlarmDescription": definition["AlarmDescription"],
        "AWSAccountId": ACCOUNT,
        "NewStateValue": after.state,
        "NewStateReason": after.reason,
        "StateChangeTime": time_text(after.transitioned_ms),
        "Region": definition["Region"],
        "AlarmArn": reference(definition, question.name),
        "OldStateValue": before.state,
        "OKActions": definition["OKActions"],
        "AlarmActions": definition["AlarmActions"],
        "InsufficientDataActions": definition["InsufficientDataActions"],
    });
    match definition.get("AlarmRule") {
        Some(rule) => text["AlarmRule"] = rule.clone(),
        None => text["Trigger"] = trigger(definition),
    }
    text
}

/// Returns what an alarm looks at.
fn trigger(definition: &Value) -> Value {
    const COPIED: [&str; 10] = [
        "MetricName", "Namespace", "Unit", "Period", "EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator",
        "Threshold", "ThresholdMetricId", "Metrics",
    ];
    let mut trigger = Map::new();
    for name in COPIED {
        if let Some(value) = definition.get(name) {
            trigger.insert(name.to_owned(), value.clone());
        }
    }
    for (name, kind) in [("Statistic", "Statistic"), ("ExtendedStatistic", "ExtendedStatistic")] {
        if let Some(statistic) = definition[name].as_str() {
            let statistic = if name == "Statistic" { statistic.to_ascii_uppercase() } else { statistic.to_owned() };
            trigger.insert("StatisticType".to_owned(), kind.into());
            trigger.insert(name.to_owned(), statistic.into());
        }
    }
    if let Some(dimensions) = definition["Dimensions"].as_array() {
        let shown = dimensions.iter().map(|one| json!({"value": one["Value"], "name": one["Name"]}));
        trigger.insert("Dimensions".to_owned(), shown.collect());
    }
    trigger.insert("TreatMissingData".to_owned(), definition["TreatMissingData"].as_str().unwrap_or("").into());
    trigger.insert("EvaluateLowSampleCountPercentile".to_owned(), "".into());
    trigger.into()
}
