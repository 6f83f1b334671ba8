//! Files that were deleted before they were read: kept open, which keeps their bytes on disk, up to a limit; beyond it
//! the oldest are given up, and what is lost is counted.

use std::os::unix::fs::MetadataExt;

use super::{FollowedFile, Follower};
use crate::identity::FileKey;
use crate::spool::count_lines;
use crate::{FileBatch, FileStatus, LossCount};

/// Most deleted files kept open: a process may have a thousand files, and half of them are for those that are there.
const GONE_FILES_MAX: usize = 256;

/// Most given-up files that are reported to the server.
const LOST_MAX: usize = 100;

/// A deleted file that is open.
struct DeletedFile {
    /// In which order they are given up: what is not being sent first, the oldest first.
    rank: (bool, i64, i64),
    key: FileKey,
    /// Bytes that it keeps on disk.
    bytes: u64,
}

impl Follower {
    /// Returns what was given up of deleted files since the start.
    pub fn given_up(&self) -> LossCount {
        self.given_up
    }

    /// Gives up the oldest deleted files while they keep more than they may.
    pub(super) fn limit_gone(&mut self) {
        let mut gone: Vec<DeletedFile> = self.files.iter().filter_map(|(key, file)| gone_of(*key, file)).collect();
        let mut bytes = gone.iter().map(|file| file.bytes).sum::<u64>();
        let mut n_files = gone.len();
        if bytes <= self.options.gone_bytes && n_files <= GONE_FILES_MAX {
            return;
        }
        gone.sort_unstable_by_key(|file| file.rank);
        for file in gone {
            if bytes <= self.options.gone_bytes && n_files <= GONE_FILES_MAX {
                return;
            }
            self.give_up(file.key, "more bytes of deleted files wait than the limit allows");
            bytes = bytes.saturating_sub(file.bytes);
            n_files -= 1;
        }
    }

    /// Gives up all deleted files, as they are gone when the process ends.
    pub(crate) fn give_up_gone(&mut self) {
        let gone: Vec<DeletedFile> = self.files.iter().filter_map(|(key, file)| gone_of(*key, file)).collect();
        gone.iter().for_each(|file| self.give_up(file.key, "the shipper ended before it was read"));
    }

    /// Counts a batch that came back of a file that was given up meanwhile.
    pub(super) fn give_up_batch(&mut self, batch: &FileBatch) {
        let lines = batch.bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.given_up += LossCount { lines, bytes: batch.bytes.len() as u64 };
        tracing::warn!(path = %batch.header.path, lines, bytes = batch.bytes.len(), "part of a deleted file given up");
    }

    fn give_up(&mut self, key: FileKey, reason: &str) {
        let Some(file) = self.files.get_mut(&key) else { return };
        let Some(handle) = file.handle.close() else { return };
        // What is on its way may still arrive.
        let offset = file.in_flight.unwrap_or(file.entry.mark).offset;
        let size = handle.metadata().map_or(file.size, |metadata| metadata.len());
        let lost = count_lines(handle, offset).unwrap_or(LossCount { lines: 0, bytes: size.saturating_sub(offset) });
        self.given_up += lost;
        if lost.bytes > 0 {
            let (path, lines, bytes) = (&file.entry.path, lost.lines, lost.bytes);
            tracing::warn!(path, lines, bytes, reason, "deleted file given up");
            self.remember_lost(key, size, reason);
        }
    }

    /// Keeps for the server what it will not have.
    fn remember_lost(&mut self, key: FileKey, size: u64, reason: &str) {
        let Some(file) = self.files.get(&key) else { return };
        let last_error = Some(format!("deleted and given up: {reason}"));
        let lost = FileStatus { size, is_gone: true, last_error, ..self.status_of(file) };
        self.lost.push_back(lost);
        self.lost.drain(..self.lost.len().saturating_sub(LOST_MAX));
    }
}

/// Returns the file, where it is deleted and open.
fn gone_of(key: FileKey, file: &FollowedFile) -> Option<DeletedFile> {
    let handle = file.handle.file().filter(|_| file.path.is_none())?;
    let metadata = handle.metadata().ok().filter(|metadata| metadata.nlink() == 0)?;
    let rank = (file.in_flight.is_some(), metadata.mtime(), metadata.mtime_nsec());
    Some(DeletedFile { rank, key, bytes: metadata.len() })
}
