//! Kinds of rules: what each looks for, and its keys as rules write them.

mod composite;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use types::format_duration_ns;

pub use self::composite::Condition;

/// Least number of seasons in which a value must have occurred to be judged.
pub(crate) const SEASONS_MIN: usize = 3;

/// What a rule detects.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Kind {
    /// A condition on the rows of its query.
    #[default]
    Threshold,
    /// Patterns that are new, or come far more often than before.
    Pattern(NewPattern),
    /// Sources that stopped sending.
    Absence(Absence),
    /// The share of events that are bad.
    Ratio(Ratio),
    /// How fast an error budget is spent.
    BurnRate(BurnRate),
    /// Values that differ from those of the same time of earlier days or weeks.
    Anomaly(Anomaly),
    /// A condition over other rules.
    Composite(Composite),
    /// An alarm of CloudWatch.
    Alarm(Alarm),
}

/// New and jumping patterns.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPattern {
    /// Fields of the label sets, besides the pattern.
    pub by: Vec<String>,
    /// The time before the window that patterns are compared with.
    pub baseline_ns: i64,
    /// How many times its rate before makes a pattern's rate a jump.
    pub jump: f64,
    /// Events from which on it can be one.
    pub min_count: u64,
    /// Most patterns that get an alert of their own.
    pub limit: usize,
}

/// Silent sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Absence {
    /// Fields that make label sets; without any, the events of the query are one.
    pub by: Vec<String>,
    /// Label sets that are expected even if they never occurred.
    pub expect: Vec<BTreeMap<String, String>>,
    /// How long after its last event a missing set fires.
    pub forget_ns: i64,
}

/// Bad events as a share of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// Which events are bad.
    pub bad: String,
    /// Fields of the label sets.
    pub by: Vec<String>,
    /// Least number of events for a share to count.
    pub min_count: u64,
}

/// The use of an error budget.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnRate {
    /// The target share of good events.
    pub objective: f64,
    /// Which events are bad.
    pub bad: String,
    /// Fields of the label sets.
    pub by: Vec<String>,
    /// Least number of events of the long window for its rate to count.
    pub min_count: u64,
    /// Pairs of windows; both of a pair must burn fast enough.
    pub windows: Vec<WindowPair>,
}

/// A long window that shows that the errors matter, and a short one that shows that they continue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowPair {
    /// The long one.
    pub long_ns: i64,
    /// The short one.
    pub short_ns: i64,
    /// How many times too fast the budget is spent in both.
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
    pub tree: Condition,
    /// Line and column of the text in its file.
    pub place: (u64, u64),
}

/// An alarm of CloudWatch, whose definition only its judge reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// The definition.
    pub definition: Arc<Json>,
}

impl Alarm {
    /// Reports whether it depends on the states of other rules.
    pub(crate) fn is_composite(&self) -> bool {
        self.definition.get("AlarmRule").is_some()
    }
}

impl Kind {
    /// Returns the name in rules.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Pattern(_) => "pattern",
            Self::Absence(_) => "absence",
            Self::Ratio(_) => "ratio",
            Self::BurnRate(_) => "burn_rate",
            Self::Anomaly(_) => "anomaly",
            Self::Composite(_) => "composite",
            Self::Alarm(_) => "alarm",
        }
    }

    /// Reports whether an event can make it fire at once; what is silent, burns or is unusual shows only with time.
    pub(crate) fn is_immediate(&self) -> bool {
        matches!(self, Self::Threshold | Self::Pattern(_) | Self::Ratio(_))
    }

    /// Reports whether it looks at events; the others look at rules, or at metrics.
    pub(crate) fn has_events(&self) -> bool {
        !matches!(self, Self::Composite(_) | Self::Alarm(_))
    }

    /// Returns the keys of the kind as rules write them, those included that the rule left to us.
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
            Self::Alarm(Alarm { definition }) => json!({"alarm": definition}),
        };
        if let Json::Object(keys) = keys { keys } else { Map::new() }
    }
}
