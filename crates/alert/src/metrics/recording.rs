//! Recording rules: what a query comes to, evaluation by evaluation, as gauges on the page of metrics.
//!
//! A recording rule is a rule without a condition: its query gives a value and label sets in whatever language. An
//! evaluation that fails leaves no gauges behind, so that no one takes an old number for a new one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use types::{Hold, Timestamp, ensure};

use super::definition::{check_name, label_names};
use super::family::{Family, FamilyKind, Sample};
use super::meter::{label_text, number_of};
use crate::detectors::{DetectorInput, HistoryCache, answer};
use crate::{Ask, Rule};

/// Series of a recording rule. Further rows are left out, which is an error of the rule.
const SERIES_MAX: usize = 1_000;

/// A recording rule, checked.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its query, and when it is asked. Its name is that of the gauges.
    pub(crate) rule: Rule,
    /// Labels of every gauge.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Recording {
    /// Checks the name and the labels of the gauges; the rule was checked as any rule is.
    pub(crate) fn new(rule: Rule, labels: BTreeMap<String, String>) -> Result<Self, String> {
        check_name(&rule.name).map_err(|error| error.to_string().replacen("name", "record", 1))?;
        let names: Vec<String> = labels.keys().cloned().collect();
        let checked = label_names(&names).map_err(|error| error.to_string())?;
        match checked.iter().zip(&names).find(|(label, name)| label != name) {
            Some((_, name)) => Err(format!("labels: {name:?} is no name of a label")),
            None => Ok(Self { rule, labels }),
        }
    }

    /// Returns the name of its gauges.
    pub fn name(&self) -> &str {
        &self.rule.name
    }

    fn evaluate(&self, ask: &dyn Ask, memory: &HistoryCache, now: Timestamp) -> Result<Family, String> {
        let asking = DetectorInput { ask, now, n_rows_max: SERIES_MAX + 1, memory, fires: &|_| false, base_url: "" };
        let (compiled, table) = answer(&self.rule, &asking)?;
        if let Some(partial) = table.partial {
            return Err(partial);
        }
        ensure!(table.rows.len() <= SERIES_MAX, format!("it returns more than {SERIES_MAX} series"));
        let value = compiled.value.ok_or("the query returns no number")?;
        let fields: Vec<String> = compiled.labels.iter().map(|(_, name)| name.clone()).collect();
        let names = label_names(&fields).map_err(|error| error.to_string())?;
        let mut samples: BTreeMap<Vec<(String, String)>, f64> = BTreeMap::new();
        for row in &table.rows {
            let Some(number) = row.get(value).and_then(|value| number_of(value.as_ref()?)) else { continue };
            let text = |at: &usize| row.get(*at).and_then(Option::as_ref).map(label_text).unwrap_or_default();
            let of_row = names.iter().cloned().zip(compiled.labels.iter().map(|(at, _)| text(at)));
            let fixed = self.labels.iter().map(|(name, text)| (name.clone(), text.clone()));
            // As with Prometheus, labels of the rule take precedence.
            let labels: BTreeMap<String, String> = of_row.chain(fixed).collect();
            samples.entry(labels.into_iter().collect()).or_insert(number);
        }
        let sample = |(labels, value)| Sample { labels, value, ..Sample::default() };
        let samples = samples.into_iter().map(sample).collect();
        let query = self.rule.query.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Family {
            name: self.rule.name.clone(),
            help: format!("Recorded: {query}"),
            kind: FamilyKind::Gauge,
            samples,
        })
    }
}

#[derive(Default)]
struct State {
    next_due: Vec<Timestamp>,
    families: BTreeMap<String, Family>,
    n_failures: BTreeMap<String, u64>,
}

/// Recording rules, and what they have come to.
pub(super) struct Recorder {
    recordings: Vec<Recording>,
    /// How often those are evaluated that do not say it themselves.
    interval_ns: i64,
    memory: HistoryCache,
    // Each change replaces one entry.
    state: Mutex<State>,
}

impl Recorder {
    pub(super) fn new(recordings: Vec<Recording>, interval_ns: i64) -> Self {
        let state = State {
            next_due: vec![Timestamp(i64::MIN); recordings.len()],
            n_failures: recordings.iter().map(|recording| (recording.rule.name.clone(), 0)).collect(),
            ..State::default()
        };
        Self { recordings, interval_ns, memory: HistoryCache::default(), state: Mutex::new(state) }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.recordings.iter().map(Recording::name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.recordings.is_empty()
    }

    /// Evaluates scheduled recordings as long as `goes_on`; returns when the next one is scheduled.
    pub(super) fn evaluate_due(
        &self,
        ask: &dyn Ask,
        clock: &dyn Fn() -> Timestamp,
        goes_on: &dyn Fn() -> bool,
    ) -> Timestamp {
        for (at, recording) in self.recordings.iter().enumerate().filter(|(_, recording)| recording.rule.enabled) {
            let now = clock();
            let due = self.state.hold().next_due[at];
            let interval_ns = recording.rule.interval_ns.unwrap_or(self.interval_ns).max(Timestamp::SECOND);
            // A clock that was set back must not silence it.
            let is_far = due.0.saturating_sub(now.0) > interval_ns;
            if due > now && !is_far || !goes_on() {
                continue;
            }
            self.state.hold().next_due[at] = Timestamp(now.0.saturating_add(interval_ns));
            // A defect that one rule meets must not end the evaluation of all others.
            let evaluated = catch_unwind(AssertUnwindSafe(|| recording.evaluate(ask, &self.memory, now)));
            self.take(recording, evaluated.unwrap_or_else(|_| Err("a defect in catat ended it".into())));
        }
        self.state.hold().next_due.iter().copied().min().unwrap_or(Timestamp(i64::MAX))
    }

    /// Forgets all recorded values, since another node evaluates now.
    pub(super) fn forget(&self) {
        self.state.hold().families.clear();
    }

    fn take(&self, recording: &Recording, evaluated: Result<Family, String>) {
        let name = recording.rule.name.clone();
        let mut state = self.state.hold();
        match evaluated {
            Ok(family) => {
                state.families.insert(name, family);
            }
            Err(error) => {
                tracing::warn!(rule = name, error, "recording rule not evaluated");
                state.families.remove(&name);
                *state.n_failures.entry(name).or_default() += 1;
            }
        }
    }

    /// Returns what the page of metrics shows.
    pub(super) fn families(&self) -> Vec<Family> {
        let state = self.state.hold();
        let mut families: Vec<Family> = state.families.values().cloned().collect();
        if !state.n_failures.is_empty() {
            let sample = |(rule, n): (&String, &u64)| Sample {
                labels: vec![("rule".into(), rule.clone())],
                value: *n as f64,
                ..Sample::default()
            };
            families.push(Family {
                name: "catat_recording_rule_failures_total".into(),
                help: "Evaluations of recording rules that failed.".into(),
                kind: FamilyKind::Counter,
                samples: state.n_failures.iter().map(sample).collect(),
            });
        }
        families
    }
}

#[cfg(test)]
mod tests;
