//! What a table means for a rule: a pure function of rule, table, previous state and time.
//!
//! ```text
//!            condition holds (M of N)         held for `for`
//!      ok ──────────────────────────► pending ──────────────► alarm
//!       ▲                                │                      │
//!       └────────────────────────────────┴──────────────────────┘  no longer holds, for `keep_firing_for`
//!      insufficient_data: the label set, or all data, is missing and the rule does not treat that as ok
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::{Timestamp, Value};

use crate::ask::json_of;
use crate::compile::CompiledRule;
use crate::labels::{Labels, cut, key_of};
use crate::{MissingPolicy, Rule, Table};

/// Most label sets of one rule; further rows are left out and the rule reports it.
pub(crate) const SETS_MAX: usize = 1_000;

/// A label set that stays missing is forgotten after so long.
const FORGET_MISSING_NS: i64 = Timestamp::HOUR;

/// Longest label value kept: a label is a name, not a document.
const LABEL_BYTES_MAX: usize = 1_024;

types::named! {
    /// The state of a label set.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub(crate) enum State {
        /// The condition does not hold.
        Ok = "ok",
        /// There is nothing to judge by.
        InsufficientData = "insufficient_data",
        /// The condition holds, but not for long enough.
        Pending = "pending",
        /// It fires.
        Alarm = "alarm",
    }
}

/// What is known of one label set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SetState {
    /// The labels, `alertname` and those of the rule included.
    pub(crate) labels: Labels,
    pub(crate) state: State,
    /// Since when, nanoseconds since the Unix epoch.
    pub(crate) since: i64,
    /// Whether the condition held at the last evaluations, the latest in the lowest bit.
    pub(crate) history: u64,
    /// Since when it has held without a break.
    pub(crate) holds_since: Option<i64>,
    /// Since when it has not held while the alarm was kept on.
    pub(crate) quiet_since: Option<i64>,
    /// The value at the last evaluation that had one.
    pub(crate) value: Option<serde_json::Value>,
    /// The annotations of a rule in Prometheus' form, as the last sample filled them in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

/// What is known of a rule's label sets; those that are well and have no history are not in it.
pub(crate) type Sets = BTreeMap<String, SetState>;

/// A label set that began or ceased to fire.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transition {
    /// The set as it is now; of one that ceased, as it was.
    pub(crate) set: SetState,
    /// Whether it fires now.
    pub(crate) fires: bool,
    /// When it began to fire.
    pub(crate) starts_at: i64,
    /// The row that made it fire.
    pub(crate) row: Option<usize>,
}

/// Outcome of an evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Evaluation {
    pub(crate) sets: Sets,
    pub(crate) changes: Vec<Transition>,
    /// Why the rule is in the state it is in, for people.
    pub(crate) why: String,
    /// Why the rule is not as it should be, though it was evaluated.
    pub(crate) error: Option<String>,
}

/// What a row, or its absence, means for a label set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowVerdict {
    Holds,
    HoldsNot,
    Missing,
}

/// Judges `table` at `now`.
pub(crate) fn evaluate(
    rule: &Rule,
    compiled: &CompiledRule,
    table: &Table,
    before: &Sets,
    now: Timestamp,
) -> Evaluation {
    let mut findings: BTreeMap<String, (RowVerdict, usize)> = BTreeMap::new();
    let mut sets: BTreeMap<String, (Labels, Option<serde_json::Value>)> = BTreeMap::new();
    let mut n_left_out = 0usize;
    for (at, row) in table.rows.iter().enumerate() {
        let labels = labels_of(rule, compiled, row);
        let key = key_of(&labels);
        let finding = finding_of(compiled, row);
        if findings.len() >= SETS_MAX && !findings.contains_key(&key) {
            n_left_out += 1;
            continue;
        }
        // Rows of one label set (of different `bin`s, say): it holds if it holds for one of them.
        let known = findings.entry(key.clone()).or_insert((finding, at));
        if known.0 != RowVerdict::Holds && finding != RowVerdict::Missing {
            *known = (finding, at);
            sets.insert(key, (labels, value_of(compiled, row)));
        } else {
            sets.entry(key).or_insert_with(|| (labels, value_of(compiled, row)));
        }
    }
    add_absent(rule, compiled, table, before, &mut findings, &mut sets);
    let mut evaluation = Evaluation::default();
    for (key, (finding, at)) in findings {
        let Some((labels, value)) = sets.remove(&key) else { continue };
        let previous = before.get(&key);
        let row = (at < table.rows.len()).then_some(at);
        let mut set = previous.cloned().unwrap_or_else(|| SetState::new(labels.clone(), now));
        set.labels = labels;
        if value.is_some() {
            set.value = value;
        }
        if let Some(annotations) = compiled.annotations.get(at) {
            set.annotations = Some(annotations.clone());
        }
        let judged = judge(rule, compiled, finding, table.partial.is_some(), set, now);
        evaluation.note_change(previous, &judged, row);
        if judged.is_worth_keeping(now) {
            evaluation.sets.insert(key, judged);
        }
    }
    evaluation.why = why(&evaluation.sets, compiled, table, n_left_out);
    evaluation.limited(rule, before, now)
}

/// Adds label sets that were known and are not in the table, and the empty set where nothing is there at all.
fn add_absent(
    rule: &Rule,
    compiled: &CompiledRule,
    table: &Table,
    before: &Sets,
    findings: &mut BTreeMap<String, (RowVerdict, usize)>,
    sets: &mut BTreeMap<String, (Labels, Option<serde_json::Value>)>,
) {
    for (key, set) in before {
        if !findings.contains_key(key) {
            findings.insert(key.clone(), (RowVerdict::Missing, usize::MAX));
            sets.insert(key.clone(), (set.labels.clone(), None));
        }
    }
    let is_silent = table.rows.is_empty() && before.is_empty();
    if is_silent && matches!(missing_of(rule, compiled), MissingPolicy::Alarm | MissingPolicy::Insufficient) {
        let labels = base_labels(rule);
        let key = key_of(&labels);
        findings.insert(key.clone(), (RowVerdict::Missing, usize::MAX));
        sets.insert(key, (labels, None));
    }
}

impl SetState {
    fn new(labels: Labels, now: Timestamp) -> Self {
        let (history, holds_since, quiet_since, value, annotations) = (0, None, None, None, None);
        Self { labels, state: State::Ok, since: now.0, history, holds_since, quiet_since, value, annotations }
    }

    /// Returns since when the condition has held, as far as it is known.
    pub(crate) fn active_since(&self) -> i64 {
        self.holds_since.unwrap_or(self.since)
    }

    fn enter(&mut self, state: State, now: Timestamp) {
        if self.state != state {
            self.state = state;
            self.since = now.0;
        }
    }

    fn is_worth_keeping(&self, now: Timestamp) -> bool {
        match self.state {
            State::Ok => self.history != 0,
            State::InsufficientData => now.0.saturating_sub(self.since) < FORGET_MISSING_NS,
            State::Pending | State::Alarm => true,
        }
    }
}

impl Evaluation {
    /// Returns the evaluation, or one in which nothing fires if there are more alerts than the limit of the rule's group allows.
    fn limited(self, rule: &Rule, before: &Sets, now: Timestamp) -> Self {
        let limit = rule.prometheus.as_ref().map_or(0, |form| form.limit);
        let n_active = self.sets.values().filter(|set| matches!(set.state, State::Pending | State::Alarm)).count();
        if limit == 0 || n_active <= limit {
            return self;
        }
        let error = format!("exceeded limit of {limit} with {n_active} alerts");
        Self { sets: Sets::new(), changes: ended(before, now), why: error.clone(), error: Some(error) }
    }

    fn note_change(&mut self, previous: Option<&SetState>, judged: &SetState, row: Option<usize>) {
        let fired_since = previous.filter(|set| set.state == State::Alarm).map(|set| set.since);
        let fires = judged.state == State::Alarm;
        if fires != fired_since.is_some() {
            let starts_at = fired_since.unwrap_or(judged.since);
            self.changes.push(Transition { set: judged.clone(), fires, starts_at, row });
        }
    }
}

/// Returns the end of everything that fires.
pub(crate) fn ended(sets: &Sets, now: Timestamp) -> Vec<Transition> {
    let firing = sets.values().filter(|set| set.state == State::Alarm);
    let ended = |set: &SetState| SetState { state: State::Ok, since: now.0, ..set.clone() };
    firing.map(|set| Transition { set: ended(set), fires: false, starts_at: set.since, row: None }).collect()
}

/// Returns the next state of one label set.
fn judge(
    rule: &Rule,
    compiled: &CompiledRule,
    finding: RowVerdict,
    is_partial: bool,
    mut set: SetState,
    now: Timestamp,
) -> SetState {
    let holds = match (finding, missing_of(rule, compiled)) {
        (RowVerdict::Holds, _) => true,
        // What is missing from half an answer proves nothing.
        _ if is_partial => return set,
        (RowVerdict::HoldsNot, _) | (RowVerdict::Missing, MissingPolicy::Ok) => false,
        (RowVerdict::Missing, MissingPolicy::Alarm) => true,
        (RowVerdict::Missing, MissingPolicy::Keep) => return set,
        (RowVerdict::Missing, MissingPolicy::Insufficient) => {
            set.enter(State::InsufficientData, now);
            (set.history, set.holds_since, set.quiet_since) = (0, None, None);
            return set;
        }
    };
    let of = u32::from(rule.datapoints.of);
    set.history = (set.history << 1 | u64::from(holds)) & u64::MAX.checked_shr(64 - of).unwrap_or(0);
    if set.history.count_ones() >= u32::from(rule.datapoints.to_alarm) {
        set.quiet_since = None;
        let since = *known(&mut set.holds_since, now);
        let has_lasted = now.0.saturating_sub(since) >= rule.for_ns;
        if has_lasted || set.state == State::Alarm {
            set.enter(State::Alarm, now);
        } else {
            set.enter(State::Pending, now);
        }
        return set;
    }
    if set.state == State::Alarm {
        let since = *known(&mut set.quiet_since, now);
        if now.0.saturating_sub(since) < rule.keep_firing_for_ns {
            return set;
        }
    }
    (set.holds_since, set.quiet_since) = (None, None);
    set.enter(State::Ok, now);
    set
}

/// Returns since when it has been so; of a time ahead, which a clock that was set back has left, now.
fn known(since: &mut Option<i64>, now: Timestamp) -> &mut i64 {
    *since = since.filter(|since| *since <= now.0);
    since.get_or_insert(now.0)
}

fn finding_of(compiled: &CompiledRule, row: &[Option<Value>]) -> RowVerdict {
    let is_missing = compiled.value.is_some_and(|at| row.get(at).is_none_or(Option::is_none));
    if compiled.fires(row) {
        RowVerdict::Holds
    } else if is_missing && !compiled.is_count {
        RowVerdict::Missing
    } else {
        RowVerdict::HoldsNot
    }
}

fn missing_of(rule: &Rule, compiled: &CompiledRule) -> MissingPolicy {
    rule.missing.unwrap_or(if compiled.is_count { MissingPolicy::Ok } else { MissingPolicy::Insufficient })
}

fn base_labels(rule: &Rule) -> Labels {
    // In Prometheus' form they are templates, which the row has filled in.
    let mut labels = if rule.prometheus.is_some() { Labels::new() } else { rule.labels.clone() };
    labels.insert("alertname".into(), rule.alertname().to_owned());
    labels
}

fn labels_of(rule: &Rule, compiled: &CompiledRule, row: &[Option<Value>]) -> Labels {
    let mut labels = Labels::new();
    for (at, name) in &compiled.labels {
        if let Some(Some(value)) = row.get(*at) {
            labels.insert(name.clone(), cut(&value.to_string(), LABEL_BYTES_MAX));
        }
    }
    // Labels of the rule take precedence over fields of senders.
    labels.extend(base_labels(rule));
    labels
}

fn value_of(compiled: &CompiledRule, row: &[Option<Value>]) -> Option<serde_json::Value> {
    Some(json_of(row.get(compiled.value?)?.as_ref()?))
}

fn why(sets: &Sets, compiled: &CompiledRule, table: &Table, n_left_out: usize) -> String {
    let count = |state: State| sets.values().filter(|set| set.state == state).count();
    let mut parts = Vec::new();
    for (state, text) in
        [(State::Alarm, "firing"), (State::Pending, "pending"), (State::InsufficientData, "without data")]
    {
        match count(state) {
            0 => {}
            n => parts.push(format!("{n} {text}")),
        }
    }
    if let Some(note) = &compiled.note {
        parts.push(note.clone());
    } else if parts.is_empty() {
        parts.push(match table.rows.len() {
            0 => "no matching events".to_string(),
            1 => "condition not met".to_string(),
            n => format!("condition not met in {n} rows"),
        });
    }
    if n_left_out > 0 {
        parts.push(format!("{n_left_out} rows beyond {SETS_MAX} label sets left out"));
    }
    if let Some(reason) = &table.partial {
        parts.push(format!("answer is partial: {reason}"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests;
