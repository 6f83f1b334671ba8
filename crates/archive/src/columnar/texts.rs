//! A column of texts, page by page: as the codes of its dictionary, so that a text is made once per row group and not once per
//! row, or as the texts themselves, each copied once.
//!
//! Source: the Parquet format, *Data Pages* and *Encodings* (plain, dictionary, run-length and bit-packing hybrid).

use std::sync::Arc;

use bytes::{Buf, Bytes};
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::{ParquetError, Result};
use types::{Column, MISSING_CODE, RowSet, Strings, Value, ensure};

use super::leaf::{Leaf, text_of};

/// Distinct texts below which a column is a dictionary whatever their share.
const DISTINCT_ALWAYS: usize = 512;

/// A column of texts of one row group, at the row that comes next.
pub(super) struct Texts {
    pages: Box<dyn PageReader>,
    /// A page of values that came where a dictionary might have been.
    first: Option<Page>,
    dictionary: Strings,
    /// The same as values, where rows become codes.
    values: Option<Arc<Vec<Value>>>,
    max_definition: u32,
    /// How many rows of the page at hand are left.
    n_left: usize,
    /// Which of them have a value, where some may have none.
    definitions: Option<Hybrid>,
    body: Body,
}

/// The values of a page that are left.
enum Body {
    Codes(Hybrid),
    /// Each behind its length.
    Plain(Bytes),
}

impl Texts {
    /// Begins with the `n_rows` of a row group. `may_be_codes` says whether they may become codes, which they do unless they
    /// hardly repeat.
    pub(super) fn begin(
        mut pages: Box<dyn PageReader>,
        leaf: &Leaf,
        n_rows: usize,
        may_be_codes: bool,
    ) -> Result<Self> {
        let mut first = pages.get_next_page()?;
        let (mut gathered, mut values) = (Gathered::default(), None);
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &first {
            let mut rest = &buf[..];
            for _ in 0..*num_values {
                gathered.push(Some(sized(&mut rest)?))?;
            }
            first = None;
        }
        let (dictionary, _) = gathered.finish();
        let n_values = dictionary.len();
        if may_be_codes && n_values > 0 && (n_values <= DISTINCT_ALWAYS || n_values <= n_rows / 2) {
            values = Some(Arc::new(dictionary.iter().map(Value::text).collect()));
        }
        let (max_definition, body) = (leaf.max_definition.unsigned_abs().into(), Body::Plain(Bytes::new()));
        Ok(Self { pages, first, dictionary, values, max_definition, n_left: 0, definitions: None, body })
    }

    /// Reads the next `n` rows. Returns `None` if a page of them is written in another way; nothing can be read after that.
    pub(super) fn read(&mut self, n: usize) -> Result<Option<Column>> {
        let (mut codes, mut n_done, mut texts) = (vec![0; n], 0, None);
        while n_done < n {
            if self.n_left == 0 && !self.next_page()? {
                return Ok(None);
            }
            let (before, rest) = codes.split_at_mut(n_done);
            let n_here = self.n_left.min(rest.len());
            let place = &mut rest[..n_here];
            self.n_left -= n_here;
            n_done += n_here;
            if let Some(definitions) = &mut self.definitions {
                definitions.read(place)?;
                let code = |definition| if definition == self.max_definition { 0 } else { MISSING_CODE };
                place.iter_mut().for_each(|row| *row = code(*row));
            }
            if texts.is_none() && (self.values.is_none() || matches!(self.body, Body::Plain(_))) {
                let mut gathered = Gathered::default();
                gathered.ends.reserve(n);
                gathered.push_codes(before, &self.dictionary)?;
                texts = Some(gathered);
            }
            match (&mut self.body, &mut texts) {
                (Body::Plain(bytes), Some(texts)) => texts.push_plain(bytes, place)?,
                (Body::Codes(codes), texts) => {
                    codes.read_present(place, self.dictionary.len())?;
                    texts.as_mut().map_or(Ok(()), |texts| texts.push_codes(place, &self.dictionary))?;
                }
                (Body::Plain(_), None) => {}
            }
        }
        Ok(Some(match (texts, &self.values) {
            (None, Some(values)) => Column::Dictionary { codes, values: values.clone() },
            (texts, _) => {
                let (values, present) = texts.unwrap_or_default().finish();
                Column::Strings { values, present }
            }
        }))
    }

    /// Goes to the next page of values. Returns `false` if they are neither plain nor codes.
    fn next_page(&mut self) -> Result<bool> {
        let page = match self.first.take() {
            Some(page) => page,
            None => self.pages.get_next_page()?.ok_or_else(|| fault("fewer rows than its row group"))?,
        };
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
        self.definitions = definitions.map(|bytes| Hybrid::new(bytes, 32 - self.max_definition.leading_zeros()));
        self.body = match encoding {
            Encoding::PLAIN => Body::Plain(bytes),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                // A page without a single value may have no width either.
                let width = bytes.first().copied().unwrap_or(0);
                ensure!(width <= 32, fault("codes of more than 32 bits"));
                Body::Codes(Hybrid::new(bytes.slice(bytes.len().min(1)..), width.into()))
            }
            _ => return Ok(false),
        };
        Ok(true)
    }
}

fn fault(what: &str) -> ParquetError {
    ParquetError::General(format!("a column of texts has {what}"))
}

/// Takes bytes that follow their length, which has four bytes.
fn sized<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let (size, behind) = rest.split_first_chunk().ok_or_else(|| fault("a length that is cut off"))?;
    let (bytes, behind) = behind
        .split_at_checked(u32::from_le_bytes(*size) as usize)
        .ok_or_else(|| fault("a length that is beyond its page"))?;
    *rest = behind;
    Ok(bytes)
}

/// Texts one after the other.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// Rows without one.
    absent: Vec<usize>,
}

impl Gathered {
    fn push(&mut self, text: Option<&[u8]>) -> Result<()> {
        match text {
            Some(text) => self.bytes.extend_from_slice(text),
            None => self.absent.push(self.ends.len()),
        }
        let end = u32::try_from(self.bytes.len()).map_err(|_| fault("more than 4 GiB of text"))?;
        self.ends.push(end);
        Ok(())
    }

    fn push_codes(&mut self, codes: &[u32], dictionary: &Strings) -> Result<()> {
        let text = |code: u32| (code != MISSING_CODE).then(|| dictionary.get(code as usize).as_bytes());
        codes.iter().try_for_each(|code| self.push(text(*code)))
    }

    /// Takes the text of each of `rows` that has one from the beginning of `bytes`.
    fn push_plain(&mut self, bytes: &mut Bytes, rows: &[u32]) -> Result<()> {
        let mut rest = &bytes[..];
        for row in rows {
            let text = if *row == MISSING_CODE { None } else { Some(sized(&mut rest)?) };
            self.push(text)?;
        }
        bytes.advance(bytes.len() - rest.len());
        Ok(())
    }

    /// Returns the texts, and which rows have one where some have none.
    fn finish(self) -> (Strings, Option<RowSet>) {
        let Self { bytes, ends, absent } = self;
        let mut absent = absent.into_iter().peekable();
        let has_absent = absent.peek().is_some();
        let present = has_absent.then(|| RowSet::of(ends.len(), |row| absent.next_if_eq(&row).is_none()));
        let is_sound = |text: &str| text.is_ascii() || ends.iter().all(|end| text.is_char_boundary(*end as usize));
        let texts = match String::from_utf8(bytes) {
            Ok(text) if is_sound(&text) => Strings::of_parts(text, ends).unwrap_or_default(),
            unsound => {
                let bytes = unsound.map_or_else(|error| error.into_bytes(), String::into_bytes);
                let (mut texts, mut from) = (Strings::with_capacity(ends.len(), bytes.len()), 0);
                for end in ends {
                    texts.push(&text_of(&bytes[from..end as usize]));
                    from = end as usize;
                }
                texts
            }
        };
        (texts, present)
    }
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

    /// Reads a code for each of `rows` that is not missing; all are below `n_values`.
    fn read_present(&mut self, rows: &mut [u32], n_values: usize) -> Result<()> {
        let n_present = rows.iter().filter(|row| **row != MISSING_CODE).count();
        let check = |codes: &[u32]| match codes.iter().max() {
            Some(last) if *last as usize >= n_values => Err(fault("a text that its dictionary does not have")),
            _ => Ok(()),
        };
        if n_present == rows.len() {
            self.read(rows)?;
            return check(rows);
        }
        let mut codes = vec![0; n_present];
        self.read(&mut codes)?;
        check(&codes)?;
        for (row, code) in rows.iter_mut().filter(|row| **row != MISSING_CODE).zip(codes) {
            *row = code;
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
