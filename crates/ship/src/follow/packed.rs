//! Packed files (gzip, zstd) of inputs that ask for it, followed as the text that they hold.
//!
//! One at a time is unpacked into a file without a name beside the state, a slice at every turn, so that others are not held
//! up. What is unpacked is what is followed: positions and marks count its bytes, so a log that was packed after it was read
//! is known by its content, one that was packed too soon is read on as what it was, and a restart goes on where it was. When
//! the server has all of it, the room is free for the next.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use types::{ByteSize, GroupName, Timestamp};

use super::Follower;
use super::copies::{Start, origin};
use super::file::Followed;
use crate::checkpoint::Packed;
use crate::discover::{Candidate, Reason, SNIFF_BYTES, modified_of, reason_of_content};
use crate::identity::{FileKey, Mark, open_file, read_at_most};

/// Bytes unpacked at a turn, and at once.
const SLICE_BYTES: usize = 4 << 20;
const BUFFER_BYTES: usize = 128 << 10;

/// Largest window of a zstd frame, as a power of two: 8 MiB, which no level needs more than without `--ultra` and `--long`. It is
/// taken at once, and a shipper is small.
const WINDOW_LOG_MAX: u32 = 23;

/// A file that was modified so lately and does not end well is still being written.
const WRITTEN_NS: i64 = 10 * Timestamp::SECOND;

/// First wait before a file is unpacked once more, and the longest; each is twice the one before.
const AGAIN_FIRST_NS: i64 = 10 * Timestamp::SECOND;
const AGAIN_MAX_NS: i64 = Timestamp::HOUR;

/// So many equal bytes tell a file whatever it is called; fewer do so within a group.
const TELLING_BYTES: u64 = 1280;

/// Where the magic of tar stands in its first block.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

/// A file that was unpacked.
#[derive(Debug)]
pub(super) struct Unpacked {
    key: FileKey,
    /// What it holds, in a file that nobody else sees.
    pub(super) text: File,
    pub(super) packed: Packed,
    /// Why there is not more of it.
    pub(super) damage: Option<String>,
}

/// What is being unpacked, and what was.
#[derive(Debug, Default)]
pub(super) struct Unpacker {
    work: Option<Work>,
    /// For the next search to take in.
    done: Option<Unpacked>,
    /// When to unpack again what could not be taken yet, and after which wait.
    later: HashMap<FileKey, (Timestamp, i64)>,
    /// Whether there is more than can be unpacked now.
    has_more: bool,
}

/// A file that is being unpacked.
struct Work {
    candidate: Candidate,
    packed: File,
    mark: Mark,
    source: Box<dyn Read + Send>,
    text: File,
    n_bytes: u64,
    is_looked_at: bool,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("path", &self.candidate.path)
            .field("n_bytes", &self.n_bytes)
            .finish_non_exhaustive()
    }
}

/// What a slice gave.
enum Slice {
    More,
    /// That was all, or all that can be read.
    End(Option<String>),
    Unwanted(Reason),
    /// There is no place for it.
    NoRoom(io::Error),
}

impl Unpacker {
    /// Tells whether there is something to go on with at once.
    pub(super) fn is_at_work(&self) -> bool {
        self.work.is_some()
    }

    /// Tells whether files wait to be compared with those that are known.
    pub(super) fn is_pending(&self) -> bool {
        self.has_more || self.work.is_some() || self.done.is_some()
    }

    /// Tells whether a file is left alone for a while.
    pub(super) fn has_put_off(&self, key: &FileKey) -> bool {
        self.later.contains_key(key)
    }

    /// Unpacks a file again after a while, each time after a longer one.
    pub(super) fn put_off(&mut self, key: FileKey, now: Timestamp) {
        let wait_ns = self.later.get(&key).map_or(AGAIN_FIRST_NS, |(_, before)| (before * 2).min(AGAIN_MAX_NS));
        self.later.insert(key, (Timestamp(now.0.saturating_add(wait_ns)), wait_ns));
    }

    /// A search begins, which found these.
    pub(super) fn begin_search(&mut self, found: &HashMap<FileKey, Candidate>) {
        self.has_more = false;
        self.later.retain(|key, _| found.contains_key(key));
    }

    /// A search is over: what was unpacked and is not there any more is not needed.
    pub(super) fn end_search(&mut self) {
        self.done = None;
    }
}

impl Work {
    /// Begins with the file that was found; `None` where another is there now, or one that is not packed.
    fn begin(candidate: &Candidate, state_dir: &Path) -> io::Result<Option<Self>> {
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
    fn slice(&mut self, bytes_max: u64) -> Slice {
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

    fn damage(&self, error: &io::Error) -> String {
        format!("damaged after {} of what it holds: {error}; what stands before that is sent", ByteSize(self.n_bytes))
    }

    /// Why what it holds is no log, by its beginning.
    fn reason_against(&mut self) -> io::Result<Option<Reason>> {
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

    /// Tells whether the packed file is what it was when this began.
    fn is_unchanged(&self) -> bool {
        let is_same =
            |now: fs::Metadata| now.len() == self.candidate.size && modified_of(&now) == self.candidate.modified;
        self.packed.metadata().is_ok_and(is_same)
    }
}

/// A file that takes room on the disk of `dir` as long as it is open.
fn nameless_file(dir: &Path) -> io::Result<File> {
    let path = dir.join("unpacked");
    // What a crash left between the next steps.
    fs::remove_file(&path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

impl Follower {
    /// What a packed file that is not known holds, when it is unpacked; else it will be.
    pub(super) fn unpacked(&mut self, candidate: &Candidate, now: Timestamp) -> Option<Unpacked> {
        let is_it = |done: &mut Unpacked| done.key == candidate.key && done.packed.mark.offset == candidate.size;
        let done = self.unpacker.done.take_if(is_it);
        if done.is_none() {
            self.begin_unpacking(candidate, now);
        }
        done
    }

    /// Begins to unpack a file, unless there is another one at hand.
    pub(super) fn begin_unpacking(&mut self, candidate: &Candidate, now: Timestamp) {
        let is_later = self.unpacker.later.get(&candidate.key).is_some_and(|(at, _)| *at > now);
        if is_later || !self.checkpoint.is_ours() {
            return;
        }
        let is_open = |file: &Followed| file.entry.packed.is_some() && file.handle.is_some();
        if self.unpacker.work.is_some() || self.unpacker.done.is_some() || self.files.values().any(is_open) {
            self.unpacker.has_more = true;
            return;
        }
        match Work::begin(candidate, &self.options.state_dir) {
            Ok(Some(work)) => self.unpacker.work = Some(work),
            Ok(None) if self.files.contains_key(&candidate.key) => self.take_in_again(candidate.key, now),
            Ok(None) => {}
            Err(error) => self.cannot_unpack(candidate, &error, now),
        }
    }

    fn cannot_unpack(&mut self, candidate: &Candidate, error: &io::Error, now: Timestamp) {
        tracing::warn!(path = %candidate.path.display(), %error, "packed file not unpacked; trying again later");
        self.unpacker.put_off(candidate.key, now);
    }

    /// Unpacks a little more.
    pub(super) fn unpack_on(&mut self, now: Timestamp) {
        let Some(mut work) = self.unpacker.work.take() else { return };
        match work.slice(self.options.unpacked_bytes) {
            Slice::More => return self.unpacker.work = Some(work),
            Slice::End(damage) => self.end_unpacking(work, damage, now),
            Slice::Unwanted(reason) => self.leave_packed(&work.candidate, &reason.to_string()),
            Slice::NoRoom(error) => self.cannot_unpack(&work.candidate, &error, now),
        }
        self.footing.shake();
        self.next_scan = now;
    }

    fn end_unpacking(&mut self, work: Work, damage: Option<String>, now: Timestamp) {
        let (candidate, n_bytes) = (work.candidate.clone(), work.n_bytes);
        let is_new = now.0.saturating_sub(candidate.modified.0) < WRITTEN_NS;
        if !work.is_unchanged() || (damage.is_some() && is_new) {
            return self.unpacker.put_off(candidate.key, now);
        }
        if let Some(damage) = &damage {
            if n_bytes == 0 {
                return self.leave_packed(&candidate, damage);
            }
            tracing::warn!(path = %candidate.path.display(), damage, "packed file");
        }
        // Times without a year are guessed by when the file was written.
        if let Ok(modified) = work.packed.metadata().and_then(|metadata| metadata.modified()) {
            let _ = work.text.set_modified(modified);
        }
        let (key, packed) = (candidate.key, Packed { mark: work.mark, n_bytes });
        let unpacked = Unpacked { key, text: work.text, packed, damage };
        match self.files.get_mut(&key) {
            Some(file) if file.entry.packed.is_some() && file.entry.mark.fits(&unpacked.text).unwrap_or(false) => {
                file.take_unpacked(unpacked, now);
                self.is_dirty = true;
            }
            // It was another file that was packed there before.
            Some(_) => {
                self.take_in_again(key, now);
                self.unpacker.done = Some(unpacked);
            }
            None => self.unpacker.done = Some(unpacked),
        }
    }

    fn leave_packed(&mut self, candidate: &Candidate, reason: &str) {
        tracing::warn!(path = %candidate.path.display(), reason, "packed file left out");
        self.files.remove(&candidate.key);
        self.unwanted.insert(candidate.key, candidate.size);
    }

    /// From where a packed file is read that is no copy by its name: another one may hold the same, or have held it.
    pub(super) fn start_by_content(&self, group: &GroupName, text: &File, size: u64) -> Option<Start> {
        let is_known = |file: &&Followed| {
            let mark = file.entry.mark;
            let is_telling = mark.offset >= TELLING_BYTES || (mark.offset > 0 && file.group == *group);
            let is_over = mark.offset == size || (mark.offset < size && !file.is_reachable());
            is_telling && is_over && mark.fits(text).unwrap_or(false)
        };
        let known = self.files.values().filter(is_known).max_by_key(|file| file.entry.mark.offset)?;
        if known.is_reachable() {
            return Some(Start::At(known.entry.mark));
        }
        origin(known, known.entry.now()).map(Start::OnOf)
    }

    /// Makes room for the next where all of a packed file is with the server.
    pub(super) fn close_unpacked(&mut self, now: Timestamp) {
        for file in self.files.values_mut() {
            let is_read = |packed: Packed| packed.n_bytes <= file.entry.mark.offset;
            if file.handle.is_some() && file.in_flight.is_none() && file.entry.packed.is_some_and(is_read) {
                file.handle = None;
                self.footing.shake();
                self.next_scan = now;
            }
        }
    }
}
