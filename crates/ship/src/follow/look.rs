//! Looks at a followed file: new bytes become a batch, a truncated file a new generation.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use types::Timestamp;

use super::file::{FollowedFile, Look, Piece, Sizes};
use super::options::FollowOptions;
use super::{ERROR_PAUSE_NS, Follower};
use crate::batch::UncheckedFile;
use crate::discover::{Candidate, Reason};
use crate::follow::options::{FollowTiming, is_large};
use crate::follow::routing::{container_of, group_of};
use crate::identity::FileKey;
use crate::rules::SourcePosition;
use crate::{ContentHash, FileBatch, Header};

impl Follower {
    /// Returns the file that has waited longest to send a large batch.
    pub(super) fn turn_of_large(&self) -> Option<FileKey> {
        let waiting = self.files.iter().filter(|(_, file)| file.is_reachable());
        let waiting = waiting.filter_map(|(key, file)| Some((file.waits_for_large?, *key)));
        waiting.min().map(|(_, key)| key)
    }

    /// Lets the files that wait to send a large batch be looked at after one is done.
    pub(super) fn make_room_for_large(&mut self, batch: &FileBatch, now: Timestamp) {
        if !is_large(batch) {
            return;
        }
        self.is_large_in_flight = false;
        for file in self.files.values_mut().filter(|file| file.waits_for_large.is_some()) {
            file.next_look = file.next_look.min(now);
        }
    }

    /// Keys of the files that are due, beginning after the one looked at last.
    pub(super) fn due(&self, now: Timestamp) -> Vec<FileKey> {
        if self.n_in_flight >= self.options.in_flight_max {
            return Vec::new();
        }
        let turns = self.turns_of_own();
        let is_turn =
            |file: &FollowedFile| turns.get(&file.input).is_none_or(|first| file.path.as_deref() <= Some(*first));
        let is_due = |file: &FollowedFile| {
            file.in_flight.is_none() && file.next_look <= now && file.is_reachable() && is_turn(file)
        };
        let due = |(key, file): (&FileKey, &FollowedFile)| is_due(file).then_some(*key);
        match self.cursor {
            None => self.files.iter().filter_map(due).collect(),
            Some(cursor) => {
                let after = self.files.range((std::ops::Bound::Excluded(cursor), std::ops::Bound::Unbounded));
                after.chain(self.files.range(..=cursor)).filter_map(due).collect()
            }
        }
    }

    /// Returns the oldest unfinished file of each input with files of our own: lines arrive in the order in which they
    /// were made.
    pub(super) fn turns_of_own(&self) -> HashMap<usize, &Path> {
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

    /// Looks at a file; `may_be_large` allows a large batch.
    pub(super) fn look_at(&mut self, key: FileKey, now: Timestamp, may_be_large: bool) -> Option<FileBatch> {
        let FollowOptions { batch_bytes, line_bytes_max, .. } = self.options;
        let sizes = Sizes { batch_bytes, line_bytes_max, may_be_large, buffers: &self.buffers };
        let file = self.files.get_mut(&key)?;
        let input = self.options.inputs.get(file.input)?;
        let is_own = input.is_own;
        let waits_since = file.waits_for_large.take();
        let look = match file.look(now, &self.timing, sizes, input) {
            Ok(look) => look,
            Err(error) => {
                file.last_error = Some(error.to_string());
                file.handle.close();
                file.next_look = Timestamp(now.0.saturating_add(ERROR_PAUSE_NS));
                return None;
            }
        };
        match look {
            Look::Nothing => file.next_look = self.timing.next_look(now, file, input.hold_ns),
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

    /// Reports whether a file known by its inode is a copy that was given the inode of one deleted before.
    pub(super) fn is_copy(&mut self, key: FileKey, now: Timestamp) -> bool {
        let Some(file) = self.files.get(&key) else { return false };
        let handle = file.handle.file().and_then(|handle| handle.try_clone().ok());
        let (Some(path), Some(handle)) = (&file.path, handle) else { return false };
        let (path, size, input) = (path.clone(), file.size, file.input);
        let group = group_of(&self.options, input, &path.to_string_lossy());
        let others = Vec::new();
        let born = None;
        let candidate = Candidate { path, others, key, born, size, modified: now, is_named: false, input };
        self.start_of_copy(&candidate, &group, &handle, None, now).is_some()
    }

    /// Forgets a file, so that the next search takes it in as the new one that it is.
    pub(super) fn take_in_again(&mut self, key: FileKey, now: Timestamp) {
        if let Some(file) = self.files.remove(&key) {
            self.copies.remember(&file);
        }
        self.footing.shake();
        self.next_scan = now;
    }

    /// Starts over with a file that has new content.
    pub(super) fn begin_anew(&mut self, key: FileKey, now: Timestamp) {
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

    /// Returns the file as the server is asked about it; nothing if it is not, or cannot be.
    fn unasked(&self, file: &FollowedFile) -> Option<UncheckedFile> {
        let input = self.options.inputs.get(file.input).filter(|_| file.entry.is_unasked)?;
        if !self.compares(file) {
            let path = &file.entry.path;
            tracing::warn!(
                path,
                "lines of this input are sampled, so lines that an earlier shipper sent are not recognised"
            );
            return None;
        }
        let opened = file.handle.file()?.try_clone().ok()?;
        let (born, is_packed) = (file.entry.born, file.entry.packed.is_some());
        Some(UncheckedFile { file: Arc::new(opened), rules: input.rules.clone(), born, is_packed })
    }

    pub(super) fn batch_of(&self, key: FileKey, piece: Piece) -> Option<FileBatch> {
        let file = self.files.get(&key)?;
        let entry = &file.entry;
        let input = self.options.inputs.get(file.input)?;
        let container = file.container.as_ref();
        let mut bytes = piece.bytes;
        let place = SourcePosition { file: &entry.file, generation: entry.generation, start: piece.start };
        input.rules.apply(&mut bytes, piece.lengths.as_deref(), place);
        let mut fields = container.map(|container| container.fields.clone()).unwrap_or_default();
        fields.extend(input.fields.clone());
        let content_after = entry.content.map(|content| content.with(&bytes));
        let content = content_after.as_ref().filter(|_| self.compares(file)).map(ContentHash::of);
        if let Some(n) = input.rules.sample {
            fields.insert("sample_rate".into(), n.to_string());
        }
        let header = Header {
            source: self.checkpoint.source.to_string(),
            file: entry.file.clone(),
            generation: entry.generation,
            start: piece.start,
            begin: entry.begin,
            lengths: piece.lengths,
            host: self.options.host.clone(),
            path: if input.is_own { String::new() } else { entry.path.clone() },
            zone: input.zone.clone().or_else(|| self.options.zone.clone()),
            format: input.format.clone(),
            encoding: piece.encoding.map(|encoding| encoding.name().to_owned()),
            modified: piece.modified.map(|modified| modified.0),
            content,
            samples: input.has_samples,
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
            content_after,
            unasked: self.unasked(file),
        })
    }
}

impl FollowTiming {
    /// Returns when to look again at a file in which there was nothing to send.
    pub(crate) fn next_look(&self, now: Timestamp, file: &FollowedFile, hold_ns: Option<i64>) -> Timestamp {
        let quiet_ns = now.0.saturating_sub(file.grown_at.0);
        let usual = match quiet_ns {
            _ if quiet_ns < self.active_ns => self.look_active_ns,
            _ if self.has_hints && file.hints.is_reliable() && quiet_ns >= self.quiet_ns => self.look_quiet_ns,
            _ => self.look_idle_ns,
        };
        let waits = [self.settle_ns, hold_ns.unwrap_or(self.hold_ns)].map(|wait_ns| wait_ns.saturating_sub(quiet_ns));
        let until_settled = waits.into_iter().find(|wait_ns| *wait_ns > 0).unwrap_or_default();
        if file.size > file.entry.mark.offset && until_settled > 0 && until_settled < usual {
            return Timestamp(now.0.saturating_add(until_settled));
        }
        // In steps, so that ten thousand quiet files are looked at in one round and not one by one.
        let next = now.0.saturating_add(usual);
        Timestamp(next.saturating_sub(next.rem_euclid(usual)).max(now.0.saturating_add(1)))
    }
}
