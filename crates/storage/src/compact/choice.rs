//! Which segments are put together next. Pure: segments in, a choice out.
//!
//! Small segments of a partition are put together as soon as there are a few of one size, so that each event is
//! written again only a few times, the last time into a segment of [`SETTLED_BYTES`]. What a busy flush writes
//! is larger than that from the start and is left alone while events come. Once a partition has been quiet for a
//! while, its middle-sized segments are put together as well. Segments that hold something deleted are written
//! again without it, first of all those out of which events were deleted.

use types::Timestamp;

use crate::flush::day_of;
use crate::segment::MIXED_PARTITION;

/// Size from which on a segment is left alone while its partition still grows.
const SETTLED_BYTES: u64 = 4 << 20;

/// Size from which on a segment is left alone for good.
const FULL_BYTES: u64 = 16 << 20;

/// Most bytes that are put together at once: the finished segment is held in memory.
const TOGETHER_BYTES_MAX: u64 = 32 << 20;

/// How many segments of a size there must be, and how many are read at once at most: a block of each is in memory.
const TOGETHER_MIN: usize = 4;
const TOGETHER_MAX: usize = 16;

/// How long a partition must have been quiet for its middle-sized segments to be put together.
const QUIET_MS: i64 = 60 * 60 * 1000;

/// Events of a day from which on it gets a segment of its own out of a mixed one.
pub(super) const DAY_EVENTS_MIN: u64 = 4096;

/// A segment that may be chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) id: u128,
    pub(super) partition: i64,
    pub(super) n_bytes: u64,
    pub(super) n_events: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// Whether nothing of some of its runs is needed any more.
    pub(super) has_dead: bool,
    /// Whether events were deleted out of it that must go from the disk.
    pub(super) has_erased: bool,
}

impl Candidate {
    fn written_ms(&self) -> i64 {
        i64::try_from(self.id >> 80).unwrap_or(i64::MAX)
    }

    /// Segments of one size lie within a factor of four.
    fn size_class(&self) -> u32 {
        self.n_bytes.max(1).ilog2() / 2
    }

    /// Tells whether the days of a mixed segment are worth segments of their own. Afterwards they no longer are:
    /// what is left has fewer events than that on each of no more days.
    fn is_worth_splitting(&self) -> bool {
        let n_days = day_of(self.last.0).saturating_sub(day_of(self.first.0)).saturating_add(1);
        let n_days = u64::try_from(n_days).unwrap_or(u64::MAX);
        self.partition == MIXED_PARTITION && self.n_events >= n_days.saturating_mul(DAY_EVENTS_MIN)
    }
}

/// Ids of the segments to put together next, all of one partition; empty where nothing is due.
pub(super) fn choose(candidates: &[Candidate], now: Timestamp) -> Vec<u128> {
    let mut sorted = candidates.to_vec();
    sorted.sort_by_key(|candidate| (candidate.partition, candidate.n_bytes, candidate.id));
    // Somebody wants to know when it is gone: that does not wait for what is put together meanwhile.
    if let Some(erased) = sorted.iter().find(|candidate| candidate.has_erased) {
        return vec![erased.id];
    }
    for of_partition in sorted.chunk_by(|a, b| a.partition == b.partition) {
        let small = of_partition.iter().filter(|candidate| candidate.n_bytes < SETTLED_BYTES).copied();
        let small: Vec<Candidate> = small.collect();
        for of_size in small.chunk_by(|a, b| a.size_class() == b.size_class()) {
            if of_size.len() >= TOGETHER_MIN {
                return together(of_size);
            }
        }
        let newest_ms = of_partition.iter().map(Candidate::written_ms).max().unwrap_or(i64::MAX);
        if newest_ms.saturating_add(QUIET_MS) <= now.0 / 1_000_000 {
            let middle = of_partition.iter().filter(|candidate| candidate.n_bytes < FULL_BYTES).copied();
            let chosen = together(&middle.collect::<Vec<_>>());
            if chosen.len() > 1 {
                return chosen;
            }
        }
    }
    let alone = |candidate: &&Candidate| candidate.has_dead || candidate.is_worth_splitting();
    sorted.iter().find(alone).map(|candidate| candidate.id).into_iter().collect()
}

/// Most jobs that the debt looks ahead.
const JOBS_AHEAD_MAX: usize = 64;

/// How many segments are to be put together until nothing is due, and their bytes.
pub(super) fn debt(mut candidates: Vec<Candidate>, now: Timestamp) -> (u64, u64) {
    let (mut n_segments, mut n_bytes) = (0, 0u64);
    for _ in 0..JOBS_AHEAD_MAX {
        let chosen = choose(&candidates, now);
        let (taken, kept): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|known| chosen.contains(&known.id));
        candidates = kept;
        let Some(first) = taken.first() else { break };
        let together: u64 = taken.iter().map(|candidate| candidate.n_bytes).sum();
        n_segments += taken.len() as u64;
        n_bytes = n_bytes.saturating_add(together);
        // One that was chosen alone is done with.
        let outcome = Candidate { n_bytes: together, has_dead: false, ..*first };
        candidates.extend((taken.len() > 1).then_some(outcome));
    }
    (n_segments, n_bytes)
}

/// As many of `sorted` as may be put together at once, smallest first.
fn together(sorted: &[Candidate]) -> Vec<u128> {
    let mut n_bytes = 0u64;
    let fits = |candidate: &&Candidate| {
        n_bytes = n_bytes.saturating_add(candidate.n_bytes);
        n_bytes <= TOGETHER_BYTES_MAX
    };
    sorted.iter().take(TOGETHER_MAX).take_while(fits).map(|candidate| candidate.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 20_000;

    fn candidate(number: u128, n_bytes: u64) -> Candidate {
        Candidate {
            id: number,
            partition: DAY,
            n_bytes,
            n_events: n_bytes / 30,
            first: Timestamp(DAY * Timestamp::DAY),
            last: Timestamp(DAY * Timestamp::DAY + 1),
            has_dead: false,
            has_erased: false,
        }
    }

    /// Puts together until nothing is due; returns what is left and how many bytes were written.
    fn settle(mut segments: Vec<Candidate>, now: Timestamp) -> (Vec<Candidate>, u64) {
        let mut n_written = 0;
        loop {
            let chosen = choose(&segments, now);
            if chosen.is_empty() {
                return (segments, n_written);
            }
            assert!(chosen.len() > 1 && chosen.len() <= TOGETHER_MAX);
            let (taken, kept): (Vec<_>, Vec<_>) = segments.into_iter().partition(|c| chosen.contains(&c.id));
            assert!(taken.iter().all(|c| c.partition == taken[0].partition));
            let n_bytes = taken.iter().map(|c| c.n_bytes).sum();
            n_written += n_bytes;
            segments = kept;
            segments.push(Candidate { partition: taken[0].partition, ..candidate(chosen[0], n_bytes) });
        }
    }

    #[test]
    fn many_small_segments_settle_and_each_byte_is_written_a_few_times() {
        let mut segments = Vec::new();
        let mut n_written = 0;
        for number in 0..10_000 {
            segments.push(candidate(number, 20_000));
            let (left, n_bytes) = settle(segments, Timestamp(0));
            (segments, n_written) = (left, n_written + n_bytes);
            assert!(segments.len() < 80, "{}", segments.len());
        }
        assert!(n_written < 10_000 * 20_000 * 5, "{n_written}");
    }

    #[test]
    fn what_a_busy_flush_writes_is_left_alone_until_its_day_is_quiet() {
        let segments: Vec<Candidate> = (0..50).map(|number| candidate(number, 5 << 20)).collect();
        assert_eq!(choose(&segments, Timestamp(0)), []);
        let later = Timestamp(2 * Timestamp::HOUR);
        let (left, n_written) = settle(segments, later);
        assert!(left.len() < 14, "{}", left.len());
        assert!(n_written <= 2 * 50 * (5 << 20), "{n_written}");
    }

    #[test]
    fn debt_is_all_that_is_still_to_be_done() {
        let segments: Vec<Candidate> = (0..9).map(|number| candidate(number, 1000)).collect();
        assert_eq!(debt(segments[..3].to_vec(), Timestamp(0)), (0, 0));
        assert_eq!(debt(segments.clone(), Timestamp(0)), (9, 9000));
        let dead = Candidate { has_dead: true, ..candidate(90, 5 << 20) };
        assert_eq!(debt(vec![dead], Timestamp(0)), (1, 5 << 20));
        let many: Vec<Candidate> = (0..80).map(|number| candidate(number, 1000)).collect();
        let (n_segments, n_bytes) = debt(many, Timestamp(0));
        assert!(n_segments > 80 && n_bytes > 80_000, "those of those as well: {n_segments}, {n_bytes}");
    }

    #[test]
    fn partitions_are_not_put_together() {
        let segments: Vec<Candidate> =
            (0..8).map(|number| Candidate { partition: number as i64 % 4, ..candidate(number, 1000) }).collect();
        assert_eq!(choose(&segments, Timestamp(0)), []);
    }

    #[test]
    fn segments_with_something_deleted_and_large_mixed_ones_are_written_again() {
        let dead = Candidate { has_dead: true, ..candidate(7, 100 << 20) };
        assert_eq!(choose(&[candidate(1, 5 << 20), dead], Timestamp(0)), [7]);
        let small = || (10..20).map(|number| candidate(number, 1000));
        let erased = Candidate { has_erased: true, ..candidate(8, 100 << 20) };
        assert_eq!(choose(&small().chain([dead, erased]).collect::<Vec<_>>(), Timestamp(0)), [8]);
        let mixed = Candidate { partition: MIXED_PARTITION, first: Timestamp(0), ..candidate(9, 5 << 20) };
        assert_eq!(choose(&[mixed], Timestamp(0)), []);
        let few_days = Candidate { last: Timestamp(30 * Timestamp::DAY), ..mixed };
        assert_eq!(choose(&[few_days], Timestamp(0)), [9]);
    }
}
