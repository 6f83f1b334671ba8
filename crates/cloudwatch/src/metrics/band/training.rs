//! Chooses the values that a model is made of, and reads as little as it needs.
//!
//! For a slot, in this order: values of the same slot of the last two weeks, if both have some; of the same slot of the last 14 days,
//! if three have some; all of the 14 days before. Periods of more than a day are too few for any. Slots that compare are at the same time on clocks of the detector's zone.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use plan::calendar::offset_ns;
use types::Timestamp;

use super::config::BandConfig;
use super::model::Model;
use crate::metrics::math::MathProblem;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How far back training looks, in days.
const DAYS: i64 = 14;

/// Values that a model of a slot needs, and of all hours together.
const VALUES_OF_SLOT: usize = 10;
const VALUES_OF_ALL: usize = 30;

/// Weeks and days that must have values for a model of the same slot.
const WEEKS_LEAST: usize = 2;
const DAYS_LEAST: usize = 3;

/// Reads the values of a series from a time to before another, in ms, with their times.
pub(in crate::metrics) type History<'h> = dyn Fn((i64, i64)) -> Result<Vec<(i64, f64)>, MathProblem> + 'h;

/// Returns the length of slots for a period.
pub(super) fn slot_ms(period_ms: i64) -> i64 {
    HOUR_MS.max(period_ms)
}

/// Trains models of one series, for slots in rising order.
pub(super) struct Trainer<'t> {
    history: &'t History<'t>,
    config: &'t BandConfig,
    slot_ms: i64,
    /// Whether whole days are read, since many slots need them.
    is_bulk: bool,
    /// What was read, by range.
    pieces: BTreeMap<(i64, i64), Vec<(i64, f64)>>,
}

impl<'t> Trainer<'t> {
    pub(super) fn new(history: &'t History<'t>, config: &'t BandConfig, period_ms: i64, is_bulk: bool) -> Self {
        Self { history, config, slot_ms: slot_ms(period_ms), is_bulk, pieces: BTreeMap::new() }
    }

    /// Returns the model of the slot that starts at a time; `None` if there are too few values.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub(super) fn model(&mut self, slot: i64) -> Result<Option<Model>, MathProblem> {
        if self.slot_ms > DAY_MS {
            return Ok(None);
        }
        let oldest = slot - DAYS * DAY_MS;
        self.pieces.retain(|(_, end), _| *end > oldest - DAY_MS);
        let weeks = self.earlier(slot, [7, 14]);
        if let Some(values) = self.of_slots(&weeks, WEEKS_LEAST)? {
            return Ok(Model::of(values));
        }
        let days = self.earlier(slot, 1..=DAYS);
        if let Some(values) = self.of_slots(&days, DAYS_LEAST)? {
            return Ok(Model::of(values));
        }
        let values = self.of_days((oldest, slot))?;
        Ok(if values.len() < VALUES_OF_ALL { None } else { Model::of(values) })
    }

    /// Returns the ranges of the same slot some days ago; none that reaches into the slot, as a day on which clocks change may.
    fn earlier(&self, slot: i64, days: impl IntoIterator<Item = i64>) -> Vec<(i64, i64)> {
        let zone = self.config.zone;
        let range = |days: i64| {
            let same = slot - days * DAY_MS;
            let start = same + offset_ms(zone, slot) - offset_ms(zone, same);
            (start, start + self.slot_ms)
        };
        days.into_iter().map(range).filter(|(_, end)| *end <= slot).collect()
    }

    /// Returns the values of some slots, if they are enough and in enough of the slots.
    fn of_slots(&mut self, slots: &[(i64, i64)], n_least: usize) -> Result<Option<Vec<f64>>, MathProblem> {
        let (mut values, mut n_slots) = (Vec::new(), 0);
        for range in slots {
            let of_slot = if self.is_bulk { self.of_days(*range)? } else { self.of_range(*range, *range)? };
            n_slots += usize::from(!of_slot.is_empty());
            values.extend(of_slot);
        }
        Ok((n_slots >= n_least && values.len() >= VALUES_OF_SLOT).then_some(values))
    }

    /// Returns the values of a range, read by whole days.
    fn of_days(&mut self, (from, to): (i64, i64)) -> Result<Vec<f64>, MathProblem> {
        let mut values = Vec::new();
        let mut day = from.div_euclid(DAY_MS) * DAY_MS;
        while day < to {
            values.extend(self.of_range((day, day + DAY_MS), (from, to))?);
            day += DAY_MS;
        }
        Ok(values)
    }

    /// Returns the values of a piece, which is read if it was not, that are within a range.
    fn of_range(&mut self, piece: (i64, i64), (from, to): (i64, i64)) -> Result<Vec<f64>, MathProblem> {
        if !self.pieces.contains_key(&piece) {
            let read = (self.history)(piece)?;
            self.pieces.insert(piece, read);
        }
        let excluded = &self.config.excluded;
        let counts = |time: i64| {
            (from..to).contains(&time) && !excluded.iter().any(|(start, end)| (*start..*end).contains(&time))
        };
        let points = self.pieces.get(&piece).into_iter().flatten();
        Ok(points.filter(|(time, _)| counts(*time)).map(|(_, value)| *value).collect())
    }
}

/// Returns how far clocks of a zone are ahead of UTC, in ms.
fn offset_ms(zone: Tz, time: i64) -> i64 {
    offset_ns(zone, time.saturating_mul(Timestamp::MILLISECOND)) / Timestamp::MILLISECOND
}
