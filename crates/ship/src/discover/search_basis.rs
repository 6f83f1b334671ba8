//! What the outcome of a search rests on: while all of it is as it was, another search would find the same names.
//!
//! A name comes, goes or is given to another file only where the directory it is in changes, and that has a time. A time is
//! believed once it is older than any that a file system may round to; until then the directory may have changed once more
//! within it. Directories in which a file system changes something without that (network, mounts over a name) are found by the
//! searches that are made all the same from time to time.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::identity::FileKey;

/// The coarsest times that file systems keep, of 2 s, with some room.
const ROUNDED_BY: Duration = Duration::from_secs(3);

/// Directories as they were before they were listed, files that links lead to, and what is absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct SearchBasis {
    places: Vec<(PathBuf, Option<PathStamp>)>,
    is_shaken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PathStamp {
    key: FileKey,
    /// Of a directory.
    modified: Option<SystemTime>,
}

impl PathStamp {
    fn of(metadata: &Metadata) -> Self {
        let modified = if metadata.is_dir() { metadata.modified().ok() } else { None };
        Self { key: FileKey::of(metadata), modified }
    }
}

impl SearchBasis {
    /// Notes what is at `path` now; of a directory before it is listed.
    pub(super) fn note(&mut self, path: &Path, metadata: Option<&Metadata>) {
        let stamp = metadata.map(PathStamp::of);
        let is_old = |at: SystemTime| SystemTime::now().duration_since(at).is_ok_and(|age| age > ROUNDED_BY);
        self.is_shaken |= stamp.and_then(|stamp| stamp.modified).is_some_and(|at| !is_old(at));
        self.places.push((path.to_owned(), stamp));
    }

    /// Says that the next search may find something else whatever is noted.
    pub(crate) fn shake(&mut self) {
        self.is_shaken = true;
    }

    /// Links to files, and files that are searched for by name: their directories do not tell of their changes.
    pub(crate) fn files(&self) -> HashSet<&Path> {
        let is_file = |stamp: &Option<PathStamp>| stamp.is_some_and(|stamp| stamp.modified.is_none());
        self.places.iter().filter(|(_, stamp)| is_file(stamp)).map(|(path, _)| path.as_path()).collect()
    }

    /// Reports whether everything is as it was. That of nothing is not known.
    pub(crate) fn stands(&self) -> bool {
        let is_same = |(path, stamp): &(PathBuf, Option<PathStamp>)| match fs::metadata(path) {
            Ok(metadata) => *stamp == Some(PathStamp::of(&metadata)),
            Err(error) => stamp.is_none() && error.kind() == std::io::ErrorKind::NotFound,
        };
        !self.is_shaken && !self.places.is_empty() && self.places.iter().all(is_same)
    }
}

#[cfg(test)]
mod tests;
