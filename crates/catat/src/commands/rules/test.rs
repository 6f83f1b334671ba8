//! `catat rules test`: rules over sample events, compared with what should fire.
//!
//! ```yaml
//! rule_files: [errors.yaml]           # in the same directory
//! evaluation_interval: 30s            # of rules that do not say it themselves
//! tests:
//!   - name: an error fires within half a minute
//!     start: 2026-01-01T00:00:00Z     # what `at` counts from; may be left out
//!     events:
//!       - {at: 10s, "@log": app/a, level: error, message: disk on fire}
//!       - {at: 1m, repeat: 20, every: 5s, "@log": app/a, level: info, message: fine}
//!     interval: 10s                   # between the values of series; 1m without it
//!     input_series:
//!       - {series: 'up{job="node"}', values: '1x5 0x10'}
//!     alerts:
//!       - {at: 30s, alertname: errors, labels: {"@log": app/a}, annotations: {summary: 1 error in app/a}}
//!       - {at: 10m, alertname: errors, none: true}
//! ```
//!
//! Series are those of `promtool test rules`, values in the notation of Prometheus' test language; the first is at `start`.
//!
//! What is expected of a rule at a moment is all of it: an alert that fires and is not named is a difference. Labels
//! are compared whole, `alertname` aside; annotations as far as they are named.

mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use alert::{FiringAlert, Rule, RunsAsk, read_rules, rehearse};
use serde::Deserialize;
use serde_json::{Map, Value};
use types::{GroupName, Limits, Timestamp, counted, ensure};

use self::samples::{EVENTS_MAX, duration};
use super::files::{failure_of, read_text};
use crate::failure::{Failure, of_output};

/// When tests begin that do not say it: the start of 2026.
const START: Timestamp = Timestamp(1_767_225_600 * Timestamp::SECOND);

/// How often rules are judged where neither they nor the tests say it.
const INTERVAL_NS_DEFAULT: i64 = 30 * Timestamp::SECOND;

/// Group of events that name none.
const GROUP: &str = "sample";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule_files: Vec<PathBuf>,
    evaluation_interval: Option<String>,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    start: Option<String>,
    #[serde(default)]
    events: Vec<EventText>,
    interval: Option<String>,
    #[serde(default)]
    input_series: Vec<samples::InputSeries>,
    /// NDJSON in the same directory, with times of its own.
    file: Option<PathBuf>,
    alerts: Vec<ExpectedAlert>,
}

#[derive(Deserialize)]
struct EventText {
    at: String,
    repeat: Option<u32>,
    every: Option<String>,
    /// Everything else is the event.
    #[serde(flatten)]
    fields: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedAlert {
    at: String,
    alertname: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    /// Nothing fires.
    #[serde(default)]
    none: bool,
}

/// Runs the tests of all files; prints for each whether it passes, and what differs.
pub(super) fn test(files: &[PathBuf]) -> Result<(), Failure> {
    report(files, &mut std::io::stdout().lock())
}

fn report(files: &[PathBuf], out: &mut impl std::io::Write) -> Result<(), Failure> {
    let (mut n_tests, mut n_failed) = (0, 0);
    for path in files {
        for (name, differences) in run_file(path)? {
            n_tests += 1;
            n_failed += usize::from(!differences.is_empty());
            let outcome = if differences.is_empty() { "ok    " } else { "FAILED" };
            writeln!(out, "{outcome} {name}").map_err(of_output)?;
            for difference in differences {
                writeln!(out, "       {difference}").map_err(of_output)?;
            }
        }
    }
    writeln!(out, "{}, {n_failed} failed", counted(n_tests, "test")).map_err(of_output)?;
    if n_failed == 0 { Ok(()) } else { Err(Failure::other("")) }
}

/// Returns the tests of a file with what differs in each.
fn run_file(path: &Path) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let wrong = |message: String| Failure::usage(format!("{}: {message}", path.display()));
    let file: File =
        serde_saphyr::from_str(&read_text(path)?).map_err(|error| wrong(error.without_snippet().to_string()))?;
    let beside = path.parent().unwrap_or(Path::new(""));
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    for rule_file in &file.rule_files {
        let at = beside.join(rule_file);
        match read_rules(&at.display().to_string(), &read_text(&at)?) {
            Ok(read) => rules.extend(read),
            Err(found) => errors.extend(found),
        }
    }
    ensure!(errors.is_empty(), failure_of(&errors));
    let interval_ns = match &file.evaluation_interval {
        Some(text) => duration(text).map_err(|error| wrong(format!("evaluation_interval: {error}")))?,
        None => INTERVAL_NS_DEFAULT,
    };
    let run = |test: Test| {
        let name = test.name.clone();
        let differences = run_test(&test, &rules, interval_ns, beside);
        Ok((name.clone(), differences.map_err(|error| wrong(format!("test \"{name}\": {error}")))?))
    };
    file.tests.into_iter().map(run).collect()
}

/// Returns the differences. An error is a mistake in the test itself.
fn run_test(test: &Test, rules: &[Rule], interval_ns: i64, beside: &Path) -> Result<Vec<String>, String> {
    let start = match &test.start {
        Some(text) => {
            Timestamp::parse_rfc3339(text).ok_or(format!("start: {text} is not a time such as 2026-01-01T00:00:00Z"))?
        }
        None => START,
    };
    let mut runs = runs_of(test, start, beside)?;
    runs.extend(samples::runs_of(&test.input_series, test.interval.as_deref(), start)?);
    let ask = RunsAsk::new(runs);
    let mut expected: BTreeMap<i64, BTreeMap<&str, Vec<&ExpectedAlert>>> = BTreeMap::new();
    for alert in &test.alerts {
        if !rules.iter().any(|rule| rule.name == alert.alertname) {
            return Err(format!("no rule \"{}\" in its rule_files", alert.alertname));
        }
        let of_moment = expected.entry(duration(&alert.at)?).or_default();
        of_moment.entry(&alert.alertname).or_default().push(alert);
    }
    let moments: Vec<Timestamp> = expected.keys().map(|at| Timestamp(start.0.saturating_add(*at))).collect();
    let seen = rehearse(rules, &ask, start, interval_ns, &moments)?;
    let mut differences = Vec::new();
    for ((at, expected), seen) in expected.iter().zip(&seen) {
        for (name, expected) in expected {
            let place = format!("at {}, {name}", types::format_duration_ns(*at));
            let firing = seen.get(*name).map_or(&[][..], Vec::as_slice);
            differences.extend(compare(expected, firing).into_iter().map(|text| format!("{place}: {text}")));
        }
    }
    Ok(differences)
}

/// Returns the events of a test.
fn runs_of(test: &Test, start: Timestamp, beside: &Path) -> Result<Vec<std::sync::Arc<dyn types::Run>>, String> {
    let mut records: Vec<(GroupName, String)> = Vec::new();
    for event in &test.events {
        let mut fields = event.fields.clone();
        let group = group_of(&mut fields)?;
        let (first, every) = (duration(&event.at)?, event.every.as_deref().map_or(Ok(0), duration)?);
        for n in 0..event.repeat.unwrap_or(1) {
            let at = start.0.saturating_add(first).saturating_add(every.saturating_mul(i64::from(n)));
            fields.insert("@timestamp".into(), Timestamp(at).to_string().into());
            records.push((group.clone(), Value::Object(fields.clone()).to_string()));
            ensure!(records.len() <= EVENTS_MAX, format!("more than {EVENTS_MAX} events"));
        }
    }
    if let Some(file) = &test.file {
        let path = beside.join(file);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let read = serde_json::from_str(line).map_err(|error| format!("{}: {error}", path.display()));
            let mut fields: Map<String, Value> = read?;
            let group = group_of(&mut fields)?;
            records.push((group, Value::Object(fields).to_string()));
        }
    }
    let records = records.iter().map(|(group, record)| (group.clone(), record.as_bytes()));
    ingest::runs_of_records(records, start, &Limits::default())
        .map_err(|(index, error)| format!("event {}: {error}", index + 1))
}

fn group_of(fields: &mut Map<String, Value>) -> Result<GroupName, String> {
    let named = fields.remove("@log");
    let name = named.as_ref().and_then(Value::as_str).unwrap_or(GROUP);
    GroupName::new(name).ok_or_else(|| format!("@log: {name} is not a valid group name"))
}

/// Returns the differences at one moment.
fn compare(expected: &[&ExpectedAlert], firing: &[FiringAlert]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut left: BTreeSet<usize> = (0..firing.len()).collect();
    for alert in expected.iter().filter(|alert| !alert.none) {
        let same = |at: &&usize| labels_of(&firing[**at]) == alert.labels;
        let Some(at) = left.iter().find(same).copied() else {
            differences.push(format!("expected to fire, but does not: {}", shown(&alert.labels)));
            continue;
        };
        left.remove(&at);
        for (name, text) in &alert.annotations {
            let told = firing[at].annotations.get(name);
            if told != Some(text) {
                let told = told.map_or("is not there".to_string(), |told| format!("is {told:?}"));
                differences.push(format!("{}: {name} {told}, not {text:?}", shown(&alert.labels)));
            }
        }
    }
    for at in left {
        let value = firing[at].value.as_ref().map(|value| format!(" ({value})")).unwrap_or_default();
        differences.push(format!("fires unexpectedly: {}{value}", shown(&labels_of(&firing[at]))));
    }
    differences
}

/// Labels but for the name of the rule.
fn labels_of(firing: &FiringAlert) -> BTreeMap<String, String> {
    let own = firing.labels.iter().filter(|(name, _)| *name != "alertname");
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn shown(labels: &BTreeMap<String, String>) -> String {
    let mut text = String::from("{");
    for (at, (name, value)) in labels.iter().enumerate() {
        // Writing into a String cannot fail.
        let _ = write!(text, "{}{name}={value:?}", if at == 0 { "" } else { ", " });
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests;
