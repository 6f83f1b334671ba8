//! Alarms and metric filters of CloudWatch, as its commands `describe-alarms` and `describe-metric-filters` print them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::text_of;
use super::order::{Order, Way};

/// What is told of an alarm and not set.
const TOLD: [&str; 9] = [
    "AlarmArn",
    "AlarmConfigurationUpdatedTimestamp",
    "EvaluationState",
    "StateReason",
    "StateReasonData",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "StateValue",
    "ActionsSuppressedBy",
];

/// The account of topics here.
const ACCOUNT: &str = "000000000000";

/// Operations that make what is listed, by the names of the lists.
const LISTS: [(&str, &str, &str); 3] = [
    // Alarms are about the metrics that filters make, composite ones about others.
    ("metricFilters", "Logs_20140328.PutMetricFilter", "filterName"),
    ("MetricAlarms", "GraniteServiceVersion20100801.PutMetricAlarm", "AlarmName"),
    ("CompositeAlarms", "GraniteServiceVersion20100801.PutCompositeAlarm", "AlarmName"),
];

/// Reports whether a document has alarms or metric filters.
pub(super) fn is_alarms(document: &Value) -> bool {
    LISTS.iter().any(|(list, ..)| document[*list].is_array())
}

/// Returns what makes the alarms and filters of a list.
pub(super) fn orders(document: &Value, notes: &mut Vec<String>) -> Vec<Order> {
    let (mut orders, mut namespaces) = (Vec::new(), BTreeSet::new());
    for (list, operation, name) in LISTS {
        for (at, one) in document[list].as_array().into_iter().flatten().enumerate() {
            let Value::Object(mut members) = one.clone() else { continue };
            if list == "metricFilters" {
                members.remove("creationTime");
                members.remove("metricFilterCount");
            } else {
                members.retain(|name, value| !TOLD.contains(&name.as_str()) && *value != Value::Array(Vec::new()));
                actions(&format!("{list}[{at}]"), &mut members, notes);
                find_namespaces(one, &mut namespaces);
            }
            let name = members.get(name).map(text_of).unwrap_or_default();
            orders.push(Order { name, way: Way::Operation(operation), body: Value::Object(members) });
        }
    }
    for namespace in namespaces {
        notes.push(format!("metrics of {namespace} are Amazon's own: alarms on them have data here if something sends it by PutMetricData"));
    }
    orders
}

/// Keeps actions that are topics: those of the account that all topics have here.
fn actions(path: &str, alarm: &mut Map<String, Value>, notes: &mut Vec<String>) {
    for name in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
        let Some(Value::Array(actions)) = alarm.get_mut(name) else { continue };
        actions.retain_mut(|action| {
            let written = text_of(action);
            let parts: Vec<&str> = written.split(':').collect();
            let [arn, partition, "sns", region, _, topic] = parts[..] else {
                notes.push(format!("{path}.{name} is not taken: {written}: only topics are told"));
                return false;
            };
            *action = [arn, partition, "sns", region, ACCOUNT, topic].join(":").into();
            true
        });
    }
    for name in ["ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"] {
        if alarm.remove(name).is_some() {
            notes.push(format!("{path}.{name} is not taken: an alarm suppresses no actions of another"));
        }
    }
}

/// Finds the namespaces of Amazon's own metrics.
fn find_namespaces(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(members) => {
            let namespace = members.get("Namespace").map(text_of).unwrap_or_default();
            if namespace.starts_with("AWS/") && namespace != "AWS/Logs" {
                found.insert(namespace);
            }
            members.values().for_each(|value| find_namespaces(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| find_namespaces(value, found)),
        _ => {}
    }
}
