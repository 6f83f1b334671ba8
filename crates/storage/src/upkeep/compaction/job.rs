//! A compaction job: the segments that are put together, and the segments that they become.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use segment::{MIXED_PARTITION, RunOutline, RunSummary, Segment, SegmentError, block_rows, day_of};

use super::choice::DAY_EVENTS_MIN;
use super::input::Input;
use super::merge::Share;
use crate::state::StoredSegment;
use crate::tier::Tier;

/// zstd level of a segment that was put together: it is read more often than it is written.
pub(super) const LEVEL: i32 = 3;

/// zstd level of a cold segment. On the benchmark mix, against level 1 and per million events: level 9 saves 2.7 % for
/// 0.9 CPU-seconds, 15 saves 5.3 % for 3.7, 19 saves 5.7 % for 12.
const COLD_LEVEL: i32 = 15;

/// zstd level of a small segment, and the stored bytes up to which it is one: the store of a small system has no others, and what
/// it saves is worth a tenth of a second.
const SMALL_LEVEL: i32 = 12;
const SMALL_BYTES: u64 = 1 << 20;

/// Stored bytes of a group from which on it gets a segment of its own.
const OWN_SEGMENT_BYTES: u64 = 8 << 20;

/// Segments that are to be put together.
pub(super) struct Job {
    pub(super) partition: i64,
    pub(super) inputs: Vec<Arc<StoredSegment>>,
    /// The tier of what they become.
    pub(super) tier: Tier,
}

impl Job {
    /// Returns the numbers of the segments.
    pub(super) fn ids(&self) -> Vec<u128> {
        self.inputs.iter().map(|input| input.segment.meta.segment).collect()
    }

    pub(super) fn level(&self) -> i32 {
        let n_bytes: u64 = self.inputs.iter().map(|input| input.n_bytes).sum();
        match self.tier {
            Tier::Cold => COLD_LEVEL,
            _ if n_bytes <= SMALL_BYTES => SMALL_LEVEL,
            _ => LEVEL,
        }
    }
}

/// What a new segment is to hold: of these groups the events of this share.
pub(super) struct Output {
    pub(super) partition: i64,
    pub(super) share: Share,
    pub(super) groups: Vec<u32>,
}

pub(super) type RunsByGroup = BTreeMap<u32, Vec<Input>>;

/// Returns what the job's segments become.
pub(super) fn outputs(job: &Job, runs: &RunsByGroup, held: &HashSet<u32>) -> Result<Vec<Output>, SegmentError> {
    if job.partition == MIXED_PARTITION {
        return split_days(runs, held);
    }
    let total_raw: u128 = job.inputs.iter().flat_map(|input| input.segment.summaries()).map(raw).sum();
    let n_bytes: u128 = job.inputs.iter().map(|input| u128::from(input.n_bytes)).sum();
    let is_large = |runs: &Vec<Input>| {
        let of_group: u128 = runs.iter().map(|run| raw(run.summary())).sum();
        n_bytes * of_group / total_raw.max(1) >= u128::from(OWN_SEGMENT_BYTES)
    };
    let output = |groups| Output { partition: job.partition, share: Share::All, groups };
    let (large, small): (Vec<_>, Vec<_>) = runs.iter().partition(|(_, runs)| is_large(runs));
    let mut outputs: Vec<Output> = large.iter().map(|(group_id, _)| output(vec![**group_id])).collect();
    outputs.push(output(small.iter().map(|(group_id, _)| **group_id).collect()));
    Ok(outputs)
}

fn raw(run: &RunSummary) -> u128 {
    u128::from(run.bytes_raw)
}

/// Approximate memory of a sample, in bytes. Labels are not counted: samples of a series share them.
const SAMPLE_BYTES: u64 = 40;

/// Returns bytes that the events of a segment's largest block take in memory, about.
pub(super) fn block_bytes(segment: &Segment) -> u64 {
    let of_run = |(index, run): (usize, &RunSummary)| {
        let n_rows = run.n_events.min(block_rows(&run.group) as u64);
        match segment.is_by_series(index) {
            true => n_rows * SAMPLE_BYTES,
            // As many as when they came.
            false => (raw(run) * u128::from(n_rows) / u128::from(run.n_events.max(1))) as u64,
        }
    };
    segment.summaries().iter().enumerate().map(of_run).max().unwrap_or(0)
}

/// Plans segments of their own for days that are worth it, and a mixed one for the others. Groups that are `held` get a mixed
/// one of their own.
fn split_days(runs: &RunsByGroup, held: &HashSet<u32>) -> Result<Vec<Output>, SegmentError> {
    let (held, groups): (Vec<u32>, Vec<u32>) = runs.keys().partition(|group_id| held.contains(group_id));
    let mut by_day: BTreeMap<i64, u64> = BTreeMap::new();
    for run in groups.iter().filter_map(|group_id| runs.get(group_id)).flatten() {
        for minute in run.minutes()? {
            let n_events: u64 = minute.counts.iter().copied().map(u64::from).sum();
            *by_day.entry(day_of(minute.range().from.0)).or_default() += n_events;
        }
    }
    let days: Vec<i64> = by_day.into_iter().filter(|(_, n)| *n >= DAY_EVENTS_MIN).map(|(day, _)| day).collect();
    let of_day = |day: &i64| Output { partition: *day, share: Share::Day(*day), groups: groups.clone() };
    let mut outputs: Vec<Output> = days.iter().map(of_day).collect();
    outputs.push(Output { partition: MIXED_PARTITION, share: Share::Except(days), groups });
    outputs.push(Output { partition: MIXED_PARTITION, share: Share::All, groups: held });
    Ok(outputs)
}

/// Returns what a group's run in a new segment will hold; `None` if that is nothing.
pub(super) fn outline(group_id: u32, runs: &[Input], share: &Share) -> Result<Option<RunOutline>, SegmentError> {
    let Some(group) = runs.first().map(|run| run.summary().group.clone()) else { return Ok(None) };
    let (mut n_events, mut bytes_raw) = (0u64, 0u64);
    for run in runs {
        n_events += share.n_events(run)?;
        bytes_raw = bytes_raw.saturating_add(share.bytes_raw(run)?);
    }
    let mut fields: Vec<Arc<str>> = Vec::new();
    for run in runs {
        fields.extend(run.fields()?);
    }
    fields.sort();
    fields.dedup();
    let outline = RunOutline { group, group_id, bytes_raw, n_rows: n_events as usize, fields };
    Ok((n_events > 0).then_some(outline))
}
