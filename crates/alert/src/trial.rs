//! Tries rules: what one finds in the stored events now, and when it would have fired. Saves and sends nothing.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value as Json;
use types::{Timestamp, Value, ensure};

use crate::detectors::{DetectorInput, HistoryCache, answer};
use crate::engine::{annotations_of, holds_nothing};
use crate::evaluate::{Sets, State, evaluate};
use crate::labels::Labels;
use crate::rule::window_of;
use crate::{Ask, Kind, MissingPolicy, Rule, Table};

/// Rows of an answer on trial.
const ROWS_MAX: usize = 1_000;

/// Most past alerts that are listed.
const ALERTS_MAX: usize = 1_000;

/// A stretch of so few turns is not asked as a whole first.
const STRETCH_TURNS_MIN: i64 = 4;

/// The result of a rule at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The answer that it judges, without the column that is its own.
    pub table: Table,
    /// For each row, whether the condition holds.
    pub holds: Vec<bool>,
    /// Label sets that would not be well.
    pub sets: Vec<TrialSet>,
    /// All of it for people.
    pub why: String,
}

/// A label set on trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialSet {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `pending`, `alarm` or `insufficient_data`.
    pub state: &'static str,
    /// Its value.
    pub value: Option<Json>,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
}

/// Why a rule over rules has no result by itself.
const OVER_RULES: &str = "a rule of kind composite depends on the rules that fire now, so it cannot be tried by itself";

/// Returns what a rule on trial has at hand.
fn asking<'a>(ask: &'a dyn Ask, now: Timestamp, memory: &'a HistoryCache) -> DetectorInput<'a> {
    DetectorInput { ask, now, n_rows_max: ROWS_MAX, memory, fires: &|_| false, base_url: "" }
}

/// Judges a rule at `now` as if it were new. `url` is where its events are shown.
pub fn try_rule(rule: &Rule, ask: &dyn Ask, now: Timestamp, url: &str) -> Result<Trial, String> {
    ensure!(!matches!(rule.kind, Kind::Composite(_)), OVER_RULES.to_owned());
    let memory = HistoryCache::default();
    let (compiled, mut table) = answer(rule, &asking(ask, now, &memory))?;
    let evaluation = evaluate(rule, &compiled, &table, &Sets::new(), now);
    let unwell = evaluation.sets.values().filter(|set| set.state != State::Ok);
    let sets = unwell.map(|set| TrialSet {
        labels: set.labels.clone(),
        state: set.state.name(),
        value: set.value.clone(),
        annotations: annotations_of(rule, set, &[], url),
    });
    let sets = sets.collect();
    let holds: Vec<bool> = table.rows.iter().map(|row| compiled.fires(row)).collect();
    table.columns.pop();
    table.rows.iter_mut().for_each(|row: &mut Vec<Option<Value>>| row.truncate(table.columns.len()));
    Ok(Trial { table, holds, sets, why: evaluation.why })
}

/// Which past, and how much work it may be.
#[derive(Clone, Copy, Debug)]
pub struct BacktestRange {
    /// The first turn.
    pub from: Timestamp,
    /// No turn is after this.
    pub to: Timestamp,
    /// How far turns are apart, where the rule does not say.
    pub interval_ns: i64,
    /// Most turns; where there would be more they are further apart.
    pub turns_max: i64,
    /// Most questions.
    pub questions_max: u64,
    /// When it has to end.
    pub deadline: Option<Instant>,
}

/// When a rule would have fired.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backtest {
    /// Turns that were judged.
    pub n_evaluations: u64,
    /// How far they are apart.
    pub step_ns: i64,
    /// What would have fired, oldest first.
    pub alerts: Vec<PastAlert>,
    /// How many notifications would have been sent, resolved ones included.
    pub n_notifications: u64,
    /// Why it is not the whole truth, if it is not.
    pub partial: Vec<String>,
}

/// An alert of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct PastAlert {
    /// Its labels.
    pub labels: Labels,
    /// When it would have begun.
    pub starts_at: Timestamp,
    /// When it would have ended; nothing if it would fire at the end.
    pub ends_at: Option<Timestamp>,
    /// The value farthest from zero while it fired.
    pub peak_value: Option<f64>,
}

/// Judges a rule at all its turns of a past. Stretches in which no event was counted are asked once as a whole.
pub fn backtest(rule: &Rule, ask: &dyn Ask, past: &BacktestRange) -> Backtest {
    let interval_ns = rule.interval_ns.unwrap_or(past.interval_ns).max(Timestamp::SECOND);
    let length_ns = past.to.0.saturating_sub(past.from.0).max(0);
    let factor = (length_ns / interval_ns) / past.turns_max.max(1) + 1;
    let step_ns = interval_ns.saturating_mul(factor);
    let mut run = Run {
        rule,
        ask,
        past,
        memory: HistoryCache::default(),
        n_questions: 0,
        sets: Sets::new(),
        firing: BTreeMap::new(),
        found: Backtest { step_ns, ..Backtest::default() },
    };
    if factor > 1 {
        run.found.partial.push(format!(
            "evaluated every {} instead of every {}, since there are more than {} evaluations",
            types::format_duration_ns(step_ns),
            types::format_duration_ns(interval_ns),
            past.turns_max
        ));
    }
    if matches!(rule.kind, Kind::Composite(_)) {
        run.found.partial.push(OVER_RULES.to_owned());
        return run.finish();
    }
    if let Err(stopped) = run.stretch(0, length_ns / step_ns + 1) {
        run.found.partial.push(stopped);
    }
    run.finish()
}

/// A backtest under way.
struct Run<'a> {
    rule: &'a Rule,
    ask: &'a dyn Ask,
    past: &'a BacktestRange,
    memory: HistoryCache,
    n_questions: u64,
    sets: Sets,
    firing: BTreeMap<Labels, PastAlert>,
    found: Backtest,
}

impl Run<'_> {
    fn at(&self, turn: i64) -> Timestamp {
        Timestamp(self.past.from.0.saturating_add(turn.saturating_mul(self.found.step_ns)))
    }

    /// Judges the turns from `first` to before `end`; the halves of a stretch by themselves where it is not empty.
    fn stretch(&mut self, first: i64, end: i64) -> Result<(), String> {
        let n_turns = end.saturating_sub(first);
        // Missing events are the alarm itself, so an empty stretch proves nothing.
        if n_turns < STRETCH_TURNS_MIN || self.rule.missing == Some(MissingPolicy::Alarm) {
            return (first..end).try_for_each(|turn| self.turn(turn));
        }
        let from = window_of(self.rule, self.at(first)).from;
        let last = self.at(end.saturating_sub(1));
        let whole = Rule { window_ns: last.0.saturating_sub(from.0), ..self.rule.clone() };
        let (compiled, table) = self.answer(&whole, last)?;
        if !holds_nothing(&compiled, &table) {
            let middle = first + n_turns / 2;
            self.stretch(first, middle)?;
            return self.stretch(middle, end);
        }
        for turn in first..end {
            self.found.n_evaluations = self.found.n_evaluations.saturating_add(1);
            if !self.sets.is_empty() || turn == first {
                self.judge(&compiled, &table, self.at(turn));
            }
        }
        Ok(())
    }

    fn turn(&mut self, turn: i64) -> Result<(), String> {
        let at = self.at(turn);
        let (compiled, table) = self.answer(self.rule, at)?;
        self.found.n_evaluations = self.found.n_evaluations.saturating_add(1);
        self.judge(&compiled, &table, at);
        Ok(())
    }

    fn answer(&mut self, rule: &Rule, at: Timestamp) -> Result<(crate::compile::CompiledRule, Table), String> {
        let stopped = |why: &str| Err(format!("evaluated until before {at}: {why}"));
        if self.n_questions >= self.past.questions_max {
            return stopped(&format!("more than {} questions", self.past.questions_max));
        }
        if self.past.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return stopped("it took too long");
        }
        self.n_questions = self.n_questions.saturating_add(1);
        answer(rule, &asking(self.ask, at, &self.memory)).or_else(|error| stopped(&error))
    }

    fn judge(&mut self, compiled: &crate::compile::CompiledRule, table: &Table, at: Timestamp) {
        if let Some(reason) = &table.partial
            && !self.found.partial.contains(reason)
            && self.found.partial.len() < 3
        {
            self.found.partial.push(reason.clone());
        }
        let evaluation = evaluate(self.rule, compiled, table, &self.sets, at);
        self.sets = evaluation.sets;
        for change in evaluation.changes {
            self.found.n_notifications = self.found.n_notifications.saturating_add(1);
            let labels = change.set.labels.clone();
            if change.fires {
                let starts_at = Timestamp(change.starts_at);
                let alert = PastAlert { labels: labels.clone(), starts_at, ends_at: None, peak_value: None };
                self.firing.insert(labels, alert);
            } else if let Some(alert) = self.firing.remove(&labels) {
                self.keep(PastAlert { ends_at: Some(at), ..alert });
            }
        }
        for set in self.sets.values().filter(|set| set.state == State::Alarm) {
            let value = set.value.as_ref().and_then(Json::as_f64);
            if let (Some(alert), Some(value)) = (self.firing.get_mut(&set.labels), value)
                && alert.peak_value.is_none_or(|peak| value.abs() > peak.abs())
            {
                alert.peak_value = Some(value);
            }
        }
    }

    fn keep(&mut self, alert: PastAlert) {
        if self.found.alerts.len() < ALERTS_MAX {
            self.found.alerts.push(alert);
        }
    }

    fn finish(mut self) -> Backtest {
        for (_, alert) in std::mem::take(&mut self.firing) {
            self.keep(alert);
        }
        if self.found.alerts.len() >= ALERTS_MAX {
            self.found.partial.push(format!("only the first {ALERTS_MAX} alerts are listed"));
        }
        self.found.alerts.sort_by(|a, b| a.starts_at.cmp(&b.starts_at).then_with(|| a.labels.cmp(&b.labels)));
        self.found
    }
}

#[cfg(test)]
mod tests;
