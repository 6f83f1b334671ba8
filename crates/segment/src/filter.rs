//! Block filters: which sequences of four characters the text variables of a block hold, and since format 3 its raw messages.
//!
//! A piece of a word, such as an id pasted from elsewhere, may occur in any text variable, and reading the
//! variables of every block to find it is what such a search costs. The filter answers "not here" for nearly
//! every block: a bit table, one hash per sequence (a Bloom filter with one probe, Bloom 1970), over texts in
//! lower case. A piece of `n` characters asks `n − 3` bits, so a table half full lets one block in 2^(n−3)
//! through by mistake.
//!
//! Bytes: the table itself, a power of two long; empty where the block has no such text.

/// Characters of a sequence. Three are too few: the ids of a block hold nearly all of them.
const GRAM: usize = 4;

/// Bits per distinct sequence, rounded up to a power of two in all. At one to two bits a table is a third to
/// two thirds full; measured on the benchmark mix, twice as many cost 0.4 bytes an event and change no answer's time.
const BITS_PER_GRAM: usize = 1;

/// Least table in bytes.
const TABLE_BYTES_MIN: usize = 32;

/// Largest table in bytes: a block of huge texts gets a fuller table, not a larger one.
const TABLE_BYTES_MAX: usize = 64 << 10;

fn grams(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    text.windows(GRAM).map(|gram| gram.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(byte.to_ascii_lowercase())))
}

/// Returns where the bit of a sequence is in a table of `n_bytes`, a power of two.
fn bit_of(gram: u32, n_bytes: usize) -> (usize, u8) {
    // Fibonacci hashing: the upper bits of the product are the well mixed ones.
    let hashed = (u64::from(gram).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let bit = hashed & (n_bytes * 8 - 1);
    (bit / 8, 1 << (bit % 8))
}

/// Reports whether a filter that takes one sequence in 2^`rarity` takes this one.
fn is_taken(gram: u32, rarity: u8) -> bool {
    // Other bits of the product than those that say where it is, and those that all of the sequence decides.
    let hashed = u64::from(gram).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hashed >> 56 & ((1 << rarity) - 1) == 0
}

/// A filter while it is made: a table of the largest size, the lower bits of a place in which are the place in a smaller one.
#[derive(Clone)]
pub(super) struct FilterTable {
    largest: Vec<u8>,
    is_empty: bool,
    /// One sequence in 2^this is taken: of long texts that are all different, a few sequences tell one from the others, and
    /// all of them would only fill the table.
    pub(super) rarity: u8,
}

impl FilterTable {
    /// Makes the filter over `texts`.
    pub(super) fn of<'t>(texts: impl Iterator<Item = &'t str>, rarity: u8) -> Self {
        let mut table = Self { largest: vec![0; TABLE_BYTES_MAX], is_empty: true, rarity };
        for text in texts {
            table.is_empty = false;
            for gram in grams(text.as_bytes()).filter(|gram| is_taken(*gram, rarity)) {
                let (byte, bit) = bit_of(gram, TABLE_BYTES_MAX);
                table.largest[byte] |= bit;
            }
        }
        table
    }

    /// Adds what another one holds; sequences that the rarer of both does not take count no more.
    pub(super) fn merge(&mut self, other: &Self) {
        self.largest.iter_mut().zip(&other.largest).for_each(|(byte, other)| *byte |= other);
        self.is_empty &= other.is_empty;
        self.rarity = self.rarity.max(other.rarity);
    }

    /// Reports whether nearly every text would seem to be there.
    pub(super) fn is_full(&self) -> bool {
        self.n_set() * 4 > TABLE_BYTES_MAX * 8 * 3
    }

    fn n_set(&self) -> usize {
        self.largest.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Returns the table in the size that suits it; nothing if there was no text.
    pub(super) fn bytes(&self) -> Vec<u8> {
        if self.is_empty {
            return Vec::new();
        }
        let n_bytes = (self.n_set() * BITS_PER_GRAM / 8).next_power_of_two().clamp(TABLE_BYTES_MIN, TABLE_BYTES_MAX);
        let mut table = vec![0; n_bytes];
        for part in self.largest.chunks_exact(n_bytes) {
            table.iter_mut().zip(part).for_each(|(byte, other)| *byte |= other);
        }
        table
    }
}

/// Reports whether some text may hold `piece`; pieces shorter than a sequence always may.
pub(super) fn may_hold(table: &[u8], piece: &str) -> bool {
    may_hold_rare(table, piece, 0)
}

/// The same for the filter over one sequence in 2^`rarity`.
pub(super) fn may_hold_rare(table: &[u8], piece: &str, rarity: u8) -> bool {
    if table.is_empty() || !table.len().is_power_of_two() {
        return !table.is_empty();
    }
    grams(piece.as_bytes()).filter(|gram| is_taken(*gram, rarity)).all(|gram| {
        let (byte, bit) = bit_of(gram, table.len());
        table[byte] & bit != 0
    })
}

#[cfg(test)]
mod tests;
