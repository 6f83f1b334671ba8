//! Targets of scrapes as shippers report them.

use std::collections::BTreeMap;

use exposition::{ActiveTarget, DroppedTarget};
use serde::{Deserialize, Serialize};
use types::GroupScope;

use crate::sample::sample_group;

/// Bytes of a target or a label in memory, besides its texts.
const TARGET_BYTES: usize = 400;
const LABEL_BYTES: usize = 60;

/// The jobs of an input and their targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InputScrapes {
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
}

impl InputScrapes {
    /// Returns the bytes that it takes in memory.
    pub(super) fn n_bytes(&self) -> usize {
        let labels = |labels: &BTreeMap<String, String>| -> usize {
            labels.iter().map(|(name, value)| name.len() + value.len() + LABEL_BYTES).sum()
        };
        let active = self.active.iter().map(|target| {
            let texts = [&target.pool, &target.url, &target.interval, &target.timeout, &target.last_error];
            let n_texts: usize = texts.iter().map(|text| text.len()).sum();
            n_texts + labels(&target.discovered) + labels(&target.labels) + TARGET_BYTES
        });
        let dropped = self.dropped.iter().map(|target| target.pool.len() + labels(&target.discovered) + TARGET_BYTES);
        let pools = self.pools.iter().chain(self.n_dropped.keys()).map(|pool| pool.len() + LABEL_BYTES);
        active.chain(dropped).chain(pools).sum()
    }

    /// Leaves what somebody may see: targets whose samples are in a group `within` their reach.
    pub(super) fn restrict(&mut self, within: &GroupScope) {
        if within.is_everything() {
            return;
        }
        let admits = |job: Option<&String>| within.admits(sample_group(job.map_or("", |job| job)).as_str());
        self.active.retain(|target| admits(target.labels.get("job")));
        self.dropped.retain(|target| admits(target.discovered.get("job")));
        self.pools.retain(|pool| admits(Some(pool)) || self.active.iter().any(|target| target.pool == *pool));
        self.n_dropped.retain(|pool, _| admits(Some(pool)));
    }
}
