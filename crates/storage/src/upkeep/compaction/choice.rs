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
        self.block_bytes < SETTLED_BLOCK_BYTES && !self.width.is_wide()
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
mod tests {
    use types::Timestamp;

    use super::*;

    const DAY: i64 = 20_000;

    fn candidate(number: u128, n_bytes: u64) -> Candidate {
        Candidate {
            id: number,
            partition: DAY,
            n_bytes,
            block_bytes: n_bytes.min(3 << 20),
            width: RunWidth { n_rows: n_bytes / 30, n_common: 20, n_rare: 0 },
            n_events: n_bytes / 30,
            first: Timestamp(DAY * Timestamp::DAY),
            last: Timestamp(DAY * Timestamp::DAY + 1),
            tier: Tier::Hot,
            is_warm: false,
            is_cold_due: false,
            has_dead: false,
            has_erased: false,
        }
    }

    /// Compacts until nothing is left to do; returns the remaining segments and the bytes written.
    fn settle(mut segments: Vec<Candidate>) -> (Vec<Candidate>, u64) {
        let mut n_written = 0;
        loop {
            let CompactionChoice { ids, tier } = choose(&segments);
            if ids.is_empty() {
                return (segments, n_written);
            }
            assert!(tier == Tier::Cold || ids.len() > 1);
            assert!(ids.len() <= TOGETHER_MAX);
            let (taken, kept): (Vec<_>, Vec<_>) = segments.into_iter().partition(|c| ids.contains(&c.id));
            assert!(taken.iter().all(|c| c.partition == taken[0].partition));
            let n_bytes = taken.iter().map(|c| c.n_bytes).sum();
            let n_events = taken.iter().map(|c| c.n_events).sum();
            n_written += n_bytes;
            segments = kept;
            let block_bytes = taken.iter().map(|c| c.block_bytes).sum();
            assert!(taken.len() == 1 || block_bytes <= TOGETHER_BLOCK_BYTES_MAX);
            // Blocks of short lines are full and grow no more.
            let block_bytes = if taken[0].block_bytes > 3 << 20 { block_bytes } else { 3 << 20 };
            segments.push(Candidate { n_bytes, n_events, block_bytes, tier, is_cold_due: false, ..taken[0] });
        }
    }

    #[test]
    fn many_small_segments_settle_and_each_byte_is_written_a_few_times() {
        let mut segments = Vec::new();
        let mut n_written = 0;
        for number in 0..10_000 {
            segments.push(candidate(number, 20_000));
            let (left, n_bytes) = settle(segments);
            (segments, n_written) = (left, n_written + n_bytes);
            assert!(segments.len() < 80, "{}", segments.len());
        }
        assert!(n_written < 10_000 * 20_000 * 5, "{n_written}");
    }

    #[test]
    fn segments_of_large_events_are_put_together_no_further_than_memory_allows() {
        // A mebibyte that is always the same takes a few hundred bytes of a file.
        let of_large = |number, mib: u64| Candidate { block_bytes: mib << 20, ..candidate(number, mib * 300) };
        let flushed: Vec<Candidate> = (0..64).map(|number| of_large(number, 64)).collect();
        assert_eq!(choose(&flushed).ids.len(), 0);
        let warm: Vec<Candidate> = flushed.iter().map(|one| Candidate { is_warm: true, ..*one }).collect();
        assert_eq!(choose(&warm).ids.len(), 0);
        let cold: Vec<Candidate> = flushed.iter().map(|one| Candidate { is_cold_due: true, ..*one }).collect();
        assert_eq!(choose(&cold).ids.len(), 3);
        let (left, _) = settle(cold);
        assert!(left.iter().all(|one| one.tier == Tier::Cold && one.block_bytes <= TOGETHER_BLOCK_BYTES_MAX));
        let (left, _) = settle((0..64).map(|number| of_large(number, 10)).collect());
        assert!(left.len() < 16, "{}", left.len());
    }

    #[test]
    fn samples_are_put_together_until_their_blocks_are_full() {
        let of_samples = |number, n_events: u64| Candidate { n_events, ..candidate(number, n_events / 2) };
        let flushed: Vec<Candidate> = (0..32).map(|number| of_samples(number, 100_000)).collect();
        let (left, n_written) = settle(flushed);
        assert!(left.len() <= 8 && n_written <= 32 * 50_000 * 2, "{} {n_written}", left.len());
        let busy: Vec<Candidate> = (0..50).map(|number| of_samples(number, SETTLED_EVENTS)).collect();
        assert_eq!(chosen_ids(&busy), []);
        let warm: Vec<Candidate> = busy.iter().map(|one| Candidate { is_warm: true, ..*one }).collect();
        assert_eq!(chosen_ids(&warm).len(), TOGETHER_MAX);
    }

    fn chosen_ids(candidates: &[Candidate]) -> Vec<u128> {
        choose(candidates).ids
    }

    #[test]
    fn what_a_busy_flush_writes_is_left_alone_unless_there_is_very_much_of_it() {
        let segments: Vec<Candidate> = (0..50).map(|number| candidate(number, 5 << 20)).collect();
        assert_eq!(chosen_ids(&segments), []);
        let warm = |candidate: &Candidate| Candidate { is_warm: true, ..*candidate };
        let segments: Vec<Candidate> = segments.iter().map(warm).collect();
        assert_eq!(chosen_ids(&segments[..31]), []);
        let (left, n_written) = settle(segments);
        assert!(left.len() < 32, "{}", left.len());
        assert!(n_written <= 50 * (5 << 20), "{n_written}");
    }

    #[test]
    fn a_cold_day_is_written_once_and_its_stragglers_are_put_together() {
        let due = |number, n_bytes| Candidate { is_cold_due: true, is_warm: true, ..candidate(number, n_bytes) };
        let mut segments: Vec<Candidate> = (0..20).map(|number| due(number, 5 << 20)).collect();
        segments.push(due(20, 200 << 20));
        let (left, n_written) = settle(segments.clone());
        assert_eq!(n_written, (20 * 5 + 200) << 20, "each of them once");
        assert!(left.iter().all(|candidate| candidate.tier == Tier::Cold) && left.len() < 6);
        assert_eq!(settle(left.clone()).1, 0);
        // What is deleted out of it leaves it cold.
        let dead = Candidate { has_dead: true, ..left[0] };
        assert_eq!(choose(&[dead]), CompactionChoice { ids: vec![dead.id], tier: Tier::Cold });
        // A straggler a day, each cold for itself after a while.
        let mut segments = left;
        let mut n_written = 0;
        for number in 100..1100 {
            segments.push(due(number, 2000));
            let (left, n_bytes) = settle(segments);
            (segments, n_written) = (left, n_written + n_bytes);
            assert!(segments.len() < 30, "{}", segments.len());
        }
        assert!(n_written < 1000 * 2000 * 6, "{n_written}");
    }

    #[test]
    fn debt_is_all_that_is_still_to_be_done() {
        let segments: Vec<Candidate> = (0..9).map(|number| candidate(number, 1000)).collect();
        assert_eq!(debt(segments[..3].to_vec()), (0, 0));
        assert_eq!(debt(segments.clone()), (9, 9000));
        let dead = Candidate { has_dead: true, ..candidate(90, 5 << 20) };
        assert_eq!(debt(vec![dead]), (1, 5 << 20));
        let many: Vec<Candidate> = (0..80).map(|number| candidate(number, 1000)).collect();
        let (n_segments, n_bytes) = debt(many);
        assert!(n_segments > 80 && n_bytes > 80_000, "those of those as well: {n_segments}, {n_bytes}");
    }

    #[test]
    fn partitions_are_not_put_together() {
        let segments: Vec<Candidate> =
            (0..8).map(|number| Candidate { partition: number as i64 % 4, ..candidate(number, 1000) }).collect();
        assert_eq!(chosen_ids(&segments), []);
    }

    #[test]
    fn segments_with_something_deleted_and_large_mixed_ones_are_written_again() {
        let dead = Candidate { has_dead: true, ..candidate(7, 100 << 20) };
        assert_eq!(chosen_ids(&[candidate(1, 5 << 20), dead]), [7]);
        let small = || (10..20).map(|number| candidate(number, 1000));
        let erased = Candidate { has_erased: true, ..candidate(8, 100 << 20) };
        assert_eq!(chosen_ids(&small().chain([dead, erased]).collect::<Vec<_>>()), [8]);
        let mixed = Candidate { partition: MIXED_PARTITION, first: Timestamp(0), ..candidate(9, 5 << 20) };
        assert_eq!(chosen_ids(&[mixed]), []);
        let few_days = Candidate { last: Timestamp(30 * Timestamp::DAY), ..mixed };
        assert_eq!(chosen_ids(&[few_days]), [9]);
    }
}
