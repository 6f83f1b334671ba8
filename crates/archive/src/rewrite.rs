//! Files that are no lines, read as lines of JSON: documents with a list of records, and tables.

mod documents;
mod table;

use std::io::{self, Read};

pub(crate) use documents::Documents;
pub(crate) use table::Table;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Most bytes of a record.
const RECORD_BYTES_MAX: usize = 16 << 20;

/// Converts a file of another form into lines while it is read.
pub(crate) trait Rewrite: Send {
    /// Takes the next bytes, or learns that there are none, and adds the lines that are whole.
    fn take(&mut self, bytes: &[u8], lines: &mut Vec<u8>) -> io::Result<()>;

    /// Learns that nothing more comes.
    fn finish(&mut self, lines: &mut Vec<u8>) -> io::Result<()>;
}

/// A source whose bytes are rewritten on their way.
pub(crate) struct Rewritten<R> {
    source: Box<dyn Read + Send>,
    rewrite: R,
    chunk: Vec<u8>,
    lines: Vec<u8>,
    /// How much of `lines` was given.
    n_given: usize,
    is_at_end: bool,
    /// What is wrong, told once the lines before it were given.
    failure: Option<io::Error>,
}

impl<R: Rewrite> Rewritten<R> {
    pub(crate) fn new(source: Box<dyn Read + Send>, rewrite: R) -> Self {
        let (chunk, lines) = (vec![0; CHUNK_BYTES], Vec::new());
        Self { source, rewrite, chunk, lines, n_given: 0, is_at_end: false, failure: None }
    }

    fn refill(&mut self) -> io::Result<()> {
        let n_bytes = self.source.read(&mut self.chunk)?;
        self.is_at_end = n_bytes == 0;
        match n_bytes {
            0 => self.rewrite.finish(&mut self.lines),
            _ => self.rewrite.take(&self.chunk[..n_bytes], &mut self.lines),
        }
    }
}

impl<R: Rewrite> Read for Rewritten<R> {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        while self.n_given == self.lines.len() {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.is_at_end {
                return Ok(0);
            }
            self.lines.clear();
            self.n_given = 0;
            match self.refill() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_at_end = true;
                    self.failure = Some(error);
                }
                Ok(()) => {}
            }
        }
        let n_bytes = place.len().min(self.lines.len() - self.n_given);
        place[..n_bytes].copy_from_slice(&self.lines[self.n_given..self.n_given + n_bytes]);
        self.n_given += n_bytes;
        Ok(n_bytes)
    }
}

fn invalid(problem: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.into())
}

/// The bytes without a mark of their encoding.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
