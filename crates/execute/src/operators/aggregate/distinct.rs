//! Counting distinct values: a set of hashes while it is small, a HyperLogLog sketch beyond.
//!
//! The sketch has 2^14 registers (standard error 0.8 %). The estimate is Otmar Ertl's, "New cardinality estimation
//! algorithms for HyperLogLog sketches", arXiv:1702.01284, which needs no correction tables at any size.

use std::collections::HashSet;

use types::{Value, ensure};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use evaluate::expressions::address;
use evaluate::{Cell, canonical, write_key};
use types::codec::{Cursor, Damage, Decoded, put_count};

/// Values counted exactly. With 64-bit hashes two of so few collide once in 10^11 queries.
const EXACT_MAX: usize = 16_384;

/// Bits of a hash that choose the register.
const INDEX_BITS: u32 = 14;
const N_REGISTERS: usize = 1 << INDEX_BITS;
const RANK_MAX: usize = 64 - INDEX_BITS as usize + 1;

/// Hashes are already random: hashing them again would only cost time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Identity(u64);

impl std::hash::Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(crate) type HashState = std::hash::BuildHasherDefault<Identity>;

/// The distinct values seen.
#[derive(Clone, Debug)]
pub(crate) enum Distinct {
    /// Their hashes.
    Exact(HashSet<u64, HashState>),
    /// The registers of the sketch.
    Sketch(Box<[u8]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(HashSet::default())
    }
}

/// Returns the hash of a value, equal for values that are one.
pub(super) fn hash(cell: Cell<'_>) -> u64 {
    // Most values are texts and whole numbers: no key is put together for them.
    match cell {
        Cell::Text(text) => return hash_of_text(text.as_bytes()),
        Cell::Integer(number) => return xxh3_64_with_seed(&number.to_le_bytes(), 2),
        _ => {}
    }
    let mut key = Vec::with_capacity(32);
    let number = cell.to_value().map(canonical);
    if let Some(Value::Integer(number)) = number {
        return hash(Cell::Integer(number));
    }
    write_key(cell, &mut key);
    xxh3_64(&key)
}

/// Returns the hash of a text. That of an address is worked out from its number, as some blocks keep it.
#[inline]
fn hash_of_text(text: &[u8]) -> u64 {
    address::number_of(text).map_or_else(|| xxh3_64_with_seed(text, 1), address::hash_of)
}

impl Distinct {
    /// Adds a value; a missing one is passed over. Answers how many bytes more are held.
    pub(crate) fn add(&mut self, cell: Cell<'_>) -> usize {
        if cell.is_present() { self.add_hash(hash(cell)) } else { 0 }
    }

    /// Adds a value by its hash.
    pub(crate) fn add_hash(&mut self, hash: u64) -> usize {
        match self {
            Self::Exact(hashes) => {
                let is_new = hashes.insert(hash);
                if hashes.len() > EXACT_MAX {
                    *self = self.sketch();
                }
                // A set holds up to twice the bytes of its elements.
                if is_new { 16 } else { 0 }
            }
            Self::Sketch(registers) => {
                raise(registers, hash);
                0
            }
        }
    }

    fn sketch(&self) -> Self {
        let mut registers = vec![0u8; N_REGISTERS].into_boxed_slice();
        match self {
            Self::Exact(hashes) => hashes.iter().for_each(|hash| raise(&mut registers, *hash)),
            Self::Sketch(known) => registers.copy_from_slice(known),
        }
        Self::Sketch(registers)
    }

    /// Adds the values of others.
    pub(crate) fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::Exact(hashes)) => {
                for hash in hashes {
                    self.add_hash(hash);
                }
            }
            (Self::Exact(_), sketch @ Self::Sketch(_)) => {
                let exact = std::mem::replace(self, sketch);
                self.merge(exact);
            }
            (Self::Sketch(registers), Self::Sketch(others)) => {
                registers.iter_mut().zip(others).for_each(|(register, other)| *register = (*register).max(other));
            }
        }
    }

    /// Bytes held next to the state itself, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Exact(hashes) => hashes.len() * 16,
            Self::Sketch(registers) => registers.len(),
        }
    }

    /// Appends the state; its tag is `tag` where it is exact, else the next.
    pub(super) fn encode(&self, tag: u8, out: &mut Vec<u8>) {
        match self {
            Self::Exact(hashes) => {
                out.push(tag);
                put_count(hashes.len() as u64, out);
                let mut hashes: Vec<u64> = hashes.iter().copied().collect();
                hashes.sort_unstable();
                hashes.iter().for_each(|hash| out.extend_from_slice(&hash.to_le_bytes()));
            }
            Self::Sketch(registers) => {
                out.push(tag + 1);
                out.extend_from_slice(registers);
            }
        }
    }

    /// Reads a state.
    pub(super) fn decode(is_exact: bool, reader: &mut Cursor<'_>) -> Decoded<Self> {
        if is_exact {
            let n_hashes = reader.below(EXACT_MAX + 1)?;
            return Ok(Self::Exact((0..n_hashes).map(|_| reader.eight()).collect::<Result<_, _>>()?));
        }
        let registers = reader.take(N_REGISTERS)?;
        ensure!(!registers.iter().any(|rank| usize::from(*rank) > RANK_MAX), Damage("register"));
        Ok(Self::Sketch(registers.into()))
    }

    /// Reports whether the count is an estimate.
    pub(crate) fn is_approximate(&self) -> bool {
        matches!(self, Self::Sketch(_))
    }

    /// Returns how many distinct values there are.
    pub(crate) fn estimate(&self) -> u64 {
        match self {
            Self::Exact(hashes) => hashes.len() as u64,
            Self::Sketch(registers) => estimate(registers),
        }
    }
}

fn raise(registers: &mut [u8], hash: u64) {
    let index = (hash >> (64 - INDEX_BITS)) as usize;
    // The bit set at the end bounds the rank.
    let rest = (hash << INDEX_BITS) | (1 << (INDEX_BITS - 1));
    let rank = rest.leading_zeros() as u8 + 1;
    registers[index] = registers[index].max(rank);
}

/// Algorithm 6 of the paper.
fn estimate(registers: &[u8]) -> u64 {
    let mut counts = [0f64; RANK_MAX + 1];
    registers.iter().for_each(|rank| counts[usize::from(*rank).min(RANK_MAX)] += 1.0);
    let n_registers = N_REGISTERS as f64;
    let mut sum = n_registers * tau(1.0 - counts[RANK_MAX] / n_registers);
    for count in counts[1..RANK_MAX].iter().rev() {
        sum = 0.5 * (sum + count);
    }
    sum += n_registers * sigma(counts[0] / n_registers);
    (n_registers * n_registers / (2.0 * std::f64::consts::LN_2 * sum)).round() as u64
}

fn sigma(share: f64) -> f64 {
    if share >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut factor, mut sum) = (share, 1.0, share);
    // Squaring a share below 1 reaches 0 within a thousand steps of halving its exponent; far fewer in practice.
    for _ in 0..64 {
        power *= power;
        let next = sum + power * factor;
        factor += factor;
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

fn tau(share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        return 0.0;
    }
    let (mut root, mut factor, mut sum) = (share, 1.0, 1.0 - share);
    for _ in 0..64 {
        root = root.sqrt();
        factor *= 0.5;
        let next = sum - (1.0 - root) * (1.0 - root) * factor;
        if next == sum {
            break;
        }
        sum = next;
    }
    sum / 3.0
}

#[cfg(test)]
mod tests;
