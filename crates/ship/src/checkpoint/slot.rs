//! A slot of the checkpoint: lines of text, each with its own checksum, the last of them the end.
//!
//! ```text
//! {"format":"catat-checkpoint","version":2,"serial":7,"xxh3":"…"}     of "catat-checkpoint 2 7", as in every later version
//! XXH3 7 0 {"head":{"source":"…","generation_least":0}}               the checksum is of all that follows it in its line
//! XXH3 7 1 {"entry":{…}}                                              what is remembered of a file
//! XXH3 7 2 {"gone":{"device":1,"inode":2}}                            nothing any more
//! XXH3 7 3 "end"
//! ```
//!
//! The end is overwritten by the next change, which brings an end of its own: a slot without it was cut. A later line of a
//! file counts instead of an earlier one. Since each line says of which slot it is and the how manieth, what is left of a
//! damaged slot can be read.
//!
//! Version 1 was the first line, with the checksum of everything behind it, and one JSON with all entries.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::entry::VERSION;
use super::{CheckpointError, Entry};
use crate::checkpoint::disk::{at, checksum, write_atomically};
use crate::identity::FileKey;

const FORMAT: &str = "catat-checkpoint";

/// The content of a line, with owned or borrowed entries.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<E> {
    /// The first one.
    Head { source: Option<String>, generation_least: u64 },
    /// What is remembered of a file.
    Entry(E),
    /// Of this file nothing is remembered any more.
    Gone(FileKey),
    /// The last one.
    End,
}

#[derive(Serialize, Deserialize)]
struct Preamble {
    format: String,
    version: u32,
    serial: u64,
    xxh3: String,
}

impl Preamble {
    fn new(serial: u64) -> Self {
        let mut preamble = Self { format: FORMAT.into(), version: VERSION, serial, xxh3: String::new() };
        preamble.xxh3 = preamble.checksum();
        preamble
    }

    fn checksum(&self) -> String {
        checksum(format!("{} {} {}", self.format, self.version, self.serial).as_bytes(), 0)
    }
}

/// All entries of version 1.
#[derive(Deserialize)]
struct Body {
    source: Option<String>,
    generation_least: u64,
    entries: Vec<Entry>,
}

/// What was read of a slot.
#[derive(Debug)]
pub(super) struct Slot {
    /// The newer slot has the higher one; 0 where nothing of it can be read.
    pub(super) serial: u64,
    pub(super) lines: Vec<Line<Entry>>,
    /// Whether that is all that was written.
    pub(super) is_whole: bool,
}

impl Slot {
    const DAMAGED: Self = Self { serial: 0, lines: Vec::new(), is_whole: false };
}

/// Reads the slot at `path`, as far as it can be read; nothing if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Slot>, CheckpointError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
    let (first, rest) = bytes.split_at(end);
    let preamble = serde_json::from_slice::<Preamble>(first).ok().filter(|preamble| preamble.format == FORMAT);
    match preamble {
        Some(preamble) if preamble.version == 1 => Ok(Some(read_version_1(&preamble, rest))),
        Some(preamble) if preamble.xxh3 == preamble.checksum() && preamble.version > VERSION => {
            Err(CheckpointError::Newer { path: path.into(), found: preamble.version })
        }
        preamble => Ok(Some(read_lines(preamble.filter(|preamble| preamble.xxh3 == preamble.checksum()), rest))),
    }
}

fn read_version_1(preamble: &Preamble, body: &[u8]) -> Slot {
    if preamble.xxh3 != checksum(body, preamble.serial) {
        return Slot::DAMAGED;
    }
    let Ok(Body { source, generation_least, entries }) = serde_json::from_slice(body) else { return Slot::DAMAGED };
    let head = Line::Head { source, generation_least };
    let lines = std::iter::once(head).chain(entries.into_iter().map(Line::Entry)).collect();
    Slot { serial: preamble.serial, lines, is_whole: true }
}

/// Reads all lines that are whole and of one slot: the one that the first line names, else the first line that is whole.
fn read_lines(preamble: Option<Preamble>, bytes: &[u8]) -> Slot {
    let mut serial = preamble.map(|preamble| preamble.serial);
    let mut slot = Slot { is_whole: serial.is_some(), ..Slot::DAMAGED };
    let (mut next, mut has_end) = (0, false);
    for text in bytes.split_inclusive(|b| *b == b'\n') {
        let read = read_line(text).filter(|(of, number, _)| *of == *serial.get_or_insert(*of) && *number >= next);
        let Some((_, number, line)) = read else {
            slot.is_whole = false;
            continue;
        };
        slot.is_whole &= number == next && !has_end;
        has_end = matches!(line, Line::End);
        next = number.saturating_add(1);
        slot.lines.push(line);
    }
    slot.is_whole &= has_end;
    slot.serial = serial.unwrap_or(0);
    slot
}

/// Reads a line: its slot, its number, its content; `None` if it is damaged.
fn read_line(text: &[u8]) -> Option<(u64, u64, Line<Entry>)> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
    let (xxh3, said) = text.split_once(' ')?;
    if xxh3 != checksum(said.as_bytes(), 0) {
        return None;
    }
    let mut parts = said.splitn(3, ' ');
    let (serial, number) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((serial, number, serde_json::from_str(parts.next()?).ok()?))
}

/// A slot that takes changes.
#[derive(Debug)]
pub(super) struct SlotFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
    serial: u64,
    /// Lines before the end.
    n_lines: u64,
    /// Where the end begins.
    end: u64,
    /// How many bytes and lines it began with.
    pub(super) begun_bytes: u64,
    pub(super) n_begun: usize,
}

impl SlotFile {
    /// Writes a new slot next to the place of an old one and puts it there. Durable when it returns.
    pub(super) fn begin<'e>(
        path: PathBuf,
        serial: u64,
        lines: impl Iterator<Item = Line<&'e Entry>>,
    ) -> io::Result<Self> {
        let mut bytes = serde_json::to_vec(&Preamble::new(serial))?;
        bytes.push(b'\n');
        let mut n_lines = 0;
        for line in lines {
            push_line(&mut bytes, serial, n_lines, &line)?;
            n_lines += 1;
        }
        let end = bytes.len() as u64;
        push_line(&mut bytes, serial, n_lines, &Line::End)?;
        let file = write_atomically(&path, &bytes)?;
        let n_begun = usize::try_from(n_lines).unwrap_or(usize::MAX);
        Ok(Self { path, file, serial, n_lines, end, begun_bytes: end, n_begun })
    }

    /// Appends changes, durable when it returns; `false`, and nothing is written, where it would have more than `bytes_max`.
    /// After an error it must not be written to again.
    pub(super) fn append<'l, 'e: 'l>(
        &mut self,
        lines: impl Iterator<Item = &'l Line<&'e Entry>>,
        bytes_max: u64,
    ) -> io::Result<bool> {
        let (mut bytes, mut n_lines) = (Vec::new(), self.n_lines);
        for line in lines {
            push_line(&mut bytes, self.serial, n_lines, line)?;
            n_lines += 1;
        }
        if bytes.is_empty() {
            return Ok(true);
        }
        let end = self.end + bytes.len() as u64;
        if end > bytes_max {
            return Ok(false);
        }
        push_line(&mut bytes, self.serial, n_lines, &Line::End)?;
        self.file.write_all_at(&bytes, self.end)?;
        self.file.sync_data()?;
        (self.n_lines, self.end) = (n_lines, end);
        Ok(true)
    }
}

fn push_line(bytes: &mut Vec<u8>, serial: u64, number: u64, line: &Line<&Entry>) -> io::Result<()> {
    let said = format!("{serial} {number} {}", serde_json::to_string(line)?);
    bytes.extend_from_slice(checksum(said.as_bytes(), 0).as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(said.as_bytes());
    bytes.push(b'\n');
    Ok(())
}
