//! Which values a field has in a whole run: asked once, before any block of the run is.
//!
//! Where all values are lower-case hex of one length, such as ids of traces, the filter is a Bloom filter over whole values: ids are
//! looked up as a whole, and a piece of an id excludes nothing, since every piece occurs. Where blocks keep texts, it is the table of
//! their sequences (`filter`). Other fields, and those of several kinds, have none; nor have those whose table would be full.
//!
//! Section: byte 0, byte `n` bytes per value, byte `k` and 2^k bytes with [`PROBES`] bits for each value; or byte 1, byte `r`, byte `k` and
//! 2^k bytes, the table over one sequence in 2^r.

use types::{Column, RowSet, Value, ensure};
use xxhash_rust::xxh3::xxh3_64;

use crate::bytes::{Cursor, Damage, Decoded};
use crate::filter::{self, FilterTable};
use crate::needle::is_lower_hex;
use crate::template::{may_be_packed, pack_hex};

/// Bits per distinct value, rounded up to a power of two in all; one value in thirty seems to be there by mistake.
const BITS_PER_VALUE: usize = 6;

/// Bits set for each value.
const PROBES: u64 = 3;

/// With fewer distinct ids, a search is as quick without a filter.
const IDS_MIN: usize = 64;

/// Most values that are collected.
const VALUES_MAX: usize = 4 << 20;

/// Largest table, as an exponent of two.
const EXPONENT_MAX: u8 = 22;

/// What stands before the table.
const HEADER_BYTES: usize = 3;

const VALUES: u8 = 0;
const SEQUENCES: u8 = 1;

/// The filter of a field of a run while the run is written.
#[derive(Default)]
pub(crate) enum ColumnFilterWriter {
    /// No block had values.
    #[default]
    Empty,
    /// Hashes of values of so many bytes.
    Hex {
        n_bytes: usize,
        hashes: Vec<u64>,
    },
    Texts(Box<FilterTable>),
    /// It would not tell anything.
    GivenUp,
}

impl ColumnFilterWriter {
    /// Takes note that a block keeps the field in a way that has no filter.
    pub(crate) fn give_up(&mut self) {
        *self = Self::GivenUp;
    }

    /// Adds the values of a block if all of them are lower-case hex of one length.
    pub(crate) fn add_hex(&mut self, column: &Column, present: &RowSet) {
        let texts: Vec<&str> = match column {
            Column::Strings { values, .. } => present.iter().map(|row| values.get(row)).collect(),
            Column::Dictionary { codes, values } => {
                let text = |code: u32| {
                    if let Some(Value::String(text)) = values.get(code as usize) { &**text } else { "" }
                };
                // Most dictionaries hold no ids; their first value shows that.
                if !present.iter().next().is_some_and(|row| may_be_packed(text(codes[row]))) {
                    return self.give_up();
                }
                let mut used: Vec<u32> = present.iter().map(|row| codes[row]).collect();
                used.sort_unstable();
                used.dedup();
                used.into_iter().map(text).collect()
            }
            _ => return self.give_up(),
        };
        let n_digits = texts.first().map_or(0, |text| text.len());
        if n_digits > 2 * usize::from(u8::MAX)
            || !texts.iter().all(|text| text.len() == n_digits && may_be_packed(text))
        {
            return self.give_up();
        }
        let mut packed = Vec::new();
        let mut of_block: Vec<u64> = Vec::with_capacity(texts.len());
        for text in texts {
            packed.clear();
            pack_hex(&mut packed, text);
            of_block.push(xxh3_64(&packed));
        }
        of_block.sort_unstable();
        of_block.dedup();
        match self {
            Self::Empty => *self = Self::Hex { n_bytes: n_digits / 2, hashes: of_block },
            Self::Hex { n_bytes, hashes } if *n_bytes == n_digits / 2 && hashes.len() < VALUES_MAX => {
                hashes.append(&mut of_block);
            }
            _ => self.give_up(),
        }
    }

    /// Adds the table of the texts of a block.
    pub(crate) fn add_texts(&mut self, table: &FilterTable) {
        match self {
            Self::Empty => *self = Self::Texts(Box::new(table.clone())),
            Self::Texts(known) => {
                known.merge(table);
                if known.is_full() {
                    self.give_up();
                }
            }
            _ => self.give_up(),
        }
    }

    /// Reports whether the values are ids that most events share with others.
    pub(crate) fn is_of_repeated_ids(&self, n_events: u64) -> bool {
        matches!(self, Self::Hex { hashes, .. } if hashes.len() >= IDS_MIN && hashes.len() as u64 * 10 <= n_events * 7)
    }

    /// Makes the section; `None` where there is none.
    pub(crate) fn encode(self) -> Option<Vec<u8>> {
        match self {
            Self::Empty | Self::GivenUp => None,
            Self::Hex { n_bytes, mut hashes } => {
                hashes.sort_unstable();
                hashes.dedup();
                let table_bytes = (hashes.len() * BITS_PER_VALUE / 8).next_power_of_two().max(8);
                let exponent = table_bytes.trailing_zeros() as u8;
                let n_bytes = u8::try_from(n_bytes).ok().filter(|_| exponent <= EXPONENT_MAX)?;
                let mut out = vec![VALUES, n_bytes, exponent];
                let mut table = vec![0u8; table_bytes];
                for bit in hashes.into_iter().flat_map(|hash| bits_of(hash, table_bytes)) {
                    table[bit / 8] |= 1 << (bit % 8);
                }
                out.append(&mut table);
                Some(out)
            }
            Self::Texts(table) => {
                let bytes = table.bytes();
                let is_worth = !bytes.is_empty() && !table.is_full();
                is_worth.then(|| [&[SEQUENCES, table.rarity, bytes.len().trailing_zeros() as u8], &bytes[..]].concat())
            }
        }
    }
}

/// Returns the bits of a value in a table of `n_bytes`, a power of two.
fn bits_of(hash: u64, n_bytes: usize) -> impl Iterator<Item = usize> {
    // Double hashing (Kirsch and Mitzenmacher, 2006).
    let step = hash >> 32 | 1;
    (0..PROBES).map(move |probe| hash.wrapping_add(probe.wrapping_mul(step)) as usize & (n_bytes * 8 - 1))
}

/// The filter of a field of a run, read back.
pub(crate) struct ColumnFilter {
    kind: u8,
    /// Bytes per value, or how rare sequences are.
    of_kind: u8,
    /// The whole section: run filters are many, and are not copied.
    section: Vec<u8>,
}

impl ColumnFilter {
    pub(crate) fn decode(section: Vec<u8>) -> Decoded<Self> {
        let mut cursor = Cursor::new(&section);
        let (kind, of_kind, exponent) = (cursor.byte()?, cursor.byte()?, cursor.byte()?);
        ensure!(kind <= SEQUENCES && exponent <= EXPONENT_MAX, Damage("unknown kind of filter"));
        cursor.take(1 << exponent)?;
        if cursor.is_at_end() { Ok(Self { kind, of_kind, section }) } else { Err(Damage("bytes are left over")) }
    }

    fn table(&self) -> &[u8] {
        &self.section[HEADER_BYTES..]
    }

    /// Reports whether a value may hold a literal, which is in lower case where case is ignored; or be it, if it `is_whole`.
    pub(crate) fn may_hold(&self, literal: &str, is_whole: bool) -> bool {
        if self.kind == SEQUENCES {
            return filter::may_hold_rare(self.table(), literal, self.of_kind);
        }
        let n_digits = 2 * usize::from(self.of_kind);
        if literal.len() > n_digits || !is_lower_hex(literal) {
            return false;
        }
        if literal.len() < n_digits {
            return !is_whole;
        }
        let mut packed = Vec::new();
        pack_hex(&mut packed, literal);
        let table = self.table();
        bits_of(xxh3_64(&packed), table.len()).all(|bit| table[bit / 8] >> (bit % 8) & 1 == 1)
    }
}

#[cfg(test)]
mod tests;
