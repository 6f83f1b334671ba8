//! Packed files (gzip, zstd) of inputs that ask for it, followed as the text that they hold.
//!
//! One at a time is unpacked into a file without a name next to the state, a slice at every turn, so that others are not held
//! up. What is unpacked is what is followed: positions and marks count its bytes, so a log that was packed after it was read
//! is known by its content, one that was packed too soon is read on as what it was, and a restart continues where it was. When
//! the server has all of it, the room is free for the next.

use std::fs::File;
use std::io::{self};

use types::{GroupName, Timestamp};

use super::Follower;
use super::copies::{Start, origin};
use super::file::FollowedFile;
use crate::checkpoint::PackedContent;
use crate::discover::Candidate;
use crate::follow::unpacker::{Slice, UnpackJob, UnpackedFile};
use crate::identity::TELLING_BYTES;

/// A file that was modified so lately and does not end well is still being written.
const WRITTEN_NS: i64 = 10 * Timestamp::SECOND;

impl Follower {
    /// Returns the text of an unknown packed file if it is unpacked; else begins to unpack it.
    pub(super) fn unpacked(&mut self, candidate: &Candidate, now: Timestamp) -> Option<UnpackedFile> {
        let is_it = |done: &mut UnpackedFile| done.key == candidate.key && done.packed.mark.offset == candidate.size;
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
        let is_open = |file: &FollowedFile| file.entry.packed.is_some() && file.handle.is_open();
        if self.unpacker.work.is_some() || self.unpacker.done.is_some() || self.files.values().any(is_open) {
            self.unpacker.has_more = true;
            return;
        }
        match UnpackJob::begin(candidate, &self.options.state_dir) {
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

    fn end_unpacking(&mut self, work: UnpackJob, damage: Option<String>, now: Timestamp) {
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
        let (key, packed) = (candidate.key, PackedContent { mark: work.mark, n_bytes });
        let unpacked = UnpackedFile { key, text: work.text, packed, damage };
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

    /// Returns where to start a packed file that is no copy by its name: another one may hold the same, or have held it.
    pub(super) fn start_by_content(&self, group: &GroupName, text: &File, size: u64) -> Option<Start> {
        let is_known = |file: &&FollowedFile| {
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
            let is_read = |packed: PackedContent| packed.n_bytes <= file.entry.mark.offset;
            if file.handle.is_open() && file.in_flight.is_none() && file.entry.packed.is_some_and(is_read) {
                file.handle.close();
                self.footing.shake();
                self.next_scan = now;
            }
        }
    }
}
