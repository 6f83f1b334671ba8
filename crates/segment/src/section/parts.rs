//! Parts of a section whose bytes are distributed differently, such as the planes of integers.
//!
//! zstd has one code for all literals of a block, and below its highest levels a section is one block: where bytes that hardly
//! vary lie next to random ones, both take more bits than they need. The entropy of bytes tells where to part them.

use super::counts::byte_counts;

/// Bytes that are looked at together.
const STEP: usize = 1 << 10;

/// Bytes that a part must save: a block has a code of its own.
const GAIN_MIN: f64 = 100.0;

/// How often each byte occurs.
struct Counts([u32; 256]);

impl Counts {
    fn of(bytes: &[u8]) -> Self {
        Self(byte_counts(bytes))
    }

    fn with(&self, other: &Self) -> Self {
        let mut counts = self.0;
        counts.iter_mut().zip(other.0).for_each(|(sum, n)| *sum += n);
        Self(counts)
    }

    /// Returns the bytes that an ideal code needs.
    fn n_bytes(&self) -> f64 {
        let bits = |n: f64| n * n.log2();
        let n: u32 = self.0.iter().sum();
        let of_each = self.0.iter().filter(|n| **n > 0).map(|n| bits(f64::from(*n)));
        (bits(f64::from(n.max(1))) - of_each.sum::<f64>()) / 8.0
    }
}

/// Returns where the parts of `bytes` end; the last one ends with them.
pub(super) fn ends_of_parts(bytes: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut steps = bytes.chunks(STEP).map(Counts::of);
    let Some(mut part) = steps.next() else { return ends };
    let (mut end, mut part_bytes) = (STEP, part.n_bytes());
    for step in steps {
        let both = part.with(&step);
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
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(n: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..n).map(|_| byte()).collect()
    }

    #[test]
    fn bytes_that_hardly_vary_are_parted_from_random_ones() {
        let few: Vec<u8> = random(16 * STEP).iter().map(|byte| byte % 5).collect();
        let both = [random(16 * STEP), few, random(7 * STEP + 3)].concat();
        assert_eq!(ends_of_parts(&both), [16 * STEP, 32 * STEP, 39 * STEP + 3]);
    }

    #[test]
    fn bytes_that_are_alike_are_one_part() {
        assert!(ends_of_parts(&[]).is_empty());
        assert_eq!(ends_of_parts(&[7]), [1]);
        assert_eq!(ends_of_parts(&random(9 * STEP + 1)), [9 * STEP + 1]);
    }
}
