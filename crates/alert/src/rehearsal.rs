//! Runs rules over past time: evaluates them at their turns from a start on and returns what fires at given times, for tests of rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use types::Timestamp;

use crate::detectors::{DetectorInput, HistoryCache, answer};
use crate::engine::annotations_of;
use crate::evaluate::{Sets, State, evaluate};
use crate::kind::Kind;
use crate::{Ask, Rule};

/// Most turns of one rehearsal.
const TURNS_MAX: i64 = 100_000;

/// Most rows of an answer.
const ROWS_MAX: usize = 10_000;

/// An alert that fires at a given time.
#[derive(Clone, Debug, PartialEq)]
pub struct FiringAlert {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its value.
    pub value: Option<Json>,
}

/// A rule with its state between two turns.
struct RuleRun<'a> {
    rule: &'a Rule,
    sets: Sets,
    memory: HistoryCache,
    turn: Timestamp,
    interval_ns: i64,
}

/// Returns what fires at each of `moments`, which are in order, by the names of rules. Rules are judged at `start` and every
/// interval from there; `interval_ns` where they do not say it themselves.
///
/// # Errors
/// Why one could not be judged.
pub fn rehearse(
    rules: &[Rule],
    ask: &dyn Ask,
    start: Timestamp,
    interval_ns: i64,
    moments: &[Timestamp],
) -> Result<Vec<BTreeMap<String, Vec<FiringAlert>>>, String> {
    let interval_of = |rule: &Rule| rule.interval_ns.unwrap_or(interval_ns).max(Timestamp::SECOND);
    let length_ns = moments.last().map_or(0, |last| last.0.saturating_sub(start.0));
    if rules.iter().map(|rule| length_ns / interval_of(rule)).sum::<i64>() > TURNS_MAX {
        return Err(format!("more than {TURNS_MAX} evaluations; use a longer evaluation_interval"));
    }
    let part = |rule| RuleRun {
        rule,
        sets: Sets::new(),
        memory: HistoryCache::default(),
        turn: start,
        interval_ns: interval_of(rule),
    };
    let mut parts: Vec<RuleRun<'_>> = rules.iter().filter(|rule| rule.enabled).map(part).collect();
    // What other rules are put together of is judged before them.
    parts.sort_by_key(|part| matches!(part.rule.kind, Kind::Composite(_)));
    let mut seen = Vec::new();
    for moment in moments {
        while let Some(at) = next_of(&parts, *moment) {
            let firing: BTreeSet<String> =
                parts.iter().filter(|part| part.fires()).map(|part| part.rule.name.clone()).collect();
            parts[at].judge(ask, &|name| firing.contains(name))?;
        }
        seen.push(parts.iter().map(|part| (part.rule.name.clone(), part.firing())).collect());
    }
    Ok(seen)
}

/// Returns the rule whose turn is next, if it is not after `moment`.
fn next_of(parts: &[RuleRun<'_>], moment: Timestamp) -> Option<usize> {
    let due = parts.iter().enumerate().filter(|(_, part)| part.turn <= moment);
    due.min_by_key(|(_, part)| part.turn).map(|(at, _)| at)
}

impl RuleRun<'_> {
    fn judge(&mut self, ask: &dyn Ask, fires: &dyn Fn(&str) -> bool) -> Result<(), String> {
        let asking =
            DetectorInput { ask, now: self.turn, n_rows_max: ROWS_MAX, memory: &self.memory, fires, base_url: "" };
        let (compiled, table) = answer(self.rule, &asking)?;
        self.sets = evaluate(self.rule, &compiled, &table, &self.sets, self.turn).sets;
        self.turn = Timestamp(self.turn.0.saturating_add(self.interval_ns));
        Ok(())
    }

    fn fires(&self) -> bool {
        self.sets.values().any(|set| set.state == State::Alarm)
    }

    fn firing(&self) -> Vec<FiringAlert> {
        let firing = self.sets.values().filter(|set| set.state == State::Alarm).map(|set| FiringAlert {
            labels: set.labels.clone(),
            annotations: annotations_of(self.rule, set, &[], ""),
            value: set.value.clone(),
        });
        firing.collect()
    }
}
