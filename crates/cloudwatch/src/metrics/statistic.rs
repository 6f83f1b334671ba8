//! Statistics over the values of a period.
//!
//! A percentile is the smallest value up to which at least that share of the values lies. A trimmed range of percentages
//! keeps each value that lies at least partly inside it. Values of a statistic set are not known, unless all are equal.

use ingest::datum::Datum;

use super::error::bad_value;
use crate::answer::Result;

/// One end of a range: a share of all values from 0 to 1, or a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bounds {
    Shares(f64, f64),
    Values(f64, f64),
}

types::named! {
    /// What is computed of a range of values.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) enum Trimmed {
        Mean = "TM",
        Count = "TC",
        Sum = "TS",
        WinsorizedMean = "WM",
        Rank = "PR",
    }
}

/// A statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Statistic {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    Percentile(f64),
    Trimmed(Trimmed, Bounds),
}

/// The statistics that every datum has.
const SIMPLE: [(&str, Statistic); 5] = [
    ("SampleCount", Statistic::SampleCount),
    ("Sum", Statistic::Sum),
    ("Average", Statistic::Average),
    ("Minimum", Statistic::Minimum),
    ("Maximum", Statistic::Maximum),
];

impl Statistic {
    /// Reads a statistic: `Sum`, `p99.9`, `tm90`, `TM(10%:90%)`, `PR(:300)`, `IQM`.
    ///
    /// # Errors
    /// If it is none.
    pub(super) fn read(text: &str) -> Result<Self> {
        Self::find(text).ok_or_else(|| {
            let shown: String = text.chars().take(100).collect();
            bad_value(format!("The value {shown} for parameter Stat is not supported: Sum, p99, TM(10%:90%) would be."))
        })
    }

    /// Reads a statistic; `None` if it is none.
    pub(super) fn find(text: &str) -> Option<Self> {
        Self::simple(text).or_else(|| Self::extended(text))
    }

    /// Reads one of the five statistics that need no single values.
    pub(super) fn simple(text: &str) -> Option<Self> {
        SIMPLE.iter().find(|(name, _)| *name == text).map(|(_, statistic)| *statistic)
    }

    /// Reads a statistic that needs single values.
    pub(super) fn extended(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("iqm") {
            return Some(Self::Trimmed(Trimmed::Mean, Bounds::Shares(0.25, 0.75)));
        }
        if let Some(percent) = text.strip_prefix(['p', 'P'])
            && percent.starts_with(|first: char| first.is_ascii_digit())
        {
            return share(percent).map(Self::Percentile);
        }
        let (name, rest) = text.split_at_checked(2)?;
        let kind = Trimmed::named(&name.to_ascii_uppercase())?;
        let bounds = match rest.strip_prefix('(').map(|inner| inner.strip_suffix(')')) {
            None if kind == Trimmed::Rank => return None,
            None => Bounds::Shares(0.0, share(rest)?),
            Some(inner) => bounds(inner?)?,
        };
        // A rank of percentages would be their difference.
        let is_allowed = kind != Trimmed::Rank || matches!(bounds, Bounds::Values(..));
        is_allowed.then_some(Self::Trimmed(kind, bounds))
    }

    /// Returns the statistic of a period; `None` if it has no values, or needs single values of a set.
    pub(super) fn of(self, data: &[Datum]) -> Option<f64> {
        let sum_of = |part: fn(&Datum) -> f64| data.iter().map(part).sum::<f64>();
        let count = sum_of(|datum| datum.count);
        if data.is_empty() || count <= 0.0 {
            return None;
        }
        match self {
            Self::SampleCount => Some(count),
            Self::Sum => Some(sum_of(|datum| datum.sum)),
            Self::Average => Some(sum_of(|datum| datum.sum) / count),
            Self::Minimum => data.iter().map(|datum| datum.minimum).reduce(f64::min),
            Self::Maximum => data.iter().map(|datum| datum.maximum).reduce(f64::max),
            Self::Percentile(share) => Some(value_at(&in_order(data)?, share * count)),
            Self::Trimmed(kind, bounds) => trimmed(kind, bounds, &in_order(data)?, count),
        }
    }
}

/// Returns a percentage from 0 to 100 as a share.
fn share(text: &str) -> Option<f64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent: f64 = text.parse().ok().filter(|_| is_number)?;
    (percent <= 100.0).then_some(percent / 100.0)
}

/// Reads `10%:90%`, `:300`, `100:2000`.
fn bounds(text: &str) -> Option<Bounds> {
    let (low, high) = text.split_once(':')?;
    if low.is_empty() && high.is_empty() {
        return None;
    }
    let of_share = |text: &str, open: f64| if text.is_empty() { Some(open) } else { share(text.strip_suffix('%')?) };
    let bounds = if text.contains('%') {
        Bounds::Shares(of_share(low, 0.0)?, of_share(high, 1.0)?)
    } else {
        let of_value = |text: &str, open: f64| {
            if text.is_empty() { Some(open) } else { text.parse().ok().filter(|value: &f64| value.is_finite()) }
        };
        Bounds::Values(of_value(low, f64::NEG_INFINITY)?, of_value(high, f64::INFINITY)?)
    };
    let (Bounds::Shares(low, high) | Bounds::Values(low, high)) = bounds;
    (low < high).then_some(bounds)
}

/// Reports whether data have statistic sets of different values, whose single values are not known.
pub(super) fn has_sets(data: &[Datum]) -> bool {
    data.iter().any(|datum| datum.minimum != datum.maximum)
}

/// Returns values and their counts in order of value; `None` if there are sets of different values.
fn in_order(data: &[Datum]) -> Option<Vec<(f64, f64)>> {
    let mut values: Vec<(f64, f64)> = data.iter().map(|datum| (datum.minimum, datum.count)).collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    (!has_sets(data)).then_some(values)
}

/// Returns the first value up to which `rank` values lie.
fn value_at(values: &[(f64, f64)], rank: f64) -> f64 {
    let mut before = 0.0;
    for (value, count) in values {
        before += count;
        // Shares such as 0.07 are not exact.
        if before >= rank * (1.0 - f64::EPSILON * 4.0) {
            return *value;
        }
    }
    values.last().map_or(0.0, |(value, _)| *value)
}

fn trimmed(kind: Trimmed, bounds: Bounds, values: &[(f64, f64)], count: f64) -> Option<f64> {
    let (mut kept_sum, mut kept, mut outside, mut before) = (0.0, 0.0, 0.0, 0.0);
    let exact = |rank: f64| (rank * 1e9).round() / 1e9;
    let (low, high) = match bounds {
        Bounds::Shares(low, high) => {
            let (first, last) = (exact(low * count).floor(), exact(high * count).ceil());
            (value_at(values, first + 1.0), value_at(values, last))
        }
        Bounds::Values(low, high) => (low, high),
    };
    for (value, n) in values {
        let inside = match bounds {
            Bounds::Shares(low, high) => {
                let (first, last) = (exact(low * count).floor(), exact(high * count).ceil());
                (f64::min(before + n, last) - f64::max(before, first)).max(0.0)
            }
            Bounds::Values(low, high) if low < *value && *value <= high => *n,
            Bounds::Values(..) => 0.0,
        };
        before += n;
        kept += inside;
        kept_sum += inside * value;
        outside += (n - inside) * value.clamp(low, high);
    }
    match kind {
        Trimmed::Count => Some(kept),
        Trimmed::Sum => Some(kept_sum),
        Trimmed::Mean => (kept > 0.0).then(|| kept_sum / kept),
        Trimmed::WinsorizedMean => Some((kept_sum + outside) / count),
        Trimmed::Rank => Some(kept / count * 100.0),
    }
}

#[cfg(test)]
mod tests;
