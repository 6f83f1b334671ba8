//! What is unusual: counts against those of an earlier window, values against their like.

/// How many standard deviations wide half of a band is.
const BAND_WIDTH: f64 = 3.0;

/// A normal distribution's standard deviation in terms of its median absolute deviation.
const DEVIATIONS: f64 = 1.4826;

/// The least spread of values, as a share of their median: closer together they are as good as equal.
const SPREAD_MIN: f64 = 0.05;

/// Most values that one is compared with, the nearest ones.
const PEERS_MAX: usize = 60;

/// Least values of the same part of the season; with fewer there is no season.
const PEERS_OF_SEASON_MIN: usize = 2;

/// A factor below which counts have hardly changed.
const FACTOR_MIN: f64 = 1.2;

/// Says how a number has changed: `up 8×`, `down 3.5×`, or `unchanged`; of counts also `new` and `gone`, and those that
/// differ as much as chance would make them are unchanged.
pub fn change(now: f64, before: f64, is_count: bool) -> String {
    if is_count && now > 0.0 && before == 0.0 {
        return "new".into();
    }
    if is_count && now == 0.0 && before > 0.0 {
        return "gone".into();
    }
    // Counts that do not depend on each other differ by their root.
    let is_chance = is_count && (now - before).abs() <= 2.0 * (now.abs() + before.abs()).sqrt();
    let direction = if now > before { "up" } else { "down" };
    let factor = if now.abs() > before.abs() { now / before } else { before / now };
    if is_chance || now == before || (1.0..FACTOR_MIN).contains(&factor) {
        return "unchanged".into();
    }
    // Across zero no factor says anything.
    if factor.is_finite() && factor > 0.0 { format!("{direction} {}×", short(factor)) } else { direction.into() }
}

/// Returns a number as people say it: one decimal below ten, none above.
pub fn short(number: f64) -> String {
    let rounded = if number.abs() < 10.0 { (number * 10.0).round() / 10.0 } else { number.round() };
    format!("{rounded}")
}

/// Where a value is expected, and how far out it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Band {
    /// Expected: the median of its peers.
    pub usual: f64,
    /// Lower edge.
    pub lower: f64,
    /// Upper edge.
    pub upper: f64,
    /// Distance from the median in robust standard deviations; above 3 the value is outside.
    pub score: f64,
}

impl Band {
    /// Reports whether the value is outside.
    pub fn is_outside(&self) -> bool {
        self.score > BAND_WIDTH
    }

    /// Says in words why a value outside is unusual.
    pub fn reason(&self, value: f64) -> Option<String> {
        let usual = short(self.usual);
        let factor = if value > self.usual { value / self.usual } else { self.usual / value };
        let side = if value > self.usual { "above" } else { "below" };
        self.is_outside().then(|| match factor.is_finite() && factor > 0.0 {
            true => format!("{} is {}× {side} the usual {usual}", short(value), short(factor)),
            false => format!("{} is {side} the usual {usual}", short(value)),
        })
    }
}

/// What values usually are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualValue {
    /// Their median.
    pub usual: f64,
    /// A standard deviation, estimated so that a few strays among them hardly change it.
    pub deviation: f64,
}

/// Returns what `values` usually are; nothing of none. `is_count`: they count events, which spread by chance.
pub fn usual(values: &[f64], is_count: bool) -> Option<UsualValue> {
    let usual = median(values.to_vec())?;
    let spread = median(values.iter().map(|value| (value - usual).abs()).collect())?;
    let deviation = (DEVIATIONS * spread).max(least_deviation(usual, is_count));
    Some(UsualValue { usual, deviation })
}

/// Closer together values are as good as equal.
fn least_deviation(usual: f64, is_count: bool) -> f64 {
    let by_chance = if is_count { usual.max(1.0).sqrt() } else { 0.0 };
    by_chance.max(SPREAD_MIN * usual.abs()).max(f64::MIN_POSITIVE)
}

/// Bands for the values of a series at equal distances. With a `season` of so many values each is compared with those
/// of the same part of the season, otherwise with its neighbours; never with itself. `is_count`: the values count
/// events, which spread by chance.
pub fn band(values: &[f64], season: Option<usize>, is_count: bool) -> Vec<Band> {
    let medians: Vec<Option<(f64, f64)>> = (0..values.len())
        .map(|place| {
            let peers = peers(values, place, season);
            let usual = median(peers.clone())?;
            let spread = median(peers.iter().map(|peer| (peer - usual).abs()).collect())?;
            Some((usual, spread))
        })
        .collect();
    let off = |(value, median): (&f64, &Option<(f64, f64)>)| median.map(|(usual, _)| (value - usual).abs());
    let typical = median(values.iter().zip(&medians).filter_map(off).collect()).unwrap_or_default();
    let is_positive = values.iter().all(|value| *value >= 0.0);
    let bands = values.iter().zip(medians).map(|(value, median)| {
        let Some((usual, spread)) = median else {
            return Band { usual: *value, lower: *value, upper: *value, score: 0.0 };
        };
        let deviation = (DEVIATIONS * spread.max(typical)).max(least_deviation(usual, is_count));
        let lower = usual - BAND_WIDTH * deviation;
        let score = ((value - usual).abs() / deviation).min(1e6);
        Band {
            usual,
            lower: round(if is_positive { lower.max(0.0) } else { lower }),
            upper: round(usual + BAND_WIDTH * deviation),
            score: round(score),
        }
    });
    bands.collect()
}

fn round(number: f64) -> f64 {
    let rounded = (number * 100.0).round() / 100.0;
    if rounded.is_finite() { rounded } else { number }
}

/// Returns the values that the one at `place` is compared with.
fn peers(values: &[f64], place: usize, season: Option<usize>) -> Vec<f64> {
    let by_step = |step: usize| -> Vec<f64> {
        let before = (1..).map_while(|n| place.checked_sub(n * step));
        let after = (1..).map(|n| place + n * step).take_while(|at| *at < values.len());
        let before: Vec<usize> = before.take(PEERS_MAX).collect();
        let after: Vec<usize> = after.take(PEERS_MAX).collect();
        // The nearest ones on both sides; where one side is short, more of the other.
        let n_before = before.len().min((PEERS_MAX / 2).max(PEERS_MAX.saturating_sub(after.len())));
        let n_after = after.len().min(PEERS_MAX - n_before);
        before[..n_before].iter().chain(&after[..n_after]).map(|at| values[*at]).collect()
    };
    let of_season = season.filter(|season| *season > 1).map(by_step).unwrap_or_default();
    if of_season.len() >= PEERS_OF_SEASON_MIN { of_season } else { by_step(1) }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests;
