//! Each member that an operation is said to use is read somewhere, and each other one is refused.

use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// Members that change no answer or are given back as they came, and are read nowhere.
const WITHOUT_EFFECT: [&str; 9] = [
    "description",
    "IncludeLinkedAccounts",
    "LabelOptions",
    "StrictEntityValidation",
    "Timezone",
    "includeLinkedAccounts",
    "interleaved",
    "unmask",
    "EvaluateLowSampleCountPercentile",
];

fn sources(dir: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(dir).expect("the crate").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all += &sources(&path);
        } else if !path.ends_with("members.rs") && !path.ends_with("tests.rs") {
            all += &std::fs::read_to_string(&path).expect("a source");
        }
    }
    all
}

fn names(list: &str, into: &mut Vec<String>) {
    for (name, inner) in Members(list) {
        into.push(name.to_owned());
        names(inner, into);
    }
}

#[test]
fn every_member_that_is_accepted_is_read_somewhere() {
    let (sources, mut all) = (sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")), Vec::new());
    for line in LOGS.lines().chain(METRICS.lines()) {
        names(line.split_once(' ').map_or("", |(_, list)| list), &mut all);
    }
    all.retain(|name| !WITHOUT_EFFECT.contains(&&**name) && !sources.contains(&format!("\"{name}\"")));
    assert_eq!(all, Vec::<String>::new());
}

#[test]
fn a_member_that_is_not_used_is_refused_at_any_depth() {
    let check = |service, operation: &str, input: Value, expected: Option<&str>| {
        let expected = expected.map(|place| format!("The parameter {place} of {operation} is not supported here."));
        assert_eq!(refusal(service, operation, &input), expected, "{operation} {input}");
    };
    let (logs, metrics) = (Service::Logs, Service::Metrics);
    check(logs, "CreateLogGroup", json!({"logGroupName": "a", "tags": {"x": "y"}}), None);
    check(logs, "CreateLogGroup", json!({"logGroupName": "a", "kmsKeyId": "k"}), Some("kmsKeyId"));
    check(logs, "CreateLogGroup", json!({"logGroupName": "a", "kmsKeyId": null, "nonsense": ""}), None);
    check(logs, "PutMetricFilter", json!({"applyOnTransformedLogs": false}), None);
    check(logs, "PutMetricFilter", json!({"applyOnTransformedLogs": true}), Some("applyOnTransformedLogs"));
    let transformation = json!({"metricTransformations": [{"metricName": "a", "dimensions": {"b": "$.b"}}]});
    check(logs, "PutMetricFilter", transformation, None);
    check(logs, "ListLogGroups", json!({"logGroupTags": [{"key": "a", "x": "b"}]}), Some("logGroupTags.x"));
    let strength = json!({"Action": "PutAnomalyDetector", "Configuration": {"OutlierFilteringStrength": "WEAK"}});
    check(metrics, "PutAnomalyDetector", strength, Some("Configuration.OutlierFilteringStrength"));
    let query = json!({"MetricDataQueries": [{"Id": "a", "MetricStat": {"Metric": {"Dimensions": [{"Nam": "x"}]}}}]});
    check(metrics, "GetMetricData", query, Some("MetricDataQueries.MetricStat.Metric.Dimensions.Nam"));
    check(logs, "CreateExportTask", json!({"taskName": "a"}), None);
}
