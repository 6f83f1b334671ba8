//! The comparison of an alarm, and the reasons that it gives, in Amazon's words.

use types::Timestamp;

use super::super::error::bad_value;
use crate::answer::Result;

/// How a datapoint is compared with the threshold, or with the bounds of a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    GreaterOrEqual,
    Greater,
    Less,
    LessOrEqual,
    OutsideBand,
    BelowBand,
    AboveBand,
}

const COMPARISONS: [(&str, Comparison, &str); 7] = [
    ("GreaterThanOrEqualToThreshold", Comparison::GreaterOrEqual, "greater than or equal to"),
    ("GreaterThanThreshold", Comparison::Greater, "greater than"),
    ("LessThanThreshold", Comparison::Less, "less than"),
    ("LessThanOrEqualToThreshold", Comparison::LessOrEqual, "less than or equal to"),
    ("LessThanLowerOrGreaterThanUpperThreshold", Comparison::OutsideBand, ""),
    ("LessThanLowerThreshold", Comparison::BelowBand, ""),
    ("GreaterThanUpperThreshold", Comparison::AboveBand, ""),
];

/// What a datapoint is compared with: the bounds of a band, or twice the same threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) lower: f64,
    pub(super) upper: f64,
}

impl Bounds {
    /// Returns a threshold.
    pub(super) fn threshold(threshold: f64) -> Self {
        Self { lower: threshold, upper: threshold }
    }
}

impl Comparison {
    pub(super) fn read(text: &str) -> Result<Self> {
        let found = COMPARISONS.iter().find(|(name, ..)| *name == text).map(|(_, comparison, _)| *comparison);
        let names = COMPARISONS.map(|(name, ..)| name).join(", ");
        found.ok_or_else(|| bad_value(format!("The value {text:?} of ComparisonOperator must be one of {names}.")))
    }

    pub(super) fn name(self) -> &'static str {
        COMPARISONS.iter().find(|(_, known, _)| *known == self).map_or("", |(name, ..)| name)
    }

    /// Reports whether it compares with a band.
    pub(super) fn is_of_band(self) -> bool {
        matches!(self, Self::OutsideBand | Self::BelowBand | Self::AboveBand)
    }

    /// Reports whether a value breaches the threshold.
    pub(super) fn is_breached(self, value: f64, bounds: Bounds) -> bool {
        match self {
            Self::GreaterOrEqual => value >= bounds.upper,
            Self::Greater | Self::AboveBand => value > bounds.upper,
            Self::Less | Self::BelowBand => value < bounds.lower,
            Self::LessOrEqual => value <= bounds.lower,
            Self::OutsideBand => value < bounds.lower || value > bounds.upper,
        }
    }

    /// Returns a comparison with the bounds of some datapoints, in words.
    fn words(self, bounds: &[Bounds]) -> String {
        let list = |of: fn(&Bounds) -> f64| bounds.iter().map(|one| decimal(of(one))).collect::<Vec<_>>().join(", ");
        let (lower, upper) = (list(|bounds| bounds.lower), list(|bounds| bounds.upper));
        match self {
            Self::OutsideBand => {
                format!("less than the lower thresholds [{lower}] or greater than the upper thresholds [{upper}]")
            }
            Self::BelowBand => format!("less than the lower thresholds [{lower}]"),
            Self::AboveBand => format!("greater than the upper thresholds [{upper}]"),
            _ => {
                let words = COMPARISONS.iter().find(|(_, known, _)| *known == self).map_or("", |(.., words)| words);
                let threshold = bounds.first().map_or(0.0, |bounds| bounds.upper);
                format!("{words} the threshold ({})", decimal(threshold))
            }
        }
    }
}

/// A datapoint that decided, with its time in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct JudgedPoint {
    pub(super) time: i64,
    pub(super) value: f64,
    pub(super) bounds: Bounds,
}

/// What decided on the state of an alarm.
pub(super) struct Crossing<'a> {
    pub(super) comparison: Comparison,
    /// The threshold, if it is one for all datapoints.
    pub(super) threshold: Option<f64>,
    pub(super) of: usize,
    pub(super) to_alarm: usize,
    /// The datapoints that decided, the most recent first.
    pub(super) points: &'a [JudgedPoint],
    pub(super) n_missing: usize,
    /// How missing datapoints were treated, as reasons name it.
    pub(super) treated: Option<&'static str>,
    pub(super) is_alarm: bool,
}

impl Crossing<'_> {
    /// Returns the reason of a state that datapoints decided.
    pub(super) fn reason(&self) -> String {
        let crossed = if self.comparison.is_of_band() { "Thresholds Crossed" } else { "Threshold Crossed" };
        let is_deciding =
            |point: &&JudgedPoint| self.comparison.is_breached(point.value, point.bounds) == self.is_alarm;
        let deciding: Vec<&JudgedPoint> = self.points.iter().filter(is_deciding).collect();
        let missing = self.missing();
        if deciding.is_empty() {
            return match missing {
                Some(missing) => {
                    let period = plural(self.n_missing, "period");
                    format!("{crossed}: no datapoints were received for {period} and {missing}.")
                }
                None => format!("{crossed}: {}.", self.too_few()),
            };
        }
        let shown: Vec<String> =
            deciding.iter().map(|point| format!("{} ({})", decimal(point.value), short_time(point.time))).collect();
        let not = if self.is_alarm { "" } else { "not " };
        let was = if deciding.len() == 1 { "was" } else { "were" };
        let compared = self.comparison.words(&self.bounds_of(&deciding));
        let minimum = if self.is_alarm { self.to_alarm } else { self.of - self.to_alarm + 1 };
        let transition = if self.is_alarm { "OK -> ALARM" } else { "ALARM -> OK" };
        let is_short = deciding.len() < minimum && self.n_missing > 0;
        let missing = missing.or_else(|| is_short.then(|| self.absent()));
        let missing = missing.map(|missing| format!(" and {missing}")).unwrap_or_default();
        format!(
            "{crossed}: {} out of the last {} datapoints [{}] {was} {not}{compared}{missing} \
            (minimum {} for {transition} transition).",
            deciding.len(),
            self.of,
            shown.join(", "),
            plural(minimum, "datapoint"),
        )
    }

    /// Returns why the existing datapoints, which all breach, do not change the state.
    fn too_few(&self) -> String {
        let points: Vec<&JudgedPoint> = self.points.iter().collect();
        let shown: Vec<String> =
            points.iter().map(|point| format!("{} ({})", decimal(point.value), short_time(point.time))).collect();
        let compared = self.comparison.words(&self.bounds_of(&points));
        format!(
            "only {} out of the last {} datapoints [{}] {} {compared}, and {} (minimum {} for OK -> ALARM transition)",
            points.len(),
            self.of,
            shown.join(", "),
            if points.len() == 1 { "was" } else { "were" },
            self.absent(),
            plural(self.to_alarm, "datapoint"),
        )
    }

    /// Returns the number of missing datapoints, in words.
    fn absent(&self) -> String {
        let are = if self.n_missing == 1 { "is" } else { "are" };
        format!("{} {are} missing", plural(self.n_missing, "datapoint"))
    }

    /// Returns what some datapoints were compared with.
    fn bounds_of(&self, points: &[&JudgedPoint]) -> Vec<Bounds> {
        match self.threshold {
            Some(threshold) => vec![Bounds::threshold(threshold)],
            None => points.iter().map(|point| point.bounds).collect(),
        }
    }

    fn missing(&self) -> Option<String> {
        let treated = self.treated.filter(|_| self.n_missing > 0)?;
        let was = if self.n_missing == 1 { "was" } else { "were" };
        Some(format!("{} {was} treated as [{treated}]", plural(self.n_missing, "missing datapoint")))
    }
}

/// The reason of a state without a band.
pub(super) const UNTRAINED: &str = "Insufficient Data: the anomaly detection model has too few values to be trained.";

/// Returns the reason of a state without data.
pub(super) fn unknown_reason(n: usize) -> String {
    let was = if n == 1 { "was" } else { "were" };
    format!("Insufficient Data: {} {was} unknown.", plural(n, "datapoint"))
}

fn plural(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Returns a number with at least one decimal, as Amazon writes it.
pub(super) fn decimal(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-3..1e7).contains(&size) {
        let text = format!("{number:E}");
        return if text.contains('.') { text } else { text.replacen('E', ".0E", 1) };
    }
    let text = number.to_string();
    if text.contains('.') { text } else { text + ".0" }
}

/// `dd/MM/yy HH:mm:ss`.
fn short_time(ms: i64) -> String {
    let text = time_text(ms);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{}/{}/{} {}", part(8, 10), part(5, 7), part(2, 4), part(11, 19))
}

/// `2026-11-25T00:10:00.000+0000`.
pub(super) fn time_text(ms: i64) -> String {
    let mut text = String::new();
    Timestamp(ms.saturating_mul(Timestamp::MILLISECOND)).write_rfc3339(3, &mut text);
    text.replace('Z', "+0000")
}

#[cfg(test)]
mod tests;
