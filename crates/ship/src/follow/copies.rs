//! Copies of files that were read already: what `copytruncate` leaves behind.
//!
//! A new file beside a followed one, named like it with a rotation suffix behind (and so of the same group), with the
//! content that was read from that one, is a copy: it is read from where the original was left, or not at all while
//! it is only a beginning of the original. A file whose name does not go on from the original's is no copy, whatever
//! it holds: equal first lines are usual.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use types::GroupName;

use super::file::Followed;
use crate::discover::Candidate;
use crate::identity::{FileKey, Mark};

/// Most unfinished copies remembered at once.
const UNFINISHED_MAX: usize = 10_000;

/// Most marks of files that are gone.
const GONE_MAX: usize = 1_000;

/// From where a copy is read.
#[derive(Debug)]
pub(super) enum Start {
    /// All of it was read from the original so far; look again later.
    NotYet,
    /// From here.
    At(Mark),
}

/// What is known of copies that are no longer than what was read of their originals.
#[derive(Debug, Default)]
pub(super) struct Copies {
    unfinished: HashMap<FileKey, Mark>,
    /// What was read of files that have other content now, or whose inode has, the latest last.
    gone: VecDeque<(PathBuf, Mark)>,
}

impl Copies {
    /// Remembers how far a file was read that is forgotten otherwise: a copy of it may still turn up.
    pub(super) fn remember(&mut self, file: &Followed) {
        let marks = [Some(file.entry.mark), file.entry.mark_before].into_iter().flatten();
        for mark in marks.filter(|mark| mark.offset > 0) {
            if self.gone.len() >= GONE_MAX {
                self.gone.pop_front();
            }
            self.gone.push_back((file.entry.path.clone().into(), mark));
        }
    }

    /// From where a new file is read if it is a copy of one of `files`; `None` if it is none.
    pub(super) fn start_of(
        &mut self,
        candidate: &Candidate,
        group: &GroupName,
        file: &File,
        files: &BTreeMap<FileKey, Followed>,
    ) -> Option<Start> {
        // Both may have been renamed since the copy was made.
        let is_original = |known: &&Followed| {
            let first = Path::new(&known.entry.path);
            let now = known.path.as_deref().unwrap_or(first);
            known.entry.key != candidate.key
                && known.group == *group
                && [first, now].iter().any(|path| has_suffix(&candidate.path, path))
        };
        let originals = files.values().filter(is_original);
        let gone = self.gone.iter().filter(|(path, _)| has_suffix(&candidate.path, path)).map(|(_, mark)| *mark);
        let is_whole = |mark: &Mark| mark.offset <= candidate.size && fits(mark, file);
        let mut best: Option<Mark> = gone.filter(is_whole).max_by_key(|mark| mark.offset);
        let mut beginning: Option<Mark> = None;
        for original in originals {
            let entry = &original.entry;
            for mark in [original.in_flight, Some(entry.mark), entry.mark_before].into_iter().flatten() {
                let is_better = best.is_none_or(|best| best.offset < mark.offset);
                if mark.offset > 0 && is_better && is_whole(&mark) {
                    best = Some(mark);
                }
            }
            let read_to = original.in_flight.map_or(entry.mark.offset, |mark| mark.offset);
            if candidate.size > 0 && candidate.size < read_to && beginning.is_none() {
                beginning = mark_of_beginning(candidate, file, original);
            }
        }
        if let (None, Some(beginning)) = (best, beginning) {
            if self.unfinished.len() < UNFINISHED_MAX {
                self.unfinished.insert(candidate.key, beginning);
            }
            return Some(Start::NotYet);
        }
        // The original is gone or begins anew: what was its beginning when it was looked at last need not be read.
        let unfinished = self.unfinished.remove(&candidate.key).filter(|mark| fits(mark, file));
        best.into_iter().chain(unfinished).max_by_key(|mark| mark.offset).map(Start::At)
    }
}

/// Tells whether `copy` is the path `original` with something behind it, as rotation names its copies. The live file
/// itself is never a copy: it may well begin with the line that a rotated one began with.
fn has_suffix(copy: &Path, original: &Path) -> bool {
    let (copy, original) = (copy.as_os_str().as_bytes(), original.as_os_str().as_bytes());
    copy.len() > original.len() && copy.starts_with(original)
}

fn fits(mark: &Mark, file: &File) -> bool {
    mark.fits(file).unwrap_or(false)
}

/// The mark at the end of `candidate` if the original still begins with all of it.
fn mark_of_beginning(candidate: &Candidate, file: &File, original: &Followed) -> Option<Mark> {
    let mark = Mark::at(file, candidate.size).ok()?;
    let is_beginning = match (&original.handle, &original.path) {
        (Some(handle), _) => fits(&mark, handle),
        (None, Some(path)) => File::open(path).is_ok_and(|opened| fits(&mark, &opened)),
        (None, None) => false,
    };
    is_beginning.then_some(mark)
}
