//! Follows files: finds them, reads what is new, cuts batches, remembers what was acknowledged.
//!
//! The file system is asked again and again; that is the truth, and notifications only make the next question come
//! sooner. All state is in one [`Follower`] that one thread drives by [`Follower::poll_once`] and
//! [`Follower::acknowledge`]; it has no thread and no clock of its own. Of each file at most one batch is on its way,
//! so what is acknowledged has no gaps.
//!
//! Rotation: a renamed file is the same file under another path and is read to its end. A new file at the old path
//! is a new file. A truncated file (`copytruncate`) is a new generation of the same file, and its copy is recognised
//! by its content and read from where the original was left. A deleted file is read to its end while it is open.

mod birth;
mod budget;
mod buffers;
mod container;
mod copies;
mod file;
mod gone;
mod options;
mod packed;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::{GroupName, Timestamp, group_name_of_file};

use self::birth::Births;
use self::budget::{Budget, Budgets};
use self::buffers::Buffers;
use self::container::Container;
use self::copies::{Copies, Start};
use self::file::{Followed, LARGE_BYTES, Look, Piece, Sizes};
use self::options::Timing;
pub use self::options::{FileInput, FileStatus, FollowOptions};
use self::packed::{Unpacked, Unpacker};
use crate::checkpoint::{Checkpoint, CheckpointError, Entry, Packed};
use crate::discover::{self, Candidate, Discovery, Footing, FoundFile, Reason, Root, SNIFF_BYTES, Search, sniff};
use crate::identity::{FileKey, Mark};
use crate::rules::Place;
use crate::source_report::Identity;
use crate::{FileBatch, GivenUp, Header};

/// Open files that are quiet are closed after so long; while open, a file that was deleted or renamed to a place
/// where no PATH leads is still read.
const HANDLE_AGE_NS: i64 = 60 * Timestamp::SECOND;

/// Most files kept open.
const HANDLES_MAX: usize = 512;

/// A file that is gone is forgotten after so long: rotation may bring it back under another name.
const FORGET_AFTER_NS: i64 = 24 * Timestamp::HOUR;

/// Acknowledgements are written down this often: what is lost in between is sent again and stored once.
const SAVE_EVERY_NS: i64 = Timestamp::SECOND;

/// A search that would find nothing new, as nothing that it rests on has changed, is made so often all the same.
const SEARCH_EVERY_NS: i64 = 15 * Timestamp::SECOND;

/// How often a new file that grows meanwhile is compared with those it may be a copy of.
const LOOKS_MAX: usize = 3;

/// How long to wait after an error of one file before it is looked at again.
const ERROR_PAUSE_NS: i64 = 5 * Timestamp::SECOND;

/// All files that are followed.
#[derive(Debug)]
pub struct Follower {
    options: FollowOptions,
    timing: Timing,
    roots: Vec<Root>,
    checkpoint: Checkpoint,
    files: BTreeMap<FileKey, Followed>,
    /// Where the files were at the last search.
    by_path: HashMap<PathBuf, FileKey>,
    /// Files that are no text, with size when that was found out.
    unwanted: HashMap<FileKey, u64>,
    copies: Copies,
    births: Births,
    unpacker: Unpacker,
    /// Where the last round stopped, so that every file has its turn.
    cursor: Option<FileKey>,
    n_in_flight: usize,
    /// Whether one of the batches on their way is large.
    is_large_in_flight: bool,
    next_scan: Timestamp,
    scanned_at: Timestamp,
    /// What the last search rests on.
    footing: Footing,
    /// Room for batches to come.
    buffers: Buffers,
    saved_at: Timestamp,
    is_dirty: bool,
    /// Of deleted files.
    given_up: GivenUp,
    /// Deleted files that were given up, the latest last.
    lost: VecDeque<FileStatus>,
    /// Whether the first search is still to be done.
    is_opening: bool,
    last_error: Option<String>,
}

impl Follower {
    /// Opens the state directory and looks for files for the first time.
    pub fn open(options: FollowOptions, now: Timestamp) -> Result<(Self, Discovery), CheckpointError> {
        let opened = Checkpoint::open(&options.state_dir)?;
        Self::begin(options, opened, now)
    }

    /// The same for somebody who only wants to see what would be sent: nothing is written, also beside a shipper at work.
    pub(crate) fn preview(options: FollowOptions, now: Timestamp) -> Result<(Self, Discovery), CheckpointError> {
        let opened = Checkpoint::look_at(&options.state_dir)?;
        let (mut follower, discovery) = Self::begin(options, opened, now)?;
        // It looks once, at what is there.
        follower.timing.gather_ns = 0;
        Ok((follower, discovery))
    }

    fn begin(
        mut options: FollowOptions,
        (checkpoint, entries): (Checkpoint, Vec<Entry>),
        now: Timestamp,
    ) -> Result<(Self, Discovery), CheckpointError> {
        // Found files have absolute paths.
        for path in &mut options.excluded {
            *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
        }
        let roots = roots_of(&options)?;
        let mut follower = Self {
            timing: Timing::default(),
            roots,
            checkpoint,
            files: BTreeMap::new(),
            by_path: HashMap::new(),
            unwanted: HashMap::new(),
            copies: Copies::default(),
            births: Births::default(),
            unpacker: Unpacker::default(),
            cursor: None,
            n_in_flight: 0,
            is_large_in_flight: false,
            next_scan: now,
            scanned_at: now,
            footing: Footing::default(),
            buffers: Buffers::new(options.in_flight_max, options.batch_bytes),
            saved_at: now,
            is_dirty: false,
            given_up: GivenUp::default(),
            lost: VecDeque::new(),
            is_opening: true,
            last_error: None,
            options,
        };
        let is_first_run = entries.is_empty();
        for entry in entries {
            let input = input_of(&follower.roots, Path::new(&entry.path));
            let group = group_of(&follower.options, input, &entry.path);
            let container = container_of(&follower.options, input, &entry.path);
            let mut followed = Followed::new(entry, input, group, true, true);
            followed.container = container;
            follower.files.insert(followed.entry.key, followed);
        }
        let discovery = follower.scan(now, is_first_run);
        follower.is_opening = false;
        follower.save(now)?;
        Ok((follower, discovery))
    }

    /// Tells whether a damaged checkpoint was found, so that some bytes are sent again.
    pub fn was_damaged(&self) -> bool {
        self.checkpoint.was_damaged
    }

    /// Looks for what is new and returns batches to deliver, as many as may still be on their way.
    pub fn poll_once(&mut self, now: Timestamp) -> Vec<FileBatch> {
        if now >= self.next_scan {
            if self.needs_search(now) {
                self.scan(now, false);
            }
            self.next_scan = self.next_scan.max(Timestamp(now.0.saturating_add(self.timing.scan_every_ns)));
        }
        self.unpack_on(now);
        let mut batches = Vec::new();
        let (mut is_large_in_flight, turn) = (self.is_large_in_flight, self.turn_of_large());
        for key in self.due(now) {
            if self.n_in_flight + batches.len() >= self.options.in_flight_max {
                break;
            }
            self.cursor = Some(key);
            let may_be_large = !is_large_in_flight && turn.is_none_or(|turn| turn == key);
            let Some(batch) = self.look_at(key, now, may_be_large) else { continue };
            is_large_in_flight |= is_large(&batch);
            batches.push(batch);
        }
        self.close_unpacked(now);
        self.close_handles(now);
        self.limit_gone();
        for batch in &batches {
            if let Some(file) = self.files.get_mut(&batch.key) {
                file.is_saved &= file.entry.told.is_some();
                file.entry.told.get_or_insert(batch.mark_after);
            }
        }
        if batches.iter().any(|batch| self.files.get(&batch.key).is_some_and(|file| !file.is_saved))
            && let Err(error) = self.save(now)
        {
            // Without its name on disk a file must not be sent: after a crash it would be sent under another.
            self.last_error = Some(error.to_string());
            return Vec::new();
        }
        for batch in &batches {
            if let Some(file) = self.files.get_mut(&batch.key) {
                file.in_flight = Some(batch.mark_after);
            }
        }
        self.n_in_flight += batches.len();
        self.is_large_in_flight = is_large_in_flight;
        batches
    }

    /// Takes note that the server has `batch`.
    pub fn acknowledge(&mut self, batch: &FileBatch, now: Timestamp) {
        self.make_room_for_large(batch, now);
        let Some(file) = self.files.get_mut(&batch.key).filter(|file| file.in_flight.is_some()) else { return };
        file.in_flight = None;
        file.entry.mark = batch.mark_after;
        file.last_error = None;
        file.next_look = now;
        self.n_in_flight = self.n_in_flight.saturating_sub(1);
        self.is_dirty = true;
    }

    /// Takes note that `batch` was not delivered; its bytes are read again later.
    pub fn give_back(&mut self, batch: &FileBatch, reason: &str, now: Timestamp) {
        self.make_room_for_large(batch, now);
        let Some(file) = self.files.get_mut(&batch.key).filter(|file| file.in_flight.is_some()) else { return };
        file.in_flight = None;
        file.last_error = Some(reason.to_string());
        file.next_look = Timestamp(now.0.saturating_add(ERROR_PAUSE_NS));
        let is_lost = !file.is_reachable();
        self.n_in_flight = self.n_in_flight.saturating_sub(1);
        if is_lost {
            self.give_up_batch(batch);
        }
    }

    /// The file that has waited longest to send a large batch.
    fn turn_of_large(&self) -> Option<FileKey> {
        let waiting = self.files.iter().filter(|(_, file)| file.is_reachable());
        let waiting = waiting.filter_map(|(key, file)| Some((file.waits_for_large?, *key)));
        waiting.min().map(|(_, key)| key)
    }

    /// After a large batch those who wait to send one are looked at, whose turn it is among them.
    fn make_room_for_large(&mut self, batch: &FileBatch, now: Timestamp) {
        if !is_large(batch) {
            return;
        }
        self.is_large_in_flight = false;
        for file in self.files.values_mut().filter(|file| file.waits_for_large.is_some()) {
            file.next_look = file.next_look.min(now);
        }
    }

    /// Tells whether a search may find something else than the last one did.
    fn needs_search(&self, now: Timestamp) -> bool {
        // While no batch is taken nothing is looked at, and what grows is held open by searches alone.
        let is_held_up = self.n_in_flight >= self.options.in_flight_max;
        let is_due = now.0.saturating_sub(self.scanned_at.0) >= SEARCH_EVERY_NS;
        is_due || is_held_up || !self.footing.stands()
    }

    /// Takes note that whatever changes comes as a hint, so that files quiet for long need not be asked as often.
    pub(crate) fn trust_hints(&mut self) {
        self.timing.has_hints = true;
    }

    /// Takes note that hints were missed: everything may have changed.
    pub(crate) fn hints_missed(&mut self, now: Timestamp) {
        self.files.values_mut().for_each(|file| file.next_look = file.next_look.min(now));
        self.next_scan = self.next_scan.min(now);
    }

    /// Takes the hint that something changed at `path`, or came to be there.
    pub fn hint(&mut self, path: &Path, is_new: bool, now: Timestamp) {
        let known = self.by_path.get(path).and_then(|key| self.files.get_mut(key));
        if let Some(file) = known {
            file.told(now);
        }
        if is_new {
            let soonest = Timestamp(self.scanned_at.0.saturating_add(self.timing.scan_pause_ns)).max(now);
            self.next_scan = self.next_scan.min(soonest);
        }
    }

    /// When to poll again at the latest.
    pub fn next_wake(&self, now: Timestamp) -> Timestamp {
        if self.unpacker.is_at_work() {
            return now;
        }
        let looks = self.files.values().filter(|file| file.in_flight.is_none() && file.is_reachable());
        let soonest = looks.map(|file| file.next_look).min();
        let has_room = self.n_in_flight < self.options.in_flight_max;
        let wake = soonest.filter(|_| has_room).map_or(self.next_scan, |look| look.min(self.next_scan));
        wake.max(now)
    }

    /// Saves what was acknowledged, if some time has passed since it was saved last.
    pub fn save_if_due(&mut self, now: Timestamp) -> Result<(), CheckpointError> {
        let is_due = now.0.saturating_sub(self.saved_at.0) >= SAVE_EVERY_NS;
        if self.is_dirty && is_due { self.save(now) } else { Ok(()) }
    }

    /// Saves what was acknowledged. Durable when it returns.
    pub fn save(&mut self, now: Timestamp) -> Result<(), CheckpointError> {
        // A failing disk is asked again after the usual time, not at every turn.
        self.saved_at = now;
        // A file that is gone before anything of it was sent leaves nothing to remember.
        let is_known = |file: &&Followed| file.path.is_some() || file.entry.mark.offset > 0;
        self.checkpoint.save(self.files.values().filter(is_known).map(|file| &file.entry))?;
        self.files.values_mut().for_each(|file| file.is_saved = true);
        self.is_dirty = false;
        self.last_error = None;
        Ok(())
    }

    /// Where every file stands.
    pub fn status(&self) -> Vec<FileStatus> {
        let shown = self.files.values().filter(|file| file.is_reachable());
        shown.map(|file| self.status_of(file)).chain(self.lost.iter().cloned()).collect()
    }

    fn status_of(&self, file: &Followed) -> FileStatus {
        FileStatus {
            file: file.entry.file.clone(),
            path: file.path.clone().unwrap_or_else(|| file.entry.path.clone().into()),
            group: file.group.clone(),
            stream: self.stream_of(file),
            begin: file.entry.begin,
            offset: file.entry.mark.offset,
            size: file.size,
            generation: file.entry.generation,
            is_own: self.options.inputs.get(file.input).is_some_and(|input| input.is_own),
            is_gone: false,
            last_error: file.last_error.clone().or_else(|| file.damage.clone()),
        }
    }

    /// The random id of the state directory.
    pub fn source(&self) -> &str {
        self.checkpoint.source()
    }

    /// Who tells the server of itself.
    pub(crate) fn identity(&self, started: Timestamp) -> Identity {
        let (source, host) = (self.source().to_owned(), self.options.host.clone());
        Identity { source, host, started: started.to_string() }
    }

    fn stream_of(&self, file: &Followed) -> String {
        let stream = self.options.inputs.get(file.input).and_then(|input| input.stream.clone());
        let of_container = || Some(file.container.as_ref()?.stream(&self.options.host));
        stream.or_else(of_container).unwrap_or_else(|| format!("{}:{}", self.options.host, file.entry.path))
    }

    /// What is wrong with the state directory, if anything.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Files that are known.
    pub(crate) fn n_files(&self) -> usize {
        self.files.len()
    }

    /// Takes the bytes of a batch that is done with as room for the next.
    pub(crate) fn reuse(&mut self, batch: FileBatch) {
        if let Some(bytes) = Arc::into_inner(batch.bytes) {
            self.buffers.give(bytes);
        }
    }

    /// Batches on their way.
    pub(crate) fn n_in_flight(&self) -> usize {
        self.n_in_flight
    }

    /// Directories to watch for hints.
    pub(crate) fn directories(&self) -> Vec<PathBuf> {
        let mut directories: Vec<PathBuf> = Vec::new();
        for root in &self.roots {
            let base = root.place.base.as_path();
            let directory = if base.is_dir() { Some(base) } else { base.parent() };
            directories.extend(directory.map(Path::to_path_buf));
        }
        directories.sort();
        directories.dedup();
        directories
    }

    /// Keys of the files that are due, beginning after the one looked at last.
    fn due(&self, now: Timestamp) -> Vec<FileKey> {
        if self.n_in_flight >= self.options.in_flight_max {
            return Vec::new();
        }
        let turns = self.turns_of_own();
        let is_turn = |file: &Followed| turns.get(&file.input).is_none_or(|first| file.path.as_deref() <= Some(*first));
        let is_due =
            |file: &Followed| file.in_flight.is_none() && file.next_look <= now && file.is_reachable() && is_turn(file);
        let due = |(key, file): (&FileKey, &Followed)| is_due(file).then_some(*key);
        match self.cursor {
            None => self.files.iter().filter_map(due).collect(),
            Some(cursor) => {
                let after = self.files.range((std::ops::Bound::Excluded(cursor), std::ops::Bound::Unbounded));
                after.chain(self.files.range(..=cursor)).filter_map(due).collect()
            }
        }
    }

    /// Of inputs whose files are our own, the oldest that is not read to its end: lines arrive in the order in which they
    /// were made.
    fn turns_of_own(&self) -> HashMap<usize, &Path> {
        let mut turns: HashMap<usize, &Path> = HashMap::new();
        if !self.options.inputs.iter().any(|input| input.is_own) {
            return turns;
        }
        for file in self.files.values() {
            let is_own = self.options.inputs.get(file.input).is_some_and(|input| input.is_own);
            if let Some(path) = file.path.as_deref().filter(|_| is_own && !file.is_at_end()) {
                let first = turns.entry(file.input).or_insert(path);
                *first = path.min(first);
            }
        }
        turns
    }

    /// `may_be_large`: whether a large batch may be made now.
    fn look_at(&mut self, key: FileKey, now: Timestamp, may_be_large: bool) -> Option<FileBatch> {
        let FollowOptions { batch_bytes, line_bytes_max, .. } = self.options;
        let sizes = Sizes { batch_bytes, line_bytes_max, may_be_large, buffers: &self.buffers };
        let file = self.files.get_mut(&key)?;
        let input = self.options.inputs.get(file.input)?;
        let is_own = input.is_own;
        let waits_since = file.waits_for_large.take();
        let look = match file.look(now, &self.timing, sizes, (is_own, &input.multiline)) {
            Ok(look) => look,
            Err(error) => {
                file.last_error = Some(error.to_string());
                file.handle = None;
                file.next_look = Timestamp(now.0.saturating_add(ERROR_PAUSE_NS));
                return None;
            }
        };
        match look {
            Look::Nothing => file.next_look = self.timing.next_look(now, file),
            Look::TooLargeNow => {
                file.waits_for_large = waits_since.or(Some(now));
                file.next_look = Timestamp(now.0.saturating_add(self.timing.scan_every_ns));
                return None;
            }
            // It was packed when it came to have content.
            Look::Unwanted(Reason::Compressed) if input.unpacks => self.take_in_again(key, now),
            Look::Unwanted(reason) => {
                tracing::info!(path = %file.entry.path, %reason, "file left out");
                let size = file.size;
                self.files.remove(&key);
                self.unwanted.insert(key, size);
            }
            // What a power cut took from the end is with the server: we write whole lines and never again.
            Look::Replaced if is_own => file.take_as_read(),
            Look::Replaced => self.begin_anew(key, now),
            Look::Piece(piece) => {
                // An inode may have changed hands while nothing was known of its content.
                let is_untold = piece.start == 0 && file.entry.told.is_none();
                if is_untold && self.is_copy(key, now) {
                    self.take_in_again(key, now);
                    return None;
                }
                return self.batch_of(key, piece);
            }
        }
        None
    }

    /// Tells whether a file known by its inode is a copy that was given the inode of one deleted before.
    fn is_copy(&mut self, key: FileKey, now: Timestamp) -> bool {
        let Some(file) = self.files.get(&key) else { return false };
        let (Some(path), Some(handle)) = (&file.path, &file.handle) else { return false };
        let (path, size, input) = (path.clone(), file.size, file.input);
        let group = group_of(&self.options, input, &path.to_string_lossy());
        let others = Vec::new();
        let born = None;
        let candidate = Candidate { path, others, key, born, size, modified: now, is_named: false, input };
        self.copies.start_of(&candidate, &group, handle, &self.files).is_some()
    }

    /// Forgets a file, so that the next search takes it in as the new one that it is.
    fn take_in_again(&mut self, key: FileKey, now: Timestamp) {
        if let Some(file) = self.files.remove(&key) {
            self.copies.remember(&file);
        }
        self.footing.shake();
        self.next_scan = now;
    }

    /// Starts over with a file that has new content.
    fn begin_anew(&mut self, key: FileKey, now: Timestamp) {
        if self.is_copy(key, now) {
            return self.take_in_again(key, now);
        }
        // The generations that follow under a copy's name are its original's.
        if self.files.get(&key).is_some_and(|file| file.entry.is_copy) {
            return self.take_in_again(key, now);
        }
        let Some(file) = self.files.get_mut(&key) else { return };
        self.copies.remember(file);
        file.begin_generation(self.checkpoint.generation_after(file.entry.generation), now);
        if let Some(path) = &file.path {
            file.entry.path = path.to_string_lossy().into_owned();
            file.group = group_of(&self.options, file.input, &file.entry.path);
            file.container = container_of(&self.options, file.input, &file.entry.path);
        }
        let (path, generation) = (&file.entry.path, file.entry.generation);
        tracing::info!(path, generation, "file was truncated or replaced");
    }

    fn batch_of(&self, key: FileKey, piece: Piece) -> Option<FileBatch> {
        let file = self.files.get(&key)?;
        let entry = &file.entry;
        let input = self.options.inputs.get(file.input)?;
        let container = file.container.as_ref();
        let mut bytes = piece.bytes;
        let place = Place { file: &entry.file, generation: entry.generation, start: piece.start };
        input.rules.apply(&mut bytes, piece.lengths.as_deref(), place);
        let mut fields = container.map(|container| container.fields.clone()).unwrap_or_default();
        fields.extend(input.fields.clone());
        if let Some(n) = input.rules.sample() {
            fields.insert("sample_rate".into(), n.to_string());
        }
        let header = Header {
            source: self.checkpoint.source().to_string(),
            file: entry.file.clone(),
            generation: entry.generation,
            start: piece.start,
            begin: entry.begin,
            lengths: piece.lengths,
            host: self.options.host.clone(),
            path: if input.is_own { String::new() } else { entry.path.clone() },
            zone: input.zone.clone().or_else(|| self.options.zone.clone()),
            modified: piece.modified.map(|modified| modified.0),
            fields,
        };
        Some(FileBatch {
            group: file.group.clone(),
            stream: self.stream_of(file),
            header,
            bytes: Arc::new(bytes),
            at: file.path.clone().unwrap_or_default(),
            key,
            mark_after: piece.mark_after,
        })
    }

    /// Searches all paths: takes new files in, follows renames, forgets what has long been gone.
    fn scan(&mut self, now: Timestamp, is_first_run: bool) -> Discovery {
        self.next_scan = Timestamp(now.0.saturating_add(self.timing.scan_every_ns));
        self.is_dirty |= !Checkpoint::is_seen_alike(now, self.scanned_at);
        self.scanned_at = now;
        let mut report = Discovery::default();
        let files = &self.files;
        let mut n_open = files.values().filter(|file| file.handle.is_some()).count();
        let path_of = |key: FileKey| files.get(&key).and_then(|file| file.path.clone());
        let mut found = Search::new(&self.options.excluded, &mut report).run(&self.roots, &path_of);
        self.follow_devices(&found);
        self.unpacker.begin_search(&found);
        let mut packed = Vec::new();
        let is_own = |input: usize| self.options.inputs.get(input).is_some_and(|input| input.is_own);
        self.files.retain(|key, file| {
            let Some(candidate) = found.get(key) else {
                file.path = None;
                // Room that a file of our own was to make is there when it is closed.
                if is_own(file.input) {
                    file.handle = None;
                }
                // Of a file of which nothing was sent there is nothing to remember.
                return file.is_held() || file.entry.mark.offset > 0;
            };
            if self.births.tell_apart(file, candidate) || !file.may_be_at(&candidate.path) {
                // It may have been truncated under this name.
                file.others = [vec![candidate.path.clone()], candidate.others.clone()].concat();
                self.copies.remember(file);
                return false;
            }
            file.input = candidate.input;
            if file.needs_unpacking(candidate.size) {
                packed.push(candidate.clone());
            }
            if n_open < HANDLES_MAX && !is_own(candidate.input) {
                let was_open = file.handle.is_some();
                file.hold(&candidate.path, candidate.size);
                n_open += usize::from(!was_open && file.handle.is_some());
            }
            if let Some(candidate) = found.remove(key) {
                (file.path, file.others) = (Some(candidate.path), candidate.others);
            }
            file.entry.seen = now.0;
            true
        });
        packed.iter().for_each(|candidate| self.begin_unpacking(candidate, now));
        let mut new: Vec<Candidate> = found.into_values().collect();
        // Newest first, so that a limit on old data cuts the oldest.
        new.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
        let mut budgets = Budgets::new(&self.options, is_first_run, now);
        for candidate in new {
            let is_own = self.options.inputs.get(candidate.input).is_some_and(|input| input.is_own);
            let keeps_open = n_open < HANDLES_MAX && !is_own;
            self.take_in(&candidate, budgets.of(candidate.input), now, keeps_open, &mut report);
            n_open += usize::from(self.files.get(&candidate.key).is_some_and(|file| file.handle.is_some()));
            let is_settled = self.unwanted.contains_key(&candidate.key) || self.unpacker.has_put_off(&candidate.key);
            if !self.files.contains_key(&candidate.key) && !is_settled {
                report.footing.shake();
            }
        }
        self.unpacker.end_search();
        // What is packed may turn out to be a file that is gone.
        let is_pending = self.unpacker.is_pending();
        let is_forgotten = |file: &Followed| {
            !is_pending && !file.is_reachable() && file.in_flight.is_none() && now.0 - FORGET_AFTER_NS > file.entry.seen
        };
        let n_known = self.files.len();
        self.files.retain(|_, file| !is_forgotten(file));
        self.is_dirty |= self.files.len() < n_known;
        let places = self.files.iter().filter_map(|(key, file)| Some((file.path.clone()?, *key)));
        self.by_path = places.collect();
        self.footing = std::mem::take(&mut report.footing);
        let linked = self.footing.files();
        for file in self.files.values_mut() {
            file.is_linked = !linked.is_empty() && file.path.as_deref().is_some_and(|path| linked.contains(path));
        }
        if self.is_opening {
            self.report_files(&mut report);
        }
        report
    }

    fn report_files(&self, report: &mut Discovery) {
        for file in self.files.values() {
            if let Some(path) = &file.path {
                let start = file.entry.mark.offset;
                let size = std::fs::metadata(path).map_or(start, |metadata| metadata.len());
                report.files.push(FoundFile { path: path.clone(), group: file.group.clone(), size, start });
            }
        }
        report.files.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// Begins to follow a file that was not known before, and keeps it open if it may: it may be gone soon.
    fn take_in(
        &mut self,
        candidate: &Candidate,
        budget: &mut Budget,
        now: Timestamp,
        keeps_open: bool,
        report: &mut Discovery,
    ) {
        let Some((file, packed, damage)) = self.open_new(candidate, now, report) else { return };
        let path = candidate.path.to_string_lossy().into_owned();
        let group = group_of(&self.options, candidate.input, &path);
        let container = container_of(&self.options, candidate.input, &path);
        let mut origin = None;
        let (candidate, start) = self.look_again(candidate, &group, &file);
        let candidate = &candidate;
        let known = |_| self.start_by_content(&group, &file, candidate.size);
        let start = start.or_else(|| packed.and_then(known));
        let mark = match start {
            Some(Start::NotYet) => {
                if packed.is_some() {
                    self.unpacker.put_off(candidate.key, now);
                }
                return;
            }
            Some(Start::OnOf(of)) => Ok(origin.insert(of).mark),
            Some(Start::At(mark)) => Ok(mark),
            None => budget.start_of(candidate, &file, report).and_then(|start| Mark::at(&file, start)),
        };
        // What has content will be sent at once: noted now, it is saved along with all the others.
        let n_told = candidate.size.min(self.options.batch_bytes as u64);
        let told = || Mark::at(&file, n_told).map(|told| (told.offset > 0).then_some(told));
        let key = candidate.key;
        let (mark, told, name) = match mark.and_then(|mark| Ok((mark, told()?, new_name(key)?))) {
            Ok(all) => all,
            Err(error) => return report.leave_out(&candidate.path, Reason::Unreadable(error.to_string())),
        };
        let is_copy = origin.is_some();
        let own = (name, self.checkpoint.generation_first());
        let (name, generation) = origin.map_or(own, |origin| (origin.file, origin.generation));
        let (begin, born, seen) = (mark.offset, self.births.of(candidate), now.0);
        let entry =
            Entry { key, born, file: name, generation, path, begin, told, mark, before: None, is_copy, packed, seen };
        let mut followed = Followed::new(entry, candidate.input, group, false, self.is_opening);
        (followed.path, followed.others) = (Some(candidate.path.clone()), candidate.others.clone());
        (followed.container, followed.damage) = (container, damage);
        if keeps_open || packed.is_some() {
            followed.hold_new(file, candidate.size, (!self.is_opening).then_some(now));
        }
        self.files.insert(key, followed);
    }

    /// Opens a file that was not known before, or what it holds where it is packed; `None` where it is left out, or not there yet.
    fn open_new(
        &mut self,
        candidate: &Candidate,
        now: Timestamp,
        report: &mut Discovery,
    ) -> Option<(File, Option<Packed>, Option<String>)> {
        if self.unwanted.get(&candidate.key) == Some(&candidate.size) {
            return None;
        }
        let unpacks = self.options.inputs.get(candidate.input).is_some_and(|input| input.unpacks);
        match sniff(&candidate.path) {
            // Another file may have taken the place since the search; the next search finds both.
            Ok(file) => {
                let is_it = file.metadata().is_ok_and(|metadata| FileKey::of(&metadata) == candidate.key);
                is_it.then_some((file, None, None))
            }
            Err(Reason::Compressed) if unpacks => {
                let Unpacked { text, packed, damage, .. } = self.unpacked(candidate, now)?;
                Some((text, Some(packed), damage))
            }
            Err(reason) => {
                // What cannot be read today may be readable at the next search; what is no text stays so.
                if !matches!(reason, Reason::Unreadable(_)) {
                    self.unwanted.insert(candidate.key, candidate.size);
                }
                report.leave_out(&candidate.path, reason);
                None
            }
        }
    }

    /// From where a file that was found is read if it is a copy, and what it has by now: a copy that was being made
    /// during the search may be whole, and its original truncated.
    fn look_again(&mut self, found: &Candidate, group: &GroupName, file: &File) -> (Candidate, Option<Start>) {
        let mut candidate = found.clone();
        let size = || file.metadata().map_or(found.size, |metadata| metadata.len());
        for _ in 0..LOOKS_MAX {
            candidate.size = size();
            let start = self.copies.start_of(&candidate, group, file, &self.files);
            if start.is_some() || size() == candidate.size {
                return (candidate, start);
            }
        }
        (candidate, None)
    }

    /// Closes files that are quiet, and the quietest where too many are open.
    fn close_handles(&mut self, now: Timestamp) {
        let mut open: Vec<(Timestamp, FileKey)> = Vec::new();
        for (key, file) in &mut self.files {
            let is_drained = !file.is_waiting && file.size == file.entry.mark.offset && file.in_flight.is_none();
            if file.handle.is_some() && is_drained && now.0.saturating_sub(file.grown_at.0) > HANDLE_AGE_NS {
                file.handle = None;
            } else if file.handle.is_some() && file.path.is_some() {
                open.push((file.grown_at, *key));
            }
        }
        if open.len() > HANDLES_MAX {
            open.sort_unstable();
            let n_excess = open.len() - HANDLES_MAX;
            for (_, key) in open.into_iter().take(n_excess) {
                if let Some(file) = self.files.get_mut(&key) {
                    file.handle = None;
                }
            }
        }
    }
}

/// Whether a batch is one of those of which one at a time is on its way.
fn is_large(batch: &FileBatch) -> bool {
    batch.bytes.len() > LARGE_BYTES
}

/// All paths of all inputs.
fn roots_of(options: &FollowOptions) -> Result<Vec<Root>, CheckpointError> {
    let place =
        |path: &PathBuf| discover::Place::new(path).map_err(|error| CheckpointError::Io { path: path.clone(), error });
    let mut roots = Vec::new();
    for (number, input) in options.inputs.iter().enumerate() {
        let excluded: Vec<discover::Place> = input.excluded.iter().map(place).collect::<Result<_, _>>()?;
        for path in &input.paths {
            roots.push(Root { place: place(path)?, excluded: excluded.clone(), input: number, unpacks: input.unpacks });
        }
    }
    Ok(roots)
}

/// Which input a file belongs to by its path; the first where none names it any more.
fn input_of(roots: &[Root], path: &Path) -> usize {
    roots.iter().find(|root| root.names(path)).map_or(0, |root| root.input)
}

/// The group of a file: that of its input for all, that of its container, or one by its path.
fn group_of(options: &FollowOptions, input: usize, path: &str) -> GroupName {
    let group = options.inputs.get(input).and_then(|input| input.group.clone());
    let of_container = || container_of(options, input, path).map(|container| container.group);
    group.or_else(of_container).unwrap_or_else(|| group_name_of_file(path))
}

/// The container that writes a file, where its input is of such.
fn container_of(options: &FollowOptions, input: usize, path: &str) -> Option<Container> {
    options.inputs.get(input).filter(|input| input.is_of_containers)?;
    Container::of_path(Path::new(path))
}

/// A name for the server that no other file had or will have.
fn new_name(key: FileKey) -> io::Result<String> {
    let nonce = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{:x}-{:x}-{nonce:016x}", key.device, key.inode))
}

#[cfg(test)]
mod replay;
#[cfg(test)]
mod tests;
