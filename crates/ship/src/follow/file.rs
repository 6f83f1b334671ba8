//! A followed file: what was observed of it, and what of it can be sent next.
//!
//! Nothing read is kept between two looks: bytes that cannot be sent yet (a half line, an event that may continue) are
//! read again when the file has changed. So memory is that of the batches on their way, however many files there are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use memchr::memchr;
use parse::{Profile, Utf16};
use types::{GroupName, Timestamp};

use super::FollowTiming;
use super::buffers::Buffers;
use super::container::Container;
use super::lines::{Lines, PIECE_BYTES};
use super::options::FileInput;
use super::state::{GenerationState, Growth, Handle, HintCoverage, LinePosition, OldBytes, Unsent};
use crate::boundary::{Cut, Place, TailState};
use crate::checkpoint::{Entry, PackedContent};
use crate::content::Content;
use crate::discover::{Reason, modified_of, reason_of_content};
use crate::follow::options::LARGE_BYTES;
use crate::follow::unpacker::UnpackedFile;
use crate::identity::{FileKey, Mark, VerifiedBytes, open_file, read_at_most};

/// Fewer bytes than this wait a moment for others: a request and a sync cost more than they do.
const LITTLE_BYTES: u64 = 64 << 10;

/// For how many times the time that an event waits for further lines its lines may keep messages of others waiting.
const LONG_HOLDS: i64 = 5;

/// Sizes that bound one look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes<'b> {
    /// Bytes read and sent at once.
    pub(super) batch_bytes: usize,
    /// Longest line kept whole; a longer one is cut.
    pub(super) line_bytes_max: usize,
    /// Whether more than [`LARGE_BYTES`] may be read now.
    pub(super) may_be_large: bool,
    /// Where the bytes are read into.
    pub(super) buffers: &'b Buffers,
}

/// What there is to send.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) start: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) lengths: Option<Vec<u64>>,
    pub(super) encoding: Option<Utf16>,
    pub(super) mark_after: Mark,
    /// Set while catching up with what was there before the shipper was.
    pub(super) modified: Option<Timestamp>,
}

/// The result of a look at a file.
#[derive(Debug)]
pub(super) enum Look {
    /// Nothing to send now.
    Nothing,
    /// There is a long line to send when no other is on its way.
    TooLargeNow,
    /// The file no longer has the content that was read: it was truncated or replaced in place.
    Replaced,
    /// It turned out to be no text.
    Unwanted(Reason),
    /// There is something to send.
    Piece(Piece),
}

/// A followed file.
#[derive(Debug)]
pub(super) struct FollowedFile {
    pub(super) entry: Entry,
    /// Where it is now; `None` when no PATH leads to it any more.
    pub(super) path: Option<PathBuf>,
    /// Other names of it.
    pub(super) others: Vec<PathBuf>,
    /// Which input it belongs to.
    pub(super) input: usize,
    pub(super) group: GroupName,
    /// Which container writes it, where that is known.
    pub(super) container: Option<Container>,
    pub(super) handle: Handle,
    pub(super) size: u64,
    modified: Option<Timestamp>,
    /// When it was last seen to have changed.
    pub(super) grown_at: Timestamp,
    pub(super) next_look: Timestamp,
    /// The mark after the batch on its way.
    pub(super) in_flight: Option<Mark>,
    pub(super) last_error: Option<String>,
    /// What is wrong with a packed file, which stays so.
    pub(super) damage: Option<String>,
    pub(super) generation: GenerationState,
    pub(super) hints: HintCoverage,
    old: OldBytes,
    unsent: Option<Unsent>,
    growth: Growth,
    line: LinePosition,
    /// What the lines before a place have taught of how events begin.
    learned: Option<Place>,
    /// Since when a long line of it waits for one of another file.
    pub(super) waits_for_large: Option<Timestamp>,
}

/// What was read, and what of it can be sent.
struct Excerpt {
    read: VerifiedBytes,
    cut: Cut,
    /// Where the cut ends.
    line: LinePosition,
}

/// The result of reading.
enum ReadOutcome {
    Excerpt(Excerpt),
    /// The content changed.
    Replaced,
    /// A long line, and another one is on its way.
    TooLargeNow,
}

impl FollowedFile {
    pub(super) fn new(
        entry: Entry,
        input: usize,
        group: GroupName,
        generation: GenerationState,
        old: OldBytes,
    ) -> Self {
        Self {
            entry,
            path: None,
            others: Vec::new(),
            input,
            group,
            container: None,
            handle: Handle::Closed,
            size: 0,
            modified: None,
            grown_at: Timestamp(i64::MIN),
            next_look: Timestamp(i64::MIN),
            in_flight: None,
            last_error: None,
            damage: None,
            generation,
            hints: HintCoverage::default(),
            old,
            unsent: None,
            growth: Growth::default(),
            line: LinePosition::Start,
            learned: None,
            waits_for_large: None,
        }
    }

    /// Reports whether this is that generation of that file.
    pub(super) fn is_of(&self, file: &str, generation: u64) -> bool {
        self.entry.file == file && self.entry.generation == generation
    }

    /// Notes a hint of a change, perhaps of one that was seen already.
    pub(super) fn note_hint(&mut self, now: Timestamp) {
        self.hints.note_hint();
        self.next_look = self.next_look.min(now);
    }

    /// Reports whether looking at it can give anything.
    pub(super) fn is_reachable(&self) -> bool {
        self.path.is_some() || self.handle.is_open()
    }

    /// Reports whether the file found at `path` under this one's inode is this one, and not a new one that was given
    /// the inode of this one after it was deleted.
    pub(super) fn may_be_at(&self, path: &Path) -> bool {
        // An open file keeps its inode, and a file that stayed in its place is looked at in due course.
        let was_at = self.path.as_deref().unwrap_or(Path::new(&self.entry.path));
        if self.is_held() || was_at == path {
            return true;
        }
        // Of what nothing was sent there is nothing to remember.
        let evidence = self.entry.packed.map(|packed| packed.mark).or_else(|| self.entry.now().evidence());
        let Some(evidence) = evidence else { return false };
        // Where it moved on between the search and now nothing speaks against it; its content is compared before more is read.
        match open_same(path, self.entry.key) {
            Ok(Some(file)) => evidence.fits(&file).unwrap_or(true),
            Ok(None) | Err(_) => true,
        }
    }

    /// Opens it when it has `size` bytes at `path` that may be gone before there is time to read them.
    pub(super) fn hold(&mut self, path: &Path, size: u64) {
        if self.entry.packed.is_some() {
            return;
        }
        if size > self.entry.mark.offset && self.in_flight.is_none() {
            // What cannot be opened is reported when it is looked at.
            self.handle.keep_unread(|| open_same(path, self.entry.key).ok().flatten());
        } else {
            self.handle.mark_read();
        }
    }

    /// Keeps a file open that was just found with `size` bytes; one that appeared at `new_at` also when it is
    /// empty, as it will not stay so.
    pub(super) fn hold_new(&mut self, file: File, size: u64, new_at: Option<Timestamp>) {
        self.grown_at = new_at.unwrap_or(self.grown_at);
        if size > self.entry.mark.offset {
            self.handle = Handle::Unread(file);
        } else if new_at.is_some() {
            self.handle = Handle::Open(file);
        }
    }

    /// Reports whether a packed file of `size` bytes has to be unpacked to continue with it.
    pub(super) fn needs_unpacking(&self, size: u64) -> bool {
        let is_unread = |packed: PackedContent| packed.mark.offset != size || self.entry.mark.offset < packed.n_bytes;
        !self.is_held() && self.entry.packed.is_some_and(is_unread)
    }

    /// Goes on with what it holds.
    pub(super) fn take_unpacked(&mut self, unpacked: UnpackedFile, now: Timestamp) {
        self.handle = Handle::Unread(unpacked.text);
        self.entry.packed = Some(unpacked.packed);
        self.damage = unpacked.damage;
        self.next_look = now;
    }

    /// Reports whether all that it was last seen to have is with the server.
    pub(super) fn is_at_end(&self) -> bool {
        self.modified.is_some() && self.size == self.entry.mark.offset
    }

    /// Reports whether its inode cannot be given to another file, or a part of it is on its way.
    pub(super) fn is_held(&self) -> bool {
        self.handle.is_open() || self.in_flight.is_some()
    }

    /// Starts over with new content under `generation`, which the path it is found at now may name again.
    pub(super) fn begin_generation(&mut self, generation: u64, now: Timestamp) {
        self.entry.before = Some(self.entry.now());
        (self.entry.mark, self.entry.begin) = (Mark::default(), 0);
        (self.entry.content, self.entry.is_unasked) = (Some(Content::begin(0)), false);
        self.entry.generation = generation;
        self.generation = GenerationState::Unsaved;
        self.entry.told = None;
        self.old = OldBytes::NONE;
        self.handle.mark_read();
        (self.unsent, self.line, self.learned) = (None, LinePosition::Start, None);
        self.growth = Growth::default();
        self.grown_at = now;
        self.next_look = now;
    }

    /// Takes all that is there as read.
    pub(super) fn take_as_read(&mut self) {
        let mark = self.handle.file().and_then(|file| Mark::at(file, self.size).ok());
        self.entry.mark = mark.unwrap_or(self.entry.mark);
        self.entry.content = None;
    }

    /// Looks what can be sent; of a file of our own (`is_own`) whole lines alone.
    pub(super) fn look(
        &mut self,
        now: Timestamp,
        timing: &FollowTiming,
        sizes: Sizes<'_>,
        input: &FileInput,
    ) -> io::Result<Look> {
        if !self.observe(now)? {
            return Ok(Look::Nothing);
        }
        let Some(file) = self.handle.file() else { return Ok(Look::Nothing) };
        let offset = self.entry.mark.offset;
        let is_continued = self.generation == GenerationState::Continued;
        if is_continued || self.size < offset || (self.size == offset && !self.entry.mark.fits(file)?) {
            return Ok(Look::Replaced);
        }
        if let Some(told) = self.entry.told.filter(|_| offset == 0)
            && !told.fits(file)?
        {
            return Ok(Look::Replaced);
        }
        let settled = match timing.settled(now, self.grown_at, input) {
            TailState::All if input.is_own => TailState::Lines,
            settled => settled,
        };
        let is_fruitless = |unsent: &Unsent| unsent.fruitless == Some((self.size, settled));
        if self.size == offset || self.unsent.as_ref().is_some_and(is_fruitless) {
            return Ok(Look::Nothing);
        }
        // Little that grows is worth waiting for more.
        let unsent = self.unsent.get_or_insert(Unsent { since: now, fruitless: None });
        let unsent_ns = now.0.saturating_sub(unsent.since.0);
        if settled == TailState::Growing && self.size - offset < LITTLE_BYTES && unsent_ns < timing.gather_ns {
            return Ok(Look::Nothing);
        }
        let sizes = self.sizes(sizes);
        let encoding = Utf16::of_mark(&read_at_most(file, 0, 2)?);
        if encoding.is_some() && !input.rules.is_empty() {
            return Ok(Look::Unwanted(Reason::Utf16));
        }
        let mut place = learned_at(file, offset, self.learned)?;
        let hold_ns = timing.hold_ns_of(input);
        let waits_too_long = unsent_ns > LONG_HOLDS * hold_ns.max(Timestamp::SECOND);
        place.settled_to = if waits_too_long { u64::MAX } else { self.growth.size_at(now.0.saturating_sub(hold_ns)) };
        let lines = Lines { multiline: &input.multiline, encoding, place };
        let read = |(size, settled)| read_and_cut(&self.entry.mark, file, settled, size, sizes, lines);
        let all = (self.size, settled);
        // No more at first than what is known to tell it from others.
        let told = self.entry.told.filter(|told| offset == 0 && told.offset < self.size);
        let mut reading = read(told.map_or(all, |told| (told.offset, TailState::Growing)))?;
        if told.is_some() && matches!(&reading, ReadOutcome::Excerpt(excerpt) if excerpt.cut.n_bytes == 0) {
            reading = read(all)?;
            // It is noted again with what is sent now.
            self.entry.told = self.entry.told.filter(|_| !matches!(reading, ReadOutcome::Excerpt(_)));
        }
        match reading {
            ReadOutcome::Excerpt(excerpt) => {
                place.advance(&excerpt.read.bytes[..excerpt.cut.n_bytes]);
                self.learned = Some(place);
                Ok(self.piece_of(excerpt, settled, encoding))
            }
            ReadOutcome::Replaced => Ok(Look::Replaced),
            ReadOutcome::TooLargeNow => Ok(Look::TooLargeNow),
        }
    }

    /// Limits a read to the next piece once part of a long line was sent.
    fn sizes<'b>(&self, sizes: Sizes<'b>) -> Sizes<'b> {
        let line_bytes_max = sizes.line_bytes_max;
        let line_bytes_max = match self.line {
            LinePosition::Start => line_bytes_max,
            LinePosition::Within => line_bytes_max.min(PIECE_BYTES),
        };
        Sizes { line_bytes_max, ..sizes }
    }

    /// Returns what to send of what was found.
    fn piece_of(&mut self, excerpt: Excerpt, settled: TailState, encoding: Option<Utf16>) -> Look {
        let Excerpt { read, cut, line } = excerpt;
        let offset = self.entry.mark.offset;
        if offset == 0
            && encoding.is_none()
            && let Some(reason) = reason_of_content(&read.bytes[..read.bytes.len().min(4096)])
        {
            return Look::Unwanted(reason);
        }
        if cut.n_bytes == 0 {
            if let Some(unsent) = &mut self.unsent {
                unsent.fruitless = Some((self.size, settled));
            }
            return Look::Nothing;
        }
        (self.unsent, self.line) = (None, line);
        let mark_after = read.mark_after(cut.n_bytes);
        let modified = self.modified.filter(|_| self.old.contains(offset));
        let mut bytes = read.bytes;
        bytes.truncate(cut.n_bytes);
        if bytes.capacity() > LARGE_BYTES.max(2 * bytes.len()) {
            bytes.shrink_to_fit();
        }
        Look::Piece(Piece { start: offset, bytes, lengths: cut.lengths, encoding, mark_after, modified })
    }

    /// Looks at size and time of change, opening the file where needed. `false` when there is nothing new to see.
    fn observe(&mut self, now: Timestamp) -> io::Result<bool> {
        self.handle.mark_read();
        let metadata = match (self.handle.file(), &self.path) {
            (Some(file), _) => file.metadata()?,
            // There is nothing to see before it is unpacked.
            (None, _) if self.entry.packed.is_some() => return Ok(false),
            (None, Some(path)) => match metadata_of(path, self.entry.key)? {
                Some(metadata) => metadata,
                None => {
                    self.path = None;
                    return Ok(false);
                }
            },
            (None, None) => return Ok(false),
        };
        let modified = modified_of(&metadata);
        let is_unchanged = self.modified == Some(modified) && self.size == metadata.len();
        if is_unchanged && self.size == self.entry.mark.offset {
            return Ok(false);
        }
        if self.old == OldBytes::Unmeasured {
            // An old file has been quiet since it was last written.
            self.grown_at = modified.min(now);
            self.old = OldBytes::Before(metadata.len());
        } else if !is_unchanged {
            self.hints.note_change();
            self.grown_at = now;
            self.growth.note(now, metadata.len());
        }
        (self.size, self.modified) = (metadata.len(), Some(modified));
        if !self.handle.is_open()
            && let Some(path) = &self.path
        {
            self.handle = open_same(path, self.entry.key)?.map_or(Handle::Closed, Handle::Open);
        }
        Ok(self.handle.is_open())
    }
}

/// Returns the metadata of the file `key` at `path`; `None` if another file or none is there now.
fn metadata_of(path: &Path, key: FileKey) -> io::Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok((FileKey::of(&metadata) == key && metadata.is_file()).then_some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn open_same(path: &Path, key: FileKey) -> io::Result<Option<File>> {
    let file = open_file(path)?;
    let is_same = FileKey::of(&file.metadata()?) == key;
    Ok(is_same.then_some(file))
}

/// Reads after `mark` and cuts whole events off.
fn read_and_cut(
    mark: &Mark,
    file: &File,
    settled: TailState,
    size: u64,
    sizes: Sizes<'_>,
    lines: Lines<'_>,
) -> io::Result<ReadOutcome> {
    let mut n_wanted = sizes.batch_bytes;
    loop {
        let n_there = usize::try_from(size.saturating_sub(mark.offset)).unwrap_or(usize::MAX);
        let n_read = n_wanted.min(n_there);
        if n_read > LARGE_BYTES.max(sizes.batch_bytes) && !sizes.may_be_large {
            return Ok(ReadOutcome::TooLargeNow);
        }
        let buffer = sizes.buffers.take(n_read);
        let Some(read) = mark.read_on(file, n_read, buffer)? else { return Ok(ReadOutcome::Replaced) };
        let reaches_end = n_read == n_there;
        // Of a line that continues only the end is looked for.
        let is_part = !reaches_end && n_read < sizes.line_bytes_max && memchr(b'\n', &read.bytes).is_none();
        if !is_part {
            let cut = lines.cut(&read.bytes, mark.offset, if reaches_end { settled } else { TailState::Growing });
            if cut.n_bytes > 0 || (reaches_end && n_read < sizes.line_bytes_max) {
                return Ok(ReadOutcome::Excerpt(Excerpt { read, cut, line: LinePosition::Start }));
            }
            if n_read >= sizes.line_bytes_max {
                let (cut, line) = lines.cut_by_force(&read.bytes, mark.offset);
                return Ok(ReadOutcome::Excerpt(Excerpt { read, cut, line }));
            }
        }
        sizes.buffers.give(read.bytes);
        n_wanted = n_wanted.saturating_mul(4).min(sizes.line_bytes_max);
    }
}

/// Returns what the lines before `offset` teach: what is known of them, or what they say when they are read again.
fn learned_at(file: &File, offset: u64, known: Option<Place>) -> io::Result<Place> {
    if let Some(place) = known.filter(|place| place.offset == offset) {
        return Ok(place);
    }
    // From the line end on before which nothing matters.
    let start = Profile::start_for(offset).saturating_sub(1);
    let mut place = Place { offset: start, ..Place::default() };
    place.advance(&read_at_most(file, start, usize::try_from(offset - start).unwrap_or_default())?);
    Ok(place)
}
