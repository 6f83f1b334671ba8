//! Lines of the embedded metric format, valid and not.

use serde_json::json;

use super::*;

fn check(line: Value, expected: &[&str]) {
    let line = line.as_object().expect("an object");
    let found = metrics_of(line, 7).map(|(time, metrics)| {
        let shown = |EmbeddedMetric { metric, unit, data }: &EmbeddedMetric| {
            let values: Vec<String> = data.iter().map(|datum| format!("{}x{}", datum.minimum, datum.count)).collect();
            format!("{time} {} {} {:?} {unit} {}", metric.namespace, metric.name, metric.dimensions, values.join(","))
        };
        metrics.iter().map(shown).collect::<Vec<_>>()
    });
    assert_eq!(found.unwrap_or_default(), expected, "{line:?}");
}

#[test]
fn metrics_have_the_dimensions_of_each_set_and_all_values() {
    let directive = json!({"Namespace": "Shop", "Dimensions": [["Service"], ["Service", "Zone"], []],
            "Metrics": [{"Name": "Latency", "Unit": "Milliseconds", "StorageResolution": 1}, {"Name": "away"}]});
    check(
        json!({"_aws": {"Timestamp": 9, "CloudWatchMetrics": [directive]}, "Service": "pay", "Zone": 3, "Latency": [2, 1.5, 2]}),
        &[
            r#"9 Shop Latency {"Service": "pay"} Milliseconds 1.5x1,2x2"#,
            r#"9 Shop Latency {"Service": "pay", "Zone": "3"} Milliseconds 1.5x1,2x2"#,
            "9 Shop Latency {} Milliseconds 1.5x1,2x2",
        ],
    );
    let plain = json!({"Namespace": "Shop", "Metrics": [{"Name": "n"}]});
    check(json!({"_aws": {"CloudWatchMetrics": [plain]}, "n": 4}), &["7 Shop n {} None 4x1"]);
}

#[test]
fn a_directive_that_is_not_valid_gives_no_metric() {
    let with = |directive: Value| json!({"_aws": {"CloudWatchMetrics": [directive]}, "n": 4, "text": "x", "d": {}, "long": "v".repeat(1_000)});
    for directive in [
        json!({"Metrics": [{"Name": "n"}]}),
        json!({"Namespace": "", "Metrics": [{"Name": "n"}]}),
        json!({"Namespace": "s", "Metrics": [{"Name": "text"}]}),
        json!({"Namespace": "s", "Metrics": [{"Name": "n", "Unit": "Parsec"}]}),
        json!({"Namespace": "s", "Metrics": [{"Name": "n", "StorageResolution": 30}]}),
        json!({"Namespace": "s", "Dimensions": [["away"]], "Metrics": [{"Name": "n"}]}),
        json!({"Namespace": "s", "Dimensions": [["d"]], "Metrics": [{"Name": "n"}]}),
        json!({"Namespace": "s", "Dimensions": vec![["long"]; 100], "Metrics": vec![json!({"Name": "n"}); 50]}),
        json!(7),
    ] {
        check(with(directive), &[]);
    }
    check(json!({"_aws": {"Timestamp": "now", "CloudWatchMetrics": []}}), &[]);
}
