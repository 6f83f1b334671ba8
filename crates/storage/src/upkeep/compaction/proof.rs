//! Proves that a segment holds what was written into it, before anything relies on it.
//!
//! While blocks are written, their times and sequences are summed up and every [`SAMPLED`]th is hashed value by
//! value. The finished file is then read back: all checksums, all times and sequences, and the sampled blocks.

use std::fmt::Write;
use std::sync::Arc;

use segment::{Segment, SegmentError};
use types::{Batch, Column, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Of so many blocks one is compared value by value.
const SAMPLED: usize = 16;

/// What is known of a run that was written.
#[derive(Debug, Default)]
pub(super) struct Proof {
    n_blocks: usize,
    n_events: u64,
    times: i64,
    sequences: u64,
    sampled: Vec<(usize, u64)>,
}

impl Proof {
    /// Notes the next block.
    pub(super) fn add(&mut self, block: &Batch) {
        if self.n_blocks.is_multiple_of(SAMPLED) {
            self.sampled.push((self.n_blocks, digest(block)));
        }
        self.sum_up(block.len(), &block.timestamps, &block.sequences);
    }

    fn sum_up(&mut self, n_events: usize, times: &[i64], sequences: &[u64]) {
        self.n_blocks += 1;
        self.n_events += n_events as u64;
        self.times = times.iter().fold(self.times, |sum, time| sum.wrapping_mul(31).wrapping_add(*time));
        self.sequences = sequences.iter().fold(self.sequences, |sum, n| sum.wrapping_mul(31).wrapping_add(*n));
    }

    fn is_of(&self, other: &Self) -> bool {
        (self.n_blocks, self.n_events) == (other.n_blocks, other.n_events)
            && (self.times, self.sequences) == (other.times, other.sequences)
    }
}

/// Bytes of sections after which is rested.
const REST_BYTES: u64 = 1 << 20;

/// Checks that the runs of `segment` are those of `proofs`, in the same order. `rest` is called now and then.
pub(super) fn check(
    segment: &Arc<Segment>,
    proofs: &[Proof],
    rest: &mut dyn FnMut() -> Result<(), SegmentError>,
) -> Result<(), SegmentError> {
    let (mut n_bytes, mut rested) = (0, Ok(()));
    segment.verify_while(|n_of_section| {
        n_bytes += n_of_section;
        if n_bytes >= REST_BYTES {
            n_bytes = 0;
            rested = rest();
        }
        rested.is_ok()
    })?;
    rested?;
    let unfaithful = |problem: &str| Err(SegmentError::Unfaithful(problem.to_owned()));
    if segment.summaries().len() != proofs.len() {
        return unfaithful("runs are missing");
    }
    for (index, proof) in proofs.iter().enumerate() {
        let Some(run) = segment.run_reader(index) else { return unfaithful("a run is missing") };
        let mut found = Proof::default();
        for block in 0..run.n_blocks() {
            rest()?;
            let (times, sequences) = run.places(block)?;
            found.sum_up(times.len(), &times, &sequences);
        }
        if !proof.is_of(&found) {
            return unfaithful("times or sequences differ");
        }
        for (block, expected) in &proof.sampled {
            if digest(&run.block(*block)?) != *expected {
                return unfaithful("a block differs");
            }
        }
    }
    Ok(())
}

/// Hashes a batch by its values: however its columns are laid out, the same events give the same number.
fn digest(batch: &Batch) -> u64 {
    let mut row_text = String::new();
    let mut hash = 0;
    let stream = |row| value_at(&batch.streams, row);
    for row in 0..batch.len() {
        row_text.clear();
        let origin = batch.origins.get(batch.origin_codes[row] as usize);
        let place = (batch.timestamps[row], batch.sequences[row], batch.ingestion_times[row], batch.levels[row]);
        // Writing into a text cannot fail.
        let _ = write!(row_text, "{place:?}{origin:?}{:?}{:?}", stream(row), batch.messages.get(row));
        for (name, column) in &batch.fields {
            if let Some(value) = value_at(column, row) {
                let _ = write!(row_text, "{name:?}{value:?}");
            }
        }
        hash = xxh3_64_with_seed(row_text.as_bytes(), hash);
    }
    hash
}

fn value_at(column: &Column, row: usize) -> Option<Value> {
    if row < column.n_rows() { column.value(row) } else { None }
}
