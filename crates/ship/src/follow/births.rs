//! Birth times of files, from the file system.
//!
//! An inode is handed on when a file is deleted; with the moment of its birth it tells a file from the next one, also
//! where both hold the same. And a device may have another number when it is mounted again: inode and birth stay.
//! File systems that know no births, or make them up again, are asked for content alone.

use std::collections::HashSet;

use super::FollowedFile;
use crate::discover::Candidate;

/// What births are worth on each device.
#[derive(Debug, Default)]
pub(super) struct Births {
    /// Devices on which a file that was open had another birth than before.
    made_up: HashSet<u64>,
}

impl Births {
    /// Reports whether a file of this inode that was found is another than `file` by its birth.
    pub(super) fn tell_apart(&mut self, file: &mut FollowedFile, candidate: &Candidate) -> bool {
        let born = candidate.born.filter(|_| !self.made_up.contains(&candidate.key.device));
        let is_other = matches!((file.entry.born, born), (Some(before), Some(now)) if before != now);
        if is_other && file.handle.is_open() {
            // No other file can have the inode of an open file.
            self.made_up.insert(candidate.key.device);
            file.entry.born = None;
            return false;
        }
        is_other && file.in_flight.is_none()
    }

    /// Returns the birth that a new file is known by.
    pub(super) fn of(&self, candidate: &Candidate) -> Option<i64> {
        candidate.born.filter(|_| !self.made_up.contains(&candidate.key.device))
    }
}
