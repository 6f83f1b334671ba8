//! A sorted run of records in a file.
//!
//! ```text
//! run      "catatsp" · version u8 (1) · pages
//! page     bytes packed u32 · bytes unpacked u32 · xxh3 of the packed bytes u64 · packed bytes (lz4 block)
//! unpacked records, each: bytes of the key u32 · bytes of the payload u32 · key · payload
//! ```
//!
//! Numbers are little endian. A page is as long as its last record makes it: about [`PAGE_BYTES`], or one record.

use xxhash_rust::xxh3::xxh3_64;

use crate::space::{SpillError, SpillFile};

/// Bytes of a page before it is packed. Each run that is merged holds one: small ones keep a merge of many runs small.
pub(crate) const PAGE_BYTES: usize = 32 << 10;

const MAGIC: &[u8; 8] = b"catatsp\x01";

/// Bytes before the packed ones of a page, and before a record's key.
const PAGE_HEAD_BYTES: usize = 16;
const RECORD_HEAD_BYTES: usize = 8;

/// A run while it is written.
pub(crate) struct RunWriter {
    file: SpillFile,
    page: Vec<u8>,
    packed: Vec<u8>,
}

impl RunWriter {
    /// Begins a run.
    pub(crate) fn new(mut file: SpillFile) -> Result<Self, SpillError> {
        file.append(MAGIC)?;
        Ok(Self { file, page: Vec::with_capacity(PAGE_BYTES), packed: Vec::new() })
    }

    /// Appends a record, which is not before the last one.
    pub(crate) fn push(&mut self, key: &[u8], payload: &[u8]) -> Result<(), SpillError> {
        let n_bytes = RECORD_HEAD_BYTES + key.len() + payload.len();
        if !self.page.is_empty() && self.page.len() + n_bytes > PAGE_BYTES {
            self.end_page()?;
        }
        self.page.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.page.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        self.page.extend_from_slice(key);
        self.page.extend_from_slice(payload);
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), SpillError> {
        self.packed.resize(PAGE_HEAD_BYTES + lz4_flex::block::get_maximum_output_size(self.page.len()), 0);
        // There is room for the worst case, so this never fails.
        let packed = lz4_flex::block::compress_into(&self.page, &mut self.packed[PAGE_HEAD_BYTES..]);
        let n_packed = packed.map_err(|_| self.file.damaged(self.file.n_bytes()))?;
        self.packed.truncate(PAGE_HEAD_BYTES + n_packed);
        let checksum = xxh3_64(&self.packed[PAGE_HEAD_BYTES..]);
        self.packed[..4].copy_from_slice(&(n_packed as u32).to_le_bytes());
        self.packed[4..8].copy_from_slice(&(self.page.len() as u32).to_le_bytes());
        self.packed[8..16].copy_from_slice(&checksum.to_le_bytes());
        self.file.append(&self.packed)?;
        self.page.clear();
        Ok(())
    }

    /// Ends the run.
    pub(crate) fn finish(mut self) -> Result<Run, SpillError> {
        if !self.page.is_empty() {
            self.end_page()?;
        }
        Ok(Run { file: self.file })
    }
}

/// A run that is whole.
#[derive(Debug)]
pub(crate) struct Run {
    file: SpillFile,
}

/// The records of a run, one after the other; before the first [`advance`](Self::advance) there is none.
pub(crate) struct RunReader {
    file: SpillFile,
    /// Where the next page begins.
    offset: u64,
    page: Vec<u8>,
    /// Where in the page the next record begins, and where the key and the payload of this one do.
    next: usize,
    key: usize,
    payload: usize,
}

impl RunReader {
    /// Begins before the first record.
    pub(crate) fn new(run: Run) -> Result<Self, SpillError> {
        let mut magic = [0; MAGIC.len()];
        run.file.read_at(&mut magic, 0)?;
        if magic != *MAGIC {
            return Err(run.file.damaged(0));
        }
        let offset = MAGIC.len() as u64;
        Ok(Self { file: run.file, offset, page: Vec::new(), next: 0, key: 0, payload: 0 })
    }

    /// Goes to the next record; `false` after the last one. `packed` is room to read into.
    pub(crate) fn advance(&mut self, packed: &mut Vec<u8>) -> Result<bool, SpillError> {
        if self.next == self.page.len() && !self.read_page(packed)? {
            return Ok(false);
        }
        let damaged = || self.file.damaged(self.offset);
        let head = self.page.get(self.next..self.next + RECORD_HEAD_BYTES).ok_or_else(damaged)?;
        let (n_key, n_payload) = (number(&head[..4]), number(&head[4..]));
        self.key = self.next + RECORD_HEAD_BYTES;
        self.payload = self.key + n_key;
        self.next = self.payload + n_payload;
        if self.next > self.page.len() { Err(self.file.damaged(self.offset)) } else { Ok(true) }
    }

    fn read_page(&mut self, packed: &mut Vec<u8>) -> Result<bool, SpillError> {
        if self.offset == self.file.n_bytes() {
            return Ok(false);
        }
        let begin = self.offset;
        let mut head = [0; PAGE_HEAD_BYTES];
        self.file.read_at(&mut head, begin)?;
        let (n_packed, n_unpacked) = (number(&head[..4]), number(&head[4..8]));
        let end = begin + (PAGE_HEAD_BYTES + n_packed) as u64;
        if end > self.file.n_bytes() {
            return Err(self.file.damaged(begin));
        }
        packed.resize(n_packed, 0);
        self.file.read_at(packed, begin + PAGE_HEAD_BYTES as u64)?;
        if xxh3_64(packed).to_le_bytes() != head[8..] {
            return Err(self.file.damaged(begin));
        }
        self.page.resize(n_unpacked, 0);
        let n_read = lz4_flex::block::decompress_into(packed, &mut self.page);
        if n_read.map_err(|_| self.file.damaged(begin))? != n_unpacked || n_unpacked == 0 {
            return Err(self.file.damaged(begin));
        }
        (self.offset, self.next) = (end, 0);
        Ok(true)
    }

    /// Returns the key of this record.
    pub(crate) fn key(&self) -> &[u8] {
        &self.page[self.key..self.payload]
    }

    /// Returns the payload of this record.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.page[self.payload..self.next]
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests;
