//! Evaluation: every rule that is due is asked, judged, saved, and then announced.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::Value as Json;
use types::Timestamp;

use super::{Book, annotations_of, window_of};
use crate::compile::Compiled;
use crate::evaluate::{Change, Evaluation, SETS_MAX, Sets, evaluate, json_of};
use crate::kind::{self, Asking};
use crate::notify::{Notification, Subject, notification};
use crate::state::RuleState;
use crate::{Ask, Channel, Question, Rule, Table};

/// Changes of one evaluation whose events are looked up; further ones are told without.
const CHANGES_WITH_EVENTS_MAX: usize = 20;

/// Rows beyond the bound on label sets are asked for all the same, to be able to say how many are left out.
const ROWS_MAX: usize = 10 * SETS_MAX;

/// Events shown in a notification.
pub(super) const EVENTS_SHOWN: usize = 10;

impl Book {
    /// Evaluates every rule that is due. Returns when the next one is.
    pub(crate) fn evaluate_due(&self, ask: &dyn Ask, clock: &dyn Fn() -> Timestamp) -> Timestamp {
        let standing = self.standing();
        for rule in standing.rules.iter().filter(|rule| rule.enabled) {
            let now = clock();
            {
                let mut inner = self.locked();
                if inner.is_stopping {
                    return now;
                }
                if inner.next_due.get(&rule.name).is_some_and(|due| *due > now) {
                    continue;
                }
                let interval_ns = rule.interval_ns.unwrap_or(self.interval_ns).max(Timestamp::SECOND);
                inner.next_due.insert(rule.name.clone(), Timestamp(now.0.saturating_add(interval_ns)));
            }
            // A defect that one rule meets must not end the evaluation of all others, nor its own for good.
            if catch_unwind(AssertUnwindSafe(|| self.evaluate_rule(rule, ask, now))).is_err() {
                self.note_defect(rule, now);
            }
        }
        let mut inner = self.locked();
        if inner.is_dirty {
            let kept = inner.kept.clone();
            self.commit(&mut inner, kept);
        }
        let rules = inner.standing.rules.iter().filter(|rule| rule.enabled);
        let due = rules.map(|rule| inner.next_due.get(&rule.name).copied().unwrap_or(Timestamp(i64::MIN)));
        due.min().unwrap_or(Timestamp(i64::MAX))
    }

    /// What a rule has come to stays; that it was not evaluated is said.
    fn note_defect(&self, rule: &Rule, now: Timestamp) {
        tracing::error!(rule = rule.name, "the evaluation of a rule panicked");
        let mut inner = self.locked();
        let state = inner.kept.rules.entry(rule.name.clone()).or_default();
        state.evaluated_at = Some(now.0);
        state.why = "not evaluated".to_string();
        state.error = Some("a defect in catat ended the evaluation; its log says where".to_string());
    }

    fn evaluate_rule(&self, rule: &Arc<Rule>, ask: &dyn Ask, now: Timestamp) {
        let before: Sets = self.locked().kept.rules.get(&rule.name).map(|state| state.sets.clone()).unwrap_or_default();
        let asked = self.ask_rule(rule, ask, now);
        let mut notifications = Vec::new();
        let state = match asked {
            Err(error) => {
                tracing::warn!(rule = rule.name, error, "rule not evaluated");
                let why = "not evaluated".to_string();
                RuleState { sets: before.clone(), evaluated_at: Some(now.0), why, error: Some(error) }
            }
            Ok((compiled, table)) => {
                let Evaluation { sets, changes, why } = evaluate(rule, &compiled, &table, &before, now);
                notifications = self.notifications(rule, &compiled, &table, &changes, ask, now);
                RuleState { sets, evaluated_at: Some(now.0), why, error: None }
            }
        };
        let mut inner = self.locked();
        if !inner.standing.rules.iter().any(|standing| Arc::ptr_eq(standing, rule)) {
            // It was changed or removed while it was asked: the answer is that of a rule that is no more.
            return;
        }
        let is_announced = !notifications.is_empty();
        let is_new = state.sets != before;
        if !is_announced {
            inner.kept.rules.insert(rule.name.clone(), state);
            inner.is_dirty |= is_new;
            return;
        }
        let mut kept = inner.kept.clone();
        kept.rules.insert(rule.name.clone(), state);
        for (channel, notification) in notifications {
            kept.queues.push(&channel, notification);
        }
        // Not saved, not announced: the state stays as it was, and the next evaluation finds the same changes.
        if self.commit(&mut inner, kept) {
            self.news.notify_all();
        }
    }

    fn ask_rule(&self, rule: &Rule, ask: &dyn Ask, now: Timestamp) -> Result<(Compiled, Table), String> {
        kind::answer(rule, &Asking { ask, now, n_rows_max: ROWS_MAX })
    }

    /// Makes the notifications of changes, for every channel that takes them.
    fn notifications(
        &self,
        rule: &Rule,
        compiled: &Compiled,
        table: &Table,
        changes: &[Change],
        ask: &dyn Ask,
        now: Timestamp,
    ) -> Vec<(String, Notification)> {
        let standing = self.standing();
        let channels = standing.channels.iter().filter(|channel| channel.takes(&rule.topics));
        let channels: Vec<&Arc<Channel>> = channels.collect();
        let mut made = Vec::new();
        for (n, change) in changes.iter().enumerate() {
            let (rule_name, fires) = (&rule.name, change.fires);
            tracing::info!(rule = rule_name, fires, n_channels = channels.len(), "alert changed");
            if channels.is_empty() {
                continue;
            }
            let row = change.row.filter(|_| change.fires && n < CHANGES_WITH_EVENTS_MAX);
            let events = row.and_then(|at| table.rows.get(at)).map(|row| events_of(rule, compiled, row, ask, now));
            let events = events.unwrap_or_default();
            let url = self.url_of(rule, now);
            let annotations = annotations_of(rule, &change.set, &events, &url);
            let subject = Subject { rule, change, annotations, events, url };
            for channel in &channels {
                made.push((channel.name.clone(), notification(&subject, &channel.name, now, self.wait_ns)));
            }
        }
        made
    }
}

/// The newest events behind a row, as JSON objects. An alert without its events is better than none.
fn events_of(
    rule: &Rule,
    compiled: &Compiled,
    row: &[Option<types::Value>],
    ask: &dyn Ask,
    now: Timestamp,
) -> Vec<Json> {
    let plan = compiled.events_plan(row);
    let range = window_of(rule, now);
    let question = Question { plan: &plan, groups: &rule.groups, range, now, n_rows_max: EVENTS_SHOWN };
    let table = match ask.ask(&question) {
        Ok(table) => table,
        Err(error) => {
            tracing::warn!(rule = rule.name, error, "events of an alert not found");
            return Vec::new();
        }
    };
    let event = |row: &Vec<Option<types::Value>>| {
        let cells = table.columns.iter().zip(row);
        let members = cells.filter_map(|(name, value)| Some((name.clone(), json_of(value.as_ref()?))));
        Json::Object(members.collect())
    };
    table.rows.iter().take(EVENTS_SHOWN).map(event).collect()
}
