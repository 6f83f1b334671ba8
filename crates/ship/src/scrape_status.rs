//! The state of what an input scrapes, as reported to the server.
//!
//! Bounded, since it is a part of every report: targets beyond the limit are counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use exposition::{ActiveTarget, DroppedTarget};
use serde::Serialize;

/// Most targets of an input in a report.
const TARGETS_MAX: usize = 2_000;

/// Most bytes of the targets of all inputs in a report, which has at most 2 MiB.
pub(crate) const REPORT_BYTES_MAX: usize = 512 << 10;

/// Bytes of a label in a report besides its name and value, and of a target besides its texts.
const LABEL_BYTES: usize = 6;
const TARGET_BYTES: usize = 200;

/// The jobs of an input and their targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScrapeStatus {
    /// Names of jobs.
    pub pools: Vec<String>,
    /// Targets that are scraped.
    pub active: Vec<ActiveTarget>,
    /// Targets that relabelling drops.
    pub dropped: Vec<DroppedTarget>,
    /// How many are dropped, by job.
    pub n_dropped: BTreeMap<String, u64>,
    /// Active and dropped targets that are not listed.
    pub left_out: u64,
    /// Bytes that targets have taken, and may take.
    #[serde(skip)]
    n_bytes: usize,
    #[serde(skip)]
    n_bytes_max: usize,
}

impl ScrapeStatus {
    pub(crate) fn new(pools: Vec<String>, n_bytes_max: usize) -> Self {
        let n_bytes = pools.iter().map(|pool| pool.len() + LABEL_BYTES).sum();
        Self { n_bytes, n_bytes_max, pools, ..Self::default() }
    }

    /// Returns the part of it that has room in a report, and takes that room.
    pub(crate) fn within(self: &Arc<Self>, room: &mut usize) -> Arc<Self> {
        let status = if self.n_bytes <= *room { self.clone() } else { Arc::new(self.cut(*room)) };
        *room = room.saturating_sub(status.n_bytes);
        status
    }

    fn cut(&self, n_bytes_max: usize) -> Self {
        let mut cut = Self::new(self.pools.clone(), n_bytes_max);
        self.active.iter().for_each(|target| cut.add_active(target.clone()));
        self.dropped.iter().for_each(|target| cut.add_dropped(target.clone()));
        (cut.n_dropped, cut.left_out) = (self.n_dropped.clone(), cut.left_out + self.left_out);
        cut
    }

    pub(crate) fn add_active(&mut self, target: ActiveTarget) {
        let texts = target.pool.len() + target.url.len() + target.last_error.len();
        if self.has_room(texts + label_bytes(&target.discovered) + label_bytes(&target.labels)) {
            self.active.push(target);
        }
    }

    pub(crate) fn add_dropped(&mut self, target: DroppedTarget) {
        *self.n_dropped.entry(target.pool.clone()).or_default() += 1;
        if self.has_room(target.pool.len() + label_bytes(&target.discovered)) {
            self.dropped.push(target);
        }
    }

    /// Takes room for a target; counts one for which there is none.
    fn has_room(&mut self, n_bytes: usize) -> bool {
        let n_after = self.n_bytes + n_bytes + TARGET_BYTES;
        let fits = n_after <= self.n_bytes_max && self.active.len() + self.dropped.len() < TARGETS_MAX;
        self.n_bytes = if fits { n_after } else { self.n_bytes };
        self.left_out += u64::from(!fits);
        fits
    }
}

fn label_bytes(labels: &BTreeMap<String, String>) -> usize {
    labels.iter().map(|(name, value)| name.len() + value.len() + LABEL_BYTES).sum()
}

#[cfg(test)]
mod tests;
