//! Which files there are to follow, which are left out, and why.
//!
//! A PATH is a file, a directory (with everything below it) or a quoted pattern. Text files are taken. Binary and
//! compressed files, and what cannot be read, are left out and named. The search is bounded in depth and number,
//! never follows a link to a directory, and takes a file that has several names once.

mod search_basis;

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use types::{ByteSize, GroupName, Timestamp};

pub(crate) use self::search_basis::SearchBasis;
use crate::glob::{self, Glob};
use crate::identity::{FileKey, born_of, open_file, read_at_most};

/// Deepest directory below a PATH that is searched.
const DEPTH_MAX: usize = 32;

/// Most files followed at once.
const FILES_MAX: usize = 100_000;

/// Most names of a file that are remembered besides the one that it is known by.
const OTHER_NAMES_MAX: usize = 8;

/// Most files named as left out.
const LEFT_OUT_MAX: usize = 1_000;

/// Bytes looked at to tell text from binary.
pub(crate) const SNIFF_BYTES: usize = 4096;

/// How much of what is already there is read when a file is found for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Most bytes in total, newest files first; `None` for no limit.
    pub bytes_max: Option<u64>,
    /// Files not modified for so many nanoseconds are followed from their end; `None` for no limit. Does not
    /// concern files that were named one by one.
    pub age_ns_max: Option<i64>,
}

impl Backlog {
    /// Everything that is there.
    pub const ALL: Self = Self { bytes_max: None, age_ns_max: None };
}

impl Default for Backlog {
    fn default() -> Self {
        Self { bytes_max: Some(1 << 30), age_ns_max: Some(30 * Timestamp::DAY) }
    }
}

/// Why a file, or a part of it, is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No text.
    Binary,
    /// Compressed, usually a rotated file whose lines were read before.
    Compressed,
    /// Compressed, and larger than what is unpacked.
    TooLarge {
        /// Most bytes that are unpacked.
        bytes_max: u64,
    },
    /// Text in UTF-16, which begins with its mark.
    Utf16,
    /// It cannot be opened.
    Unreadable(String),
    /// Not modified for long; followed from its end.
    TooOld {
        /// When it was last modified.
        modified: Timestamp,
    },
    /// Beyond the bytes read at first; followed from there.
    OverBudget {
        /// Bytes not read.
        n_bytes: u64,
    },
    /// There is no such file or directory (yet).
    Absent,
    /// More files than are followed at once.
    TooMany,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary => write!(f, "not a text file"),
            Self::Compressed => write!(
                f,
                "compressed; `compressed = true` in an input, or `catat send FILE`, brings in what was not read before"
            ),
            Self::TooLarge { bytes_max } => {
                write!(f, "holds more than {}; `catat send FILE` brings it in", ByteSize(*bytes_max))
            }
            Self::Utf16 => {
                write!(f, "UTF-16, which only the shipper reads, for inputs without rules; have it written as UTF-8")
            }
            Self::Unreadable(error) => {
                write!(f, "{error}; run as root, or add the user to the group that owns it (often `adm`)")
            }
            Self::TooOld { modified } => {
                write!(f, "last modified {modified}; only new lines are read, --all reads the rest")
            }
            Self::OverBudget { n_bytes } => {
                write!(f, "the first {} are beyond the limit for old data, --all reads them", ByteSize(*n_bytes))
            }
            Self::Absent => write!(f, "not there yet; it will be followed when it appears"),
            Self::TooMany => write!(f, "more than {FILES_MAX} files"),
        }
    }
}

/// A file, or a part of it, that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedFile {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// A file that is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it is.
    pub path: PathBuf,
    /// The group that its events go to.
    pub group: GroupName,
    /// Its size when it was found.
    pub size: u64,
    /// From where it is read.
    pub start: u64,
}

/// What the first search found.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Files followed.
    pub files: Vec<FoundFile>,
    /// Files, or parts of them, left out; at most 1,000 are named.
    pub left_out: Vec<SkippedFile>,
    /// How many there are in all.
    pub n_left_out: usize,
    /// What all of it rests on.
    pub(crate) footing: SearchBasis,
}

impl Discovery {
    pub(crate) fn leave_out(&mut self, path: &Path, reason: Reason) {
        if matches!(reason, Reason::Unreadable(_)) {
            // It may be readable at any time, and no directory shows that.
            self.footing.shake();
        }
        self.n_left_out += 1;
        if self.left_out.len() < LEFT_OUT_MAX {
            self.left_out.push(SkippedFile { path: path.into(), reason });
        }
    }
}

/// A PATH as it was given.
#[derive(Clone, Debug)]
pub(crate) struct PathSpec {
    /// A file, or the directory below which is searched.
    pub(crate) base: PathBuf,
    pattern: Option<Glob>,
}

impl PathSpec {
    /// Takes `path`; a pattern where it has pattern characters and is no file by that very name.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        if glob::is_pattern(&path.to_string_lossy()) && fs::symlink_metadata(&path).is_err() {
            let (base, pattern) = Glob::split(&path);
            return Ok(Self { base, pattern: Some(pattern) });
        }
        Ok(Self { base: path, pattern: None })
    }

    /// Reports whether `path` is it, lies below it, or fits its pattern.
    pub(crate) fn names(&self, path: &Path) -> bool {
        path.strip_prefix(&self.base)
            .is_ok_and(|below| self.pattern.as_ref().is_none_or(|pattern| pattern.matches(below)))
    }
}

/// A PATH of an input, without what that leaves out.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// What it names.
    pub(crate) place: PathSpec,
    /// What of that is left out.
    pub(crate) excluded: Vec<PathSpec>,
    /// Which input it is of.
    pub(crate) input: usize,
    /// Whether packed files are unpacked.
    pub(crate) unpacks: bool,
}

impl Root {
    /// Reports whether `path` is one of its files.
    pub(crate) fn names(&self, path: &Path) -> bool {
        self.place.names(path) && !self.leaves_out(path)
    }

    pub(crate) fn leaves_out(&self, path: &Path) -> bool {
        self.excluded.iter().any(|place| place.names(path))
    }
}

/// A file on disk that a PATH names.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    /// Its other names, a few of them.
    pub(crate) others: Vec<PathBuf>,
    pub(crate) key: FileKey,
    /// When it was made, where that is known.
    pub(crate) born: Option<i64>,
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
    /// Whether the PATH was this very file.
    pub(crate) is_named: bool,
    /// Which input it is of.
    pub(crate) input: usize,
}

/// One search: the files that the roots name now. Left-out files go into `report`.
pub(crate) struct Search<'a> {
    excluded: &'a [PathBuf],
    /// Names of a file that has several: the first found counts, unless the file is known by another.
    found: HashMap<FileKey, Candidate>,
    report: &'a mut Discovery,
}

impl<'a> Search<'a> {
    pub(crate) fn new(excluded: &'a [PathBuf], report: &'a mut Discovery) -> Self {
        Self { excluded, found: HashMap::new(), report }
    }

    /// Searches all `roots`; `path_of` is where a known file was last.
    pub(crate) fn run(
        mut self,
        roots: &[Root],
        path_of: &dyn Fn(FileKey) -> Option<PathBuf>,
    ) -> HashMap<FileKey, Candidate> {
        for root in roots {
            let base = &root.place.base;
            match fs::metadata(base) {
                Ok(metadata) if metadata.is_dir() => self.directory(root, path_of),
                Ok(metadata) => {
                    self.report.footing.note(base, Some(&metadata));
                    self.file(root, base, &metadata, path_of);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.report.footing.note(base, None);
                    self.report.leave_out(base, Reason::Absent);
                }
                Err(error) => self.report.leave_out(base, Reason::Unreadable(error.to_string())),
            }
        }
        self.found
    }

    fn directory(&mut self, root: &Root, path_of: &dyn Fn(FileKey) -> Option<PathBuf>) {
        let depth_max = root.place.pattern.as_ref().and_then(Glob::depth_max).unwrap_or(DEPTH_MAX).min(DEPTH_MAX);
        let mut directories = vec![(root.place.base.clone(), 1)];
        while let Some((directory, depth)) = directories.pop() {
            if self.is_excluded(root, &directory) {
                continue;
            }
            let before = fs::metadata(&directory).ok();
            self.report.footing.note(&directory, before.as_ref());
            let entries = match fs::read_dir(&directory) {
                Ok(entries) => entries,
                Err(error) => {
                    self.report.leave_out(&directory, Reason::Unreadable(error.to_string()));
                    continue;
                }
            };
            for entry in entries.flatten() {
                let path = entry.path();
                let kind = entry.file_type().ok();
                let is_directory = kind.is_some_and(|kind| kind.is_dir());
                if is_directory && depth < depth_max {
                    directories.push((path, depth + 1));
                } else if !is_directory && root.place.names(&path) {
                    // Follows a link to a file; what vanished in between is no concern.
                    let metadata = fs::metadata(&path).ok();
                    if kind.is_none_or(|kind| kind.is_symlink()) {
                        self.report.footing.note(&path, metadata.as_ref());
                    }
                    if let Some(metadata) = metadata {
                        self.file(root, &path, &metadata, path_of);
                    }
                }
            }
        }
    }

    /// Reports whether nothing of `path` is to be read. Directories of our own may be named as a PATH by us alone.
    fn is_excluded(&self, root: &Root, path: &Path) -> bool {
        let is_ours = |ours: &PathBuf| path.starts_with(ours) && !root.place.base.starts_with(ours);
        self.excluded.iter().any(is_ours) || root.leaves_out(path)
    }

    fn file(&mut self, root: &Root, path: &Path, metadata: &Metadata, path_of: &dyn Fn(FileKey) -> Option<PathBuf>) {
        // Devices, pipes and sockets are no logs, and reading one may never end.
        if !metadata.is_file() || self.is_excluded(root, path) {
            return;
        }
        let key = FileKey::of(metadata);
        let is_unpacked = root.unpacks && is_packed_name(path);
        if let Some(reason) = reason_of_name(path).filter(|_| !is_unpacked) {
            self.report.leave_out(path, reason);
            return;
        }
        let mut others = Vec::new();
        let is_full = self.found.len() >= FILES_MAX;
        match self.found.get_mut(&key) {
            None if is_full => return self.report.leave_out(path, Reason::TooMany),
            None => {}
            // The first input that names it has it.
            Some(found) if found.path == path => return,
            Some(found) if path_of(key).is_some_and(|known| known == path) => {
                others.extend(std::mem::take(&mut found.others).into_iter().chain([found.path.clone()]));
            }
            Some(found) if found.others.len() >= OTHER_NAMES_MAX => return,
            Some(found) => return found.others.push(path.into()),
        }
        let (size, modified) = (metadata.len(), modified_of(metadata));
        let is_named = root.place.pattern.is_none() && path == root.place.base;
        let (path, born, input) = (path.into(), born_of(metadata), root.input);
        let candidate = Candidate { path, others, key, born, size, modified, is_named, input };
        self.found.insert(key, candidate);
    }
}

/// Returns when a file was last modified.
pub(crate) fn modified_of(metadata: &Metadata) -> Timestamp {
    Timestamp(metadata.mtime().saturating_mul(Timestamp::SECOND).saturating_add(metadata.mtime_nsec()))
}

/// Returns files that are left out for their names alone: compressed ones, and the binary records of logins.
pub(crate) fn reason_of_name(path: &Path) -> Option<Reason> {
    let name = path.file_name()?.to_string_lossy();
    let stem = name.split(['.', '-']).next().unwrap_or(&name);
    if [".gz", ".xz", ".bz2", ".zst", ".zip", ".lz4"].iter().any(|suffix| name.ends_with(suffix)) {
        return Some(Reason::Compressed);
    }
    let is_binary = matches!(stem, "wtmp" | "btmp" | "utmp" | "lastlog" | "faillog" | "tallylog")
        || name.ends_with(".journal")
        || name.ends_with(".journal~");
    is_binary.then_some(Reason::Binary)
}

/// Reports whether a file that is named like this can be unpacked. Archives hold more than one file.
fn is_packed_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"));
    stem.is_some_and(|stem| !stem.ends_with(".tar"))
}

/// Opens a file to look at its first bytes; the reason where it is to be left out.
pub(crate) fn sniff(path: &Path) -> Result<File, Reason> {
    let unreadable = |error: io::Error| Reason::Unreadable(error.to_string());
    let file = open_file(path).map_err(unreadable)?;
    let head = read_at_most(&file, 0, SNIFF_BYTES).map_err(unreadable)?;
    reason_of_content(&head).filter(|reason| *reason != Reason::Utf16).map_or(Ok(file), Err)
}

/// Tells binary and compressed content from text by its first bytes.
pub fn reason_of_content(head: &[u8]) -> Option<Reason> {
    let compressed: [&[u8]; 4] = [b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd"];
    if compressed.iter().any(|magic| head.starts_with(magic)) {
        return Some(Reason::Compressed);
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Some(Reason::Utf16);
    }
    if head.starts_with(b"LPKSHHRH") || head.starts_with(b"\x7fELF") {
        return Some(Reason::Binary);
    }
    // A log with a stray NUL is text (it happens after a crash); one byte in ten is not.
    let n_nul = head.iter().filter(|b| **b == 0).count();
    (n_nul * 10 > head.len()).then_some(Reason::Binary)
}

#[cfg(test)]
mod tests;
