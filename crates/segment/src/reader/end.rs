//! Reads the end of a segment, which describes its content.

use xxhash_rust::xxh3::xxh3_64;

use crate::bytes::{Cursor, Damage, Decoded};
use crate::footer::{self, Lineage, RunFooter};
use crate::format::{END_MAGICS, FORMAT_VERSION, HEADER_BYTES, MAGIC, TRAILER_BYTES};
use crate::meta::SegmentMeta;
use crate::section::SectionEntry;
use crate::source::Source;

/// Bytes read at the end of a file to have trailer and footer in one read.
const TAIL_BYTES: u64 = 64 << 10;

/// Largest footer that is believed.
const FOOTER_BYTES_MAX: usize = 256 << 20;

/// The bytes of a segment from its footer on, or from further before.
pub struct SegmentEnd {
    /// Where in the segment they begin.
    pub from: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The content of the end of a segment.
pub(super) struct EndContents {
    pub(super) meta: SegmentMeta,
    pub(super) format: u16,
    pub(super) runs: Vec<RunFooter>,
    pub(super) sections: Vec<SectionEntry>,
    pub(super) lineage: Lineage,
}

impl SegmentEnd {
    /// Reads the end of a segment: one read, two where the footer is long.
    pub fn read(source: &dyn Source) -> std::io::Result<Self> {
        let length = source.n_bytes();
        let from = length - length.min(TAIL_BYTES);
        let mut end = Self { from, bytes: source.read_at(from, (length - from) as usize)? };
        // What makes no sense is reported when it is opened.
        if let Some(footer) = end.footer()
            && footer < from
        {
            let mut bytes = source.read_at(footer, (from - footer) as usize)?;
            bytes.append(&mut end.bytes);
            end = Self { from: footer, bytes };
        }
        Ok(end)
    }

    /// Returns where the footer begins, if there is a trailer.
    fn footer(&self) -> Option<u64> {
        let at = self.bytes.len().checked_sub(TRAILER_BYTES)?;
        let trailer = Trailer::read(&self.bytes[at..], self.from + self.bytes.len() as u64);
        trailer.ok().filter(|trailer| trailer.stored_length <= FOOTER_BYTES_MAX).map(|trailer| trailer.offset)
    }

    /// Lets go of what lies before the footer.
    pub fn without_sections(mut self) -> Self {
        if let Some(footer) = self.footer().filter(|footer| *footer > self.from) {
            self.bytes.drain(..(footer - self.from) as usize);
            self.from = footer;
        }
        self
    }

    /// Takes it apart; an error has its place.
    pub(super) fn open(&self, store: [u8; 16]) -> Result<EndContents, (u64, String)> {
        let length = self.from + self.bytes.len() as u64;
        if length < (HEADER_BYTES + TRAILER_BYTES) as u64 || self.bytes.len() < TRAILER_BYTES {
            return Err((0, format!("file ends too early, {length} bytes")));
        }
        let at = self.bytes.len() - TRAILER_BYTES;
        let place = Trailer::read(&self.bytes[at..], length);
        let place = place.map_err(|damage| (length - TRAILER_BYTES as u64, damage.0.to_owned()))?;
        let wrong = |damage: Damage| (place.offset, damage.0.to_owned());
        let footer = place.offset.checked_sub(self.from).and_then(|from| self.bytes.get(from as usize..at));
        let plain = footer.ok_or(Damage("footer is too large")).and_then(|footer| place.open(footer));
        let content = plain.and_then(|plain| read_footer(&plain, &place)).map_err(wrong)?;
        types::ensure!(content.meta.store == store, (place.offset, "segment belongs to another store".into()));
        if self.from == 0 {
            let header = check_header(&self.bytes[..HEADER_BYTES], Some((&content.meta, content.format)));
            header.map_err(|damage| (0, damage.0.to_owned()))?;
        }
        Ok(content)
    }
}

/// Checks a header, and that it agrees with the footer.
pub(super) fn check_header(header: &[u8], footer: Option<(&SegmentMeta, u16)>) -> Decoded<()> {
    let mut cursor = Cursor::new(header);
    let (content, checksum) = header.split_at(header.len().saturating_sub(8));
    types::ensure!(cursor.array()? == MAGIC, Damage("file is not a segment"));
    types::ensure!(xxh3_64(content).to_le_bytes() == checksum, Damage("checksum mismatch in the header"));
    let format = u16::from_le_bytes(cursor.array()?);
    types::ensure!(format <= FORMAT_VERSION, Damage("segment was written by a newer version"));
    cursor.take(6)?;
    let found = SegmentMeta {
        store: cursor.array()?,
        segment: u128::from_le_bytes(cursor.array()?),
        partition: i64::from_le_bytes(cursor.array()?),
    };
    if footer.is_some_and(|(meta, of_end)| (*meta, of_end) != (found, format)) {
        return Err(Damage("header and footer disagree"));
    }
    Ok(())
}

/// Where the footer is and what it must look like.
struct Trailer {
    format: u16,
    offset: u64,
    stored_length: usize,
    plain_length: usize,
    checksum: u64,
}

impl Trailer {
    fn read(bytes: &[u8], file_length: u64) -> Decoded<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut trailer = Self {
            format: 0,
            offset: u64::from_le_bytes(cursor.array()?),
            stored_length: u32::from_le_bytes(cursor.array()?) as usize,
            plain_length: u32::from_le_bytes(cursor.array()?) as usize,
            checksum: u64::from_le_bytes(cursor.array()?),
        };
        let end = trailer.offset.checked_add(trailer.stored_length as u64);
        let magic: [u8; 8] = cursor.array()?;
        let known = END_MAGICS.iter().position(|known| *known == magic);
        let Some(known) = known.filter(|_| end == Some(file_length - TRAILER_BYTES as u64)) else {
            return Err(Damage("file has no end"));
        };
        trailer.format = known as u16 + 1;
        types::ensure!(trailer.plain_length <= FOOTER_BYTES_MAX, Damage("footer is too large"));
        Ok(trailer)
    }

    pub(super) fn open(&self, stored: &[u8]) -> Decoded<Vec<u8>> {
        types::ensure!(xxh3_64(stored) == self.checksum, Damage("checksum mismatch in the footer"));
        let plain = zstd::bulk::decompress(stored, self.plain_length);
        let plain = plain.map_err(|_| Damage("footer cannot be decompressed"))?;
        if plain.len() == self.plain_length { Ok(plain) } else { Err(Damage("footer has another length")) }
    }
}

fn read_footer(plain: &[u8], place: &Trailer) -> Decoded<EndContents> {
    let mut cursor = Cursor::new(plain);
    let (meta, runs) = footer::decode(&mut cursor, place.format)?;
    let sections = SectionEntry::read_directory(&mut cursor, HEADER_BYTES as u64, place.offset)?;
    Ok(EndContents { meta, format: place.format, runs, sections, lineage: footer::take_descent(&mut cursor)? })
}
