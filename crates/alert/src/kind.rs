//! Kinds of rules: each asks its questions and makes of the answers the table that is judged.
//!
//! ```text
//! Rule ─ compile ─► questions ─ ask ─► answers ─ combined by the kind, purely ─► Table ─► evaluate
//! ```
//!
//! What comes behind the table (M of N, `for`, missing data) is the same for all of them.

mod absence;
mod anomaly;
mod burn_rate;
mod composite;
mod keys;
mod memory;
mod metric;
mod pattern;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use types::{TimeRange, Timestamp, format_duration_ns};

pub use self::composite::When;
pub(crate) use self::composite::check as check_composites;
pub(crate) use self::keys::{KindText, Places, WindowText, read as read_kind};
pub(crate) use self::memory::Memory;
pub(crate) use self::pattern::{MORE as MORE_PATTERNS, described as described_pattern, texts_of as masked_texts};
use crate::book::window_of;
use crate::compile::{Compiled, FIRES, compile};
use crate::{Ask, EventTime, Question, Rule, Table};

/// What a rule looks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Kind {
    /// A condition on the rows of its query.
    #[default]
    Threshold,
    /// Patterns that are new, or come far more often than before.
    Pattern(NewPattern),
    /// Sources that fell silent.
    Absence(Absence),
    /// The share of events that are bad.
    Ratio(Ratio),
    /// How fast an error budget is used up.
    BurnRate(BurnRate),
    /// Values unlike those of the same time of earlier days or weeks.
    Anomaly(Anomaly),
    /// Other rules that fire together, or without each other.
    Composite(Composite),
}

/// New and jumping patterns.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPattern {
    /// Fields that make label sets, beside the pattern.
    pub by: Vec<String>,
    /// The time before the window that patterns are compared with.
    pub baseline_ns: i64,
    /// How many times its rate before makes a pattern's rate a jump.
    pub jump: f64,
    /// Events from which on it can be one.
    pub min_count: u64,
    /// Most patterns told of singly.
    pub limit: usize,
}

/// Silent sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Absence {
    /// Fields that make label sets; without any, the events of the query are one.
    pub by: Vec<String>,
    /// What must be there even if it never was.
    pub expect: Vec<BTreeMap<String, String>>,
    /// How long after its last event a set is still missed.
    pub forget_ns: i64,
}

/// Bad events as a share of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// Which events are bad.
    pub bad: String,
    /// Fields that make label sets.
    pub by: Vec<String>,
    /// Events from which on a share says something.
    pub min_count: u64,
}

/// The use of an error budget.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnRate {
    /// The share of events that shall be good.
    pub objective: f64,
    /// Which events are bad.
    pub bad: String,
    /// Fields that make label sets.
    pub by: Vec<String>,
    /// Events of the long window from which on its rate says something.
    pub min_count: u64,
    /// Both windows of one pair must burn that fast.
    pub windows: Vec<WindowPair>,
}

/// A long window that says that it matters, and a short one that says that it still goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowPair {
    /// The long one.
    pub long_ns: i64,
    /// The short one.
    pub short_ns: i64,
    /// How many times too fast the budget is used up in both.
    pub factor: f64,
}

/// Values outside of a band around what was usual in earlier seasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Anomaly {
    /// How long a season is: a day or a week.
    pub season_ns: i64,
    /// How far back it looks.
    pub history_ns: i64,
    /// Half of the band's width in standard deviations.
    pub band: f64,
    /// On which side a value may lie outside.
    pub direction: Direction,
}

/// A side of a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Above.
    Up,
    /// Below.
    Down,
    /// Either.
    Both,
}

/// A condition over other rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Composite {
    /// As it was written.
    pub text: String,
    /// As it was read.
    pub tree: When,
    /// Line and column of the text in its file.
    pub place: (u64, u64),
}

impl Kind {
    /// As rules write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Pattern(_) => "pattern",
            Self::Absence(_) => "absence",
            Self::Ratio(_) => "ratio",
            Self::BurnRate(_) => "burn_rate",
            Self::Anomaly(_) => "anomaly",
            Self::Composite(_) => "composite",
        }
    }

    /// Whether an event can make it fire at once; what is silent, burns or is unusual shows only with time.
    pub(crate) fn is_immediate(&self) -> bool {
        matches!(self, Self::Threshold | Self::Pattern(_) | Self::Ratio(_))
    }

    /// The keys of the kind as rules write them, those included that the rule left to us.
    pub fn shown(&self) -> Map<String, Json> {
        let length = |ns: i64| format_duration_ns(ns);
        let pair = |pair: &WindowPair| json!({"long": length(pair.long_ns), "short": length(pair.short_ns), "factor": pair.factor});
        let keys = match self {
            Self::Threshold => json!({}),
            Self::Pattern(NewPattern { by, baseline_ns, jump, min_count, limit }) => json!({
                "by": by, "baseline": length(*baseline_ns), "jump": jump, "min_count": min_count, "limit": limit,
            }),
            Self::Absence(Absence { by, expect, forget_ns }) => {
                json!({"by": by, "expect": expect, "forget": length(*forget_ns)})
            }
            Self::Ratio(Ratio { bad, by, min_count }) => json!({"bad": bad, "by": by, "min_count": min_count}),
            Self::BurnRate(BurnRate { objective, bad, by, min_count, windows }) => json!({
                "objective": objective, "bad": bad, "by": by, "min_count": min_count,
                "windows": windows.iter().map(pair).collect::<Vec<_>>(),
            }),
            Self::Anomaly(Anomaly { season_ns, history_ns, band, direction }) => json!({
                "season": length(*season_ns), "history": length(*history_ns), "band": band,
                "direction": format!("{direction:?}").to_lowercase(),
            }),
            Self::Composite(Composite { text, .. }) => json!({"when": text}),
        };
        if let Json::Object(keys) = keys { keys } else { Map::new() }
    }
}

/// What an evaluation has at hand.
pub(crate) struct Asking<'a> {
    pub(crate) ask: &'a dyn Ask,
    /// The instant at which the rule is judged.
    pub(crate) now: Timestamp,
    /// Most rows wanted of the query's own answer.
    pub(crate) n_rows_max: usize,
    /// What earlier evaluations learned of the past.
    pub(crate) memory: &'a Memory,
    /// Whether the rule of a name fires.
    pub(crate) fires: &'a dyn Fn(&str) -> bool,
}

impl Asking<'_> {
    /// Asks what was compiled of a range of time.
    fn of_range(&self, rule: &Rule, compiled: &Compiled, range: TimeRange) -> Result<Table, String> {
        let (plan, groups) = (&compiled.plan, &rule.groups[..]);
        self.ask.ask(&Question {
            plan,
            groups,
            scope: &rule.scope,
            range,
            now: self.now,
            n_rows_max: self.n_rows_max,
            time: EventTime::Arrival,
        })
    }

    /// Asks it of the time from `ns` before now until now.
    fn of_last(&self, rule: &Rule, compiled: &Compiled, ns: i64) -> Result<Table, String> {
        let (from, to) = (self.now.0.saturating_sub(ns), self.now.0.saturating_add(1));
        self.of_range(rule, compiled, TimeRange { from: Timestamp(from), to: Timestamp(to) })
    }
}

/// Asks what a rule wants to know at an instant.
pub(crate) fn answer(rule: &Rule, asking: &Asking<'_>) -> Result<(Compiled, Table), String> {
    let mut compiled = compile(rule, asking.now).map_err(|error| error.to_string())?;
    compiled.is_combined = compiled.metric.is_some() || !matches!(rule.kind, Kind::Threshold | Kind::Ratio(_));
    let table = match &rule.kind {
        Kind::Threshold if compiled.metric.is_some() => metric::answer(rule, &mut compiled, asking)?,
        Kind::Threshold | Kind::Ratio(_) => asking.of_range(rule, &compiled, window_of(rule, asking.now))?,
        Kind::Pattern(pattern) => pattern::answer(rule, pattern, &mut compiled, asking)?,
        Kind::Absence(absence) => absence::answer(rule, absence, &mut compiled, asking)?,
        Kind::BurnRate(burn_rate) => burn_rate::answer(rule, burn_rate, &mut compiled, asking)?,
        Kind::Anomaly(anomaly) => anomaly::answer(rule, anomaly, &mut compiled, asking)?,
        Kind::Composite(composite) => composite::answer(composite, &mut compiled, asking),
    };
    Ok((compiled, table))
}

/// The whole number of a column; 0 where there is none.
fn count_at(row: &[Option<types::Value>], at: usize) -> u64 {
    match row.get(at) {
        Some(Some(types::Value::Integer(count))) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}

/// Values that tell the label sets of rows apart.
type Key = Vec<Option<String>>;

/// The values of some columns.
fn key_of(row: &[Option<types::Value>], columns: impl Iterator<Item = usize>) -> Key {
    columns.map(|at| row.get(at)?.as_ref().map(ToString::to_string)).collect()
}

fn whole(count: u64) -> Option<types::Value> {
    Some(types::Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// A number as people write it: whole where it is whole.
fn number(value: f64) -> types::Value {
    // 2^53: up to here every whole number is one in both.
    if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
        types::Value::Integer(value as i64)
    } else {
        types::Value::Float(value)
    }
}

/// A number with two decimals.
fn rounded(value: f64) -> types::Value {
    number((value * 100.0).round() / 100.0)
}

/// Names of columns, that of whether a row fires behind them.
fn columns_of<'n>(by: &[String], names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let names = names.into_iter().chain([FIRES]).map(str::to_owned);
    by.iter().cloned().chain(names).collect()
}

/// Why the answers may not be whole, of several.
fn partial_of<'t>(tables: impl IntoIterator<Item = &'t Table>) -> Option<String> {
    tables.into_iter().find_map(|table| table.partial.clone())
}
