//! Tasks of the schedule: evaluates a rule for late events first, then at missed turns, then now.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use plan::Operator;
use types::{Timestamp, Value};

use super::{ActiveRules, RuleEngine};
use crate::compile::CompiledRule;
use crate::kind::Kind;
use crate::rule::window_of;
use crate::schedule::{Outcome, Task, next_turn};
use crate::trigger::is_of_events;
use crate::{Ask, MissingPolicy, Rule, Table};

/// How far back missed turns are caught up.
const CATCH_UP_NS_MAX: i64 = Timestamp::HOUR;

/// Most missed turns that are caught up; of more, some are left out evenly.
const CATCH_UPS_MAX: i64 = 120;

/// Longest time after a start during which missing events prove nothing.
const GRACE_NS_MAX: i64 = 5 * Timestamp::MINUTE;

/// Changes without a notification are saved this often,
const SAVE_NS: i64 = Timestamp::SECOND;

/// and when rules were evaluated last this often, from which missed turns are known after a crash.
const SAVE_TIMES_NS: i64 = Timestamp::MINUTE;

impl RuleEngine {
    /// Evaluates the rule of a task.
    pub(crate) fn evaluate(&self, task: &Task, ask: &dyn Ask, clock: &dyn Fn() -> Timestamp) {
        let mut outcome = Outcome::default();
        let active = self.active_rules();
        if let Some(rule) = active.rules.iter().find(|rule| rule.enabled && rule.name == task.rule) {
            // A defect that one rule meets must not end the evaluation of all others, nor its own for good.
            let judged = catch_unwind(AssertUnwindSafe(|| self.judge_all(rule, task, ask, &mut outcome)));
            if judged.is_err() {
                self.note_defect(rule, task.now);
            }
        }
        outcome.is_failed = self.locked().kept.rules.get(&task.rule).is_some_and(|state| state.error.is_some());
        self.schedule.finish(&task.rule, clock(), outcome);
    }

    fn judge_all(&self, rule: &Arc<Rule>, task: &Task, ask: &dyn Ask, outcome: &mut Outcome) {
        // The judge has all alarms judged once it is there.
        if matches!(rule.kind, Kind::Alarm(_)) && self.judge.get().is_none() {
            return;
        }
        for end in &task.late {
            outcome.n_evaluations += 1;
            self.evaluate_late(rule, ask, *end);
        }
        let missed = self.missed(rule, task.now);
        self.note_start(task.now, !missed.is_empty());
        let is_worth_it = !missed.is_empty() && self.may_have_held(rule, ask, &missed, task.now);
        for at in missed.into_iter().filter(|_| is_worth_it) {
            if self.locked().is_stopping {
                return;
            }
            outcome.n_evaluations += 1;
            self.evaluate_rule(rule, ask, at, outcome);
        }
        if task.is_idle && outcome.n_evaluations == 0 && self.note_unchanged(rule, task.now) {
            outcome.is_idle = true;
            return;
        }
        outcome.n_evaluations += 1;
        self.evaluate_rule(rule, ask, task.now, outcome);
    }

    /// Notes that a rule would be judged as it was the last time: with no event in its window, nothing known of any
    /// label set, and nothing accepted since that concerns it. `false` if it is not so.
    fn note_unchanged(&self, rule: &Rule, now: Timestamp) -> bool {
        let mut inner = self.locked();
        let Some(state) = inner.kept.rules.get_mut(&rule.name) else { return false };
        let is_unchanged = state.sets.is_empty() && state.error.is_none() && state.meaning == Some(rule.meaning());
        if is_unchanged {
            state.evaluated_at = Some(now.0);
        }
        is_unchanged
    }

    /// Notes since when rules are evaluated without a break.
    fn note_start(&self, now: Timestamp, is_resumed: bool) {
        let mut inner = self.locked();
        if is_resumed || inner.watched_from.0 == i64::MIN {
            inner.watched_from = inner.watched_from.max(now);
        }
    }

    /// Turns between the last evaluation and `now` without which events would have been in no window, oldest first.
    fn missed(&self, rule: &Rule, now: Timestamp) -> Vec<Timestamp> {
        // An alarm is judged by what is there now, as at Amazon.
        if matches!(rule.kind, Kind::Alarm(_)) {
            return Vec::new();
        }
        let evaluated_at = self.locked().kept.rules.get(&rule.name).and_then(|state| state.evaluated_at);
        let Some(last) = evaluated_at.filter(|last| now.0.saturating_sub(*last) > rule.window_ns) else {
            return Vec::new();
        };
        let from = last.max(now.0.saturating_sub(CATCH_UP_NS_MAX));
        let interval_ns = self.interval_of(rule);
        let n_turns = now.0.saturating_sub(from) / interval_ns;
        let step_ns = interval_ns.saturating_mul(n_turns.div_euclid(CATCH_UPS_MAX) + 1);
        let mut turn = next_turn(&rule.name, interval_ns, Timestamp(from));
        let mut missed = Vec::new();
        while turn < now.0 {
            missed.push(Timestamp(turn));
            turn = turn.saturating_add(step_ns);
        }
        missed
    }

    /// Asks once over all missed windows together: if the whole has no events, its parts have none.
    fn may_have_held(&self, rule: &Arc<Rule>, ask: &dyn Ask, missed: &[Timestamp], now: Timestamp) -> bool {
        let Some(first) = missed.first() else { return false };
        let from = window_of(rule, *first).from;
        let whole = Rule { window_ns: now.0.saturating_sub(from.0), ..Rule::clone(rule) };
        self.ask_rule(&whole, ask, now).map_or(true, |(compiled, table)| !holds_nothing(&compiled, &table))
    }

    /// Schedules these rules. Unchanged ones keep their turns; the others run as soon as possible.
    pub(super) fn schedule_rules(&self, active: &ActiveRules, stays: &dyn Fn(&Rule) -> bool) {
        let enabled = active.rules.iter().filter(|rule| rule.enabled);
        self.schedule.set(enabled.map(|rule| (rule.name.clone(), self.interval_of(rule), stays(rule))));
    }

    /// Returns how often a rule is evaluated.
    pub(super) fn interval_of(&self, rule: &Rule) -> i64 {
        rule.interval_ns.unwrap_or(self.interval_ns).max(Timestamp::SECOND)
    }

    /// Saves changes at most once per interval, and from time to time when rules were evaluated last.
    pub(crate) fn save_at_times(&self, now: Timestamp) {
        let mut inner = self.locked();
        let wait_ns = if inner.is_dirty { SAVE_NS } else { SAVE_TIMES_NS };
        // A clock that was set back must not keep it from being saved.
        if (0..wait_ns).contains(&now.0.saturating_sub(inner.saved_at.0)) {
            return;
        }
        inner.saved_at = now;
        let kept = inner.kept.clone();
        self.commit(&mut inner, kept);
    }

    pub(super) fn is_early(&self, rule: &Rule, now: Timestamp) -> bool {
        let grace_ns = rule.window_ns.min(GRACE_NS_MAX);
        now.0 < self.locked().watched_from.0.saturating_add(grace_ns)
    }

    /// Returns the rule as it is judged at `now`. That something is missing proves nothing for the first while after a start
    /// or a sleep, nor of any time before: no sender could have sent anything, and senders come back one by one.
    pub(super) fn as_judged(&self, rule: &Arc<Rule>, now: Timestamp) -> Arc<Rule> {
        if rule.missing == Some(MissingPolicy::Alarm) && self.is_early(rule, now) {
            return Arc::new(Rule { missing: Some(MissingPolicy::Keep), ..Rule::clone(rule) });
        }
        rule.clone()
    }
}

/// Reports whether a table shows that no event was counted, so that none is in any part of its time either.
pub(crate) fn holds_nothing(compiled: &CompiledRule, table: &Table) -> bool {
    let mut steps = compiled.plan.operators().iter().skip_while(|step| is_of_events(step));
    let is_plain = matches!(steps.next(), Some(Operator::Aggregate { .. }))
        && steps.all(|step| matches!(step, Operator::Extend { .. } | Operator::Sort(_) | Operator::Project { .. }));
    let says_nothing = |value: &Option<Value>| matches!(value, None | Some(Value::Integer(0)));
    let is_zero = |row: &Vec<Option<Value>>| {
        let values = row.split_last().map_or(&[][..], |(_, values)| values);
        let is_counted = compiled.is_count && compiled.labels.is_empty() && values.contains(&Some(Value::Integer(0)));
        is_counted && !compiled.fires(row) && values.iter().all(says_nothing)
    };
    is_plain && !compiled.is_combined && table.partial.is_none() && table.rows.iter().all(is_zero)
}

#[cfg(test)]
mod tests;
