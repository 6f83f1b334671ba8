//! Evaluation of alarms: their judge decides, and its verdict becomes a table of one row, which is judged like any other.

use std::sync::Arc;

use types::{Timestamp, Value};

use super::RuleEngine;
use crate::alarm::{AlarmJudge, AlarmQuestion, AlarmState, AlarmVerdict, DependencyState};
use crate::compile::{CompiledRule, FIRES};
use crate::evaluate::State;
use crate::kind::Alarm;
use crate::{Ask, Kind, Rule, Table};

impl RuleEngine {
    /// Sets the judge of alarms, and has all of them judged soon.
    pub(crate) fn set_alarm_judge(&self, judge: Arc<dyn AlarmJudge>, now: Timestamp) {
        if self.judge.set(judge).is_ok() {
            let active = self.active_rules();
            let alarms = active.rules.iter().filter(|rule| matches!(rule.kind, Kind::Alarm(_)));
            alarms.for_each(|rule| self.schedule.ask(&rule.name, &[now], &[]));
        }
    }

    pub(super) fn ask_alarm(
        &self,
        rule: &Rule,
        alarm: &Alarm,
        ask: &dyn Ask,
        now: Timestamp,
    ) -> Result<(CompiledRule, Table), String> {
        let judge = self.judge.get().ok_or("alarms cannot be judged yet")?;
        let memory = self.locked().kept.rules.get(&rule.name).and_then(|state| state.alarm.clone());
        let verdict = judge.judge(&AlarmQuestion {
            name: &rule.name,
            definition: &alarm.definition,
            groups: &rule.groups,
            scope: &rule.scope,
            memory: memory.as_ref(),
            ask,
            state_of: &|name| self.state_seen(name, rule),
            now,
        })?;
        let fires = verdict.state == AlarmState::Alarm;
        let value = match verdict.state {
            AlarmState::InsufficientData => None,
            // A state without a value is not one without data.
            _ => Some(verdict.value.clone().unwrap_or_else(|| Value::text("missing"))),
        };
        let table = Table {
            columns: vec!["value".to_owned(), FIRES.to_owned()],
            rows: vec![vec![value, Some(Value::Boolean(fires))]],
            partial: None,
        };
        let AlarmVerdict { reason, description, .. } = &verdict;
        let annotations = [("summary", Some(reason)), ("description", description.as_ref())];
        let annotations =
            annotations.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.clone()))).collect();
        let compiled = CompiledRule {
            value: Some(0),
            is_combined: true,
            note: Some(reason.clone()),
            annotations: vec![annotations],
            alarm: Some(verdict),
            ..CompiledRule::default()
        };
        Ok((compiled, table))
    }

    /// Returns the state of a rule that another rule, `by`, depends on; `None` if it does not exist for the author of `by`.
    pub(super) fn state_seen(&self, name: &str, by: &Rule) -> Option<DependencyState> {
        let inner = self.locked();
        let rule = inner.active.rules.iter().find(|rule| rule.name == name)?;
        if !rule.enabled || !rule.is_within(&by.scope) {
            return None;
        }
        let Some(kept) = inner.kept.rules.get(name).filter(|kept| kept.evaluated_at.is_some()) else {
            return Some(DependencyState { state: AlarmState::InsufficientData, since: None, memory: None });
        };
        let worst = kept.sets.values().max_by_key(|set| (set.state, std::cmp::Reverse(set.since)));
        let state = match worst.map(|set| set.state) {
            Some(State::Alarm) => AlarmState::Alarm,
            Some(State::InsufficientData) => AlarmState::InsufficientData,
            Some(State::Pending | State::Ok) => AlarmState::Ok,
            None if kept.error.is_some() => AlarmState::InsufficientData,
            None => AlarmState::Ok,
        };
        // A rule that is well usually keeps no label set and so no time; a pending one was well before.
        let since = worst.filter(|set| set.state != State::Pending).map(|set| Timestamp(set.since));
        Some(DependencyState { state, since, memory: kept.alarm.clone() })
    }

    /// Does what follows once the verdict on an alarm is saved: its judge learns of it, and alarms over alarms are judged.
    pub(super) fn note_alarm(&self, rule: &Rule, memory: &serde_json::Value, now: Timestamp) {
        if let Some(judge) = self.judge.get() {
            judge.note_saved(&rule.name, memory);
        }
        let active = self.active_rules();
        let is_over = |other: &&Arc<Rule>| matches!(&other.kind, Kind::Alarm(alarm) if alarm.is_composite());
        let others = active.rules.iter().filter(is_over).filter(|other| other.name != rule.name);
        others.for_each(|other| self.schedule.ask(&other.name, &[now], &[]));
    }
}
