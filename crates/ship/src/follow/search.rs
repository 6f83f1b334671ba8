//! Searches all paths: takes new files in, follows renames, gives up and forgets files that are gone.

use std::fs::File;
use std::io;

use types::{GroupName, Timestamp};

use super::Follower;
use super::budget::{Budget, Budgets, OldData};
use super::copies::Start;
use super::file::FollowedFile;
use super::state::{GenerationState, OldBytes};
use crate::checkpoint::{Checkpoint, Entry, PackedContent};
use crate::content::Content;
use crate::discover::{Candidate, Discovery, FoundFile, Reason, Search, sniff};
use crate::follow::routing::{container_of, group_of};
use crate::follow::unpacker::UnpackedFile;
use crate::identity::{FileKey, Mark};

/// Open files that are quiet are closed after so long; while open, a file that was deleted or renamed to a place
/// where no PATH leads is still read.
const HANDLE_AGE_NS: i64 = 60 * Timestamp::SECOND;

/// Most files kept open.
const HANDLES_MAX: usize = 512;

/// A file that is gone is forgotten after so long: rotation may bring it back under another name.
const FORGET_AFTER_NS: i64 = 24 * Timestamp::HOUR;

/// A search that would find nothing new, as nothing that it rests on has changed, is made so often all the same.
const SEARCH_EVERY_NS: i64 = 15 * Timestamp::SECOND;

/// How often a new file that grows meanwhile is compared with those it may be a copy of.
const LOOKS_MAX: usize = 3;

impl Follower {
    /// Reports whether a search may find something else than the last one did.
    pub(super) fn needs_search(&self, now: Timestamp) -> bool {
        // While no batch is taken nothing is looked at, and what grows is held open by searches alone.
        let is_held_up = self.n_in_flight >= self.options.in_flight_max;
        let is_due = now.0.saturating_sub(self.scanned_at.0) >= SEARCH_EVERY_NS;
        is_due || is_held_up || !self.footing.stands()
    }

    /// Searches all paths: takes new files in, follows renames, forgets what has long been gone.
    pub(super) fn scan(&mut self, now: Timestamp, old_data: OldData) -> Discovery {
        self.next_scan = Timestamp(now.0.saturating_add(self.timing.scan_every_ns));
        self.is_dirty |= !Checkpoint::is_seen_alike(now, self.scanned_at);
        self.scanned_at = now;
        let mut report = Discovery::default();
        let files = &self.files;
        let mut n_open = files.values().filter(|file| file.handle.is_open()).count();
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
                    file.handle.close();
                }
                // Of a file of which nothing was sent there is nothing to remember. A search may miss one that is being
                // renamed.
                return file.is_held() || file.entry.now().evidence().is_some();
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
                let was_open = file.handle.is_open();
                file.hold(&candidate.path, candidate.size);
                n_open += usize::from(!was_open && file.handle.is_open());
            }
            if let Some(candidate) = found.remove(key) {
                (file.path, file.others) = (Some(candidate.path), candidate.others);
            }
            file.entry.seen = now.0;
            true
        });
        packed.iter().for_each(|candidate| self.begin_unpacking(candidate, now));
        self.take_in_all(found.into_values().collect(), n_open, now, old_data, &mut report);
        self.unpacker.end_search();
        self.forget_what_is_gone(now);
        let places = self.files.iter().filter_map(|(key, file)| Some((file.path.clone()?, *key)));
        self.by_path = places.collect();
        self.footing = std::mem::take(&mut report.footing);
        let linked = self.footing.files();
        for file in self.files.values_mut() {
            file.hints.is_linked = !linked.is_empty() && file.path.as_deref().is_some_and(|path| linked.contains(path));
        }
        if self.is_opening {
            self.report_files(&mut report);
        }
        report
    }

    /// Begins to follow files that were not known before, beside `n_open` that are open.
    fn take_in_all(
        &mut self,
        mut new: Vec<Candidate>,
        mut n_open: usize,
        now: Timestamp,
        old_data: OldData,
        report: &mut Discovery,
    ) {
        // Oldest first: of several that may be the copy of a file, that is the one that was made first. But newest first
        // where there is a limit on old data, which cuts the oldest.
        let by_age = |a: &Candidate, b: &Candidate| a.modified.cmp(&b.modified);
        let by_age = |a: &Candidate, b: &Candidate| match old_data {
            OldData::Limited => by_age(b, a),
            OldData::Whole => by_age(a, b),
        };
        new.sort_by(|a, b| by_age(a, b).then_with(|| a.path.cmp(&b.path)));
        let mut budgets = Budgets::new(&self.options, old_data, now);
        for candidate in new {
            let is_own = self.options.inputs.get(candidate.input).is_some_and(|input| input.is_own);
            let keeps_open = n_open < HANDLES_MAX && !is_own;
            self.take_in(&candidate, budgets.of(candidate.input), now, keeps_open, report);
            n_open += usize::from(self.files.get(&candidate.key).is_some_and(|file| file.handle.is_open()));
            let is_settled = self.unwanted.contains_key(&candidate.key) || self.unpacker.has_put_off(&candidate.key);
            if !self.files.contains_key(&candidate.key) && !is_settled {
                report.footing.shake();
            }
        }
    }

    /// Forgets what has long been gone.
    fn forget_what_is_gone(&mut self, now: Timestamp) {
        // What is packed may turn out to be a file that is gone.
        let is_pending = self.unpacker.is_pending();
        let is_forgotten = |file: &FollowedFile| {
            !is_pending && !file.is_reachable() && file.in_flight.is_none() && now.0 - FORGET_AFTER_NS > file.entry.seen
        };
        let n_known = self.files.len();
        self.files.retain(|_, file| !is_forgotten(file));
        self.is_dirty |= self.files.len() < n_known;
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
    pub(super) fn take_in(
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
        let (ref candidate, start) = self.look_again(candidate, &group, &file, packed, now);
        let is_new = start.is_none();
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
        let key = candidate.key;
        let (mark, told, name) =
            match mark.and_then(|mark| Ok((mark, self.told_at_first(&file, candidate.size)?, new_name(key)?))) {
                Ok(all) => all,
                Err(error) => return report.leave_out(&candidate.path, Reason::Unreadable(error.to_string())),
            };
        let is_copy = origin.is_some();
        let content = origin.as_ref().map_or(Some(Content::begin(mark.offset)), |origin| origin.content);
        let is_unasked = is_new && self.may_be_held(candidate, mark.offset);
        let own = (name, self.checkpoint.generation_least);
        let (name, generation) = origin.map_or(own, |origin| (origin.file, origin.generation));
        if is_copy {
            self.end_original(&name, generation);
            // Of several rotations within a second the original remembers the last alone.
            (self.is_dirty, self.saved_at) = (true, Timestamp(i64::MIN));
        }
        let (begin, born, seen) = (mark.offset, self.births.of(candidate), now.0);
        let entry = Entry {
            key,
            born,
            file: name,
            generation,
            path,
            begin,
            told,
            mark,
            content,
            is_unasked,
            before: None,
            is_copy,
            packed,
            seen,
        };
        let old = if self.is_opening { OldBytes::Unmeasured } else { OldBytes::NONE };
        let mut followed = FollowedFile::new(entry, candidate.input, group, GenerationState::Unsaved, old);
        (followed.path, followed.others) = (Some(candidate.path.clone()), candidate.others.clone());
        (followed.container, followed.damage) = (container, damage);
        if keeps_open || packed.is_some() {
            followed.hold_new(file, candidate.size, (!self.is_opening).then_some(now));
        }
        self.files.insert(key, followed);
    }

    /// Returns the mark of the bytes of a new file that are sent first: it is saved along with all the others.
    fn told_at_first(&self, file: &File, size: u64) -> io::Result<Option<Mark>> {
        let told = Mark::at(file, size.min(self.options.batch_bytes as u64))?;
        Ok((told.offset > 0).then_some(told))
    }

    /// Reports whether an earlier shipper may have brought a file that is read from `start` on: this one's state is new, and the file
    /// is older.
    fn may_be_held(&self, candidate: &Candidate, start: u64) -> bool {
        let is_own = self.options.inputs.get(candidate.input).is_some_and(|input| input.is_own);
        let is_older = self.is_opening || candidate.modified < self.opened_at;
        (self.checkpoint.is_new || self.checkpoint.was_damaged) && !is_own && is_older && candidate.size > start
    }

    /// Marks a generation as continued by a copy: the original file holds another one now, however similar.
    fn end_original(&mut self, name: &str, generation: u64) {
        let is_original = |file: &&mut FollowedFile| !file.entry.is_copy && file.is_of(name, generation);
        self.files.values_mut().filter(is_original).for_each(|file| file.generation = GenerationState::Continued);
    }

    /// Marks the originals of all remembered copies as continued.
    pub(super) fn end_originals(&mut self) {
        let copies = self.files.values().filter(|file| file.entry.is_copy);
        let ended: Vec<(String, u64)> = copies.map(|copy| (copy.entry.file.clone(), copy.entry.generation)).collect();
        ended.iter().for_each(|(name, generation)| self.end_original(name, *generation));
    }

    /// Opens a file that was not known before, or what it holds where it is packed; `None` if it is left out, or not there yet.
    pub(super) fn open_new(
        &mut self,
        candidate: &Candidate,
        now: Timestamp,
        report: &mut Discovery,
    ) -> Option<(File, Option<PackedContent>, Option<String>)> {
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
                let UnpackedFile { text, packed, damage, .. } = self.unpacked(candidate, now)?;
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

    /// Returns where to start a found file if it is a copy, and its current size: a copy that was being made
    /// during the search may be whole, and its original truncated.
    fn look_again(
        &mut self,
        found: &Candidate,
        group: &GroupName,
        file: &File,
        packed: Option<PackedContent>,
        now: Timestamp,
    ) -> (Candidate, Option<Start>) {
        let mut candidate = found.clone();
        let size = || file.metadata().map_or(found.size, |metadata| metadata.len());
        for _ in 0..LOOKS_MAX {
            candidate.size = size();
            let start = self.start_of_copy(&candidate, group, file, packed, now);
            if start.is_some() || size() == candidate.size {
                return (candidate, start);
            }
        }
        (candidate, None)
    }

    /// Returns where to start a file if it is a copy by its name or by its content.
    pub(super) fn start_of_copy(
        &mut self,
        candidate: &Candidate,
        group: &GroupName,
        file: &File,
        packed: Option<PackedContent>,
        now: Timestamp,
    ) -> Option<Start> {
        let by_name = self.copies.start_of(candidate, group, file, &self.files);
        let start = by_name.or_else(|| packed.and_then(|_| self.start_by_content(group, file, candidate.size)));
        start.or_else(|| self.copies.start_by_content(candidate, file, &self.files, &self.options.inputs, now))
    }

    /// Closes files that are quiet, and the quietest where too many are open.
    pub(super) fn close_handles(&mut self, now: Timestamp) {
        let mut open: Vec<(Timestamp, FileKey)> = Vec::new();
        for (key, file) in &mut self.files {
            let is_drained =
                !file.handle.is_unread() && file.size == file.entry.mark.offset && file.in_flight.is_none();
            if file.handle.is_open() && is_drained && now.0.saturating_sub(file.grown_at.0) > HANDLE_AGE_NS {
                file.handle.close();
            } else if file.handle.is_open() && file.path.is_some() {
                open.push((file.grown_at, *key));
            }
        }
        if open.len() > HANDLES_MAX {
            open.sort_unstable();
            let n_excess = open.len() - HANDLES_MAX;
            for (_, key) in open.into_iter().take(n_excess) {
                if let Some(file) = self.files.get_mut(&key) {
                    file.handle.close();
                }
            }
        }
    }
}

/// Returns a name for the server that no other file had or will have.
fn new_name(key: FileKey) -> io::Result<String> {
    let nonce = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{:x}-{:x}-{nonce:016x}", key.device, key.inode))
}
