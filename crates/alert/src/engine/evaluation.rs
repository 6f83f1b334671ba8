//! Evaluation: runs the query of a rule, judges the answer, saves the state, and then announces changes.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value as Json, json};
use series::RecordedSample;
use types::Timestamp;

use super::evidence::EvidenceQuery;
use super::{RuleEngine, alert_series, annotations_of};
use crate::compile::CompiledRule;
use crate::detectors::{DetectorInput, answer};
use crate::evaluate::{Evaluation, SETS_MAX, Sets, State, Transition, ended, evaluate};
use crate::labels::key_of;
use crate::notify::{Subject, body};
use crate::schedule::Outcome;
use crate::state::RuleState;
use crate::topic_message::TopicMessage;
use crate::{Ask, Kind, Rule, Table};

/// Most transitions of one evaluation whose events are looked up; further ones are sent without.
const CHANGES_WITH_EVENTS_MAX: usize = 20;

/// Most transitions of one evaluation with more evidence than events.
const CHANGES_WITH_EVIDENCE_MAX: usize = 5;

/// Rows beyond the bound on label sets are asked for all the same, to be able to say how many are left out.
const ROWS_MAX: usize = 10 * SETS_MAX;

/// What was found of a rule.
#[derive(Default)]
struct Judged {
    state: RuleState,
    changes: Vec<(Transition, Json)>,
    /// Messages to subscribers.
    messages: Vec<TopicMessage>,
    /// Whether there was nothing to judge by and is nothing to remember.
    is_idle: bool,
}

impl RuleEngine {
    /// Keeps the state of a rule and records that it was not evaluated.
    pub(super) fn note_defect(&self, rule: &Rule, now: Timestamp) {
        tracing::error!(rule = rule.name, "the evaluation of a rule panicked");
        let mut inner = self.locked();
        let state = inner.kept.rules.entry(rule.name.clone()).or_default();
        state.evaluated_at = Some(now.0);
        state.why = "not evaluated".to_string();
        state.error = Some("a defect in catat ended the evaluation; its log says where".to_string());
    }

    /// Asks a rule and judges the answer. Notes whether there was nothing to judge by and is nothing to remember.
    pub(super) fn evaluate_rule(&self, rule: &Arc<Rule>, ask: &dyn Ask, now: Timestamp, outcome: &mut Outcome) {
        let before = self.locked().kept.rules.get(&rule.name).cloned().unwrap_or_default();
        let meaning = Some(rule.meaning());
        if matches!(rule.kind, Kind::Absence(_)) && self.is_early(rule, now) {
            let why = "waiting after a start until senders are back".to_string();
            let state = RuleState { evaluated_at: Some(now.0), why, error: None, ..before };
            self.locked().kept.rules.insert(rule.name.clone(), state);
            return;
        }
        let is_changed = before.meaning.is_some() && before.meaning != meaning;
        let asked = self.ask_rule(rule, ask, now);
        let judged = self.as_judged(rule, now);
        outcome.is_idle = false;
        let mut found = Judged::default();
        match asked {
            Err(error) => {
                tracing::warn!(rule = rule.name, error, "rule not evaluated");
                let why = "not evaluated".to_string();
                found.state = RuleState { evaluated_at: Some(now.0), why, error: Some(error), ..before.clone() };
            }
            Ok((mut compiled, table)) => {
                let (known, mut changes) = match is_changed {
                    true => (Sets::new(), ended(&before.sets, now)),
                    false => (before.sets.clone(), Vec::new()),
                };
                let Evaluation { sets, changes: new, why, error } = evaluate(&judged, &compiled, &table, &known, now);
                changes.extend(new);
                found.is_idle = sets.is_empty() && changes.is_empty() && super::holds_nothing(&compiled, &table);
                let began = Instant::now();
                found.changes = self.with_bodies(rule, &compiled, &table, changes, ask, now);
                outcome.evidence_ns += i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX);
                let (alarm, messages) = compiled.alarm.take().map(|verdict| (verdict.memory, verdict.messages)).unzip();
                found.messages = messages.unwrap_or_default();
                found.state = RuleState { sets, evaluated_at: Some(now.0), why, error, meaning, alarm };
            }
        }
        self.conclude(rule, &before, found, now, outcome);
    }

    /// Saves what was found of a rule, and announces it.
    fn conclude(&self, rule: &Arc<Rule>, before: &RuleState, found: Judged, now: Timestamp, outcome: &mut Outcome) {
        let Judged { state, changes, messages, is_idle } = found;
        let samples = match rule.prometheus {
            Some(_) => alert_series::samples(rule, &before.sets, &state.sets, now),
            None => Vec::new(),
        };
        let mut inner = self.locked();
        if !inner.is_leading || !inner.active.has(rule) {
            // The rule was changed or removed during its evaluation, or another node evaluates it now: the result is
            // obsolete.
            return;
        }
        let is_new = state.sets != before.sets;
        let memory = state.alarm.clone().filter(|memory| Some(memory) != before.alarm.as_ref());
        if changes.is_empty() && memory.is_none() {
            inner.kept.rules.insert(rule.name.clone(), state);
            inner.is_dirty |= is_new;
            outcome.is_idle = is_idle;
            drop(inner);
            return self.store_samples(rule, &samples, now);
        }
        let mut kept = inner.kept.clone();
        kept.rules.insert(rule.name.clone(), state);
        self.announce(&mut kept, &inner.active, &inner.silences, rule, &changes, now);
        self.add_topic_messages(&mut kept, &inner, &messages, now);
        // Not saved, not announced: the state stays as it was, and the next evaluation finds the same changes.
        if self.commit(&mut inner, kept) {
            drop(inner);
            self.news.notify_all();
            self.store_samples(rule, &samples, now);
            if let Some(memory) = memory {
                self.note_alarm(rule, &memory, now);
            }
        }
    }

    /// Stores the series of a rule's alerts. That they are missing changes no alert.
    fn store_samples(&self, rule: &Rule, samples: &[RecordedSample], now: Timestamp) {
        let Some(sink) = self.sink.as_ref().filter(|_| !samples.is_empty()) else { return };
        if let Err(error) = sink.store(samples, now) {
            tracing::warn!(rule = rule.name, error, "series of alerts not stored");
        }
    }

    /// Judges the past window that ends with a late event, by itself: it may let something fire that did not, and
    /// nothing else. Where several evaluations in a row have to agree, one of the past proves nothing.
    pub(super) fn evaluate_late(&self, rule: &Arc<Rule>, ask: &dyn Ask, end: Timestamp) {
        if rule.for_ns > 0 || rule.datapoints.to_alarm > 1 {
            return;
        }
        let Ok((compiled, table)) = self.ask_rule(rule, ask, end) else { return };
        let Evaluation { sets, changes, .. } = evaluate(rule, &compiled, &table, &Sets::new(), end);
        let state = self.locked().kept.rules.get(&rule.name).cloned().unwrap_or_default();
        let fires = |key: &String| state.sets.get(key).is_some_and(|set| set.state == State::Alarm);
        let fresh: Sets = sets.into_iter().filter(|(key, set)| set.state == State::Alarm && !fires(key)).collect();
        let is_fresh = |change: &Transition| change.row.is_some() && fresh.values().any(|set| *set == change.set);
        let changes: Vec<Transition> = changes.into_iter().filter(is_fresh).collect();
        if changes.is_empty() {
            return;
        }
        let changes = self.with_bodies(rule, &compiled, &table, changes, ask, end);
        let mut inner = self.locked();
        if !inner.active.has(rule) {
            return;
        }
        let mut kept = inner.kept.clone();
        let sets = &mut kept.rules.entry(rule.name.clone()).or_default().sets;
        sets.extend(fresh.into_iter().filter(|(_, set)| changes.iter().any(|(change, _)| change.set == *set)));
        self.announce(&mut kept, &inner.active, &inner.silences, rule, &changes, end);
        if self.commit(&mut inner, kept) {
            self.news.notify_all();
        }
    }

    pub(super) fn ask_rule(&self, rule: &Rule, ask: &dyn Ask, now: Timestamp) -> Result<(CompiledRule, Table), String> {
        let fires = |name: &str| {
            let inner = self.locked();
            let other = inner.active.rules.iter().find(|other| other.name == name);
            // A rule is no way to learn of what does not exist for its maker.
            let is_seen = other.is_some_and(|other| other.enabled && other.is_within(&rule.scope));
            let state = inner.kept.rules.get(name).filter(|_| is_seen);
            state.is_some_and(|state| state.sets.values().any(|set| set.state == State::Alarm))
        };
        if let Kind::Alarm(alarm) = &rule.kind {
            return self.ask_alarm(rule, alarm, ask, now);
        }
        let (memory, base_url) = (&self.memory, self.base_url.as_str());
        answer(rule, &DetectorInput { ask, now, n_rows_max: ROWS_MAX, memory, fires: &fires, base_url })
    }

    /// Returns transitions with their bodies for all channels.
    fn with_bodies(
        &self,
        rule: &Rule,
        compiled: &CompiledRule,
        table: &Table,
        changes: Vec<Transition>,
        ask: &dyn Ask,
        now: Timestamp,
    ) -> Vec<(Transition, Json)> {
        let mut made = Vec::new();
        let mut onset: Option<Timestamp> = None;
        for (n, change) in changes.into_iter().enumerate() {
            let (rule_name, fires) = (&rule.name, change.fires);
            tracing::info!(rule = rule_name, fires, "alert changed");
            // A sample has no lines of its own.
            let has_lines = compiled.series.is_none() && !matches!(rule.kind, Kind::Alarm(_));
            let row = change.row.filter(|_| has_lines && change.fires && n < CHANGES_WITH_EVENTS_MAX);
            let row = row.and_then(|at| table.rows.get(at));
            let inquiry = row.map(|row| EvidenceQuery { rule, compiled, row, labels: &change.set.labels, ask, now });
            let mut events = inquiry.as_ref().map(EvidenceQuery::events).unwrap_or_default();
            events.iter_mut().for_each(|event| self.add_trace_url(event));
            let pattern = change.row.and_then(|at| compiled.pattern_of(rule, table.rows.get(at)?));
            let asked_more = inquiry.filter(|_| n < CHANGES_WITH_EVIDENCE_MAX && !events.is_empty());
            let mut evidence = match &asked_more {
                Some(inquiry) => inquiry.rest(&events, pattern),
                None => json!({"pattern": pattern}),
            };
            // One look for all that begins at once: it is about the same minutes.
            let message = events.first().and_then(|event| event["@message"].as_str());
            let subjects = || compiled.subjects(rule, &change.set.labels, message);
            if let Some(found) = asked_more.filter(|_| n == 0).and_then(|inquiry| inquiry.first_look(&subjects())) {
                onset = Some(found.began);
                evidence["first_look"] = found.said;
            }
            self.add_links(&mut evidence, &change);
            let began =
                self.locked().kept.fired.get(&key_of(&change.set.labels)).map(|fired| fired.body["url"].clone());
            let known = began.as_ref().and_then(Json::as_str).filter(|_| !change.fires);
            let url = match change.row.and_then(|at| table.rows.get(at)) {
                // Its end points to the lines that it began with.
                _ if known.is_some() => known.unwrap_or_default().to_owned(),
                Some(row) => self.url_of_row(rule, compiled, row, &events, onset, now),
                None => self.url_of(rule, now),
            };
            let annotations = annotations_of(rule, &change.set, &events, &url);
            let subject = Subject { rule, change: &change, annotations, events, evidence, url };
            let said = body(&subject);
            made.push((change, said));
        }
        made
    }

    /// Puts in where the page asks whether to take an alert on or to silence it. Opening them changes nothing.
    fn add_links(&self, evidence: &mut Json, change: &Transition) {
        if change.fires {
            let id = super::views::id_of(&key_of(&change.set.labels));
            evidence["acknowledge_url"] = format!("{}?acknowledge={id}", self.page_url()).into();
            evidence["silence_url"] = format!("{}?silence={id}", self.page_url()).into();
        }
    }
}
