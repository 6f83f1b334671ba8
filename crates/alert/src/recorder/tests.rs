//! Rules in Prometheus' form over stored samples: what is recorded, what fires, and with which texts.

use std::sync::atomic::AtomicBool;

use storage::{Clock, Store};

use super::*;
use crate::RuleSet;
use crate::ask::StoreAsk;
use crate::calls::CallCounter;
use crate::evaluate::{Sets, State, evaluate};

/// The instant of the last evaluation, in s.
const NOW: i64 = 1_767_225_600;

/// Labels, time in s before [`NOW`], value.
type TestSample<'t> = (&'t [(&'t str, &'t str)], i64, f64);

/// A store with samples.
struct Lab {
    _dir: tempfile::TempDir,
    ask: StoreAsk,
    sink: Arc<StoreSink>,
}

impl Lab {
    /// Opens a store with samples: labels, time in s before [`NOW`], value.
    fn new(samples: &[TestSample<'_>]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = storage::Options::new(dir.path().join("data"));
        options.clock = Clock::new(|| Timestamp((NOW + 600) * Timestamp::SECOND));
        let store: Arc<Store> = Store::open(options).unwrap().0;
        let intake = ingest::Intake::new(store.clone(), types::Limits::default(), parse::Zone::UTC);
        let sink = Arc::new(StoreSink::new(Arc::new(intake)));
        let sample = |(labels, before, value): &(&[(&str, &str)], i64, f64)| RecordedSample {
            labels: Labels::new(labels.iter().copied()),
            time: (NOW - before) * 1_000,
            value: Value::Float(*value),
        };
        sink.store(&samples.iter().map(sample).collect::<Vec<_>>(), now()).unwrap();
        let is_stopping = Arc::new(AtomicBool::new(false));
        let ask = StoreAsk { clock_offsets: None, calls: CallCounter::default(), store, cache: None, is_stopping };
        Self { _dir: dir, ask, sink }
    }

    /// Returns what a query gives at an instant in s after [`NOW`], as texts.
    fn query(&self, text: &str, after: i64) -> Vec<String> {
        let rule = alert("{alert: a, expr: up}").remove(0);
        let memory = HistoryCache::default();
        let asking = DetectorInput {
            ask: &self.ask,
            now: now(),
            n_rows_max: 9,
            memory: &memory,
            fires: &|_| false,
            base_url: "",
        };
        let query = promql::parse(text).unwrap();
        let (mut found, partial) = ask(&rule, &query, (NOW + after) * 1_000, &asking).unwrap();
        assert_eq!(partial, None);
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let shown = |value: &Value| match value {
            Value::Float(number) => number.to_string(),
            Value::Histogram(histogram) => histogram.to_string(),
        };
        found.iter().map(|(labels, value)| format!("{labels} {}", shown(value))).collect()
    }

    /// Judges a rule at instants in s after [`NOW`]; returns what is active as `labels annotations state value`.
    fn judged(&self, rule: &Rule, times: &[i64]) -> Result<Vec<String>, String> {
        let (memory, mut sets, mut error) = (HistoryCache::default(), Sets::new(), None);
        for after in times {
            let now = Timestamp((NOW + after) * Timestamp::SECOND);
            let asking = DetectorInput {
                ask: &self.ask,
                now,
                n_rows_max: 100,
                memory: &memory,
                fires: &|_| false,
                base_url: "http://catat",
            };
            let (compiled, table) = crate::detectors::answer(rule, &asking)?;
            let judged = evaluate(rule, &compiled, &table, &sets, now);
            (sets, error) = (judged.sets, judged.error);
        }
        let active = sets.values().filter(|set| set.state != State::Ok);
        let shown = active.map(|set| {
            let annotations = set.annotations.clone().unwrap_or_default();
            let annotations: Vec<String> =
                annotations.into_iter().map(|(name, text)| format!("{name}={text}")).collect();
            let value = set.value.clone().unwrap_or_default();
            format!("{} [{}] {} {value}", crate::labels::key_of(&set.labels), annotations.join(","), set.state.name())
        });
        error.map_or_else(|| Ok(shown.collect()), Err)
    }
}

fn now() -> Timestamp {
    Timestamp(NOW * Timestamp::SECOND)
}

fn set_of(group: &str) -> RuleSet {
    let mut set = RuleSet::default();
    set.add("r.yaml", &format!("groups: [{{{group}}}]")).expect("good rules");
    set
}

fn alert(rule: &str) -> Vec<Rule> {
    set_of(&format!("name: g, rules: [{rule}]")).rules
}

const UP: [TestSample<'_>; 3] = [
    (&[("__name__", "up"), ("instance", "a:1"), ("job", "node")], 10, 1.0),
    (&[("__name__", "up"), ("instance", "b:1"), ("job", "node")], 10, 0.0),
    (&[("__name__", "up"), ("instance", "c:1"), ("job", "db")], 10, 0.0),
];

#[test]
fn an_alert_has_the_labels_and_texts_that_prometheus_gives_it() {
    let lab = Lab::new(&UP);
    let rules = alert(
        "{alert: Down, expr: 'up == 0', for: 1m, labels: {severity: page, team: '{{ $labels.job | toUpper }}', job: ''}, \
         annotations: {summary: '{{ $labels.instance }} of {{ $labels.job }} is {{ $value }}, {{ $labels.__name__ }}', \
         up: '{{ with query \"sum(up)\" }}{{ . | first | value }}{{ end }}'}}",
    );
    let expected = [
        r#"{"alertname":"Down","instance":"b:1","severity":"page","team":"NODE"} [summary=b:1 of node is 0, up,up=1]"#,
        r#"{"alertname":"Down","instance":"c:1","severity":"page","team":"DB"} [summary=c:1 of db is 0, up,up=1]"#,
    ];
    let of_state = |state: &str| expected.map(|text| format!("{text} {state} 0")).to_vec();
    assert_eq!(lab.judged(&rules[0], &[0]).unwrap(), of_state("pending"));
    assert_eq!(lab.judged(&rules[0], &[0, 30]).unwrap(), of_state("pending"));
    assert_eq!(lab.judged(&rules[0], &[0, 30, 60]).unwrap(), of_state("alarm"));
    // Five minutes after the last sample nothing is known of the series.
    assert_eq!(lab.judged(&rules[0], &[0, 60, 295]).unwrap(), [""; 0]);
}

#[test]
fn limit_offset_and_equal_labels_do_what_they_do_in_prometheus() {
    let lab = Lab::new(&UP);
    let of_group = |group: &str| set_of(group).rules.remove(0);
    let limited = of_group("name: g, limit: 1, rules: [{alert: Down, expr: up == 0}]");
    assert_eq!(lab.judged(&limited, &[0]).unwrap_err(), "exceeded limit of 1 with 2 alerts");
    let early = of_group("name: g, query_offset: 1m, rules: [{alert: Any, expr: 'count(up)'}]");
    assert_eq!(lab.judged(&early, &[0]).unwrap(), [""; 0]);
    assert_eq!(lab.judged(&early, &[50]).unwrap(), [r#"{"alertname":"Any"} [] alarm 3"#]);
    let equal = of_group("name: g, rules: [{alert: Down, expr: up == 0, labels: {instance: x, job: y}}]");
    let refused = "vector contains metrics with the same labelset after applying alert labels";
    assert_eq!(lab.judged(&equal, &[0]).unwrap_err(), refused);
    let scalar =
        of_group("name: g, rules: [{alert: Always, expr: 'time() > bool 0', annotations: {v: '{{ $value }}'}}]");
    assert_eq!(lab.judged(&scalar, &[0]).unwrap(), [r#"{"alertname":"Always"} [v=1] alarm 1"#]);
    let infinite = of_group("name: g, rules: [{alert: Inf, expr: 'vector(1) / 0', annotations: {v: '{{ $value }}'}}]");
    assert_eq!(lab.judged(&infinite, &[0]).unwrap(), [r#"{"alertname":"Inf"} [v=+Inf] alarm "+Inf""#]);
}

#[test]
fn histograms_are_recorded_and_an_alert_needs_a_number() {
    let lab = Lab::new(&UP);
    let histogram = |count| promql::Histogram { count, positive: vec![(1, count)], ..promql::Histogram::default() };
    let sample = |instance: &str, count| RecordedSample {
        labels: Labels::new([("__name__", "took"), ("instance", instance), ("job", "node")]),
        time: NOW * 1_000,
        value: Value::from(histogram(count)),
    };
    lab.sink.store(&[sample("a", 3.0), sample("b", 4.0)], now()).unwrap();
    let set = set_of("name: g, interval: 1m, rules: [{record: 'job:took', expr: 'sum by (job) (took)'}]");
    let recorder = SeriesRecorder::new(Some(lab.sink.clone()), Timestamp::MINUTE);
    recorder.set(&set.series);
    recorder.evaluate_due(&lab.ask, &|| Timestamp((NOW + 60) * Timestamp::SECOND), &|| true);
    let recorded = r#"{__name__="job:took", job="node"} {count:7, sum:0, (1,2]:7}"#;
    assert_eq!(lab.query("{__name__=\"job:took\"}", 61), [recorded]);
    let of_histogram = alert("{alert: a, expr: took}").remove(0);
    assert!(lab.judged(&of_histogram, &[0]).unwrap_err().contains("an alert needs numbers"));
    let of_number = alert("{alert: a, expr: 'histogram_count(sum(took)) > 6'}").remove(0);
    assert_eq!(lab.judged(&of_number, &[0]).unwrap(), [r#"{"alertname":"a"} [] alarm 7"#]);
}

#[test]
fn results_are_recorded_in_order_and_series_that_end_are_marked() {
    let lab = Lab::new(&UP);
    let set = set_of(
        "name: g, interval: 1m, labels: {team: a}, rules: [{record: 'job:up:sum', expr: 'sum by (job) (up)', labels: {kind: x}}, \
         {record: 'up:total', expr: 'sum(job:up:sum)'}]",
    );
    let recorder = SeriesRecorder::new(Some(lab.sink.clone()), Timestamp::MINUTE);
    recorder.set(&set.series);
    let at = |after: i64| move || Timestamp((NOW + after) * Timestamp::SECOND);
    let next = recorder.evaluate_due(&lab.ask, &at(60), &|| true);
    assert!(next > at(60)() && next <= at(120)(), "{next}");
    let recorded = [
        r#"{__name__="job:up:sum", job="db", kind="x", team="a"} 0"#,
        r#"{__name__="job:up:sum", job="node", kind="x", team="a"} 1"#,
    ];
    assert_eq!(lab.query("{__name__=\"job:up:sum\"}", 61), recorded);
    assert_eq!(lab.query("up:total", 61), [r#"{__name__="up:total", team="a"} 1"#]);
    assert_eq!(recorder.views().iter().map(|view| view.error.clone()).collect::<Vec<_>>(), [None, None]);
    assert_eq!(recorder.evaluate_due(&lab.ask, &at(60), &|| true), next, "its turn was taken");
    // The samples are older than five minutes: no series is left, and those recorded end at once.
    recorder.evaluate_due(&lab.ask, &at(400), &|| true);
    assert_eq!(lab.query("{__name__=\"job:up:sum\"}", 401), [""; 0]);
    let gone = SeriesRecorder::new(Some(lab.sink.clone()), Timestamp::MINUTE);
    gone.set(&set_of("name: h, rules: [{record: one, expr: '1'}]").series);
    gone.evaluate_due(&lab.ask, &at(0), &|| true);
    assert_eq!(lab.query("one", 1), [r#"{__name__="one"} 1"#]);
    gone.set(&[]);
    gone.evaluate_due(&lab.ask, &at(2), &|| true);
    assert_eq!(lab.query("one", 3), [""; 0]);
}

#[test]
fn a_file_of_prometheus_is_read_unchanged() {
    let text = include_str!("../rules/prometheus/node.yaml");
    let mut set = RuleSet::default();
    set.add("node.yaml", text).expect("a file that Prometheus reads");
    let names: Vec<&str> = set.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(
        names,
        ["HighErrorRate", "HighLatency", "HighTaskFailureRate", "HighMemory", "HighMemory (2)", "Watchdog"]
    );
    assert_eq!(set.rules[4].alertname(), "HighMemory");
    assert_eq!(set.rules[3].for_ns, 10 * Timestamp::MINUTE);
    assert_eq!(set.rules[0].interval_ns, Some(30 * Timestamp::SECOND));
    assert_eq!(set.rules[5].keep_firing_for_ns, 365 * Timestamp::DAY + Timestamp::HOUR);
    assert_eq!(
        set.series.iter().map(|recording| recording.rule.name.as_str()).collect::<Vec<_>>(),
        ["job:http_requests:rate5m", "job:http_requests:rate5m"]
    );
}

#[test]
fn mistakes_in_prometheus_form_have_their_places() {
    for (rule, expected) in [
        ("{alert: a, expr: 'sum(rate(x[5m])'}", "expr: "),
        (
            "{alert: a, expr: 'x[5m]'}",
            "expr: the query gives a range vector; a rule needs a number or an instant vector",
        ),
        ("{alert: a, expr: x, annotations: {s: '{{ $valeu }}'}}", "annotations: s: undefined variable \"$valeu\""),
        ("{alert: a, expr: x, labels: {s: '{{ nothing }}'}}", "labels: s: function \"nothing\" not defined"),
        ("{alert: a, expr: x, for: 5 minuten}", "for: \"5 minuten\" is no duration such as 5m"),
        ("{alert: a, expr: x, condition: value > 1}", "condition: a rule with expr has no such key"),
        ("{alert: a, expr: x, limit: 1}", "limit: a rule of kind threshold has no such key"),
        ("{record: a, expr: x, for: 5m}", "for: is for an alert, not for a recording rule"),
        ("{record: 'a{b}', expr: x}", "record: \"a{b}\" is not a metric name"),
        ("{expr: x}", "a rule with expr has an alert or a record"),
        ("{alert: a, query: 'filter x = 1'}", "alert: goes with expr:"),
        ("{name: a, expr: x}", "name: a rule with expr: is named by alert: or record:; with name: it asks by query:"),
        ("{name: a, alert: a, expr: x}", "name: a rule with expr: is named by alert:"),
        ("{name: a, record: a, expr: x}", "a rule has either a name, an alert or a record"),
        ("{name: a, language: promql, query: 'x['}", "query: "),
        ("{name: a, language: promql, kind: anomaly, query: x}", "query: must return columns"),
    ] {
        let mut set = RuleSet::default();
        let errors = set.add("r.yaml", &format!("groups: [{{name: g, rules: [{rule}]}}]")).unwrap_err();
        assert!(errors[0].message.starts_with(expected) && errors[0].line == Some(1), "{rule}: {errors:?}");
    }
}
