//! When a file was made, as its file system says.
//!
//! An inode is handed on when a file is deleted; with the moment of its birth it tells a file from the next one, also
//! where both hold the same. And a device may have another number when it is mounted again: inode and birth stay.
//! File systems that know no births, or make them up anew, are asked for content alone.

use std::collections::{HashMap, HashSet};

use super::{Followed, Follower};
use crate::discover::Candidate;
use crate::identity::FileKey;

/// What births are worth on each device.
#[derive(Debug, Default)]
pub(super) struct Births {
    /// Devices on which a file that was open had another birth than before.
    made_up: HashSet<u64>,
}

impl Births {
    /// Tells whether a file of this inode that was found is another than `file` by its birth.
    pub(super) fn tell_apart(&mut self, file: &mut Followed, candidate: &Candidate) -> bool {
        let born = candidate.born.filter(|_| !self.made_up.contains(&candidate.key.device));
        let is_other = matches!((file.entry.born, born), (Some(before), Some(now)) if before != now);
        if is_other && file.handle.is_some() {
            // Nobody else can have the inode of a file that is open.
            self.made_up.insert(candidate.key.device);
            file.entry.born = None;
            return false;
        }
        is_other && file.in_flight.is_none()
    }

    /// The birth that a new file is known by.
    pub(super) fn of(&self, candidate: &Candidate) -> Option<i64> {
        candidate.born.filter(|_| !self.made_up.contains(&candidate.key.device))
    }
}

impl Follower {
    /// Takes files that are found on a device of another number for those that they were.
    pub(super) fn follow_devices(&mut self, found: &HashMap<FileKey, Candidate>) {
        let is_missing = |key: &FileKey, file: &Followed| !found.contains_key(key) && !file.is_held();
        let missing = self.files.iter().filter(|(key, file)| is_missing(key, file));
        let by_birth: HashMap<(u64, i64), FileKey> =
            missing.filter_map(|(key, file)| Some(((key.inode, file.entry.born?), *key))).collect();
        if by_birth.is_empty() {
            return;
        }
        for candidate in found.values() {
            let is_known = self.files.contains_key(&candidate.key);
            let Some(born) = self.births.of(candidate).filter(|_| !is_known) else { continue };
            let Some(before) = by_birth.get(&(candidate.key.inode, born)) else { continue };
            if let Some(mut file) = self.files.remove(before) {
                tracing::info!(path = %file.entry.path, "its device has another number; it is the same file");
                file.entry.key = candidate.key;
                self.files.insert(candidate.key, file);
            }
        }
    }
}
