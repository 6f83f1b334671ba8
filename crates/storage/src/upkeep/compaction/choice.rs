//! Which segments are put together next. Pure: segments in, a choice out.
//!
//! Small segments of a partition are put together as soon as there are a few of one size, so that each event is
//! written again only a few times, the last time into a segment of [`SETTLED_BYTES`] or [`SETTLED_EVENTS`]. What a busy flush writes
//! is larger than that from the start and is left alone: it is written again once, when it is cold. Only where a day
//! has very many of those are they put together before, once they are warm. Segments that hold something deleted are
//! written again without it, first of all those out of which events were deleted.
//!
//! What is cold stays as it is, but for what is tiny: stragglers of a day are put together like others.

use segment::{MIXED_PARTITION, RUN_CELLS_MAX, RunWidth, day_of};
use types::Timestamp;

use crate::tier::Tier;

/// Size from which on a segment is left alone while its partition still grows.
const SETTLED_BYTES: u64 = 4 << 20;

/// Events from which on a segment is left alone while its partition still grows: most of its blocks are full, so that each event takes
/// no less room in a larger segment. Samples take half a byte each.
const SETTLED_EVENTS: u64 = 1 << 20;

/// Size from which on a segment is left alone for good.
const FULL_BYTES: u64 = 16 << 20;

/// Most bytes that are put together at once: the finished segment is held in memory.
const TOGETHER_BYTES_MAX: u64 = 32 << 20;

/// Bytes of a block, unpacked, from which on a segment is left alone until it is cold: blocks are counted in events, and one
/// of large events is large, however few bytes of a file it takes.
const SETTLED_BLOCK_BYTES: u64 = 48 << 20;

/// Most such bytes of segments that are put together at once: a block of each is in memory, and one that is as large as all.
const TOGETHER_BLOCK_BYTES_MAX: u64 = TOGETHER_MIN as u64 * SETTLED_BLOCK_BYTES;

/// How many segments of a size there must be, and how many are read at once at most: a block of each is in memory.
const TOGETHER_MIN: usize = 4;
const TOGETHER_MAX: usize = 16;

/// Warm segments of a partition that are too many to wait until they are cold.
const MANY: usize = 32;

/// Size from which on a cold segment is left alone for good.
const COLD_SETTLED_BYTES: u64 = 256 << 10;

/// Events of a day from which on it gets a segment of its own out of a mixed one.
pub(super) const DAY_EVENTS_MIN: u64 = 4096;

/// A segment that may be chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) id: u128,
    pub(super) partition: i64,
    pub(super) n_bytes: u64,
    /// Bytes of the largest block in memory, about.
    pub(super) block_bytes: u64,
    pub(super) width: RunWidth,
    pub(super) n_events: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) tier: Tier,
    /// Whether it is old enough to be warm.
    pub(super) is_warm: bool,
    /// Whether it is to be cold and is not.
    pub(super) is_cold_due: bool,
    /// Whether nothing of some of its runs is needed any more.
    pub(super) has_dead: bool,
    /// Whether events were deleted out of it that must go from the disk.
    pub(super) has_erased: bool,
}

impl Candidate {
    fn is_small(&self) -> bool {
        let is_settled = match self.tier {
            Tier::Cold => self.n_bytes >= COLD_SETTLED_BYTES,
            _ => self.n_bytes >= SETTLED_BYTES || self.n_events >= SETTLED_EVENTS,
        };
        !is_settled && self.has_small_blocks()
    }

    fn has_small_blocks(&self) -> bool {
        self.block_bytes < SETTLED_BLOCK_BYTES && !self.width.is_settled()
    }

    /// Returns the size class of a segment: sizes of one class lie within a factor of four.
    fn size_class(&self) -> u32 {
        self.n_bytes.max(1).ilog2() / 2
    }

    /// Reports whether the days of a mixed segment are worth segments of their own. Afterwards they no longer are:
    /// what is left has fewer events than that on each of no more days.
    fn is_worth_splitting(&self) -> bool {
        let n_days = day_of(self.last.0).saturating_sub(day_of(self.first.0)).saturating_add(1);
        let n_days = u64::try_from(n_days).unwrap_or(u64::MAX);
        self.partition == MIXED_PARTITION && self.n_events >= n_days.saturating_mul(DAY_EVENTS_MIN)
    }
}

/// Segments to put together next, all of one partition.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CompactionChoice {
    pub(super) ids: Vec<u128>,
    /// What they become.
    pub(super) tier: Tier,
}

/// Returns the next segments to compact; no ids if there are none.
pub(super) fn choose(candidates: &[Candidate]) -> CompactionChoice {
    let mut sorted = candidates.to_vec();
    sorted.sort_by_key(|candidate| (candidate.partition, candidate.n_bytes, candidate.id));
    // Someone wants to know when it is gone: that does not wait for what is put together meanwhile.
    if let Some(erased) = sorted.iter().find(|candidate| candidate.has_erased) {
        return chosen(&[*erased]);
    }
    for of_partition in sorted.chunk_by(|a, b| a.partition == b.partition) {
        let of = |is_meant: fn(&Candidate) -> bool| -> Vec<Candidate> {
            of_partition.iter().filter(|candidate| is_meant(candidate)).copied().collect()
        };
        for of_size in of(Candidate::is_small).chunk_by(|a, b| a.size_class() == b.size_class()) {
            if of_size.len() >= TOGETHER_MIN {
                return chosen(&together(of_size));
            }
        }
        let warm = of(|candidate| {
            let is_full = candidate.n_bytes >= FULL_BYTES || !candidate.has_small_blocks();
            candidate.is_warm && candidate.tier != Tier::Cold && !is_full
        });
        if warm.len() >= MANY {
            return chosen(&together(&warm));
        }
    }
    let alone = |candidate: &&Candidate| candidate.has_dead || candidate.is_worth_splitting();
    if let Some(alone) = sorted.iter().find(alone) {
        return chosen(&[*alone]);
    }
    let mut cold: Vec<Candidate> = sorted.into_iter().filter(|candidate| candidate.is_cold_due).collect();
    let first = cold.first().map(|candidate| candidate.partition);
    cold.retain(|candidate| Some(candidate.partition) == first);
    chosen(&together(&cold))
}

/// Returns the tier of the output: cold if all segments are, or are to be.
fn chosen(candidates: &[Candidate]) -> CompactionChoice {
    let is_cold = candidates.iter().all(|candidate| candidate.is_cold_due || candidate.tier == Tier::Cold);
    let ids = candidates.iter().map(|candidate| candidate.id).collect();
    CompactionChoice { ids, tier: if is_cold { Tier::Cold } else { Tier::Warm } }
}

/// Most jobs that the debt looks ahead.
const JOBS_AHEAD_MAX: usize = 64;

/// Returns how many segments wait for compaction, and their bytes.
pub(super) fn debt(mut candidates: Vec<Candidate>) -> (u64, u64) {
    let (mut n_segments, mut n_bytes) = (0, 0u64);
    for _ in 0..JOBS_AHEAD_MAX {
        let CompactionChoice { ids, tier } = choose(&candidates);
        let (taken, kept): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|known| ids.contains(&known.id));
        candidates = kept;
        let Some(first) = taken.first() else { break };
        let together: u64 = taken.iter().map(|candidate| candidate.n_bytes).sum();
        n_segments += taken.len() as u64;
        n_bytes = n_bytes.saturating_add(together);
        let block_bytes = taken.iter().map(|candidate| candidate.block_bytes).sum();
        let width = taken.iter().map(|candidate| candidate.width).fold(RunWidth::default(), RunWidth::with);
        // One that was chosen alone is done with.
        let n_events = taken.iter().map(|candidate| candidate.n_events).sum();
        let (has_dead, is_cold_due) = (false, false);
        let outcome =
            Candidate { n_bytes: together, n_events, block_bytes, width, has_dead, is_cold_due, tier, ..*first };
        candidates.extend((taken.len() > 1).then_some(outcome));
    }
    (n_segments, n_bytes)
}

/// Returns as many of `sorted` as may be put together at once, smallest first, and at least one.
fn together(sorted: &[Candidate]) -> Vec<Candidate> {
    let (mut n_bytes, mut block_bytes, mut width) = (0u64, 0u64, RunWidth::default());
    let fits = |candidate: &&Candidate| {
        let is_first = n_bytes == 0;
        n_bytes = n_bytes.saturating_add(candidate.n_bytes);
        block_bytes = block_bytes.saturating_add(candidate.block_bytes);
        width = width.with(candidate.width);
        let is_narrow = width.n_cells() <= RUN_CELLS_MAX;
        is_first || (n_bytes <= TOGETHER_BYTES_MAX && block_bytes <= TOGETHER_BLOCK_BYTES_MAX && is_narrow)
    };
    sorted.iter().take(TOGETHER_MAX).take_while(fits).copied().collect()
}

#[cfg(test)]
mod tests;
