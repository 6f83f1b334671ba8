//! Targets that shippers report.

use types::GroupPattern;

use super::*;

const SECOND: i64 = Timestamp::SECOND;

fn report(sources: &Sources, source: &str, job: &str, at: i64, has_stopped: bool) {
    let json = serde_json::json!({"host": "h", "has_stopped": has_stopped, "inputs": [{"name": "s", "scrapes": {
        "pools": [job, "empty"],
        "active": [{"pool": job, "labels": {"job": job, "instance": "i"}, "url": "http://i/", "health": "up"}],
        "dropped": [{"pool": job, "discovered": {"job": job}}], "n_dropped": {job: 1}, "left_out": 3, "newer": 1,
    }}]});
    let json = serde_json::to_vec(&json).expect("JSON");
    sources.report(source, &json, &GroupScope::All, Timestamp(at)).expect("a report");
}

fn scrapes(sources: &Sources, within: &GroupScope, at: i64) -> Vec<SourceScrapes> {
    visible_scrapes(sources.reported_scrapes(Timestamp(at)), within)
}

fn seen(sources: &Sources, within: &GroupScope, at: i64) -> Vec<(String, TargetHealth, String)> {
    let targets = scrapes(sources, within, at).into_iter().flat_map(|of_source| of_source.scrapes.active);
    targets.map(|target| (target.pool, target.health, target.last_error)).collect()
}

#[test]
fn targets_are_those_of_the_last_report_of_each_shipper_within_reach() {
    let sources = Sources::default();
    report(&sources, "one", "a", 0, false);
    report(&sources, "two", "b", 0, false);
    let up = |job: &str| (job.to_owned(), TargetHealth::Up, String::new());
    assert_eq!(seen(&sources, &GroupScope::All, SECOND), [up("a"), up("b")]);
    let within = GroupScope::Matching(vec![GroupPattern::new("metrics/b")]);
    assert_eq!(seen(&sources, &within, SECOND), [up("b")]);
    let of_b = &scrapes(&sources, &within, SECOND)[1].scrapes;
    assert_eq!((of_b.pools.join(" "), of_b.dropped.len(), of_b.n_dropped.len()), ("b".to_owned(), 1, 1));
    let of_a = &scrapes(&sources, &within, SECOND)[0].scrapes;
    assert_eq!(*of_a, InputScrapes { left_out: 3, ..InputScrapes::default() });
    report(&sources, "two", "b", 60 * SECOND, true);
    let error = "the shipper on \"h\" has not reported since 1970-01-01T00:00:00Z".to_owned();
    assert_eq!(seen(&sources, &GroupScope::All, 60 * SECOND), [("a".to_owned(), TargetHealth::Unknown, error)]);
}

#[test]
fn the_last_report_of_a_shipper_counts_whichever_node_it_was_sent_to() {
    let nodes = [Sources::default(), Sources::default()];
    let jobs = |at: i64| -> Vec<String> {
        let told = nodes.iter().map(|node| serde_json::to_vec(&node.reported_scrapes(Timestamp(at))).expect("JSON"));
        let reports = told.flat_map(|json| serde_json::from_slice::<Vec<ReportedScrapes>>(&json).expect("as written"));
        let found = visible_scrapes(reports.collect(), &GroupScope::All);
        found.into_iter().flat_map(|of_source| of_source.scrapes.active).map(|target| target.pool).collect()
    };
    report(&nodes[0], "one", "a", 0, false);
    report(&nodes[1], "two", "b", 0, false);
    assert_eq!(jobs(SECOND), ["a", "b"]);
    report(&nodes[1], "one", "c", 10 * SECOND, false);
    assert_eq!(jobs(11 * SECOND), ["c", "b"]);
    report(&nodes[0], "one", "c", 20 * SECOND, true);
    assert_eq!(jobs(21 * SECOND), ["b"], "it stopped after what the other node knows");
}

#[test]
fn targets_of_all_shippers_have_a_limit() {
    let sources = Sources::default();
    let long = "x".repeat(BYTES_MAX / 2);
    let report = |source: &str| {
        let json = format!(r#"{{"inputs":[{{"scrapes":{{"active":[{{"url":"{long}"}}]}}}}]}}"#);
        sources.report(source, json.as_bytes(), &GroupScope::All, Timestamp(0)).expect("a report");
    };
    report("one");
    report("two");
    report("one");
    let scrapes = scrapes(&sources, &GroupScope::All, 0);
    let listed: Vec<(usize, u64)> =
        scrapes.iter().map(|one| (one.scrapes.active.len(), one.scrapes.left_out)).collect();
    assert_eq!(listed, [(1, 0), (0, 1)]);
}
