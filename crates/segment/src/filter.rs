//! Block filters: which sequences of four characters the text variables of a block hold.
//!
//! A piece of a word, such as an id pasted from elsewhere, may occur in any text variable, and reading the
//! variables of every block to find it is what such a search costs. The filter answers "not here" for nearly
//! every block: a bit table, one hash per sequence (a Bloom filter with one probe, Bloom 1970), over texts in
//! lower case. A piece of `n` characters asks `n − 3` bits, so a table half full lets one block in 2^(n−3)
//! through by mistake.
//!
//! Bytes: the table itself, a power of two long; empty where the block has no text variables.

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

/// Makes the filter over `texts`.
pub(super) fn build<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<u8> {
    // In the largest table first; the lower bits of a place in it are the place in a smaller one.
    let mut largest = vec![0u8; TABLE_BYTES_MAX];
    let mut is_empty = true;
    for text in texts {
        is_empty = false;
        for gram in grams(text.as_bytes()) {
            let (byte, bit) = bit_of(gram, TABLE_BYTES_MAX);
            largest[byte] |= bit;
        }
    }
    if is_empty {
        return Vec::new();
    }
    let n_distinct: usize = largest.iter().map(|byte| byte.count_ones() as usize).sum();
    let n_bytes = (n_distinct * BITS_PER_GRAM / 8).next_power_of_two().clamp(TABLE_BYTES_MIN, TABLE_BYTES_MAX);
    let (table, others) = largest.split_at_mut(n_bytes);
    for other in others.chunks_exact(n_bytes) {
        table.iter_mut().zip(other).for_each(|(byte, other)| *byte |= other);
    }
    largest.truncate(n_bytes);
    largest
}

/// Reports whether some text may hold `piece`; pieces shorter than a sequence always may.
pub(super) fn may_hold(table: &[u8], piece: &str) -> bool {
    if table.is_empty() || !table.len().is_power_of_two() {
        return !table.is_empty();
    }
    grams(piece.as_bytes()).all(|gram| {
        let (byte, bit) = bit_of(gram, table.len());
        table[byte] & bit != 0
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_a_text_holds_the_filter_never_denies(
            texts in proptest::collection::vec("[a-zA-Z0-9\u{e9}]{1,12}", 1..20), which in 0usize..20,
            from in 0usize..12, length in 1usize..12,
        ) {
            let table = build(texts.iter().map(String::as_str));
            let piece: String = texts[which % texts.len()].chars().skip(from).take(length).collect();
            prop_assert!(piece.is_empty() || may_hold(&table, &piece));
            prop_assert!(piece.is_empty() || may_hold(&table, &piece.to_ascii_uppercase()));
        }
    }

    #[test]
    fn most_other_texts_are_denied() {
        let texts: Vec<String> = (0..5000).map(|i| format!("u{}", i * 7919)).collect();
        let table = build(texts.iter().map(String::as_str));
        let n_mistakes = (0..1000).filter(|i| may_hold(&table, &format!("needle{i}one8c41f"))).count();
        assert!(n_mistakes < 20, "{n_mistakes}");
        assert!(!may_hold(&build(std::iter::empty()), "anything"));
    }
}
