//! Which segments are compacted, and how often a byte is written.

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
fn segments_with_more_names_than_events_are_left_alone() {
    for (n_names, n_rows, is_left_alone) in
        [(8_900, 445, true), (8_900, 9_000, true), (4_000, 445, false), (20, 1, false)]
    {
        let width = RunWidth { n_rows, n_common: 0, n_rare: n_names };
        let segments: Vec<Candidate> = (0..8).map(|number| Candidate { width, ..candidate(number, 80_000) }).collect();
        assert_eq!(choose(&segments).ids.is_empty(), is_left_alone, "{n_names} {n_rows}");
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
    assert!(n_segments > 80 && n_bytes > 80_000, "merged segments are merged again: {n_segments}, {n_bytes}");
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
