//! Files on a device whose number changed: inode and birth show that they are the same.

use super::{FollowedFile, Follower};
use crate::discover::Candidate;
use crate::identity::FileKey;
use std::collections::HashMap;

impl Follower {
    /// Takes files that are found on a device of another number for those that they were.
    pub(crate) fn follow_devices(&mut self, found: &HashMap<FileKey, Candidate>) {
        let is_missing = |key: &FileKey, file: &FollowedFile| !found.contains_key(key) && !file.is_held();
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
