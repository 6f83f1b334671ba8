//! The state directory: which files are known under which name, and how far each was acknowledged.
//!
//! ```text
//! LOCK           one shipper at a time
//! source         the random id of this directory, made once, and its xxh3, both in hexadecimal
//! checkpoint-0   two slots, written in turn: a line of JSON {format, version, serial, xxh3}, a newline,
//! checkpoint-1   and the entries as JSON, which the checksum covers
//! dead-letter/   batches that the server refused
//! ```
//!
//! A slot is written beside its place, synced and renamed, so that one whole checkpoint is there at any moment. If
//! the newer one is damaged the older one counts: what was acknowledged in between is sent again, and the server,
//! which knows positions, stores it once. What is never done is to skip: after such a fall-back new generations
//! are numbered far above all known ones, as the lost checkpoint may have used the next few.
//!
//! A checkpoint names the source too: under another id the server would take everything for new.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::identity::{FileKey, Mark};

const FORMAT: &str = "catat-checkpoint";
const VERSION: u32 = 1;

/// How far above known generations new ones start after a damaged checkpoint: more than a file can have had
/// between two checkpoints, which are about a second apart.
const GENERATIONS_SKIPPED: u64 = 1 << 20;

/// Most entries kept; of more, those not seen for longest go.
const ENTRIES_MAX: usize = 200_000;

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read or written.
    #[error("state directory {path}: {error}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another shipper uses it.
    #[error("state directory {path}: another shipper uses it; stop that one or name another with --state-dir")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A newer catat wrote it.
    #[error("{path}: written by a newer version of catat (format {found}, this one knows {VERSION})")]
    Newer {
        /// The checkpoint.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// How far a generation of a file was acknowledged that has ended since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Past {
    /// Its number.
    pub(crate) generation: u64,
    /// How far the server has it.
    pub(crate) mark: Mark,
}

/// What is remembered of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Where it lies.
    pub(crate) key: FileKey,
    /// The name under which the server knows it.
    pub(crate) file: String,
    /// Rises when it is truncated or replaced in place.
    pub(crate) generation: u64,
    /// The path under which it was first seen; names its group and stream.
    pub(crate) path: String,
    /// How it began when the server was first told of it, which is saved before: as long as nothing is known to be
    /// acknowledged, other content under the same name would pass for what the server may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<Mark>,
    /// How far the server has it.
    pub(crate) mark: Mark,
    /// How far it had the generation before: a copy made of that is recognised by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Past>,
    /// Whether it is a copy, read on under the name and the generation of its original.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_copy: bool,
    /// When it was last seen on disk, nanoseconds since the Unix epoch.
    pub(crate) seen: i64,
}

#[derive(Serialize, Deserialize)]
struct Preamble {
    format: String,
    version: u32,
    serial: u64,
    xxh3: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Body {
    /// Absent in checkpoints of the first releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    generation_least: u64,
    entries: Vec<Entry>,
}

/// An open state directory.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    dir: PathBuf,
    /// Nothing where it is only looked at.
    lock: Option<File>,
    source: String,
    serial: u64,
    generation_least: u64,
    /// Whether a damaged checkpoint was found.
    pub(crate) was_damaged: bool,
}

impl Checkpoint {
    /// Opens or makes the state directory `dir` and reads what is remembered.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Vec<Entry>), CheckpointError> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        let lock = lock(dir)?;
        let (mut opened, source, entries) = Self::read(dir)?;
        opened.source = read_or_make_source(dir, source)?;
        opened.lock = Some(lock);
        Ok((opened, entries))
    }

    /// Reads what is remembered in `dir`, also while a shipper uses it, and changes nothing there: saving is left out.
    pub(crate) fn look_at(dir: &Path) -> Result<(Self, Vec<Entry>), CheckpointError> {
        let (opened, _, entries) = Self::read(dir)?;
        Ok((opened, entries))
    }

    /// What the slots say: also the source, which their directory may say differently.
    fn read(dir: &Path) -> Result<(Self, Option<String>, Vec<Entry>), CheckpointError> {
        let mut newest: Option<(u64, Body)> = None;
        let (mut was_damaged, mut n_whole) = (false, 0);
        for slot in 0..2 {
            let path = slot_path(dir, slot);
            match read_slot(&path)? {
                Slot::None => {}
                Slot::Damaged => {
                    let path = path.display();
                    tracing::warn!(%path, "checkpoint is damaged; the other one is used, some bytes are sent again");
                    was_damaged = true;
                }
                Slot::Whole(serial, body) => {
                    n_whole += 1;
                    if newest.as_ref().is_none_or(|(known, _)| *known < serial) {
                        newest = Some((serial, body));
                    }
                }
            }
        }
        // From the second one on there are always two, so one of them was taken away: perhaps the newer.
        was_damaged |= n_whole == 1 && newest.as_ref().is_some_and(|(serial, _)| *serial > 1);
        let (serial, body) = newest.unwrap_or_default();
        let mut generation_least = body.generation_least;
        if was_damaged {
            let known = body.entries.iter().map(|entry| entry.generation).max().unwrap_or(0);
            generation_least = known.max(generation_least).saturating_add(GENERATIONS_SKIPPED);
        }
        let opened = Self { dir: dir.into(), lock: None, source: String::new(), serial, generation_least, was_damaged };
        Ok((opened, body.source, body.entries))
    }

    /// The random id of this state directory.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The generation that follows `generation`.
    pub(crate) fn generation_after(&self, generation: u64) -> u64 {
        generation.saturating_add(1).max(self.generation_least)
    }

    /// The generation of a file that was never seen before.
    pub(crate) fn generation_first(&self) -> u64 {
        self.generation_least
    }

    /// Makes `entries` what is remembered. Durable when it returns.
    pub(crate) fn save(&mut self, mut entries: Vec<Entry>) -> Result<(), CheckpointError> {
        if self.lock.is_none() {
            return Ok(());
        }
        if entries.len() > ENTRIES_MAX {
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.seen));
            entries.truncate(ENTRIES_MAX);
        }
        let serial = self.serial + 1;
        let body = Body { source: Some(self.source.clone()), generation_least: self.generation_least, entries };
        let body = serde_json::to_vec(&body).expect("entries are strings and numbers, which JSON can say");
        let xxh3 = checksum(&body, serial);
        let preamble = Preamble { format: FORMAT.into(), version: VERSION, serial, xxh3 };
        let mut bytes = serde_json::to_vec(&preamble).expect("a preamble is strings and numbers");
        bytes.push(b'\n');
        bytes.extend_from_slice(&body);
        // Serials alternate between the slots, so the one overwritten is always the older.
        write_atomically(&slot_path(&self.dir, serial % 2), &bytes)?;
        self.serial = serial;
        Ok(())
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> CheckpointError {
    let path = path.to_path_buf();
    move |error| CheckpointError::Io { path: path.clone(), error }
}

fn slot_path(dir: &Path, slot: u64) -> PathBuf {
    dir.join(format!("checkpoint-{slot}"))
}

fn lock(dir: &Path) -> Result<File, CheckpointError> {
    let path = dir.join("LOCK");
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CheckpointError::Locked { path: dir.into() }),
        Err(TryLockError::Error(error)) => Err(CheckpointError::Io { path, error }),
    }
}

/// The id of this directory: that of its file, else the one that the checkpoint remembers, else a new one.
fn read_or_make_source(dir: &Path, remembered: Option<String>) -> Result<String, CheckpointError> {
    let path = dir.join("source");
    let remembered = remembered.filter(|source| is_source(source));
    let is_damaged = match fs::read_to_string(&path) {
        Ok(text) => match source_of(&text, remembered.as_deref()) {
            Some(source) => return Ok(source),
            None => true,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) if error.kind() != io::ErrorKind::InvalidData => return Err(at(&path)(error)),
        Err(_) => true,
    };
    let path_shown = path.display();
    match (&remembered, is_damaged) {
        (Some(_), _) => {
            tracing::warn!(path = %path_shown, "the id of this shipper is lost here; its checkpoint has it")
        }
        // It cannot be guessed; with a new one what is on its way may come twice, and nothing is lost.
        (None, true) => {
            tracing::warn!(path = %path_shown, "the id of this shipper is damaged; it goes on under a new one");
        }
        (None, false) => {}
    }
    let source = remembered.map_or_else(random_hex, Ok).map_err(at(&path))?;
    write_atomically(&path, format!("{source} {}\n", checksum(source.as_bytes(), 0)).as_bytes())?;
    Ok(source)
}

/// The id in the text of its file, if it is whole. The first releases wrote no checksum beside it; such an id must
/// not contradict the one that the checkpoint remembers.
fn source_of(text: &str, remembered: Option<&str>) -> Option<String> {
    let (source, known) = match text.trim_end().split_once(' ') {
        Some((source, xxh3)) => (source, xxh3 == checksum(source.as_bytes(), 0)),
        None => (text.trim_end(), remembered.is_none_or(|remembered| remembered == text.trim_end())),
    };
    (known && is_source(source)).then(|| source.to_owned())
}

fn is_source(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// 128 random bits in hexadecimal.
fn random_hex() -> io::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// The checksum of a slot: of its body and its serial; of an id with serial 0, which no slot has.
fn checksum(body: &[u8], serial: u64) -> String {
    format!("{:016x}", xxh3_64_with_seed(body, serial))
}

enum Slot {
    None,
    Damaged,
    Whole(u64, Body),
}

fn read_slot(path: &Path) -> Result<Slot, CheckpointError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Slot::None),
        Err(error) => return Err(at(path)(error)),
    };
    let Some(end) = bytes.iter().position(|b| *b == b'\n') else { return Ok(Slot::Damaged) };
    let Ok(preamble) = serde_json::from_slice::<Preamble>(&bytes[..end]) else { return Ok(Slot::Damaged) };
    let body = &bytes[end + 1..];
    if preamble.format != FORMAT || preamble.xxh3 != checksum(body, preamble.serial) {
        return Ok(Slot::Damaged);
    }
    if preamble.version > VERSION {
        return Err(CheckpointError::Newer { path: path.into(), found: preamble.version });
    }
    Ok(serde_json::from_slice(body).map_or(Slot::Damaged, |body| Slot::Whole(preamble.serial, body)))
}

/// Writes beside the place, syncs, renames, syncs the directory.
fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let temporary = path.with_extension("tmp");
    let write = || -> io::Result<()> {
        // What is left of a write that was interrupted goes first; a link that somebody planted is not followed.
        fs::remove_file(&temporary).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut file = File::create_new(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str, generation: u64) -> Entry {
        let key = FileKey { device: 1, inode: 2 };
        let path = "/var/log/a.log".into();
        Entry {
            key,
            file: file.into(),
            generation,
            path,
            told: None,
            mark: Mark::default(),
            before: None,
            is_copy: false,
            seen: 5,
        }
    }

    /// A directory with two checkpoints: generation 3 in the older, 4 in the newer. Returns the newer's path.
    fn two_checkpoints(dir: &Path) -> PathBuf {
        let (mut checkpoint, entries) = Checkpoint::open(dir).unwrap();
        assert!(entries.is_empty());
        checkpoint.save(vec![entry("f", 3)]).unwrap();
        checkpoint.save(vec![entry("f", 4)]).unwrap();
        slot_path(dir, 0)
    }

    #[test]
    fn the_last_saved_state_and_the_source_come_back() {
        let dir = tempfile::tempdir().unwrap();
        two_checkpoints(dir.path());
        let (first, entries) = Checkpoint::open(dir.path()).unwrap();
        assert_eq!(entries, [entry("f", 4)]);
        let source = first.source().to_string();
        drop(first);
        assert_eq!(Checkpoint::open(dir.path()).unwrap().0.source(), source);
    }

    #[test]
    fn a_checkpoint_cut_or_broken_anywhere_falls_back_to_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let newer = two_checkpoints(dir.path());
        let whole = fs::read(&newer).unwrap();
        let mut broken: Vec<Vec<u8>> = (0..whole.len()).map(|n| whole[..n].to_vec()).collect();
        broken.push(vec![0; whole.len()]);
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            broken.push(flipped);
        }
        for bytes in broken {
            fs::write(&newer, &bytes).unwrap();
            let (opened, entries) = Checkpoint::open(dir.path()).unwrap();
            assert!(opened.was_damaged);
            assert_eq!(entries, [entry("f", 3)]);
            assert!(opened.generation_after(3) > GENERATIONS_SKIPPED);
        }
    }

    #[test]
    fn an_id_broken_or_lost_comes_back_from_the_checkpoint() {
        let dir = tempfile::tempdir().unwrap();
        two_checkpoints(dir.path());
        let path = dir.path().join("source");
        let whole = fs::read_to_string(&path).unwrap();
        let source = Checkpoint::open(dir.path()).unwrap().0.source().to_owned();
        let other_digit = if whole.starts_with('0') { "1" } else { "0" };
        let flipped = format!("{other_digit}{}", &whole[1..]);
        for text in [&flipped, &flipped[..32], &whole[..32], &whole[..20], ""] {
            fs::write(&path, text).unwrap();
            assert_eq!(Checkpoint::open(dir.path()).unwrap().0.source(), source, "{text:?}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(Checkpoint::open(dir.path()).unwrap().0.source(), source);
        assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    }

    #[test]
    fn a_checkpoint_that_was_taken_away_is_missed() {
        let dir = tempfile::tempdir().unwrap();
        let newer = two_checkpoints(dir.path());
        let (mut checkpoint, _) = Checkpoint::open(dir.path()).unwrap();
        checkpoint.save(vec![entry("f", 5)]).unwrap();
        drop(checkpoint);
        fs::remove_file(slot_path(dir.path(), 1)).unwrap();
        let (opened, entries) = Checkpoint::open(dir.path()).unwrap();
        assert!(opened.was_damaged && newer.exists());
        assert_eq!(entries, [entry("f", 4)]);
        assert!(opened.generation_after(4) > GENERATIONS_SKIPPED);
    }

    #[test]
    fn a_second_shipper_and_a_newer_format_are_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let newer = two_checkpoints(dir.path());
        let held = Checkpoint::open(dir.path()).unwrap();
        let text = Checkpoint::open(dir.path()).unwrap_err().to_string();
        assert!(text.contains("another shipper"), "{text}");
        drop(held);
        let bytes = String::from_utf8(fs::read(&newer).unwrap()).unwrap();
        fs::write(&newer, bytes.replacen("\"version\":1", "\"version\":2", 1)).unwrap();
        assert!(matches!(Checkpoint::open(dir.path()), Err(CheckpointError::Newer { found: 2, .. })));
    }
}
