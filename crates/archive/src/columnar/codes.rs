//! A column of texts as the codes of its dictionary, page by page: a text is made once per row group and not once per row.
//!
//! Source: the Parquet format, *Data Pages* and *Encodings* (dictionary, run-length and bit-packing hybrid).

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::{ParquetError, Result};
use types::{Column, MISSING_CODE, Value, ensure};

use super::leaf::{Leaf, Meaning};

/// Distinct texts below which a column is a dictionary whatever their share.
const DISTINCT_ALWAYS: usize = 512;

/// A column of texts of one row group, at the row that comes next.
pub(super) struct Codes {
    pages: Box<dyn PageReader>,
    values: Arc<Vec<Value>>,
    max_definition: u32,
    /// How many rows of the page at hand are left.
    n_left: usize,
    /// Which of them have a value, where some may have none.
    definitions: Option<Hybrid>,
    codes: Hybrid,
}

impl Codes {
    /// Reads the dictionary. Returns `None` if there is none, or if its texts hardly repeat in the `n_rows` of the row group.
    pub(super) fn begin(mut pages: Box<dyn PageReader>, leaf: &Leaf, n_rows: usize) -> Result<Option<Self>> {
        let Some(Page::DictionaryPage { buf, num_values, .. }) = pages.get_next_page()? else { return Ok(None) };
        let n_values = num_values as usize;
        if n_values > DISTINCT_ALWAYS && n_values > n_rows / 2 {
            return Ok(None);
        }
        let mut values = Vec::with_capacity(n_values.min(buf.len() / 4));
        let mut rest = &buf[..];
        for _ in 0..n_values {
            values.push(Meaning::Text.of_bytes(sized(&mut rest)?));
        }
        let max_definition = leaf.max_definition.unsigned_abs().into();
        let codes = Hybrid::default();
        Ok(Some(Self { pages, values: Arc::new(values), max_definition, n_left: 0, definitions: None, codes }))
    }

    /// Reads the next `n` rows. Returns `None` if a page of them does not use the dictionary; nothing can be read after that.
    pub(super) fn read(&mut self, n: usize) -> Result<Option<Column>> {
        let mut codes = vec![MISSING_CODE; n];
        let (mut n_done, mut of_present) = (0, Vec::new());
        while n_done < n {
            if self.n_left == 0 && !self.next_page()? {
                return Ok(None);
            }
            let place = &mut codes[n_done..(n_done + self.n_left).min(n)];
            self.n_left -= place.len();
            n_done += place.len();
            let Some(definitions) = &mut self.definitions else {
                self.codes.read(place)?;
                self.check(place)?;
                continue;
            };
            definitions.read(place)?;
            let is_present = |definition: &&u32| **definition == self.max_definition;
            of_present.resize(place.iter().filter(is_present).count(), 0);
            self.codes.read(&mut of_present)?;
            self.check(&of_present)?;
            let mut present = of_present.iter();
            for row in place {
                *row = if *row == self.max_definition { present.next().copied() } else { None }.unwrap_or(MISSING_CODE);
            }
        }
        Ok(Some(Column::Dictionary { codes, values: self.values.clone() }))
    }

    fn check(&self, codes: &[u32]) -> Result<()> {
        match codes.iter().max() {
            Some(last) if *last as usize >= self.values.len() => Err(fault("a text that its dictionary does not have")),
            _ => Ok(()),
        }
    }

    /// Goes to the next page of values. Returns `false` if it does not use the dictionary.
    fn next_page(&mut self) -> Result<bool> {
        let Some(page) = self.pages.get_next_page()? else { return Err(fault("fewer rows than its row group")) };
        let (bytes, encoding, definitions) = match page {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                self.n_left = num_values as usize;
                if self.max_definition == 0 {
                    (buf, encoding, None)
                } else if def_level_encoding == Encoding::RLE {
                    let mut rest = &buf[..];
                    let n_bytes = sized(&mut rest)?.len();
                    (buf.slice(4 + n_bytes..), encoding, Some(buf.slice(4..4 + n_bytes)))
                } else {
                    return Ok(false);
                }
            }
            Page::DataPageV2 { buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, .. } => {
                self.n_left = num_values as usize;
                let from = rep_levels_byte_len as usize;
                let to = from.saturating_add(def_levels_byte_len as usize);
                ensure!(to <= buf.len(), fault("levels that are longer than their page"));
                (buf.slice(to..), encoding, (self.max_definition > 0).then(|| buf.slice(from..to)))
            }
            Page::DictionaryPage { .. } => return Err(fault("two dictionaries")),
        };
        if !matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY) {
            return Ok(false);
        }
        self.definitions = definitions.map(|bytes| Hybrid::new(bytes, 32 - self.max_definition.leading_zeros()));
        // A page without a single value may have no width either.
        let width = bytes.first().copied().unwrap_or(0);
        ensure!(width <= 32, fault("codes of more than 32 bits"));
        self.codes = Hybrid::new(bytes.slice(bytes.len().min(1)..), width.into());
        Ok(true)
    }
}

fn fault(what: &str) -> ParquetError {
    ParquetError::General(format!("a column of texts has {what}"))
}

/// Takes bytes that stand behind their number, which has four bytes.
fn sized<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let (size, behind) = rest.split_first_chunk().ok_or_else(|| fault("a length that is cut off"))?;
    let (bytes, behind) = behind
        .split_at_checked(u32::from_le_bytes(*size) as usize)
        .ok_or_else(|| fault("a length that is beyond its page"))?;
    *rest = behind;
    Ok(bytes)
}

/// Numbers in runs of one value and runs of packed bits.
#[derive(Default)]
struct Hybrid {
    bytes: Bytes,
    at: usize,
    width: u32,
    n_left: usize,
    run: Run,
}

enum Run {
    Same(u32),
    /// Packed, with the number of its first bit behind the beginning of `bytes`.
    Packed(usize),
}

impl Default for Run {
    fn default() -> Self {
        Self::Same(0)
    }
}

impl Hybrid {
    fn new(bytes: Bytes, width: u32) -> Self {
        Self { bytes, width, ..Self::default() }
    }

    fn read(&mut self, mut out: &mut [u32]) -> Result<()> {
        while !out.is_empty() {
            if self.n_left == 0 {
                self.next_run()?;
            }
            let (now, later) = out.split_at_mut(self.n_left.min(out.len()));
            self.n_left -= now.len();
            match &mut self.run {
                Run::Same(value) => now.fill(*value),
                Run::Packed(from) => {
                    unpack(&self.bytes, *from, self.width, now);
                    *from += now.len() * self.width as usize;
                }
            }
            out = later;
        }
        Ok(())
    }

    fn next_run(&mut self) -> Result<()> {
        let mut head = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(|| fault("fewer values than its page says"))?;
            self.at += 1;
            head |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        let n = (head >> 1) as usize;
        let n_bytes =
            if head & 1 == 0 { self.width.div_ceil(8) as usize } else { n.saturating_mul(self.width as usize) };
        let bytes = &self.bytes[self.at..];
        if head & 1 == 0 {
            let value = bytes.get(..n_bytes).ok_or_else(|| fault("a run that is cut off"))?;
            self.run = Run::Same(value.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)));
            self.n_left = n;
        } else {
            // The last run may be cut where its values end.
            self.n_left = match self.width {
                0 => n.saturating_mul(8),
                width => n.saturating_mul(8).min(bytes.len() * 8 / width as usize),
            };
            self.run = Run::Packed(self.at * 8);
        }
        self.at += n_bytes.min(bytes.len());
        ensure!(self.n_left != 0 || self.at < self.bytes.len(), fault("fewer values than its page says"));
        Ok(())
    }
}

/// Unpacks numbers of `width` bits, the lowest bit first, from the bit `from` on.
fn unpack(bytes: &[u8], from: usize, width: u32, out: &mut [u32]) {
    let mask = (1u64 << width) - 1;
    for (bit, value) in (from..).step_by((width as usize).max(1)).zip(out) {
        let word = match bytes.get(bit / 8..).and_then(<[u8]>::first_chunk) {
            Some(word) => u64::from_le_bytes(*word),
            None => bytes.iter().skip(bit / 8).rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        *value = (word >> (bit % 8) & mask) as u32;
    }
}
