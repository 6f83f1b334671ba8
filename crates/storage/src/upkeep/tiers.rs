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

use crate::segments::Segments;
use crate::segments::files::written_at;
use crate::state::StoredSegment;
use crate::tier::{Place, Tier, TierOptions, TierStatus};

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
pub(crate) struct TierClassifier {
    now: i64,
    options: TierOptions,
}

impl TierClassifier {
    /// Returns what the tiers are judged by now.
    pub(crate) fn now(segments: &Segments) -> Self {
        let doubt = segments.maintenance.clock_doubt(&segments.options.clock);
        let options = segments.options.retention.tiers;
        let never = TierOptions { warm_after_ns: None, cold_after_ns: None, ..options };
        let options = if doubt.is_some() { never } else { options };
        Self { now: segments.options.clock.now().0, options }
    }

    /// Returns how old a segment is.
    fn age_ns(&self, stored: &StoredSegment) -> i64 {
        let last = stored.segment.summaries().iter().map(|run| run.last.0).max().unwrap_or(i64::MIN);
        self.now.saturating_sub(last.max(written_at(stored.segment.meta.segment).0))
    }

    /// Reports whether it is old enough to be warm, written again or not.
    pub(crate) fn is_warm(&self, stored: &StoredSegment) -> bool {
        self.options.warm_after_ns.is_some_and(|after| self.age_ns(stored) >= after)
    }

    /// Reports whether it is to be written again to be cold.
    pub(crate) fn is_cold_due(&self, stored: &StoredSegment) -> bool {
        stored.tier != Tier::Cold && self.options.cold_after_ns.is_some_and(|after| self.age_ns(stored) >= after)
    }

    fn tier_of(&self, stored: &StoredSegment) -> Tier {
        if stored.tier == Tier::Hot && self.is_warm(stored) { Tier::Warm } else { stored.tier }
    }
}

/// Returns segments and bytes of each tier and place.
pub(crate) fn statuses(segments: &Segments) -> Vec<TierStatus> {
    let ages = TierClassifier::now(segments);
    let mut found: BTreeMap<(Tier, Place), (u64, u64)> = BTreeMap::new();
    for stored in &segments.state().segments {
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
