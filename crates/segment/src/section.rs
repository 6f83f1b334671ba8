//! Sections: the compressed, checksummed byte ranges that a segment file consists of, and their directory.
//!
//! Sections lie one after another from [`HEADER_BYTES`](crate::format::HEADER_BYTES) on, in the order of their
//! numbers; an empty one takes no room. The directory, part of the footer, holds per section: varint stored
//! length (0: empty, nothing else follows), varint plain length, and the low 32 bits of the XXH3 of the stored
//! bytes. Where stored and plain length are equal the bytes are stored as they are, else they are one zstd frame. Parts of a section
//! whose bytes are distributed otherwise (`parts`) are blocks of their own in it.

mod counts;
mod parts;

use xxhash_rust::xxh3::xxh3_64;
use zstd::bulk::Decompressor;
use zstd::stream::raw::{Encoder, InBuffer, Operation, OutBuffer};

use self::parts::Parts;
use crate::bytes::{Cursor, Damage, Decoded, put_varint};
use crate::error::SegmentError;

/// Largest section before compression. One block of the largest events stays below it.
const PLAIN_BYTES_MAX: usize = 1 << 30;

/// Compression level that finds repetitions, if there are any.
const QUICK_LEVEL: i32 = 1;

/// Shorter sections are compressed without a check, since the entropy of few bytes says little.
const RANDOM_BYTES_MIN: usize = 4 << 10;

/// Entropy in bits per byte above which bytes look random.
const RANDOM_BITS: f64 = 7.9;

/// Most bytes that a block of a frame takes besides its content.
const BLOCK_HEADER_BYTES_MAX: usize = 32;

/// Bytes of the smallest frame: magic number, header, and a block of one byte that is repeated.
const FRAME_BYTES_MIN: usize = 10;

/// Fields of a block between two looks at whether writing is to end.
const FIELDS_BETWEEN_LOOKS: usize = 256;

/// Number of a section within its segment.
pub(crate) type SectionId = u32;

/// Collects sections for a new segment.
pub(crate) struct SectionWriter {
    level: i32,
    compressor: zstd::bulk::Compressor<'static>,
    /// Checks quickly whether bytes that look random are incompressible.
    quick: zstd::bulk::Compressor<'static>,
    by_parts: Encoder<'static>,
    /// Room for what may become as large as a section: what is kept of it is copied, so that it takes no more than it has.
    room: Vec<u8>,
    sections: Vec<(Vec<u8>, usize)>,
    /// Reports whether writing is to end.
    pub(crate) is_stopped: Box<dyn Fn() -> bool>,
}

impl SectionWriter {
    pub(crate) fn new(level: i32) -> std::io::Result<Self> {
        let (compressor, quick) = (zstd::bulk::Compressor::new(level)?, zstd::bulk::Compressor::new(QUICK_LEVEL)?);
        let (room, sections) = (Vec::new(), Vec::new());
        let is_stopped = Box::new(|| false);
        Ok(Self { level, compressor, quick, by_parts: Encoder::new(level)?, room, sections, is_stopped })
    }

    /// Looks now and then, by the number of the field that comes next, whether writing is to end.
    pub(crate) fn look_for_stop(&self, field: usize) -> Result<(), SegmentError> {
        if field.is_multiple_of(FIELDS_BETWEEN_LOOKS) && (self.is_stopped)() {
            Err(SegmentError::Stopped)
        } else {
            Ok(())
        }
    }

    /// Reserves `n` consecutive numbers, to be filled by [`fill`](Self::fill); until then they are empty.
    pub(crate) fn reserve(&mut self, n: usize) -> SectionId {
        let first = self.sections.len();
        self.sections.resize_with(first + n, Default::default);
        first as SectionId
    }

    /// Stores `plain` under a reserved number.
    pub(crate) fn fill(&mut self, id: SectionId, plain: &[u8]) -> std::io::Result<()> {
        debug_assert!(self.level != 0);
        let stored = if plain.len() <= FRAME_BYTES_MIN {
            plain.to_vec()
        } else {
            let parts = Parts::of(plain);
            if self.is_random(plain, &parts)? { plain.to_vec() } else { self.packed(plain, &parts.ends)? }
        };
        self.sections[id as usize] = (stored, plain.len());
        Ok(())
    }

    fn packed(&mut self, plain: &[u8], ends: &[usize]) -> std::io::Result<Vec<u8>> {
        self.clear_room(zstd::compress_bound(plain.len()));
        self.compressor.compress_to_buffer(plain, &mut self.room)?;
        let mut packed: Vec<u8> = if self.room.len() < plain.len() { &*self.room } else { plain }.into();
        if ends.len() > 1 {
            self.pack_by_parts(plain, ends)?;
            if self.room.len() < packed.len() {
                packed = (*self.room).into();
            }
        }
        Ok(packed)
    }

    fn clear_room(&mut self, n_bytes: usize) {
        self.room.clear();
        self.room.reserve(n_bytes);
    }

    /// Compresses `plain` with blocks that end at `ends`.
    fn pack_by_parts(&mut self, plain: &[u8], ends: &[usize]) -> std::io::Result<()> {
        self.by_parts.reinit()?;
        self.by_parts.set_pledged_src_size(Some(plain.len() as u64))?;
        // With room for the header of each block, a call never leaves anything behind.
        self.clear_room(zstd::compress_bound(plain.len()) + ends.len() * BLOCK_HEADER_BYTES_MAX);
        let mut output = OutBuffer::around(&mut self.room);
        let mut from = 0;
        for end in ends {
            let mut input = InBuffer::around(&plain[from..*end]);
            while input.pos() < end - from {
                self.by_parts.run(&mut input, &mut output)?;
            }
            self.by_parts.flush(&mut output)?;
            from = *end;
        }
        let n_left = self.by_parts.finish(&mut output, true)?;
        debug_assert_eq!((from, n_left), (plain.len(), 0));
        Ok(())
    }

    /// Reports whether bytes are incompressible, such as packed ids, on which high levels spend most time.
    fn is_random(&mut self, plain: &[u8], parts: &Parts) -> std::io::Result<bool> {
        if plain.len() < RANDOM_BYTES_MIN || parts.n_bytes * 8.0 <= RANDOM_BITS * plain.len() as f64 {
            return Ok(false);
        }
        self.clear_room(zstd::compress_bound(plain.len()));
        self.quick.compress_to_buffer(plain, &mut self.room)?;
        Ok(self.room.len() >= plain.len() - plain.len() / 64)
    }

    /// Appends all sections to `file` and their directory to `footer`.
    pub(crate) fn finish(self, file: &mut Vec<u8>, footer: &mut Vec<u8>) {
        put_varint(footer, self.sections.len() as u64);
        // At once, since growing by doubling would hold the file twice; each section goes as it is appended.
        file.reserve_exact(self.sections.iter().map(|(stored, _)| stored.len()).sum());
        for (stored, plain_length) in self.sections {
            put_varint(footer, stored.len() as u64);
            if !stored.is_empty() {
                put_varint(footer, plain_length as u64);
                footer.extend_from_slice(&(xxh3_64(&stored) as u32).to_le_bytes());
                file.extend_from_slice(&stored);
            }
        }
    }
}

/// Where a section lies and what it must look like.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SectionEntry {
    pub(crate) offset: u64,
    pub(crate) stored_length: u32,
    plain_length: u32,
    checksum: u32,
}

impl SectionEntry {
    /// Returns where in the file it lies.
    pub(crate) fn range(&self) -> std::ops::Range<u64> {
        self.offset..self.offset + u64::from(self.stored_length)
    }

    /// Reads the directory; `end` is where the last section ends.
    pub(crate) fn read_directory(cursor: &mut Cursor<'_>, start: u64, end: u64) -> Decoded<Vec<Self>> {
        let n_sections = cursor.count(1)?;
        let mut entries = Vec::with_capacity(n_sections);
        let mut offset = start;
        for _ in 0..n_sections {
            let stored = cursor.varint()?;
            let mut entry = Self { offset, ..Self::default() };
            if stored > 0 {
                let plain = cursor.varint()?;
                if plain as usize > PLAIN_BYTES_MAX || stored > plain {
                    return Err(Damage("a section length is out of range"));
                }
                entry.stored_length = stored as u32;
                entry.plain_length = plain as u32;
                entry.checksum = u32::from_le_bytes(cursor.array()?);
                offset = offset.checked_add(stored).ok_or(Damage("a section length is out of range"))?;
            }
            entries.push(entry);
        }
        if offset == end { Ok(entries) } else { Err(Damage("sections do not fill the file")) }
    }

    /// Checks and decompresses the stored bytes of the section.
    pub(crate) fn open(&self, stored: Vec<u8>, decompressor: &mut Decompressor<'_>) -> Decoded<Vec<u8>> {
        types::ensure!(xxh3_64(&stored) as u32 == self.checksum, Damage("checksum mismatch"));
        if self.stored_length == self.plain_length {
            return Ok(stored);
        }
        let plain = decompressor
            .decompress(&stored, self.plain_length as usize)
            .map_err(|_| Damage("compressed bytes cannot be read"))?;
        if plain.len() == self.plain_length as usize { Ok(plain) } else { Err(Damage("a section has another length")) }
    }
}
