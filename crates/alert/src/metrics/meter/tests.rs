//! Counters, gauges and histograms of events, exemplars and the limit of series.

use super::*;
use crate::metrics::MetricSettings;

fn meter(json: &str) -> Meter {
    let settings: MetricSettings = serde_json::from_str(json).expect("the right members");
    settings.meter(GroupScope::All).expect("a good metric")
}

/// Returns rows of events whose sequence is their place, from 1 on, and whose times are given.
fn rows(of: &[(i64, &[Option<Value>])]) -> TailRows {
    let id = |at: usize, time| EventId { group_id: 1, timestamp: Timestamp(time), sequence: at as u64 + 1 };
    TailRows {
        ids: of.iter().enumerate().map(|(at, (time, _))| id(at, *time).encode()).collect(),
        rows: of.iter().map(|(_, row)| row.to_vec()).collect(),
    }
}

fn lines(meter: &Meter, tally: &Tally) -> Vec<String> {
    let family = meter.family("m", String::new(), tally, Timestamp(0));
    let labels = |sample: &Sample| {
        sample.labels.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(",")
    };
    family.samples.iter().map(|one| format!("{}{{{}}} {}", one.end, labels(one), one.value)).collect()
}

fn counted(meter: &Meter, of: &[(i64, &[Option<Value>])]) -> Vec<String> {
    let mut tally = Tally::default();
    meter.count(&rows(of), &mut tally, &mut usize::MAX.clone(), Timestamp(0));
    lines(meter, &tally)
}

fn number(value: f64) -> Option<Value> {
    Some(Value::Float(value))
}

#[test]
fn values_become_buckets_sums_and_the_latest() {
    let of: &[(i64, &[Option<Value>])] = &[
        (9, &[number(1.0)]),
        (5, &[number(2.5)]),
        (7, &[Some(Value::text("10"))]),
        (8, &[None]),
        (8, &[Some(Value::text("x"))]),
    ];
    let histogram = meter(r#"{"name":"m","type":"histogram","field":"ms","buckets":[1,5]}"#);
    let expected = ["_bucket{le=1} 1", "_bucket{le=5} 2", "_bucket{le=+Inf} 3", "_sum{} 13.5", "_count{} 3"];
    assert_eq!(counted(&histogram, of), expected);
    assert_eq!(counted(&meter(r#"{"name":"m","type":"counter","field":"ms"}"#), of), ["{} 13.5"]);
    // That of the latest event, in whatever order they were accepted.
    assert_eq!(counted(&meter(r#"{"name":"m","type":"gauge","field":"ms"}"#), of), ["{} 1"]);
    let summary = meter(r#"{"name":"m","type":"summary","field":"ms","quantiles":[0.5]}"#);
    let found = counted(&summary, of);
    assert!(found[0].starts_with("{quantile=0.5} 2.4") || found[0].starts_with("{quantile=0.5} 2.5"), "{found:?}");
    assert_eq!(found[1..], ["_sum{} 13.5", "_count{} 3"]);
    let mut tally = Tally::default();
    histogram.count(&rows(of), &mut tally, &mut 10, Timestamp(0));
    assert_eq!(tally.n_skipped, 2);
    let kept: Tally = serde_json::from_str(&serde_json::to_string(&tally).expect("JSON")).expect("the same");
    assert_eq!(kept, tally);
}

#[test]
fn a_bucket_has_its_latest_event_as_exemplar() {
    let histogram =
        meter(r#"{"name":"m","type":"histogram","field":"s","labels":["a"],"buckets":[1],"exemplar":"trace.id"}"#);
    let row = |value: f64, id: Option<&str>| vec![number(value), Some(Value::text("x")), id.map(Value::text)];
    let long = "x".repeat(65);
    let of = [
        (7, row(0.5, Some("late"))),
        (5, row(0.25, Some("early"))),
        (9, row(0.125, None)),
        (9, row(0.125, Some(&long))),
        (3, row(2.0, Some("slow"))),
    ];
    let of: Vec<(i64, &[Option<Value>])> = of.iter().map(|(time, row)| (*time, row.as_slice())).collect();
    let mut tally = Tally::default();
    histogram.count(&rows(&of), &mut tally, &mut 10, Timestamp(6));
    let family = histogram.family("m", String::new(), &tally, Timestamp(0));
    let shown = family.samples.iter().map(|sample| {
        let exemplar = sample.exemplar.as_ref();
        let exemplar = exemplar.map(|(label, of)| format!(" {label}={} {}@{}", of.id, of.value, of.at.0));
        format!("{}{}", sample.end, exemplar.unwrap_or_default())
    });
    // What is dated ahead counts as of now.
    let expected = ["_bucket trace_id=late 0.5@6", "_bucket trace_id=slow 2@3", "_sum", "_count"];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    let saved = serde_json::to_string(&tally).expect("JSON");
    assert!(!saved.contains("slow"), "{saved}");
}

#[test]
fn an_event_counts_once_and_a_counter_never_falls() {
    let counter = meter(r#"{"name":"m","type":"counter","field":"ms"}"#);
    let mut tally = Tally { sequence: 1, ..Tally::default() };
    let of: &[(i64, &[Option<Value>])] = &[(1, &[number(1.0)]), (1, &[number(2.0)]), (1, &[number(-8.0)])];
    counter.count(&rows(of), &mut tally, &mut 10, Timestamp(0));
    assert_eq!(lines(&counter, &tally), ["{} 2"]);
    tally.series.values_mut().for_each(|series| series.sum = f64::MAX);
    counter.count(&rows(&[(1, &[]), (1, &[number(f64::MAX)])]), &mut tally, &mut 10, Timestamp(0));
    assert!(tally.series.values().all(|series| series.sum == f64::MAX));
}

#[test]
fn what_is_one_series_too_many_is_one_series() {
    let mut counter = meter(r#"{"name":"m","type":"counter","labels":["host"]}"#);
    counter.series_max = 3;
    let of: Vec<Vec<Option<Value>>> = (0..5).map(|n| vec![Some(Value::Integer(n))]).chain([vec![None]]).collect();
    let of: Vec<(i64, &[Option<Value>])> = of.iter().map(|row| (1, row.as_slice())).collect();
    let expected = ["{host=(other)} 3", "{host=0} 1", "{host=1} 1", "{host=2} 1"];
    let mut tally = Tally::default();
    counter.count(&rows(&of), &mut tally, &mut 10, Timestamp(0));
    assert_eq!(lines(&counter, &tally), expected);
    assert_eq!(tally.n_other, 3);
    let mut few = Tally::default();
    counter.count(&rows(&of), &mut few, &mut 1, Timestamp(0));
    assert_eq!(lines(&counter, &few), ["{host=(other)} 5", "{host=0} 1"]);
}

#[test]
fn groups_of_the_servers_own_count_for_who_names_them() {
    let of = |groups: &str| meter(&format!(r#"{{"name":"m","type":"counter","groups":{groups}}}"#));
    assert!(of("[]").counts("a") && !of("[]").counts("catat/audit"));
    assert!(of(r#"["a*","*"]"#).counts("b") && !of(r#"["a*","*"]"#).counts("catat/audit"));
    assert!(of(r#"["catat/audit"]"#).counts("catat/audit") && !of(r#"["a"]"#).counts("b"));
}
