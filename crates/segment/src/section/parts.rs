//! Parts of a section whose bytes are distributed differently, such as the planes of integers.
//!
//! zstd has one code for all literals of a block, and below its highest levels a section is one block: where bytes that hardly
//! vary lie next to random ones, both take more bits than they need. The entropy of bytes tells where to part them.

use std::sync::LazyLock;

use super::counts::byte_counts;

/// Bytes that are looked at together.
const STEP: usize = 1 << 10;

/// Bytes that a part must save: a block has a code of its own.
const GAIN_MIN: f64 = 100.0;

/// `n log2 n` of the counts of a step.
static BITS: LazyLock<Vec<f64>> = LazyLock::new(|| (0..=STEP as u32).map(|n| bits_of_large(n.max(1))).collect());

fn bits_of_large(n: u32) -> f64 {
    f64::from(n) * f64::from(n).log2()
}

/// How often each byte occurs.
#[derive(Clone, Copy)]
struct Counts([u32; 256]);

impl Counts {
    fn of(bytes: &[u8]) -> Self {
        Self(byte_counts(bytes))
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, n)| *sum += n);
    }

    /// Returns the bytes that an ideal code needs.
    fn n_bytes(&self) -> f64 {
        let table = &**BITS;
        let bits = |n: u32| table.get(n as usize).copied().unwrap_or_else(|| bits_of_large(n));
        let n: u32 = self.0.iter().sum();
        (bits(n) - self.0.iter().copied().map(bits).sum::<f64>()) / 8.0
    }
}

/// The parts of a section.
pub(super) struct Parts {
    /// Where each ends; the last one ends with the section.
    pub(super) ends: Vec<usize>,
    /// The bytes that an ideal code for single bytes of the whole section needs.
    pub(super) n_bytes: f64,
}

impl Parts {
    /// Finds where a section is to be parted.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if (1..=STEP).contains(&bytes.len()) {
            return Self { ends: vec![bytes.len()], n_bytes: Counts::of(bytes).n_bytes() };
        }
        let mut ends = Vec::new();
        let mut steps = bytes.chunks(STEP).map(Counts::of);
        let Some(mut part) = steps.next() else { return Self { ends, n_bytes: 0.0 } };
        let mut all = part;
        let (mut end, mut part_bytes) = (STEP, part.n_bytes());
        for step in steps {
            all.add(&step);
            let mut both = part;
            both.add(&step);
            let (step_bytes, both_bytes) = (step.n_bytes(), both.n_bytes());
            if part_bytes + step_bytes + GAIN_MIN < both_bytes {
                ends.push(end);
                (part, part_bytes) = (step, step_bytes);
            } else {
                (part, part_bytes) = (both, both_bytes);
            }
            end += STEP;
        }
        ends.push(bytes.len());
        Self { ends, n_bytes: all.n_bytes() }
    }
}

#[cfg(test)]
mod tests;
