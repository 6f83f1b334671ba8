//! Recording rules in PromQL: evaluates them group by group and stores their results as samples.
//!
//! The rules of a group are evaluated one after another, in their order and for the same instant, so that one may use what those
//! before it recorded. A series that a rule no longer gives ends with a stale marker. Turns that were missed are not made up for,
//! as in Prometheus.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use promql::{Labels, METRIC_NAME, STALE, Value};
use series::{RecordedSample, StoreSink};
use types::{Hold, Timestamp, ensure};

use crate::detectors::series::{Found, ask, instant_of};
use crate::detectors::{DetectorInput, HistoryCache};
use crate::language::series_query;
use crate::schedule::next_turn;
use crate::{Ask, Rule};

/// A recording rule in PromQL, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingRule {
    /// Its query, and when it is asked. Its name is that of the metric.
    pub(crate) rule: Rule,
}

/// A recording rule and what it has come to, for the API.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingView {
    /// The rule.
    pub rule: Rule,
    /// How often it is evaluated.
    pub interval_ns: i64,
    /// When it was evaluated last.
    pub evaluated_at: Option<Timestamp>,
    /// How long that took.
    pub duration_ns: i64,
    /// Why it gave nothing, if it did not.
    pub error: Option<String>,
}

/// A rule and what it has come to.
struct RecordingState {
    rule: Arc<Rule>,
    /// The series of the last evaluation.
    series: BTreeSet<Labels>,
    evaluated_at: Option<Timestamp>,
    duration_ns: i64,
    error: Option<String>,
}

/// Rules that are evaluated together: of one group of a file, with one interval.
struct RecordingGroup {
    key: String,
    interval_ns: i64,
    /// The next turn; `None` for as soon as possible.
    due: Option<i64>,
    rules: Vec<RecordingState>,
}

#[derive(Default)]
struct Groups {
    all: Vec<RecordingGroup>,
    /// Series of rules that are no more, which have no stale marker yet.
    ended: BTreeSet<Labels>,
}

/// Evaluates recording rules.
pub(crate) struct SeriesRecorder {
    sink: Option<Arc<StoreSink>>,
    /// Evaluation interval of rules without one of their own.
    interval_ns: i64,
    // Each change replaces one entry.
    groups: Mutex<Groups>,
}

impl SeriesRecorder {
    pub(crate) fn new(sink: Option<Arc<StoreSink>>, interval_ns: i64) -> Self {
        Self { sink, interval_ns, groups: Mutex::default() }
    }

    /// Replaces the rules. A rule that stays as it is keeps its state and its turn.
    pub(crate) fn set(&self, rules: &[RecordingRule]) {
        let mut groups = self.groups.hold();
        let mut before = std::mem::take(&mut groups.all);
        for RecordingRule { rule } in rules.iter().filter(|recording| recording.rule.enabled) {
            let interval_ns = rule.interval_ns.unwrap_or(self.interval_ns).max(Timestamp::SECOND);
            let group = rule.prometheus.as_ref().map_or("", |form| &form.group);
            let key = format!("{}\n{group}\n{interval_ns}", rule.file);
            let old = before.iter_mut().find(|old| old.key == key);
            let due = old.as_ref().and_then(|old| old.due);
            let kept = old.and_then(|old| {
                let at = old.rules.iter().position(|state| *state.rule == *rule)?;
                Some(old.rules.remove(at))
            });
            let state = kept.unwrap_or_else(|| RecordingState::new(rule.clone()));
            match groups.all.iter_mut().find(|group| group.key == key) {
                Some(group) => group.rules.push(state),
                None => groups.all.push(RecordingGroup { key, interval_ns, due, rules: vec![state] }),
            }
        }
        let gone = before.into_iter().flat_map(|group| group.rules).flat_map(|state| state.series);
        groups.ended.extend(gone);
    }

    /// Evaluates the groups whose turn has come as long as `goes_on`; returns when the next one is scheduled.
    pub(crate) fn evaluate_due(
        &self,
        ask: &dyn Ask,
        clock: &dyn Fn() -> Timestamp,
        goes_on: &dyn Fn() -> bool,
    ) -> Timestamp {
        self.end_series(clock());
        let keys: Vec<String> = self.groups.hold().all.iter().map(|group| group.key.clone()).collect();
        for key in keys {
            let Some((turn, rules)) = self.take(&key, clock()) else { continue };
            for rule in rules {
                if !goes_on() {
                    return clock();
                }
                self.evaluate(&key, &rule, ask, turn, clock());
            }
        }
        let groups = self.groups.hold();
        Timestamp(groups.all.iter().map(|group| group.due.unwrap_or(i64::MIN)).min().unwrap_or(i64::MAX))
    }

    /// Takes the turn of a group if it has come: the instant, and the rules.
    fn take(&self, key: &str, now: Timestamp) -> Option<(Timestamp, Vec<Arc<Rule>>)> {
        let mut groups = self.groups.hold();
        let group = groups.all.iter_mut().find(|group| group.key == key)?;
        let next = next_turn(key, group.interval_ns, now);
        // A clock that was set back must not silence it.
        if group.due.is_some_and(|due| due > now.0 && due <= next) {
            return None;
        }
        group.due = Some(next);
        let turn = next.saturating_sub(group.interval_ns);
        let turn = turn.div_euclid(Timestamp::MILLISECOND) * Timestamp::MILLISECOND;
        Some((Timestamp(turn), group.rules.iter().map(|state| state.rule.clone()).collect()))
    }

    fn evaluate(&self, key: &str, rule: &Arc<Rule>, ask: &dyn Ask, turn: Timestamp, now: Timestamp) {
        let began = Instant::now();
        // A defect that one rule meets must not end the evaluation of all others.
        let recorded = catch_unwind(AssertUnwindSafe(|| recorded(rule, ask, turn)));
        let recorded = recorded.unwrap_or_else(|_| Err("a defect in catat ended it".to_owned()));
        let at = instant_of(rule, turn);
        let outcome = recorded.and_then(|samples| {
            let series: BTreeSet<Labels> = samples.iter().map(|sample| sample.labels.clone()).collect();
            let before = self.with_state(key, rule, |state| state.series.clone()).unwrap_or_default();
            let ends = before.difference(&series).map(|labels| end_of(labels, at));
            let samples: Vec<RecordedSample> = samples.into_iter().chain(ends).collect();
            self.store(&samples, now).map(|()| series)
        });
        let duration_ns = i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        if let Err(error) = &outcome {
            tracing::warn!(rule = rule.name, error, "recording rule not evaluated");
        }
        self.with_state(key, rule, |state| {
            (state.evaluated_at, state.duration_ns) = (Some(turn), duration_ns);
            state.error = match outcome {
                Ok(series) => {
                    state.series = series;
                    None
                }
                Err(error) => Some(error),
            };
        });
    }

    /// Looks at the state of a rule, if the rule is still there.
    fn with_state<T>(&self, key: &str, rule: &Arc<Rule>, look: impl FnOnce(&mut RecordingState) -> T) -> Option<T> {
        let mut groups = self.groups.hold();
        let group = groups.all.iter_mut().find(|group| group.key == key)?;
        group.rules.iter_mut().find(|state| Arc::ptr_eq(&state.rule, rule)).map(look)
    }

    fn store(&self, samples: &[RecordedSample], now: Timestamp) -> Result<(), String> {
        match &self.sink {
            _ if samples.is_empty() => Ok(()),
            Some(sink) => sink.store(samples, now),
            None => Err("samples cannot be stored here".to_owned()),
        }
    }

    /// Marks the end of the series of rules that are no more.
    fn end_series(&self, now: Timestamp) {
        let mut groups = self.groups.hold();
        let still: BTreeSet<Labels> =
            groups.all.iter().flat_map(|group| &group.rules).flat_map(|state| state.series.iter().cloned()).collect();
        let ended: Vec<Labels> = std::mem::take(&mut groups.ended).difference(&still).cloned().collect();
        drop(groups);
        let samples: Vec<_> = ended.iter().map(|labels| end_of(labels, now.0 / Timestamp::MILLISECOND)).collect();
        if let Err(error) = self.store(&samples, now) {
            tracing::warn!(error, "series of removed recording rules not ended");
        }
    }

    /// Forgets what was evaluated, since another node evaluates now.
    pub(crate) fn forget(&self) {
        let mut groups = self.groups.hold();
        groups.ended.clear();
        for group in &mut groups.all {
            group.due = None;
            group.rules.iter_mut().for_each(|state| state.series.clear());
        }
    }

    /// Returns all rules, with what they have come to.
    pub(crate) fn views(&self) -> Vec<RecordingView> {
        let groups = self.groups.hold();
        let mut views = Vec::new();
        for group in &groups.all {
            views.extend(group.rules.iter().map(|state| RecordingView {
                rule: Rule::clone(&state.rule),
                interval_ns: group.interval_ns,
                evaluated_at: state.evaluated_at,
                duration_ns: state.duration_ns,
                error: state.error.clone(),
            }));
        }
        views
    }
}

impl RecordingState {
    fn new(rule: Rule) -> Self {
        let (series, evaluated_at, duration_ns, error) = (BTreeSet::new(), None, 0, None);
        Self { rule: Arc::new(rule), series, evaluated_at, duration_ns, error }
    }
}

fn end_of(labels: &Labels, time: i64) -> RecordedSample {
    RecordedSample { labels: labels.clone(), time, value: Value::Float(f64::from_bits(STALE)) }
}

/// Returns the samples of a rule at a turn.
fn recorded(rule: &Rule, ask_store: &dyn Ask, turn: Timestamp) -> Result<Vec<RecordedSample>, String> {
    let query = series_query(&rule.query).map_err(|errors| errors.to_string())?;
    let memory = HistoryCache::default();
    let asking = DetectorInput {
        ask: ask_store,
        now: turn,
        n_rows_max: usize::MAX,
        memory: &memory,
        fires: &|_| false,
        base_url: "",
    };
    let time = instant_of(rule, turn);
    let (found, partial) = ask(rule, &query, time, &asking)?;
    if let Some(partial) = partial {
        return Err(partial);
    }
    let limit = rule.prometheus.as_ref().map_or(0, |form| form.limit);
    let sample = |(labels, value): Found| {
        let own = labels.iter().map(|label| (&*label.name, &*label.value));
        let fixed = rule.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // Labels of the rule take precedence.
        let labels = Labels::new(own.chain([(METRIC_NAME, rule.name.as_str())]).chain(fixed));
        RecordedSample { labels, time, value }
    };
    let samples: Vec<RecordedSample> = found.into_iter().map(sample).collect();
    let distinct: BTreeSet<&Labels> = samples.iter().map(|sample| &sample.labels).collect();
    if distinct.len() < samples.len() {
        return Err("vector contains metrics with the same labelset after applying rule labels".to_owned());
    }
    ensure!(limit == 0 || samples.len() <= limit, format!("exceeded limit of {limit} with {} series", samples.len()));
    Ok(samples)
}

#[cfg(test)]
mod tests;
