//! The scale of a chart's values: its ends, its marks, and where a value lies between 0 and 1.

use crate::document::{Panel, Scale};

/// Limits are drawn where values come as near as this.
const NEAR: f64 = 1.5;

/// A scale.
pub(super) struct ValueScale {
    low: f64,
    top: f64,
    is_log: bool,
    pub(super) marks: Vec<f64>,
}

impl ValueScale {
    /// Returns the scale for values.
    pub(super) fn of(values: &[f64], panel: &Panel, is_from_zero: bool) -> Self {
        let mut least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let mut most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let above = values.iter().copied().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        if panel.scale == Scale::Log && above.is_finite() {
            return Self::logarithmic(above, most);
        }
        for threshold in &panel.thresholds {
            if threshold.value > most && threshold.value < most * NEAR {
                most = threshold.value;
            }
        }
        if is_from_zero {
            least = least.min(0.0);
        }
        Self::linear(least, most)
    }

    /// Returns where a value lies, from 0 at the bottom to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = if !self.is_log {
            (value - self.low) / (self.top - self.low)
        } else if value > 0.0 {
            (value / self.low).log10() / (self.top / self.low).log10()
        } else {
            0.0
        };
        share.clamp(0.0, 1.0)
    }

    /// Reports whether a value is on the scale.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.low..=self.top).contains(&value)
    }

    fn linear(mut least: f64, mut most: f64) -> Self {
        if !least.is_finite() || !most.is_finite() {
            (least, most) = (0.0, 1.0);
        }
        if least >= 0.0 && least < most * 0.75 {
            least = 0.0;
        }
        if most <= 0.0 && most > least * 0.75 {
            most = 0.0;
        }
        if least == most {
            let half = least.abs() / 2.0;
            (least, most) = if half == 0.0 { (0.0, 1.0) } else { (least - half, most + half) };
        }
        let rough = (most - least) / 4.0;
        let size = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0].into_iter().find(|one| one * size >= rough).unwrap_or(10.0) * size;
        let (low, top) = ((least / step).floor(), (most / step).ceil());
        let marks = (0..=(top - low) as i64).map(|n| (low + n as f64) * step).collect();
        Self { low: low * step, top: top * step, is_log: false, marks }
    }

    fn logarithmic(least: f64, most: f64) -> Self {
        let low = least.log10().floor() as i32;
        let top = (most.log10().ceil() as i32).max(low + 1);
        let every = ((top - low + 4) / 5).max(1);
        let marks = (0..=(top - low) / every).map(|n| 10f64.powi(low + n * every)).collect();
        Self { low: 10f64.powi(low), top: 10f64.powi(top), is_log: true, marks }
    }
}

#[cfg(test)]
mod tests;
