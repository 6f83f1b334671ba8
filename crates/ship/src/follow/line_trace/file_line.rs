//! A line of a file by its number, and the event that it is part of.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::boundary::{Multiline, Place, TailState, cut, ends_of};
use crate::checkpoint::CheckpointError;
use crate::discover::{Reason, reason_of_content};
use crate::identity::open_file;

/// Bytes before the line from which on events are cut: four times the longest event of several lines.
const BEFORE_BYTES: u64 = 1 << 20;

/// Bytes after the line that may belong to its event.
const AFTER_BYTES: u64 = 512 << 10;

/// Longest line that is traced, as of lines that are kept whole.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Why a line cannot be traced.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// It is no text that is read by lines.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Reason,
    },
    /// There is no such line.
    #[error("{path}: has {n_lines} line{}; lines are counted from 1", if *.n_lines == 1 { "" } else { "s" })]
    Absent {
        /// The file.
        path: PathBuf,
        /// Lines that it has.
        n_lines: u64,
    },
    /// The line is too long.
    #[error("{path}: line {number} has more than {LINE_BYTES_MAX} bytes; such a line is sent in pieces and not traced")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The line.
        number: u64,
    },
    /// The state directory cannot be read.
    #[error(transparent)]
    State(#[from] CheckpointError),
}

/// The event that a line is part of.
#[derive(Debug)]
pub(super) struct FileLine {
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// Where they are in the file.
    pub(super) range: Range<u64>,
    /// The numbers of its first and last line.
    pub(super) lines: (u64, u64),
    /// Whether the file ends without a line end after it.
    pub(super) is_unfinished: bool,
}

impl FileLine {
    /// Reads line `number` of a file, and the other lines of its event.
    pub(super) fn read(path: &Path, number: u64, multiline: Option<&Multiline>) -> Result<Self, LineError> {
        let io = |error| LineError::Io { path: path.to_owned(), error };
        let mut file = open_file(path).map_err(io)?;
        let mut head = Vec::new();
        file.by_ref().take(4096).read_to_end(&mut head).map_err(io)?;
        if let Some(reason) = reason_of_content(&head) {
            return Err(LineError::Content { path: path.to_owned(), reason });
        }
        let line = find(&mut file, number).map_err(io)?;
        let line = line.map_err(|n_lines| LineError::Absent { path: path.to_owned(), n_lines })?;
        types::ensure!(line.end - line.start <= LINE_BYTES_MAX, LineError::TooLong { path: path.to_owned(), number });
        around(&mut file, number, line, multiline.unwrap_or(&Multiline::Auto)).map_err(io)
    }

    /// Reports whether it has nothing but line ends.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.iter().all(|byte| matches!(byte, b'\n' | b'\r'))
    }
}

/// Returns the bytes of a line, its end included; else how many lines there are.
fn find(file: &mut File, number: u64) -> io::Result<Result<Range<u64>, u64>> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(256 << 10, file);
    let (mut n_lines, mut start, mut at) = (0, 0, 0);
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            break;
        }
        let piece_bytes = piece.len();
        for place in memchr::memchr_iter(b'\n', piece) {
            n_lines += 1;
            let end = at + place as u64 + 1;
            if n_lines == number {
                return Ok(Ok(start..end));
            }
            start = end;
        }
        at += piece_bytes as u64;
        reader.consume(piece_bytes);
    }
    let is_last = at > start && n_lines + 1 == number;
    Ok(if is_last { Ok(start..at) } else { Err(n_lines + u64::from(at > start)) })
}

/// Cuts the events around a line and returns the one that it is part of.
fn around(file: &mut File, number: u64, line: Range<u64>, multiline: &Multiline) -> io::Result<FileLine> {
    let from = line.start.saturating_sub(BEFORE_BYTES);
    let mut window = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    let n_bytes = (line.end - from).saturating_add(AFTER_BYTES);
    file.take(n_bytes).read_to_end(&mut window)?;
    let is_whole = (window.len() as u64) < n_bytes;
    // Events begin at the begin of a line.
    let first_line = match from {
        0 => 0,
        _ => memchr::memchr(b'\n', &window).map_or(0, |end| end + 1),
    };
    let in_window = |offset: u64| usize::try_from(offset - from).unwrap_or(usize::MAX);
    let line_in_window = in_window(line.start)..in_window(line.end).min(window.len());
    let bytes = &window[first_line.min(line_in_window.start)..];
    let base = first_line.min(line_in_window.start);
    // The window is longer than what the lines of a source teach.
    let mut place = Place { offset: from, ..Place::default() };
    place.advance(&window[..base]);
    let event = event_at(
        (bytes, place),
        line_in_window.start - base,
        if is_whole { TailState::All } else { TailState::Lines },
        multiline,
    );
    let event = event.map_or(line_in_window.clone(), |event| event.start + base..event.end + base);
    let n_before = memchr::memchr_iter(b'\n', &window[event.start..line_in_window.start]).count() as u64;
    let text = window[event.clone()].trim_ascii_end();
    let n_lines = memchr::memchr_iter(b'\n', text).count() as u64;
    let (first, range) = (number - n_before, from + event.start as u64..from + event.end as u64);
    let is_unfinished = window[event.clone()].last().is_some_and(|byte| *byte != b'\n');
    let last = (first + n_lines).max(number);
    Ok(FileLine { bytes: window[event].to_vec(), range, lines: (first, last), is_unfinished })
}

/// Returns the event that contains the byte at `place`.
fn event_at((bytes, at): (&[u8], Place), place: usize, tail: TailState, multiline: &Multiline) -> Option<Range<usize>> {
    let cut = cut(bytes, at, tail, multiline);
    let taken = &bytes[..cut.n_bytes.min(bytes.len())];
    let ends: Vec<usize> = match &cut.lengths {
        Some(lengths) => ends_of(lengths).collect(),
        None => memchr::memchr_iter(b'\n', taken).map(|end| end + 1).chain([taken.len()]).collect(),
    };
    let number = ends.iter().position(|end| place < *end)?;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    Some(start..ends[number])
}
