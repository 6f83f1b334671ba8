//! The bytes of a file that is read at any place, by several threads.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use types::Hold;

use crate::inputs::Input;

/// Bytes of an object that are asked for at once: a request for each page would be slow.
const BLOCK_BYTES: u64 = 4 << 20;

/// Blocks of an object that are kept.
const BLOCKS_MAX: usize = 16;

/// A file or an object.
#[derive(Clone)]
pub(super) struct Source {
    input: Arc<Input>,
    file: Option<Arc<File>>,
    n_bytes: u64,
    /// Blocks of an object by their numbers, the one that came last at the end.
    blocks: Arc<Mutex<VecDeque<(u64, Bytes)>>>,
}

impl Source {
    pub(super) fn open(input: Arc<Input>) -> io::Result<Self> {
        let Some(file) = input.file_at_any_place()? else {
            return Err(io::Error::other("Parquet is read from a file, not from a pipe: its end says what is in it"));
        };
        let n_bytes = match &file {
            Some(file) => file.metadata()?.len(),
            None => input.n_bytes,
        };
        Ok(Self { input, file: file.map(Arc::new), n_bytes, blocks: Arc::default() })
    }

    fn read_at(&self, from: u64, n_bytes: usize) -> io::Result<Bytes> {
        if from.checked_add(n_bytes as u64).is_none_or(|end| end > self.n_bytes) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends before what it says it has"));
        }
        if self.file.is_some() {
            return self.input.read_at(self.file.as_deref(), from, n_bytes);
        }
        let mut bytes = Vec::with_capacity(n_bytes);
        while bytes.len() < n_bytes {
            let at = from + bytes.len() as u64;
            let block = self.block(at / BLOCK_BYTES)?;
            let behind = &block[(at % BLOCK_BYTES) as usize..];
            bytes.extend_from_slice(&behind[..behind.len().min(n_bytes - bytes.len())]);
        }
        Ok(bytes.into())
    }

    fn block(&self, number: u64) -> io::Result<Bytes> {
        if let Some((_, block)) = self.blocks.hold().iter().find(|(known, _)| *known == number) {
            return Ok(block.clone());
        }
        let from = number * BLOCK_BYTES;
        let block = self.input.read_at(None, from, BLOCK_BYTES.min(self.n_bytes - from) as usize)?;
        let mut blocks = self.blocks.hold();
        blocks.push_back((number, block.clone()));
        if blocks.len() > BLOCKS_MAX {
            blocks.pop_front();
        }
        Ok(block)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.n_bytes
    }
}

impl ChunkReader for Source {
    type T = BufReader<Onward>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(Onward { source: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.read_at(start, length).map_err(ParquetError::from)
    }
}

/// Reads on from a place.
pub(super) struct Onward {
    source: Source,
    at: u64,
}

impl Read for Onward {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let n_bytes = (place.len() as u64).min(self.source.n_bytes.saturating_sub(self.at)) as usize;
        place[..n_bytes].copy_from_slice(&self.source.read_at(self.at, n_bytes)?);
        self.at += n_bytes as u64;
        Ok(n_bytes)
    }
}
