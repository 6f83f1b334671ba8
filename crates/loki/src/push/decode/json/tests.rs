//! Streams in both forms, their labels and entries.

use storage::{Options, Store};
use types::{GroupScope, Limits};

use super::*;
use ingest::{DecodeBudget, Intake, Sender};

/// Returns how many entries a body has, or why it is refused.
fn check(body: &str) -> Result<u64, String> {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = Store::open(Options::new(dir.path())).expect("a store");
    let intake = Intake::new(store.clone(), Limits::default(), 0);
    let sender = Sender { name: "", within: &GroupScope::All, batch_id: None, now: Timestamp(0), groups: None };
    let mut collector = intake.collect(&sender);
    let budget = DecodeBudget::of_body(body.len());
    let read = read(body, &mut Streams::new(&mut collector, budget)).map_err(|error| error.to_string());
    let n_records = collector.n_records();
    drop(collector);
    store.close().expect("it closes");
    read.map(|()| n_records)
}

fn of_values(values: &str) -> Result<u64, String> {
    check(&format!(r#"{{"streams":[{{"stream":{{"app":"a"}},"values":{values}}}]}}"#))
}

#[test]
fn labels_are_not_written_without_bound() {
    let body = |n_entries: usize| {
        let labels: Vec<String> = (0..2_000).map(|i| format!(r#""label_{i}":"some value""#)).collect();
        let entries = vec![r#"["1",""]"#; n_entries].join(",");
        format!(r#"{{"streams":[{{"stream":{{{}}},"values":[{entries}]}}]}}"#, labels.join(","))
    };
    assert_eq!(check(&body(100)), Ok(100));
    assert!(check(&body(10_000)).is_err_and(|error| error.contains("smaller batches")));
}

#[test]
fn label_sets_and_metadata_are_bounded() {
    let long = "x".repeat(LABEL_SET_BYTES_MAX);
    let refused = check(&format!(r#"{{"streams":[{{"stream":{{"a":"{long}"}},"values":[]}}]}}"#));
    assert!(refused.is_err_and(|error| error.contains("a label set has more than 65536 bytes")));
    let pairs = format!("\"{}\":\"\",", "k".repeat(500)).repeat(METADATA_BYTES_MAX / 500);
    let refused = of_values(&format!(r#"[["1","a",{{{pairs}"z":""}}]]"#));
    assert!(refused.is_err_and(|error| error.contains("the metadata of an entry has more than 1048576 bytes")));
    assert!(check(r#"{"streams":[{"stream":["a"],"values":[]}]}"#).is_err());
}

#[test]
fn labels_and_metadata_that_are_no_texts_are_their_json_and_null_is_none() {
    let raw: &RawValue =
        serde_json::from_str(r#"{"n":7,"ok":true,"none":null,"list":[1, 2],"t":"a\n","q":"\"","e":""}"#).expect("JSON");
    let labels = labels_of(raw).expect("labels");
    let shown: Vec<_> = labels.iter().map(|(name, value)| (&*name.0, &*value.0)).collect();
    assert_eq!(shown, [("e", ""), ("list", "[1, 2]"), ("n", "7"), ("ok", "true"), ("q", "\""), ("t", "a\n")]);
    assert_eq!(of_values(r#"[["1","a",{"k":"2","t":"\u0041"}]]"#), Ok(1));
    assert!(
        of_values(r#"[["1","a",{"k":2}]]"#).is_err_and(|error| error.contains("the metadata \"k\" is not a text: 2"))
    );
}

#[test]
fn entries_have_a_time_a_line_and_perhaps_metadata() {
    assert_eq!(of_values(r#"[["1","a"],["2","b\n",{"k":"v"}],["-3",""]]"#), Ok(3));
    assert_eq!(of_values("[]"), Ok(0));
    assert_eq!(of_values(r#"[["1"],["2","a",{},4]]"#), Ok(2), "as Loki takes them");
    for broken in [
        r#"[["x","a"]]"#,
        "[[]]",
        r#"[["1","a",{"k":}]]"#,
        "[[\"1\",\"a\",{\"k\":\"\n\"}]]",
        r#"[["1","a",null]]"#,
        r#"[["99999999999999999999","a"]]"#,
        "{}",
        r#"[{"1":"a"}]"#,
    ] {
        assert!(of_values(broken).is_err(), "{broken}");
    }
}

#[test]
fn the_older_form_of_a_stream_is_read() {
    let entry = r#"{"ts":"2026-11-20T06:00:00.5Z","line":"a"}"#;
    let old = |labels: &str| check(&format!(r#"{{"streams":[{{"labels":{labels},"entries":[{entry}]}}]}}"#));
    assert_eq!(old(r#""{app=\"a\"}""#), Ok(1));
    assert!(old(r#""app""#).is_err_and(|error| error.contains("is not a label set")));
    assert!(check(r#"{"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"noon","line":"a"}]}]}"#).is_err());
}

#[test]
fn names_of_labels_that_no_selector_could_have_are_refused() {
    let named = |name: &str| check(&format!(r#"{{"streams":[{{"stream":{{"{name}":"x"}},"values":[]}}]}}"#));
    assert!(["app", "_a1", "A"].iter().all(|name| named(name).is_ok()));
    for name in ["a-b", "a.b", "1a", "ž", "", "a b"] {
        assert!(named(name).is_err_and(|error| error.contains("couldn't parse labels")), "{name:?}");
    }
}

#[test]
fn labels_may_follow_the_values_and_either_may_be_missing() {
    let stream = |members: &str| check(&format!(r#"{{"more":[1],"streams":[{{{members}}}]}}"#));
    assert_eq!(stream(r#""values":[["1","a"]],"stream":{"app":"a"},"more":{"x":1}"#), Ok(1));
    assert_eq!(stream(r#""values":[["1","a"]]"#), Ok(1));
    assert_eq!(stream(r#""stream":{}"#), Ok(0));
    for empty in ["{}", r#"{"streams":[]}"#] {
        assert!(check(empty).is_err_and(|error| error.contains("at least one valid stream is required")), "{empty}");
    }
    assert!(check(r#"{"streams":[]} {}"#).is_err());
    assert!(check(r#"[{"stream":{},"values":[]}]"#).is_err());
}
