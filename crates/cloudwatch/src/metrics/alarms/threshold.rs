//! The comparison of an alarm, and the reasons that it gives, in Amazon's words.

use types::Timestamp;

use super::super::error::bad_value;
use crate::answer::CloudWatchProblem;

/// How a datapoint is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    GreaterOrEqual,
    Greater,
    Less,
    LessOrEqual,
}

const COMPARISONS: [(&str, Comparison, &str); 4] = [
    ("GreaterThanOrEqualToThreshold", Comparison::GreaterOrEqual, "greater than or equal to"),
    ("GreaterThanThreshold", Comparison::Greater, "greater than"),
    ("LessThanThreshold", Comparison::Less, "less than"),
    ("LessThanOrEqualToThreshold", Comparison::LessOrEqual, "less than or equal to"),
];

/// Operators of alarms on anomalies.
const OF_BANDS: [&str; 3] =
    ["LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"];

impl Comparison {
    pub(super) fn read(text: &str) -> Result<Self, CloudWatchProblem> {
        if OF_BANDS.contains(&text) {
            let message = "alarms on anomalies (ANOMALY_DETECTION_BAND) are not supported here.";
            return Err(bad_value(format!("ComparisonOperator {text}: {message}")));
        }
        let found = COMPARISONS.iter().find(|(name, ..)| *name == text).map(|(_, comparison, _)| *comparison);
        let names = COMPARISONS.map(|(name, ..)| name).join(", ");
        found.ok_or_else(|| bad_value(format!("The value {text:?} of ComparisonOperator must be one of {names}.")))
    }

    pub(super) fn name(self) -> &'static str {
        COMPARISONS.iter().find(|(_, known, _)| *known == self).map_or("", |(name, ..)| name)
    }

    fn words(self) -> &'static str {
        COMPARISONS.iter().find(|(_, known, _)| *known == self).map_or("", |(.., words)| words)
    }

    /// Reports whether a value breaches the threshold.
    pub(super) fn is_breached(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterOrEqual => value >= threshold,
            Self::Greater => value > threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

/// What decided on the state of an alarm.
pub(super) struct Crossing<'a> {
    pub(super) comparison: Comparison,
    pub(super) threshold: f64,
    pub(super) of: usize,
    pub(super) to_alarm: usize,
    /// The datapoints that decided, the most recent first, with their times in ms.
    pub(super) points: &'a [(i64, f64)],
    pub(super) n_missing: usize,
    /// How missing datapoints were treated, as reasons name it.
    pub(super) treated: Option<&'static str>,
    pub(super) is_alarm: bool,
}

impl Crossing<'_> {
    /// Returns the reason of a state that datapoints decided.
    pub(super) fn reason(&self) -> String {
        let threshold = decimal(self.threshold);
        let words = self.comparison.words();
        let is_deciding = |value: f64| self.comparison.is_breached(value, self.threshold) == self.is_alarm;
        let deciding: Vec<&(i64, f64)> = self.points.iter().filter(|(_, value)| is_deciding(*value)).collect();
        let missing = self.missing();
        if deciding.is_empty() {
            return match missing {
                Some(missing) => {
                    let period = plural(self.n_missing, "period");
                    format!("Threshold Crossed: no datapoints were received for {period} and {missing}.")
                }
                None => format!("Threshold Crossed: no datapoint was {words} the threshold ({threshold})."),
            };
        }
        let shown: Vec<String> =
            deciding.iter().map(|(time, value)| format!("{} ({})", decimal(*value), short_time(*time))).collect();
        let not = if self.is_alarm { "" } else { "not " };
        let was = if deciding.len() == 1 { "was" } else { "were" };
        let minimum = if self.is_alarm { self.to_alarm } else { self.of - self.to_alarm + 1 };
        let transition = if self.is_alarm { "OK -> ALARM" } else { "ALARM -> OK" };
        let missing = missing.map(|missing| format!(" and {missing}")).unwrap_or_default();
        format!(
            "Threshold Crossed: {} out of the last {} datapoints [{}] {was} {not}{words} the threshold ({threshold}){missing} \
            (minimum {} for {transition} transition).",
            deciding.len(),
            self.of,
            shown.join(", "),
            plural(minimum, "datapoint"),
        )
    }

    fn missing(&self) -> Option<String> {
        let treated = self.treated.filter(|_| self.n_missing > 0)?;
        let was = if self.n_missing == 1 { "was" } else { "were" };
        Some(format!("{} {was} treated as [{treated}]", plural(self.n_missing, "missing datapoint")))
    }
}

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
mod tests {
    use super::*;

    const NOON_MS: i64 = 1_764_072_000_000;

    fn crossing(points: &[(i64, f64)]) -> Crossing<'_> {
        Crossing {
            comparison: Comparison::Greater,
            threshold: 2.0,
            of: 3,
            to_alarm: 2,
            points,
            n_missing: 0,
            treated: None,
            is_alarm: true,
        }
    }

    #[test]
    fn reasons_are_worded_as_amazon_words_them() {
        let points = [(NOON_MS, 3.5), (NOON_MS - 60_000, 1.0), (NOON_MS - 120_000, 4.0)];
        assert_eq!(
            crossing(&points).reason(),
            "Threshold Crossed: 2 out of the last 3 datapoints [3.5 (25/11/25 12:00:00), 4.0 (25/11/25 11:58:00)] were greater than the \
            threshold (2.0) (minimum 2 datapoints for OK -> ALARM transition)."
        );
        let one = [(NOON_MS, 1.0)];
        let of_one = Crossing { of: 1, to_alarm: 1, is_alarm: false, ..crossing(&one) };
        assert_eq!(
            of_one.reason(),
            "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (25/11/25 12:00:00)] was not greater than the threshold (2.0) \
            (minimum 1 datapoint for ALARM -> OK transition)."
        );
        let silent = Crossing { n_missing: 3, treated: Some("Breaching"), ..crossing(&[]) };
        assert_eq!(
            silent.reason(),
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching]."
        );
        assert_eq!(unknown_reason(1), "Insufficient Data: 1 datapoint was unknown.");
    }

    #[test]
    fn numbers_have_a_decimal() {
        for (number, expected) in [(0.0, "0.0"), (5.0, "5.0"), (-0.25, "-0.25"), (1e9, "1.0E9"), (2.5e-5, "2.5E-5")] {
            assert_eq!(decimal(number), expected);
        }
    }
}
