//! Tiers: what becomes of a segment as it grows old.
//!
//! ```text
//! hot    as it was flushed
//! warm   put together with others, or older than `retention.warm_after`
//! cold   older than `retention.cold_after`: written again once, with the level of compression that pays for what is
//!        kept for long and seldom read
//! ```
//!
//! A segment is as old as the last of its events and the last flush that it holds, whichever is younger: what arrives
//! late is not cold at once, and a day that is cold is not written again for each straggler. Compaction does the
//! work (`compact`), and then moves what is cold to the object store where `retention.cold_place` says so. While the clock is doubtful nothing grows older.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use types::Timestamp;

use crate::retention::written_at;
use crate::state::{Place, StoredSegment, Tier};
use crate::store::Shared;

/// Where cold segments lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColdPlace {
    /// In the data directory, as the others.
    #[default]
    Local,
    /// In the object store.
    ObjectStore,
}

impl FromStr for ColdPlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "local" => Ok(Self::Local),
            "object_store" => Ok(Self::ObjectStore),
            _ => Err(()),
        }
    }
}

/// When segments grow older, in nanoseconds; never where there is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierOptions {
    /// From this age on the middle-sized segments of a day are put together.
    pub warm_after_ns: Option<i64>,
    /// From this age on segments are written again with a higher level of compression.
    pub cold_after_ns: Option<i64>,
    /// Where they lie from then on.
    pub cold_place: ColdPlace,
}

impl Default for TierOptions {
    fn default() -> Self {
        Self {
            warm_after_ns: Some(Timestamp::DAY),
            cold_after_ns: Some(7 * Timestamp::DAY),
            cold_place: ColdPlace::Local,
        }
    }
}

/// Segments of one tier in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierStatus {
    /// `hot`, `warm` or `cold`.
    pub tier: &'static str,
    /// `local` or `remote`.
    pub place: &'static str,
    /// How many.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Every tier and place, from new to old.
const ALL: [(Tier, Place, &str, &str); 6] = [
    (Tier::Hot, Place::Local, "hot", "local"),
    (Tier::Hot, Place::Remote, "hot", "remote"),
    (Tier::Warm, Place::Local, "warm", "local"),
    (Tier::Warm, Place::Remote, "warm", "remote"),
    (Tier::Cold, Place::Local, "cold", "local"),
    (Tier::Cold, Place::Remote, "cold", "remote"),
];

/// Tells the tiers of segments at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ages {
    now: i64,
    options: TierOptions,
}

impl Ages {
    /// How old a segment is.
    fn age_ns(&self, stored: &StoredSegment) -> i64 {
        let last = stored.segment.summaries().iter().map(|run| run.last.0).max().unwrap_or(i64::MIN);
        self.now.saturating_sub(last.max(written_at(stored.segment.meta().segment).0))
    }

    /// Tells whether it is old enough to be warm, written again or not.
    pub(crate) fn is_warm(&self, stored: &StoredSegment) -> bool {
        self.options.warm_after_ns.is_some_and(|after| self.age_ns(stored) >= after)
    }

    /// Tells whether it is to be written again to be cold.
    pub(crate) fn is_cold_due(&self, stored: &StoredSegment) -> bool {
        stored.tier != Tier::Cold && self.options.cold_after_ns.is_some_and(|after| self.age_ns(stored) >= after)
    }

    fn tier_of(&self, stored: &StoredSegment) -> Tier {
        if stored.tier == Tier::Hot && self.is_warm(stored) { Tier::Warm } else { stored.tier }
    }
}

impl Shared {
    /// What the tiers are judged by now.
    pub(crate) fn ages(&self) -> Ages {
        let doubt = self.care.clock_doubt(&self.options.clock);
        let options = self.options.retention.tiers;
        let never = TierOptions { warm_after_ns: None, cold_after_ns: None, ..options };
        let options = if doubt.is_some() { never } else { options };
        Ages { now: self.options.clock.now().0, options }
    }

    /// Moves cold segments to where they are to lie. What cannot be moved stays and is tried again later.
    pub(crate) fn move_cold(&self) {
        let is_remote = self.options.retention.tiers.cold_place == ColdPlace::ObjectStore;
        let Some(remote) = self.files.remote.as_ref().filter(|_| is_remote) else { return };
        // Whoever moves them already does it for all.
        let Ok(_moving) = self.compaction.moving.try_lock() else { return };
        let is_meant = |stored: &&Arc<StoredSegment>| stored.tier == Tier::Cold && stored.place == Place::Local;
        let cold: Vec<Arc<StoredSegment>> = self.state().segments.iter().filter(is_meant).cloned().collect();
        for stored in cold {
            if remote.objects.unreachable().is_some() || self.compaction.bell.is_stopped() {
                return;
            }
            if let Err(error) = self.move_segment_to(&stored, Place::Remote) {
                tracing::warn!(%error, "a cold segment stays in the data directory until the next try");
            }
        }
    }

    /// Segments and bytes of each tier and place.
    pub(crate) fn tier_statuses(&self) -> Vec<TierStatus> {
        let ages = self.ages();
        let mut found: BTreeMap<(Tier, Place), (u64, u64)> = BTreeMap::new();
        for stored in &self.state().segments {
            let (segments, bytes) = found.entry((ages.tier_of(stored), stored.place)).or_default();
            *segments += 1;
            *bytes += stored.n_bytes;
        }
        let status = |(tier, place, tier_name, place_name)| {
            let (segments, bytes) = found.get(&(tier, place)).copied().unwrap_or_default();
            TierStatus { tier: tier_name, place: place_name, segments, bytes }
        };
        ALL.map(status).to_vec()
    }
}
