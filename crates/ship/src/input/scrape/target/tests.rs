//! Targets made of labels, dropped and refused.

use std::path::Path;

use definition::Node;
use serde_json::{Value, json};

use super::super::job::JobDefaults;
use super::*;

fn check(mut job: Value, expected: &str) {
    job["job_name"] = "node".into();
    let job = Job::of_prometheus(&Node::root("job", &job), &JobDefaults::default(), Path::new(""));
    let job = job.map_err(|error| error.to_string()).expect("a job");
    let super::super::discovery::Discovery::Static(groups) = &job.discoveries[0] else { panic!("not static") };
    let discovered = before_relabelling(groups[0].discovered().next().expect("a target"), &job);
    let shown = match Target::of(&discovered, &job) {
        Err(problem) => problem,
        Ok(None) => "dropped".to_owned(),
        Ok(Some(target)) => {
            let times = format!("{} {}", super::shown(target.interval), super::shown(target.timeout));
            let problem = target.url.as_ref().err().map(|url| format!(": {}", url.problem)).unwrap_or_default();
            format!("{} {} {times}{problem}", target.address(), text_of(&target.labels))
        }
    };
    assert_eq!(shown, expected);
}

#[test]
fn labels_say_where_a_page_is_and_how_often_it_is_fetched() {
    let targets = json!([{"targets": ["a:9100"], "labels": {"env": "x", "__meta_m": "m", "__hidden": "h"}}]);
    check(
        json!({"static_configs": targets}),
        r#"http://a:9100/metrics {"env":"x","instance":"a:9100","job":"node"} 1m 10s"#,
    );
    check(
        json!({"static_configs": targets, "scheme": "https", "metrics_path": "/probe", "scrape_interval": "5s",
                   "params": {"module": ["icmp", "tcp"], "x": []}}),
        r#"https://a:9100/probe?module=icmp&module=tcp {"env":"x","instance":"a:9100","job":"node"} 5s 5s"#,
    );
    // What everybody writes for the blackbox exporter.
    let probe = json!([
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"source_labels": ["__param_target"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": "127.0.0.1:9115"},
        {"source_labels": ["__meta_m"], "target_label": "m"},
        {"target_label": "__scrape_interval__", "replacement": "1m30s"},
    ]);
    check(
        json!({"static_configs": targets, "metrics_path": "/probe", "relabel_configs": probe}),
        r#"http://127.0.0.1:9115/probe?target=a%3A9100 {"env":"x","instance":"a:9100","job":"node","m":"m"} 1m30s 10s"#,
    );
}

#[test]
fn targets_are_dropped_or_refused_by_what_relabelling_makes_of_them() {
    let with = |rule: Value| json!({"static_configs": [{"targets": ["a:1"]}], "relabel_configs": [rule]});
    check(with(json!({"source_labels": ["job"], "regex": "node", "action": "drop"})), "dropped");
    check(
        with(json!({"target_label": "__address__", "replacement": ""})),
        "has no address: relabelling removed the label __address__",
    );
    check(with(json!({"target_label": "__address__", "replacement": "a/b"})), "\"a/b\" is not a host and a port");
    check(
        with(json!({"target_label": "__scrape_timeout__", "replacement": "2m"})),
        "has a scrape timeout that is longer than its scrape interval",
    );
}

#[test]
fn targets_with_an_impossible_address_stay_and_say_why() {
    let with = |name: &str, value: &str| {
        let rule = json!({"target_label": name, "replacement": value});
        json!({"static_configs": [{"targets": ["a:1"]}], "relabel_configs": [rule]})
    };
    let labels = |instance: &str| format!(r#"{{"instance":"{instance}","job":"node"}} 1m 10s"#);
    check(
        with("__scheme__", "ftp"),
        &format!("ftp://a:1/metrics {}: the scheme \"ftp\" is not http or https", labels("a:1")),
    );
    for (address, problem) in [
        ("a:99999", "\"a:99999\" is not a host and a port: invalid port number"),
        ("a b:1", "\"a b:1\" is not a host and a port: invalid international domain name"),
    ] {
        check(with("__address__", address), &format!("http://{address}/metrics {}: {problem}", labels(address)));
    }
    check(with("__scheme__", "HTTP"), &format!("http://a:1/metrics {}", labels("a:1")));
}
