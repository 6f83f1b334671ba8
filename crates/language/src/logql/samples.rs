//! What range functions make of all numbers of a window, in order of time.

use types::Timestamp;

use super::metric::RangeFunction;

pub(super) fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / Timestamp::SECOND as f64
}

/// Returns the value of a function for one or more numbers, which may be `NaN` or infinite.
pub(super) fn of_numbers(function: RangeFunction, values: Vec<f64>) -> f64 {
    let missing = || f64::NAN;
    let best = |is_better: fn(f64, f64) -> bool| {
        let choose = |best: f64, value: f64| if is_better(value, best) || best.is_nan() { value } else { best };
        values.iter().copied().reduce(choose).unwrap_or_else(missing)
    };
    match function {
        RangeFunction::Quantile(share) => quantile(share, values),
        RangeFunction::Min => best(|a, b| a < b),
        RangeFunction::Max => best(|a, b| a > b),
        RangeFunction::First => values.first().copied().unwrap_or_else(missing),
        RangeFunction::Last => values.last().copied().unwrap_or_else(missing),
        RangeFunction::Average => mean(&values),
        RangeFunction::Deviation => variance(&values).sqrt(),
        RangeFunction::Variance => variance(&values),
        RangeFunction::Count | RangeFunction::Absent => values.len() as f64,
        _ => values.iter().sum(),
    }
}

/// An infinite mean stays what it is, as in Prometheus, until the other infinity or `NaN` comes.
fn mean(values: &[f64]) -> f64 {
    let mut mean = 0.0f64;
    for (value, count) in values.iter().zip(1u32..) {
        let stays = mean.is_infinite() && (value.is_finite() || *value == mean);
        if !stays {
            mean += value / f64::from(count) - mean / f64::from(count);
        }
    }
    mean
}

fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (0.0, 0.0);
    for (value, count) in values.iter().zip(1u32..) {
        let distance = value - mean;
        mean += distance / f64::from(count);
        squares += distance * (value - mean);
    }
    squares / values.len() as f64
}

/// Returns the number below which a share of the numbers lies, between the two closest ones in proportion.
fn quantile(share: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || share.is_nan() {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&share) {
        return if share < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let rank = share * (values.len() - 1) as f64;
    let (_, lower, above) = values.select_nth_unstable_by(rank.floor() as usize, f64::total_cmp);
    let lower = *lower;
    let upper = above.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    let weight = rank - rank.floor();
    lower * (1.0 - weight) + upper * weight
}

/// Returns how fast a counter rises per second, resets added, as if it went on to both ends of the window as between
/// its samples: Prometheus' estimate.
pub(super) fn counter_rate(values: &[f64], (first, last): (i64, i64), end: i64, window_ns: i64) -> f64 {
    let (Some(first_value), Some(last_value)) = (values.first(), values.last()) else { return 0.0 };
    if values.len() < 2 {
        return 0.0;
    }
    let resets: f64 = values.windows(2).filter(|pair| pair[1] < pair[0]).map(|pair| pair[0]).sum();
    let rise = last_value - first_value + resets;
    let sampled = seconds(last.saturating_sub(first));
    let pause = sampled / (values.len() - 1) as f64;
    let within = |gap: f64| if gap >= pause * 1.1 { pause / 2.0 } else { gap };
    let mut before = within(seconds(first.saturating_sub(end.saturating_sub(window_ns))));
    // A counter was never below zero.
    if rise > 0.0 && *first_value >= 0.0 {
        before = before.min(sampled * (first_value / rise));
    }
    let after = within(seconds(end.saturating_sub(last)));
    rise * ((sampled + before + after) / sampled) / seconds(window_ns)
}

#[cfg(test)]
mod tests;
