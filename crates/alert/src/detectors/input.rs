//! What a detector is given: a way to run queries, the instant, and what earlier evaluations found out.

use crate::compile::CompiledRule;
use crate::detectors::history_cache::HistoryCache;
use crate::{Ask, EventTime, Question, Rule, Table};
use types::{TimeRange, Timestamp};

/// What an evaluation has at hand.
pub(crate) struct DetectorInput<'a> {
    pub(crate) ask: &'a dyn Ask,
    /// The instant at which the rule is judged.
    pub(crate) now: Timestamp,
    /// Most rows wanted of the query's own answer.
    pub(crate) n_rows_max: usize,
    /// What earlier evaluations learned of the past.
    pub(crate) memory: &'a HistoryCache,
    /// Whether the rule of a name fires.
    pub(crate) fires: &'a dyn Fn(&str) -> bool,
    /// The address of the page, for templates.
    pub(crate) base_url: &'a str,
}

impl DetectorInput<'_> {
    /// Asks what was compiled of a range of time.
    pub(crate) fn of_range(&self, rule: &Rule, compiled: &CompiledRule, range: TimeRange) -> Result<Table, String> {
        let (plan, groups) = (&compiled.plan, &rule.groups[..]);
        self.ask.ask(&Question {
            plan,
            groups,
            scope: &rule.scope,
            range,
            now: self.now,
            n_rows_max: self.n_rows_max,
            time: EventTime::ArrivalContext,
        })
    }

    /// Asks it of the time from `ns` before now until now.
    pub(crate) fn of_last(&self, rule: &Rule, compiled: &CompiledRule, ns: i64) -> Result<Table, String> {
        let (from, to) = (self.now.0.saturating_sub(ns), self.now.0.saturating_add(1));
        self.of_range(rule, compiled, TimeRange { from: Timestamp(from), to: Timestamp(to) })
    }
}
