//! Copies of files that were read already: what `copytruncate` leaves behind.
//!
//! A new file beside a followed one, named like it with a rotation suffix appended (and so of the same group), with the
//! content that was read from that one, is a copy: it is read from where the original was left, or not at all while
//! it is only a beginning of the original. Equal first lines are usual, so a file of any other name is a copy only if the
//! original was truncated in its place and had content that tells it from all others. What follows that is read as a
//! file of its own: a wrong guess cannot give bytes the position of others.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use types::{GroupName, Timestamp, group_name_of_file};

use super::file::FollowedFile;
use super::options::FileInput;
use crate::checkpoint::PastGeneration;
use crate::content::Content;
use crate::discover::Candidate;
use crate::identity::{FileKey, Mark, TELLING_BYTES, open_file};

/// Most unfinished copies remembered at once.
const UNFINISHED_MAX: usize = 10_000;

/// How long a new file of any name that holds the same as another one and does not grow waits for that to be truncated.
const WAIT_NS: i64 = 10 * Timestamp::SECOND;

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

/// A new file that holds a beginning of another one.
#[derive(Debug)]
struct WaitingFile {
    size: u64,
    /// Since when it has that size.
    since: Timestamp,
    /// Its end, and the file of which so much was acknowledged.
    read: Option<(FileKey, Mark)>,
}

/// What is known of copies that are no longer than what was read of their originals.
#[derive(Debug, Default)]
pub(super) struct Copies {
    unfinished: HashMap<FileKey, Origin>,
    waiting: HashMap<FileKey, WaitingFile>,
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

    /// Returns where to start a new file that is no copy by its name, but holds what was read of one of `files` that was truncated
    /// since, or holds no more than one that may yet be truncated.
    pub(super) fn start_by_content(
        &mut self,
        candidate: &Candidate,
        file: &File,
        files: &BTreeMap<FileKey, FollowedFile>,
        inputs: &[FileInput],
        now: Timestamp,
    ) -> Option<Start> {
        // Files of our own may hold the same again, and rules of one input leave out lines that another one sends.
        let is_own = |input: usize| inputs.get(input).is_none_or(|input| input.is_own);
        let is_whole =
            |input: usize| input == candidate.input || inputs.get(input).is_some_and(|it| it.rules.is_empty());
        let is_long = |mark: &Mark| mark.offset >= TELLING_BYTES;
        let whole = Mark::at(file, candidate.size).ok().filter(|mark| is_long(mark) && !is_own(candidate.input))?;
        let is_telling = |mark: &Mark| {
            let may_fit = (TELLING_BYTES..=whole.offset).contains(&mark.offset) && mark.begins_like(&whole);
            may_fit && fits(mark, file) && mark.has_time(file).unwrap_or(false)
        };
        let is_other = |known: &&FollowedFile| {
            let has_name = names(known).any(|name| name == candidate.path);
            known.entry.key != candidate.key && !has_name && !is_own(known.input) && is_whole(known.input)
        };
        let (mut truncated, mut read, mut is_beginning) = (None, None, false);
        for original in files.values().filter(is_other) {
            let acknowledged = [Some(original.entry.mark), original.entry.before.map(|past| past.mark)];
            let is_lost = |mark: &Mark| is_telling(mark) && has(original, mark) == Some(false);
            if original.in_flight.as_ref().is_some_and(is_lost) {
                return Some(Start::NotYet);
            }
            let lost = acknowledged.into_iter().flatten().filter(is_lost);
            truncated = lost.chain(truncated).max_by_key(|mark| mark.offset);
            let mut marks = acknowledged.into_iter().chain([original.in_flight]).flatten();
            if marks.any(|mark| mark.begins_like(&whole)) && is_telling(&whole) && still_has(original, &whole) {
                is_beginning = true;
                let mark = original.entry.mark;
                let is_read = whole.offset <= mark.offset && still_has(original, &mark);
                read = is_read.then_some((original.entry.key, whole)).or(read);
            }
        }
        if truncated.is_none() && is_beginning && self.waits(candidate, read, now) {
            return Some(Start::NotYet);
        }
        // The original may have grown and been read further before it was truncated.
        let read = self.waiting.remove(&candidate.key).and_then(|waiting| waiting.read);
        let is_lost = |(original, mark): &(FileKey, Mark)| {
            is_telling(mark) && files.get(original).is_some_and(|original| has(original, mark) == Some(false))
        };
        truncated.or(read.filter(is_lost).map(|(_, mark)| mark)).map(Start::At)
    }

    /// Reports whether a file that holds a beginning of another one may still be a copy in the making.
    fn waits(&mut self, candidate: &Candidate, read: Option<(FileKey, Mark)>, now: Timestamp) -> bool {
        let is_waiting = |waiting: &WaitingFile| now.0.saturating_sub(waiting.since.0) < WAIT_NS;
        if self.waiting.len() >= UNFINISHED_MAX {
            self.waiting.retain(|key, waiting| *key == candidate.key || is_waiting(waiting));
        }
        let size = candidate.size;
        let waiting = self.waiting.entry(candidate.key).or_insert(WaitingFile { size, since: now, read });
        if waiting.size != size {
            (waiting.size, waiting.since) = (size, now);
        }
        waiting.read = read.or(waiting.read);
        is_waiting(waiting)
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
    has(original, mark) == Some(true)
}

/// Reports whether `original` has the marked content now; `None` if it cannot be read or another file took its place.
fn has(original: &FollowedFile, mark: &Mark) -> Option<bool> {
    if let Some(handle) = original.handle.file() {
        return mark.fits(handle).ok();
    }
    let opened = open_file(original.path.as_deref()?).ok()?;
    let has = mark.fits(&opened).ok()?;
    (has || FileKey::of(&opened.metadata().ok()?) == original.entry.key).then_some(has)
}
