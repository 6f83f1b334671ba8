//! A set of rows of one block.

/// Which rows of a block are meant: one bit a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSet {
    words: Vec<u64>,
    n_rows: usize,
}

/// A word whose `n` lowest bits are set, all of them from 64 on.
fn low_bits(n: usize) -> u64 {
    if n < 64 { (1 << n) - 1 } else { u64::MAX }
}

/// The flags, each 0 or 1, as bits, the first one lowest.
#[inline]
fn packed(flags: &[u8; 64]) -> u64 {
    let (eights, _) = flags.as_chunks::<8>();
    // The product brings the lowest bits of eight bytes together in its highest byte; no two meet on the way.
    let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().rev().fold(0, |word, eight| word << 8 | bits(eight))
}

impl RowSet {
    /// Every one of `n_rows` rows.
    pub fn all(n_rows: usize) -> Self {
        let mut set = Self { words: vec![u64::MAX; n_rows.div_ceil(64)], n_rows };
        set.clear_tail();
        set
    }

    /// None of `n_rows` rows.
    pub fn none(n_rows: usize) -> Self {
        Self { words: vec![0; n_rows.div_ceil(64)], n_rows }
    }

    /// The rows for which `keep` holds.
    pub fn of(n_rows: usize, mut keep: impl FnMut(usize) -> bool) -> Self {
        let word = |first: usize| {
            let mut flags = [0u8; 64];
            let there = first..n_rows.min(first + 64);
            flags.iter_mut().zip(there).for_each(|(flag, row)| *flag = u8::from(keep(row)));
            packed(&flags)
        };
        Self { words: (0..n_rows).step_by(64).map(word).collect(), n_rows }
    }

    /// The rows that `rows` gives; those beyond the block are ignored.
    pub fn of_places(n_rows: usize, rows: impl Iterator<Item = usize>) -> Self {
        let mut set = Self::none(n_rows);
        rows.for_each(|row| set.insert(row));
        set
    }

    /// The rows whose value in `values` fulfils `keep`.
    pub fn of_slice<T>(values: &[T], mut keep: impl FnMut(&T) -> bool) -> Self {
        let mut words = Vec::with_capacity(values.len().div_ceil(64));
        let (whole, rest) = values.as_chunks::<64>();
        for values in whole {
            let mut flags = [0u8; 64];
            flags.iter_mut().zip(values).for_each(|(flag, value)| *flag = u8::from(keep(value)));
            words.push(packed(&flags));
        }
        if !rest.is_empty() {
            let mut flags = [0u8; 64];
            flags.iter_mut().zip(rest).for_each(|(flag, value)| *flag = u8::from(keep(value)));
            words.push(packed(&flags));
        }
        Self { words, n_rows: values.len() }
    }

    /// A set from its words, least significant bit first; bits beyond `n_rows` are ignored.
    pub fn of_words(mut words: Vec<u64>, n_rows: usize) -> Self {
        words.resize(n_rows.div_ceil(64), 0);
        let mut set = Self { words, n_rows };
        set.clear_tail();
        set
    }

    fn clear_tail(&mut self) {
        if !self.n_rows.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (self.n_rows % 64)) - 1;
        }
    }

    /// How many rows the block has.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The words, least significant bit first.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// How many rows are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Tells whether no row is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// Tells whether every row is in the set.
    pub fn is_all(&self) -> bool {
        self.count() == self.n_rows
    }

    /// Tells whether `row` is in the set.
    pub fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1)
    }

    /// Puts `row` into the set; rows beyond the block are ignored.
    pub fn insert(&mut self, row: usize) {
        if row < self.n_rows {
            self.words[row / 64] |= 1 << (row % 64);
        }
    }

    /// Puts the rows of a range within the block into the set.
    pub(crate) fn insert_range(&mut self, rows: std::ops::Range<usize>) {
        let mut at = rows.start;
        while at < rows.end {
            self.or_bits(at, low_bits(rows.end - at));
            at += 64;
        }
    }

    /// Puts row `at + i` into the set for each row `from + i` of `other`, for the first `n_rows` of them.
    pub(crate) fn insert_rows_of(&mut self, at: usize, other: &Self, from: usize, n_rows: usize) {
        let mut done = 0;
        while done < n_rows {
            self.or_bits(at + done, other.bits_from(from + done) & low_bits(n_rows - done));
            done += 64;
        }
    }

    /// Adds 64 rows from `row` on; bits beyond the block must be 0.
    fn or_bits(&mut self, row: usize, bits: u64) {
        let (index, shift) = (row / 64, row % 64);
        self.words[index] |= bits << shift;
        if shift > 0
            && let Some(next) = self.words.get_mut(index + 1)
        {
            *next |= bits >> (64 - shift);
        }
    }

    /// Grows or shrinks to `n_rows` rows; new ones are not in the set.
    pub fn resize(&mut self, n_rows: usize) {
        self.words.resize(n_rows.div_ceil(64), 0);
        self.n_rows = n_rows;
        self.clear_tail();
    }

    /// Keeps the rows that are also in `other`, a set over the same block.
    pub fn and(&mut self, other: &Self) {
        debug_assert_eq!(self.n_rows, other.n_rows);
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    /// Reports whether any row is in both sets.
    pub fn shares_any(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// Adds the rows of `other`, a set over the same block.
    pub fn or(&mut self, other: &Self) {
        debug_assert_eq!(self.n_rows, other.n_rows);
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// Turns the set into its complement within the block.
    pub fn invert(&mut self) {
        self.words.iter_mut().for_each(|w| *w = !*w);
        self.clear_tail();
    }

    /// The rows of the set, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(w, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(w * 64 + bit)
            })
        })
    }

    /// Of the rows in this set, counted from 0, keeps those whose place is in `chosen`.
    ///
    /// Shape: `chosen` is over `self.count()` rows. With it a filter over rows already thinned out is
    /// expressed in rows of the block again.
    pub fn select(&self, chosen: &Self) -> Self {
        let mut place = 0;
        let select = |word: &u64| {
            let bits = chosen.bits_from(place);
            place += word.count_ones() as usize;
            deposit(bits, *word)
        };
        Self { words: self.words.iter().map(select).collect(), n_rows: self.n_rows }
    }

    /// Of the rows in this set, counted from 0, the places of those that are also in `rows`, a set over the same block.
    ///
    /// Shape: the places are a set over `self.count()` rows, the opposite of [`select`](Self::select).
    pub fn places_of(&self, rows: &Self) -> Self {
        debug_assert_eq!(self.n_rows, rows.n_rows);
        if self.is_all() {
            return rows.clone();
        }
        if rows.is_all() {
            return Self::all(self.count());
        }
        let mut places = Self::none(self.count());
        let mut before = 0;
        for (mask, wanted) in self.words.iter().zip(&rows.words) {
            let n_rows = mask.count_ones() as usize;
            if mask & wanted == *mask {
                places.insert_range(before..before + n_rows);
            } else if *mask == u64::MAX {
                places.or_bits(before, *wanted);
            } else {
                let mut found = mask & wanted;
                while found != 0 {
                    let lowest = found & found.wrapping_neg();
                    places.insert(before + (mask & (lowest - 1)).count_ones() as usize);
                    found ^= lowest;
                }
            }
            before += n_rows;
        }
        places
    }

    /// The 64 bits from `row` on, zeros beyond the last row.
    fn bits_from(&self, row: usize) -> u64 {
        let word = |index: usize| self.words.get(index).copied().unwrap_or(0);
        let (index, shift) = (row / 64, row % 64);
        if shift == 0 { word(index) } else { word(index) >> shift | word(index + 1) << (64 - shift) }
    }
}

/// Puts the lowest bits of `bits` one after the other where `mask` has ones.
fn deposit(mut bits: u64, mut mask: u64) -> u64 {
    if mask == u64::MAX {
        return bits;
    }
    let mut deposited = 0;
    while mask != 0 && bits != 0 {
        let lowest = mask & mask.wrapping_neg();
        deposited |= lowest * (bits & 1);
        bits >>= 1;
        mask ^= lowest;
    }
    deposited
}

#[cfg(test)]
mod tests;
