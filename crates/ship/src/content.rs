//! A running hash of what was sent of a file, by which a server recognises the file for a shipper that lost its state.
//!
//! Polynomials of the bytes modulo 2⁶¹−1, at two places: their state is two numbers, which a checkpoint keeps and any
//! later read continues, and the hash of a range does not depend on how the range was cut into batches. Accidents are
//! as unlikely as with any hash of 122 bits. Someone who writes a file on purpose can find two contents of one
//! hash; then lines of that file alone are affected.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use serde::{Deserialize, Serialize};

use crate::identity::read_at_most;
use crate::rules::{Rules, SourcePosition};

const MODULUS: u64 = (1 << 61) - 1;

/// Places of the polynomials, drawn at random once. Other places make all known hashes worthless.
const PLACES: [u64; 2] = [0x0ea1_93c4_b1f7_6d2b, 0x13d7_5a0e_94c8_22f5];

/// Bytes that are taken in one step.
const STEP: usize = 8;

/// Powers of each place: `POWERS[lane][n]` is the n-th.
const POWERS: [[u64; STEP + 1]; 2] = [powers(PLACES[0]), powers(PLACES[1])];

/// Bytes read at once to compare a file. A line that is longer is compared in parts.
const READ_BYTES: usize = 512 << 10;

const fn powers(place: u64) -> [u64; STEP + 1] {
    let mut powers = [1; STEP + 1];
    let mut n = 1;
    while n <= STEP {
        powers[n] = reduce(powers[n - 1] as u128 * place as u128);
        n += 1;
    }
    powers
}

const fn reduce(number: u128) -> u64 {
    let folded = (number & MODULUS as u128) + (number >> 61);
    let folded = (folded & MODULUS as u128) as u64 + (folded >> 61) as u64;
    if folded >= MODULUS { folded - MODULUS } else { folded }
}

/// The hash of the bytes from some place of a file on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Content {
    /// Offset of the first byte.
    pub(crate) from: u64,
    hash: [u64; 2],
}

impl Content {
    /// Creates the hash of no bytes, at `from`.
    pub(crate) fn begin(from: u64) -> Self {
        Self { from, hash: [0; 2] }
    }

    /// Returns the content with `bytes` after it.
    pub(crate) fn with(mut self, bytes: &[u8]) -> Self {
        for (hash, powers) in self.hash.iter_mut().zip(&POWERS) {
            *hash = extended(*hash, bytes, powers);
        }
        self
    }

    /// Returns the hash as it is sent.
    pub(crate) fn text(&self) -> String {
        format!("{:016x}{:016x}", self.hash[0], self.hash[1])
    }
}

fn extended(mut hash: u64, bytes: &[u8], powers: &[u64; STEP + 1]) -> u64 {
    let mut steps = bytes.chunks_exact(STEP);
    for step in &mut steps {
        let mut sum = u128::from(hash) * u128::from(powers[STEP]);
        for (n, byte) in step.iter().enumerate() {
            sum += u128::from(*byte) * u128::from(powers[STEP - 1 - n]);
        }
        hash = reduce(sum);
    }
    for byte in steps.remainder() {
        hash = reduce(u128::from(hash) * u128::from(powers[1]) + u128::from(*byte));
    }
    hash
}

/// Hashes ranges of a file as they would be sent, reading it once from its start.
pub(crate) struct Hasher<'a> {
    file: &'a File,
    rules: &'a Rules,
    at: u64,
    /// The running hash of each place that a range begins at.
    running: BTreeMap<u64, Content>,
}

impl<'a> Hasher<'a> {
    /// Creates a hasher for content after `rules`, which must not depend on the position of a line.
    pub(crate) fn new(file: &'a File, rules: &'a Rules) -> Self {
        Self { file, rules, at: 0, running: BTreeMap::new() }
    }

    /// Returns the hashes of `ranges` (begin and end), in their order; nothing for one that the file does not have, or that begins
    /// or ends before a place that was read before. `goes_on` is asked between reads.
    pub(crate) fn hashes(
        &mut self,
        ranges: &[(u64, u64)],
        goes_on: &dyn Fn() -> bool,
    ) -> io::Result<Vec<Option<String>>> {
        let mut stops: Vec<u64> = ranges.iter().flat_map(|(begin, end)| [*begin, *end]).collect();
        stops.sort_unstable();
        stops.dedup();
        let mut found = vec![None; ranges.len()];
        for stop in stops {
            if stop < self.at || !self.read_to(stop, goes_on)? {
                continue;
            }
            for (range, hash) in ranges.iter().zip(&mut found).filter(|((_, end), _)| *end == stop) {
                *hash = self.running.get(&range.0).map(Content::text);
            }
            if ranges.iter().any(|(begin, _)| *begin == stop) {
                self.running.entry(stop).or_insert_with(|| Content::begin(stop));
            }
        }
        Ok(found)
    }

    /// Reads on to `stop`; `false` if the file ends before.
    fn read_to(&mut self, stop: u64, goes_on: &dyn Fn() -> bool) -> io::Result<bool> {
        while self.at < stop {
            types::ensure!(goes_on(), io::Error::other("stopped"));
            let n_left = usize::try_from(stop - self.at).unwrap_or(usize::MAX);
            let mut bytes = read_at_most(self.file, self.at, n_left.min(READ_BYTES))?;
            if bytes.is_empty() {
                return Ok(false);
            }
            // Rules see whole lines.
            if bytes.len() < n_left
                && let Some(end) = memchr::memrchr(b'\n', &bytes)
            {
                bytes.truncate(end + 1);
            }
            self.rules.apply(&mut bytes, None, SourcePosition { file: "", generation: 0, start: self.at });
            self.at += bytes.len() as u64;
            self.running.values_mut().for_each(|content| *content = content.with(&bytes));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
