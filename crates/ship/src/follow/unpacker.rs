//! Unpacks one file at a time into a file without a name, a slice at every turn.

use crate::checkpoint::PackedContent;
use crate::discover::{Candidate, Reason, SNIFF_BYTES, modified_of, reason_of_content};
use crate::identity::{FileKey, Mark, open_file, read_at_most};
use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use types::{ByteSize, Timestamp};

/// A file that was unpacked.
#[derive(Debug)]
pub(crate) struct UnpackedFile {
    pub(crate) key: FileKey,
    /// What it holds, in a file that no one else sees.
    pub(crate) text: File,
    pub(crate) packed: PackedContent,
    /// Why there is not more of it.
    pub(crate) damage: Option<String>,
}

/// Bytes unpacked at a turn, and at once.
const SLICE_BYTES: usize = 4 << 20;

const BUFFER_BYTES: usize = 128 << 10;

/// Largest window of a zstd frame, as a power of two: 8 MiB, which no level needs more than without `--ultra` and `--long`. It is
/// taken at once, and a shipper is small.
const WINDOW_LOG_MAX: u32 = 23;

/// First wait before a file is unpacked once more, and the longest; each is twice the one before.
const AGAIN_FIRST_NS: i64 = 10 * Timestamp::SECOND;

const AGAIN_MAX_NS: i64 = Timestamp::HOUR;

/// Position of the magic of tar in its first block.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

/// What is being unpacked, and what was.
#[derive(Debug, Default)]
pub(crate) struct Unpacker {
    pub(crate) work: Option<UnpackJob>,
    /// For the next search to take in.
    pub(crate) done: Option<UnpackedFile>,
    /// When to unpack again what could not be taken yet, and after which wait.
    pub(crate) later: HashMap<FileKey, (Timestamp, i64)>,
    /// Whether there is more than can be unpacked now.
    pub(crate) has_more: bool,
}

/// A file that is being unpacked.
pub(crate) struct UnpackJob {
    pub(crate) candidate: Candidate,
    pub(crate) packed: File,
    pub(crate) mark: Mark,
    pub(crate) source: Box<dyn Read + Send>,
    pub(crate) text: File,
    pub(crate) n_bytes: u64,
    pub(crate) is_looked_at: bool,
}

impl fmt::Debug for UnpackJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("path", &self.candidate.path)
            .field("n_bytes", &self.n_bytes)
            .finish_non_exhaustive()
    }
}

/// The result of unpacking a slice.
pub(crate) enum Slice {
    More,
    /// That was all, or all that can be read.
    End(Option<String>),
    Unwanted(Reason),
    /// There is no place for it.
    NoRoom(io::Error),
}

impl Unpacker {
    /// Reports whether there is something to continue with at once.
    pub(crate) fn is_at_work(&self) -> bool {
        self.work.is_some()
    }

    /// Reports whether files wait to be compared with those that are known.
    pub(crate) fn is_pending(&self) -> bool {
        self.has_more || self.work.is_some() || self.done.is_some()
    }

    /// Reports whether a file is left alone for a while.
    pub(crate) fn has_put_off(&self, key: &FileKey) -> bool {
        self.later.contains_key(key)
    }

    /// Unpacks a file again after a while, each time after a longer one.
    pub(crate) fn put_off(&mut self, key: FileKey, now: Timestamp) {
        let wait_ns = self.later.get(&key).map_or(AGAIN_FIRST_NS, |(_, before)| (before * 2).min(AGAIN_MAX_NS));
        self.later.insert(key, (Timestamp(now.0.saturating_add(wait_ns)), wait_ns));
    }

    /// Begins a search that found these files.
    pub(crate) fn begin_search(&mut self, found: &HashMap<FileKey, Candidate>) {
        self.has_more = false;
        self.later.retain(|key, _| found.contains_key(key));
    }

    /// Ends a search: drops an unpacked file that was not taken.
    pub(crate) fn end_search(&mut self) {
        self.done = None;
    }
}

impl UnpackJob {
    /// Begins with the file that was found; `None` if another is there now, or one that is not packed.
    pub(crate) fn begin(candidate: &Candidate, state_dir: &Path) -> io::Result<Option<Self>> {
        let packed = open_file(&candidate.path)?;
        let metadata = packed.metadata()?;
        if FileKey::of(&metadata) != candidate.key || metadata.len() != candidate.size {
            return Ok(None);
        }
        let mark = Mark::at(&packed, candidate.size)?;
        let reader = BufReader::with_capacity(BUFFER_BYTES, packed.try_clone()?);
        let source: Box<dyn Read + Send> = match read_at_most(&packed, 0, 4)?.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
            [0x28, 0xb5, 0x2f, 0xfd] => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
            _ => return Ok(None),
        };
        let text = nameless_file(state_dir)?;
        Ok(Some(Self { candidate: candidate.clone(), packed, mark, source, text, n_bytes: 0, is_looked_at: false }))
    }

    /// Unpacks a few megabytes, or fewer at the end; of all of it at most `bytes_max`.
    pub(crate) fn slice(&mut self, bytes_max: u64) -> Slice {
        let mut buffer = vec![0; BUFFER_BYTES];
        let end = self.n_bytes + SLICE_BYTES as u64;
        let mut ended = None;
        while self.n_bytes < end && ended.is_none() {
            match self.source.read(&mut buffer) {
                Ok(0) => ended = Some(Slice::End(None)),
                Ok(n) if self.n_bytes + n as u64 > bytes_max => {
                    return Slice::Unwanted(Reason::TooLarge { bytes_max });
                }
                Ok(n) => {
                    if let Err(error) = self.text.write_all(&buffer[..n]) {
                        return Slice::NoRoom(error);
                    }
                    self.n_bytes += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => ended = Some(Slice::End(Some(self.damage(&error)))),
            }
        }
        match self.reason_against() {
            Ok(None) => ended.unwrap_or(Slice::More),
            Ok(Some(reason)) => Slice::Unwanted(reason),
            Err(error) => Slice::NoRoom(error),
        }
    }

    pub(crate) fn damage(&self, error: &io::Error) -> String {
        format!("damaged after {} of unpacked text: {error}; the text before that is sent", ByteSize(self.n_bytes))
    }

    /// Returns why the unpacked text is not a log, by its beginning.
    pub(crate) fn reason_against(&mut self) -> io::Result<Option<Reason>> {
        if std::mem::replace(&mut self.is_looked_at, true) {
            return Ok(None);
        }
        let head = read_at_most(&self.text, 0, SNIFF_BYTES)?;
        let is_archive = head.get(TAR_MAGIC) == Some(b"ustar".as_slice());
        Ok(if is_archive {
            Some(Reason::Binary)
        } else {
            reason_of_content(&head).filter(|reason| *reason != Reason::Utf16)
        })
    }

    /// Reports whether the packed file is what it was when this began.
    pub(crate) fn is_unchanged(&self) -> bool {
        let is_same =
            |now: fs::Metadata| now.len() == self.candidate.size && modified_of(&now) == self.candidate.modified;
        self.packed.metadata().is_ok_and(is_same)
    }
}

/// Returns a file that takes room on the disk of `dir` as long as it is open.
fn nameless_file(dir: &Path) -> io::Result<File> {
    let path = dir.join("unpacked");
    // What a crash left between the next steps.
    types::ok_if_missing(fs::remove_file(&path))?;
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}
