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

mod births;
mod budget;
mod buffers;
mod container;
mod copies;
mod deleted_files;
mod devices;
mod file;
mod line_trace;
mod lines;
mod look;
mod options;
mod packed_files;
mod pod;
mod routing;
mod search;
mod state;
mod unpacker;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::Timestamp;

use self::births::Births;
use self::budget::OldData;
use self::buffers::Buffers;
use self::copies::Copies;
use self::file::FollowedFile;
pub use self::line_trace::{LineError, LineOutcome, LineStage, LineTrace, TracedLine};
use self::options::FollowTiming;
pub use self::options::{FileInput, FollowOptions};
pub use self::pod::Pods;
use self::state::{GenerationState, OldBytes};
use crate::checkpoint::{Checkpoint, CheckpointError, Entry};
use crate::content::Content;
use crate::discover::{Discovery, Root, SearchBasis};
use crate::follow::options::is_large;
use crate::follow::routing::{container_of, group_of, input_of, roots_of};
use crate::follow::unpacker::Unpacker;
use crate::identity::{FileKey, Mark};
use crate::source_report::Identity;
use crate::status::FileStatus;
use crate::{ContentHash, FileBatch, LossCount};

/// Acknowledgements are saved this often: what is lost in between is sent again and stored once.
const SAVE_EVERY_NS: i64 = Timestamp::SECOND;

/// How long to wait after an error of one file before it is looked at again.
const ERROR_PAUSE_NS: i64 = 5 * Timestamp::SECOND;

/// All files that are followed.
#[derive(Debug)]
pub struct Follower {
    options: FollowOptions,
    timing: FollowTiming,
    roots: Vec<Root>,
    checkpoint: Checkpoint,
    files: BTreeMap<FileKey, FollowedFile>,
    /// Where the files were at the last search.
    by_path: HashMap<PathBuf, FileKey>,
    /// Files that are no text, with size when that was found out.
    unwanted: HashMap<FileKey, u64>,
    copies: Copies,
    births: Births,
    unpacker: Unpacker,
    /// Where the last round stopped, so that every file has its turn.
    cursor: Option<FileKey>,
    /// Batches on their way.
    pub(crate) n_in_flight: usize,
    /// Whether one of the batches on their way is large.
    is_large_in_flight: bool,
    next_scan: Timestamp,
    scanned_at: Timestamp,
    /// What the last search rests on.
    footing: SearchBasis,
    /// Room for batches to come.
    buffers: Buffers,
    saved_at: Timestamp,
    is_dirty: bool,
    /// Of deleted files.
    given_up: LossCount,
    /// Deleted files that were given up, the latest last.
    lost: VecDeque<FileStatus>,
    /// Whether the first search is still to be done, and when it was.
    is_opening: bool,
    opened_at: Timestamp,
    last_error: Option<String>,
}

impl Follower {
    /// Opens the state directory and looks for files for the first time.
    pub fn open(options: FollowOptions, now: Timestamp) -> Result<(Self, Discovery), CheckpointError> {
        let (checkpoint, entries) = Checkpoint::open(&options.state_dir)?;
        Self::begin(options, checkpoint, entries, now)
    }

    /// Opens a read-only follower that shows what would be sent; works while a shipper uses the directory.
    pub(crate) fn preview(options: FollowOptions, now: Timestamp) -> Result<(Self, Discovery), CheckpointError> {
        let (checkpoint, entries) = Checkpoint::look_at(&options.state_dir)?;
        let (mut follower, discovery) = Self::begin(options, checkpoint, entries, now)?;
        // It looks once, at what is there.
        follower.timing.gather_ns = 0;
        Ok((follower, discovery))
    }

    fn begin(
        mut options: FollowOptions,
        checkpoint: Checkpoint,
        entries: Vec<Entry>,
        now: Timestamp,
    ) -> Result<(Self, Discovery), CheckpointError> {
        // Found files have absolute paths.
        for path in &mut options.excluded {
            *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
        }
        let roots = roots_of(&options)?;
        let mut follower = Self {
            timing: FollowTiming::default(),
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
            footing: SearchBasis::default(),
            buffers: Buffers::new(options.in_flight_max, options.batch_bytes),
            saved_at: now,
            is_dirty: false,
            given_up: LossCount::default(),
            lost: VecDeque::new(),
            is_opening: true,
            opened_at: now,
            last_error: None,
            options,
        };
        let old_data = if entries.is_empty() { OldData::Limited } else { OldData::Whole };
        for entry in entries {
            let input = input_of(&follower.roots, Path::new(&entry.path));
            let group = group_of(&follower.options, input, &entry.path);
            let container = container_of(&follower.options, input, &entry.path);
            let mut followed = FollowedFile::new(entry, input, group, GenerationState::Saved, OldBytes::Unmeasured);
            followed.container = container;
            follower.files.insert(followed.entry.key, followed);
        }
        follower.end_originals();
        let discovery = follower.scan(now, old_data);
        follower.is_opening = false;
        follower.save(now)?;
        Ok((follower, discovery))
    }

    /// Reports whether a damaged checkpoint was found, so that some bytes are sent again.
    pub fn was_damaged(&self) -> bool {
        self.checkpoint.was_damaged
    }

    /// Looks for what is new and returns batches to deliver, as many as may still be on their way.
    pub fn poll_once(&mut self, now: Timestamp) -> Vec<FileBatch> {
        if now >= self.next_scan {
            if self.needs_search(now) {
                self.scan(now, OldData::Whole);
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
            if let Some(file) = self.files.get_mut(&batch.key)
                && file.entry.told.is_none()
            {
                file.entry.told = Some(batch.mark_after);
                file.generation.unsave();
            }
        }
        let is_unsaved = |file: &FollowedFile| file.generation == GenerationState::Unsaved;
        if batches.iter().any(|batch| self.files.get(&batch.key).is_some_and(is_unsaved))
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

    /// Notes that the server has `batch`.
    pub fn acknowledge(&mut self, batch: &FileBatch, now: Timestamp) {
        self.make_room_for_large(batch, now);
        let Some(file) = self.files.get_mut(&batch.key).filter(|file| file.in_flight.is_some()) else { return };
        file.entry.mark = batch.mark_after;
        (file.entry.content, file.entry.is_unasked) = (batch.content_after, false);
        self.leave(batch, now);
    }

    /// Notes that the server holds the file of `batch` up to `end` already: it is sent from there on.
    pub(crate) fn held_to(&mut self, batch: &FileBatch, end: u64, now: Timestamp) {
        let Some(file) = self.files.get_mut(&batch.key).filter(|file| file.in_flight.is_some()) else { return };
        let mark = batch.unasked.as_ref().and_then(|unasked| Mark::at(&unasked.file, end).ok());
        file.entry.is_unasked = false;
        if let Some(mark) = mark {
            (file.entry.mark, file.entry.begin, file.entry.told) = (mark, end, None);
            file.entry.content = Some(Content::begin(end));
        }
        // What is sent next is saved before.
        file.generation.unsave();
        self.leave(batch, now);
    }

    /// Notes that nothing of `batch` is on its way any more.
    fn leave(&mut self, batch: &FileBatch, now: Timestamp) {
        let Some(file) = self.files.get_mut(&batch.key) else { return };
        (file.in_flight, file.last_error, file.next_look) = (None, None, now);
        self.n_in_flight = self.n_in_flight.saturating_sub(1);
        self.is_dirty = true;
    }

    /// Notes that `batch` was not delivered; its bytes are read again later.
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

    /// Notes that whatever changes comes as a hint, so that files quiet for long need not be asked as often.
    pub(crate) fn trust_hints(&mut self) {
        self.timing.has_hints = true;
    }

    /// Notes that hints were missed: everything may have changed.
    pub(crate) fn hints_missed(&mut self, now: Timestamp) {
        self.files.values_mut().for_each(|file| file.next_look = file.next_look.min(now));
        self.next_scan = self.next_scan.min(now);
    }

    /// Takes the hint that something changed at `path`, or appeared.
    pub fn hint(&mut self, path: &Path, is_new: bool, now: Timestamp) {
        let known = self.by_path.get(path).and_then(|key| self.files.get_mut(key));
        if let Some(file) = known {
            file.note_hint(now);
        }
        if is_new {
            let soonest = Timestamp(self.scanned_at.0.saturating_add(self.timing.scan_pause_ns)).max(now);
            self.next_scan = self.next_scan.min(soonest);
        }
    }

    /// Returns when to poll again at the latest.
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
        let is_known = |file: &&FollowedFile| file.path.is_some() || file.entry.now().evidence().is_some();
        self.checkpoint.save(self.files.values().filter(is_known).map(|file| &file.entry))?;
        self.files.values_mut().for_each(|file| file.generation.save());
        self.is_dirty = false;
        self.last_error = None;
        Ok(())
    }

    /// Returns the status of every file.
    pub fn status(&self) -> Vec<FileStatus> {
        let shown = self.files.values().filter(|file| file.is_reachable());
        shown.map(|file| self.status_of(file)).chain(self.lost.iter().cloned()).collect()
    }

    fn status_of(&self, file: &FollowedFile) -> FileStatus {
        FileStatus {
            file: file.entry.file.clone(),
            path: file.path.clone().unwrap_or_else(|| file.entry.path.clone().into()),
            group: file.group.to_string(),
            stream: self.stream_of(file),
            begin: file.entry.begin,
            offset: file.entry.mark.offset,
            size: file.size,
            generation: file.entry.generation,
            is_own: self.options.inputs.get(file.input).is_some_and(|input| input.is_own),
            is_unasked: file.entry.is_unasked,
            content: file.entry.content.as_ref().filter(|_| self.compares(file)).map(ContentHash::of),
            is_gone: false,
            last_error: file.last_error.clone().or_else(|| file.damage.clone()),
        }
    }

    /// Returns the random id of the state directory.
    pub fn source(&self) -> &str {
        &self.checkpoint.source
    }

    /// Returns the identity under which this shipper reports to the server.
    pub(crate) fn identity(&self, started: Timestamp) -> Identity {
        let (source, host) = (self.source().to_owned(), self.options.host.clone());
        Identity { source, host, started: started.to_string() }
    }

    /// Reports whether what is sent of a file depends on its content alone, so that another shipper would send the same.
    fn compares(&self, file: &FollowedFile) -> bool {
        let input = self.options.inputs.get(file.input);
        input.is_some_and(|input| !input.is_own && input.rules.sample.is_none())
    }

    fn stream_of(&self, file: &FollowedFile) -> String {
        let stream = self.options.inputs.get(file.input).and_then(|input| input.stream.clone());
        let of_container = || Some(file.container.as_ref()?.stream(&self.options.host));
        stream.or_else(of_container).unwrap_or_else(|| format!("{}:{}", self.options.host, file.entry.path))
    }

    /// Returns files that are known.
    pub(crate) fn n_files(&self) -> usize {
        self.files.len()
    }

    /// Takes the bytes of a batch that is done with as room for the next.
    pub(crate) fn reuse(&mut self, batch: FileBatch) {
        if let Some(bytes) = Arc::into_inner(batch.bytes) {
            self.buffers.give(bytes);
        }
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
}

#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod tests;
