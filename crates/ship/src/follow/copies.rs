//! Copies of files that were read already: what `copytruncate` leaves behind.
//!
//! A new file beside a followed one, named like it with a rotation suffix appended (and so of the same group), with the
//! content that was read from that one, is a copy: it is read from where the original was left, or not at all while
//! it is only a beginning of the original. A file whose name does not continue from the original's is no copy, whatever
//! it holds: equal first lines are usual.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use types::{GroupName, group_name_of_file};

use super::file::FollowedFile;
use crate::checkpoint::PastGeneration;
use crate::content::Content;
use crate::discover::Candidate;
use crate::identity::{FileKey, Mark, open_file};

/// Most unfinished copies remembered at once.
const UNFINISHED_MAX: usize = 10_000;

/// Most marks of files that are gone.
const GONE_MAX: usize = 1_000;

/// What a copy holds: a generation of another file, which the server has up to the mark. The copy is read on under that
/// name, so that bytes of which the acknowledgement was not saved are stored once all the same.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The name under which the server knows the original.
    pub(super) file: String,
    /// Which of its generations this was.
    pub(super) generation: u64,
    /// How far it was acknowledged.
    pub(super) mark: Mark,
    /// The hash of what was sent of it, up to there.
    pub(super) content: Option<Content>,
    /// What it holds if it is that.
    evidence: Mark,
}

/// From where a copy is read.
#[derive(Debug)]
pub(super) enum Start {
    /// All of it was or will be read from the original; look again later.
    NotYet,
    /// From here, as what the original was and no longer is.
    OnOf(Origin),
    /// From here, as a file of its own: the original is still there and continues otherwise.
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
    pub(super) fn remember(&mut self, file: &FollowedFile) {
        for origin in origins(file) {
            for path in names(file) {
                if self.gone.len() >= GONE_MAX {
                    self.gone.pop_front();
                }
                self.gone.push_back((path.into(), origin.clone()));
            }
        }
    }

    /// Returns where to start a new file if it is a copy of one of `files`; `None` if it is none.
    pub(super) fn start_of(
        &mut self,
        candidate: &Candidate,
        group: &GroupName,
        file: &File,
        files: &BTreeMap<FileKey, FollowedFile>,
    ) -> Option<Start> {
        let group_of = |path: &Path| group_name_of_file(&path.to_string_lossy());
        let is_rotated = |name: &Path| group_of(&candidate.path) == group_of(name);
        // Both may have been renamed since the copy was made, and the original may have further names.
        let is_original = |known: &&FollowedFile| {
            let is_of = |name: &Path| has_suffix(&candidate.path, name) && (known.group == *group || is_rotated(name));
            known.entry.key != candidate.key && names(known).any(is_of)
        };
        let is_whole = |mark: &Mark| mark.offset > 0 && mark.offset <= candidate.size && fits(mark, file);
        let gone = self.gone.iter().filter(|(path, _)| has_suffix(&candidate.path, path)).map(|(_, origin)| origin);
        let mut ended: Vec<Origin> = gone.filter(|origin| is_whole(&origin.evidence)).cloned().collect();
        let mut lasting: Option<Mark> = None;
        let mut is_beginning = false;
        for original in files.values().filter(is_original) {
            let before = original.entry.before.and_then(|past| origin(original, past));
            ended.extend(before.filter(|origin| is_whole(&origin.evidence)));
            let read_to = original.in_flight.unwrap_or(original.entry.mark);
            if let Some(beginning) = mark_of_beginning(candidate, file, original) {
                is_beginning = true;
                // What was read of an original before it was truncated says nothing about its content now.
                let is_read = candidate.size <= read_to.offset && still_has(original, &read_to);
                if is_read && self.unfinished.len() < UNFINISHED_MAX {
                    let (file, generation) = (original.entry.file.clone(), original.entry.generation);
                    let origin = Origin { file, generation, mark: beginning, content: None, evidence: beginning };
                    self.unfinished.insert(candidate.key, origin);
                }
                continue;
            }
            let evidence = [Some(read_to), original.entry.now().evidence()];
            let Some(evidence) = evidence.into_iter().flatten().find(is_whole) else { continue };
            if !still_has(original, &evidence) {
                // From what was acknowledged, not from what is on its way: a crash may keep that from arriving.
                ended.extend(origin(original, original.entry.now()));
            } else if is_whole(&original.entry.mark) {
                lasting = lasting.into_iter().chain([original.entry.mark]).max_by_key(|mark| mark.offset);
            }
        }
        if is_beginning {
            return Some(Start::NotYet);
        }
        // Where the original is gone or begins again, what was its beginning when it was looked at last need not be read.
        // Where it still begins like that, both files began with the same lines, and this one is no copy.
        let is_there =
            |origin: &Origin| files.values().filter(is_original).any(|original| has_beginning(original, origin));
        let unfinished = self.unfinished.remove(&candidate.key);
        ended.extend(unfinished.filter(|origin| is_whole(&origin.evidence) && !is_there(origin)));
        // A generation continues in one place: where a copy of it was found before, only what holds the same is another, or
        // what holds more of what was read.
        let is_taken = |origin: &Origin| {
            let is_copy = |known: &&FollowedFile| known.entry.is_copy && known.entry.key != candidate.key;
            let is_ahead = |mark: Mark| is_whole(&mark) && mark.offset < origin.evidence.offset;
            let has_it = |copy: &FollowedFile| !copy.entry.now().evidence().is_some_and(is_ahead);
            let mut copies = files.values().filter(is_copy).filter(|copy| copy.is_of(&origin.file, origin.generation));
            copies.any(|copy| has_it(copy) && mark_of_beginning(candidate, file, copy).is_none())
        };
        let ended = ended.into_iter().filter(|origin| !is_taken(origin)).max_by_key(|origin| origin.mark.offset);
        match (ended, lasting) {
            (Some(origin), lasting) if lasting.is_none_or(|mark| mark.offset <= origin.mark.offset) => {
                Some(Start::OnOf(origin))
            }
            (_, lasting) => lasting.map(Start::At),
        }
    }
}

/// Returns every name that a file has or had.
fn names(file: &FollowedFile) -> impl Iterator<Item = &Path> {
    let first_and_now = [Some(Path::new(&file.entry.path)), file.path.as_deref()].into_iter().flatten();
    first_and_now.chain(file.others.iter().map(PathBuf::as_path))
}

/// Returns what was read of `file`: its generation now, and the one before.
fn origins(file: &FollowedFile) -> impl Iterator<Item = Origin> {
    [Some(file.entry.now()), file.entry.before].into_iter().flatten().filter_map(|past| origin(file, past))
}

/// Returns what was read of a generation of `file`; nothing if nothing of it was sent.
pub(super) fn origin(file: &FollowedFile, past: PastGeneration) -> Option<Origin> {
    let evidence = past.evidence()?;
    let PastGeneration { generation, mark, content, told: _ } = past;
    Some(Origin { file: file.entry.file.clone(), generation, mark, content, evidence })
}

/// Reports whether `copy` is the path `original` with something after it, as rotation names its copies. The live file
/// itself is never a copy: it may well begin with the line that a rotated one began with.
fn has_suffix(copy: &Path, original: &Path) -> bool {
    let (copy, original) = (copy.as_os_str().as_bytes(), original.as_os_str().as_bytes());
    copy.len() > original.len() && copy.starts_with(original)
}

fn fits(mark: &Mark, file: &File) -> bool {
    mark.fits(file).unwrap_or(false)
}

/// Returns the mark at the end of `candidate` if the original still begins with all of it.
fn mark_of_beginning(candidate: &Candidate, file: &File, original: &FollowedFile) -> Option<Mark> {
    let mark = Mark::at(file, candidate.size).ok().filter(|mark| mark.offset > 0)?;
    still_has(original, &mark).then_some(mark)
}

/// Reports whether `original` is what `origin` came from, and still begins with what that holds.
fn has_beginning(original: &FollowedFile, origin: &Origin) -> bool {
    original.is_of(&origin.file, origin.generation) && still_has(original, &origin.evidence)
}

/// Reports whether `original` has the marked content now.
fn still_has(original: &FollowedFile, mark: &Mark) -> bool {
    match (original.handle.file(), &original.path) {
        (Some(handle), _) => fits(mark, handle),
        (None, Some(path)) => open_file(path).is_ok_and(|opened| fits(mark, &opened)),
        (None, None) => false,
    }
}
