//! The band of values that are expected of a metric: the model behind anomaly detection.
//!
//! A model holds for a slot of time: an hour, or a period if that is longer. It is the median and a robust deviation of values of
//! the two weeks before the slot (`model`): those of the same hour of the week, else those of the same hour of the day, else all
//! (`training`). It is a function of the stored data and the configuration of a detector, so that every node finds the same, and
//! nothing is stored.

mod config;
mod model;
mod training;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use types::Hold;
use xxhash_rust::xxh3::xxh3_64;

pub(super) use self::config::BandConfig;
use self::model::Model;
pub(super) use self::training::History;
use self::training::{Trainer, slot_ms};
use super::math::{MathProblem, Series};
use super::source::MetricSource;

/// Slots whose models are trained from one reading of two weeks; fewer read only the hours that they need.
const SLOTS_BULK: usize = 6;

/// Most datapoints of a band, as of an answer at Amazon.
const POINTS_MAX: usize = 100_800;

/// Most models that are kept, with some 60 bytes each.
const CACHED_MAX: usize = 20_000;

/// Models that were trained a short time ago, by what they are of and their slot.
#[derive(Debug, Default)]
pub(super) struct ModelCache(Mutex<HashMap<(u64, i64), Option<Model>>>);

impl ModelCache {
    /// Returns what is known of a slot: its model, or that there are too few values for one.
    fn get(&self, key: (u64, i64)) -> Option<Option<Model>> {
        self.0.hold().get(&key).copied()
    }

    fn put(&self, key: (u64, i64), model: Option<Model>) {
        let mut models = self.0.hold();
        if models.len() >= CACHED_MAX {
            models.clear();
        }
        models.insert(key, model);
    }
}

/// What bands of a request are made with.
pub(super) struct BandContext<'b> {
    /// Where models are trained from: data at their own times.
    pub(super) source: &'b dyn MetricSource,
    /// Returns the configuration for what is spelled so.
    pub(super) config: &'b dyn Fn(&str) -> Result<BandConfig, MathProblem>,
    /// Models that are known, and what tells those apart who see other data.
    pub(super) cache: Option<(&'b ModelCache, u64)>,
}

/// What a band is asked of.
pub(super) struct BandRequest<'b> {
    /// What the series is, spelled so that equal ones are equal.
    pub(super) spelled: &'b str,
    pub(super) config: &'b BandConfig,
    /// Reads the series.
    pub(super) history: &'b History<'b>,
    pub(super) period_ms: i64,
    /// How much later the data of the series are than its times say, in ms.
    pub(super) shift_ms: i64,
    /// Models that are known, and what tells those apart who see other data.
    pub(super) cache: Option<(&'b ModelCache, u64)>,
}

impl BandRequest<'_> {
    /// Returns the upper and the lower bound at those of some times for which there is a model.
    ///
    /// # Errors
    /// If the history cannot be read, or the times are too many.
    pub(super) fn bounds(
        &self,
        times: impl Iterator<Item = i64>,
        n_deviations: f64,
    ) -> Result<[BTreeMap<i64, f64>; 2], MathProblem> {
        let times: Vec<i64> = times.take(POINTS_MAX + 1).collect();
        if times.len() > POINTS_MAX {
            return Err(MathProblem(format!("a band of more than {POINTS_MAX} datapoints is not possible")));
        }
        let models = self.models(&times)?;
        let (mut upper, mut lower) = (BTreeMap::new(), BTreeMap::new());
        for time in times {
            if let Some(model) = models.get(&self.slot_of(time)) {
                let (low, high) = model.bounds(n_deviations, self.config.has_spikes);
                upper.insert(time, high);
                lower.insert(time, low);
            }
        }
        Ok([upper, lower])
    }

    /// Reports whether there is a model for a time.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub(super) fn is_trained(&self, time: i64) -> Result<bool, MathProblem> {
        Ok(!self.models(&[time])?.is_empty())
    }

    fn slot_of(&self, time: i64) -> i64 {
        let length = slot_ms(self.period_ms);
        (time + self.shift_ms).div_euclid(length) * length
    }

    /// Returns the models of the slots of some times, as far as there are enough data.
    fn models(&self, times: &[i64]) -> Result<BTreeMap<i64, Model>, MathProblem> {
        let seen = self.cache.map_or(0, |(_, seen)| seen);
        let key = xxh3_64(format!("{} {} {seen} {:?}", self.spelled, self.period_ms, self.config).as_bytes());
        let slots: BTreeSet<i64> = times.iter().map(|time| self.slot_of(*time)).collect();
        let known = |slot: &i64| Some((*slot, self.cache?.0.get((key, *slot))?));
        let mut models: BTreeMap<i64, Option<Model>> = slots.iter().filter_map(known).collect();
        let open: Vec<i64> = slots.into_iter().filter(|slot| !models.contains_key(slot)).collect();
        let mut trainer = Trainer::new(self.history, self.config, self.period_ms, open.len() > SLOTS_BULK);
        for slot in open {
            let model = trainer.model(slot)?;
            if let Some((cache, _)) = self.cache {
                cache.put((key, slot), model);
            }
            models.insert(slot, model);
        }
        Ok(models.into_iter().filter_map(|(slot, model)| Some((slot, model?))).collect())
    }
}

/// Returns the series of a band, the upper bound first, as they are labelled at Amazon.
pub(super) fn series_of(bounds: [BTreeMap<i64, f64>; 2], of: &Series) -> Vec<Series> {
    let label = if of.label.is_empty() { String::new() } else { format!("{} (expected)", of.label) };
    let bound = |points| Series { label: label.clone(), points, period_ms: of.period_ms, properties: BTreeMap::new() };
    bounds.map(bound).into()
}

#[cfg(test)]
mod tests;
