//! Proves that a segment holds what was written into it, before anything relies on it.
//!
//! While blocks are written, their times and sequences are summed up and every [`SAMPLED`]th is hashed value by
//! value. The finished file is then read back: all checksums, all times and sequences, and the sampled blocks.

use std::sync::Arc;

use segment::{Segment, SegmentError};
use types::{Batch, Column, Origin, Series, Value};
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
        self.sum_up(block.len(), &block.timestamps.to_slice(), block.sequences.iter());
    }

    fn sum_up(&mut self, n_events: usize, times: &[i64], sequences: impl Iterator<Item = u64>) {
        self.n_blocks += 1;
        self.n_events += n_events as u64;
        self.times = times.iter().fold(self.times, |sum, time| sum.wrapping_mul(31).wrapping_add(*time));
        self.sequences = sequences.fold(self.sequences, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
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
            found.sum_up(times.len(), &times, sequences.into_iter());
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
    let mut rows: Vec<u64> = Vec::with_capacity(batch.len());
    for row in 0..batch.len() {
        let accepted = [batch.sequences.get(row), batch.ingestion_times.get(row) as u64];
        let place = std::iter::once(batch.timestamps.get(row) as u64).chain(accepted);
        let origin = batch.origins.get(batch.origin_codes.get(row) as usize);
        // Nearly all batches have one origin of nothing.
        let of_origin = origin.filter(|origin| **origin != Origin::default()).map_or(0, |o| hash_of(&format!("{o:?}")));
        rows.push(mix(place.fold(u64::from(batch.levels.get(row)), mix), of_origin));
    }
    add_column(&mut rows, "@logStream", &batch.streams);
    match (&batch.series, &batch.streams) {
        (Some(series), Column::Dictionary { codes, .. }) => {
            let of_series: Vec<u64> = series.iter().map(|series| digest_of_series(series)).collect();
            rows.iter_mut().zip(codes).for_each(|(row, code)| *row = row.wrapping_add(of_series[*code as usize]));
        }
        _ => {
            let messages = batch.messages.iter().map(|message| hash_of_text("@message", message));
            rows.iter_mut().zip(messages).for_each(|(row, message)| *row = row.wrapping_add(message));
        }
    }
    batch.fields.iter().for_each(|(name, column)| add_column(&mut rows, name, column));
    rows.into_iter().fold(0, mix)
}

/// Hashes what the samples of a series have in common, as columns have it.
fn digest_of_series(series: &Series) -> u64 {
    let fields = series.fields().iter().map(|(name, text)| hash_of_text(name, text));
    fields.fold(hash_of_text("@message", series.message()), u64::wrapping_add)
}

/// Adds the hash of a field to that of each row which has it.
fn add_column(rows: &mut [u64], name: &str, column: &Column) {
    match column {
        Column::Dictionary { codes, values } => {
            let of_values: Vec<u64> = values.iter().map(|value| hash_of_value(name, value)).collect();
            let of_codes = codes.iter().map(|code| of_values.get(*code as usize).copied().unwrap_or_default());
            rows.iter_mut().zip(of_codes).for_each(|(row, value)| *row = row.wrapping_add(value));
        }
        Column::Floats { values, present: None, integers: None } => {
            let of_name = hash_of(name);
            for (row, value) in rows.iter_mut().zip(values) {
                *row = row.wrapping_add(mix(of_name, value.to_bits()));
            }
        }
        Column::Strings { values, present: None } => {
            let hashes = values.iter().map(|text| hash_of_text(name, text));
            rows.iter_mut().zip(hashes).for_each(|(row, text)| *row = row.wrapping_add(text));
        }
        column => {
            for number in column.presence().iter() {
                let hash = column.value(number).map_or(0, |value| hash_of_value(name, &value));
                rows[number] = rows[number].wrapping_add(hash);
            }
        }
    }
}

fn hash_of_value(name: &str, value: &Value) -> u64 {
    match value {
        Value::String(text) => hash_of_text(name, text),
        Value::Float(number) => mix(hash_of(name), number.to_bits()),
        other => hash_of(&format!("{name:?}{other:?}")),
    }
}

fn hash_of_text(name: &str, text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), hash_of(name))
}

fn hash_of(text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), 1)
}

/// Mixes two numbers into one that depends on their order.
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd6e8_feb8_6659_fd93);
    (product as u64) ^ (product >> 64) as u64 ^ a.rotate_left(29)
}

#[cfg(test)]
mod tests;
