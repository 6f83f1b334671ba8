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
use crate::checkpoint::{Entry, Past};
use crate::discover::Candidate;
use crate::identity::{FileKey, Mark};

/// Most unfinished copies remembered at once.
const UNFINISHED_MAX: usize = 10_000;

/// Most marks of files that are gone.
const GONE_MAX: usize = 1_000;

/// What a copy holds: a generation of another file, which the server has up to the mark. The copy is read on under that
/// name, so that bytes of which the acknowledgement was not written down are stored once all the same.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The name under which the server knows the original.
    pub(super) file: String,
    /// Which of its generations this was.
    pub(super) generation: u64,
    /// How far it was acknowledged.
    pub(super) mark: Mark,
}

/// From where a copy is read.
#[derive(Debug)]
pub(super) enum Start {
    /// All of it was or will be read from the original; look again later.
    NotYet,
    /// From here, as what the original was and no longer is.
    OnOf(Origin),
    /// From here, as a file of its own: the original is still there and goes on otherwise.
    At(Mark),
}

/// What is known of copies that are no longer than what was read of their originals.
#[derive(Debug, Default)]
pub(super) struct Copies {
    unfinished: HashMap<FileKey, Origin>,
    /// What was read of files that have other content now, or whose inode has, the latest last.
    gone: VecDeque<(PathBuf, Origin)>,
}

impl Copies {
    /// Remembers how far a file was read that is forgotten otherwise: a copy of it may still turn up.
    pub(super) fn remember(&mut self, file: &Followed) {
        for origin in origins(file).filter(|origin| origin.mark.offset > 0) {
            if self.gone.len() >= GONE_MAX {
                self.gone.pop_front();
            }
            self.gone.push_back((file.entry.path.clone().into(), origin));
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
        let is_whole = |mark: &Mark| mark.offset > 0 && mark.offset <= candidate.size && fits(mark, file);
        let gone = self.gone.iter().filter(|(path, _)| has_suffix(&candidate.path, path)).map(|(_, origin)| origin);
        let mut ended: Vec<Origin> = gone.filter(|origin| is_whole(&origin.mark)).cloned().collect();
        let mut lasting: Option<Mark> = None;
        let mut is_beginning = false;
        for original in files.values().filter(is_original) {
            ended.extend(origins(original).skip(1).filter(|origin| is_whole(&origin.mark)));
            let read_to = original.in_flight.unwrap_or(original.entry.mark);
            if let Some(beginning) = mark_of_beginning(candidate, file, original) {
                is_beginning = true;
                if candidate.size <= read_to.offset && self.unfinished.len() < UNFINISHED_MAX {
                    let (file, generation) = (original.entry.file.clone(), original.entry.generation);
                    self.unfinished.insert(candidate.key, Origin { file, generation, mark: beginning });
                }
                continue;
            }
            // What it was when the server was told of it may be all that was written down before a crash.
            let evidence = [Some(read_to), Some(original.entry.mark), original.entry.told];
            let Some(evidence) = evidence.into_iter().flatten().find(is_whole) else { continue };
            if !still_has(original, &evidence) {
                // From what was acknowledged, not from what is on its way: a crash may keep that from arriving.
                ended.extend(origins(original).take(1));
            } else if is_whole(&original.entry.mark) {
                lasting = lasting.into_iter().chain([original.entry.mark]).max_by_key(|mark| mark.offset);
            }
        }
        if is_beginning {
            return Some(Start::NotYet);
        }
        // The original is gone or begins anew: what was its beginning when it was looked at last need not be read.
        ended.extend(self.unfinished.remove(&candidate.key).filter(|origin| is_whole(&origin.mark)));
        let ended = ended.into_iter().max_by_key(|origin| origin.mark.offset);
        match (ended, lasting) {
            (Some(origin), lasting) if lasting.is_none_or(|mark| mark.offset <= origin.mark.offset) => {
                Some(Start::OnOf(origin))
            }
            (_, lasting) => lasting.map(Start::At),
        }
    }
}

/// What was read of `file`: its generation now, and the one before.
fn origins(file: &Followed) -> impl Iterator<Item = Origin> {
    let Entry { file, generation, mark, before, .. } = &file.entry;
    let now = Past { generation: *generation, mark: *mark };
    let origin = |past: Past| Origin { file: file.clone(), generation: past.generation, mark: past.mark };
    [Some(now), *before].into_iter().flatten().map(origin).collect::<Vec<_>>().into_iter()
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
    let mark = Mark::at(file, candidate.size).ok().filter(|mark| mark.offset > 0)?;
    still_has(original, &mark).then_some(mark)
}

/// Tells whether `original` has the marked content now.
fn still_has(original: &Followed, mark: &Mark) -> bool {
    match (&original.handle, &original.path) {
        (Some(handle), _) => fits(mark, handle),
        (None, Some(path)) => File::open(path).is_ok_and(|opened| fits(mark, &opened)),
        (None, None) => false,
    }
}
