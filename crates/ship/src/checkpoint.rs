//! The state directory: which files are known under which name, and how far each was acknowledged.
//!
//! ```text
//! LOCK           one shipper at a time
//! source         the random id of this directory, made once, and its xxh3, both in hexadecimal
//! checkpoint-0   two slots, begun in turn: everything that is remembered, and behind it what changed since
//! checkpoint-1   (`slot`)
//! dead-letter/   batches that the server refused
//! ```
//!
//! Saving appends what changed to the newer slot and syncs it; an acknowledgement costs a page, however many files there
//! are. A slot that has grown to twice what it began with is left as it is and the other one begun, next to its place,
//! synced and renamed, so that one whole checkpoint is there at any moment. Where the newer one is damaged, what can be
//! read of it counts on top of the older one: what was acknowledged in between is sent again, and the server,
//! which knows positions, stores it once. What is never done is to skip: after such a fall-back new generations
//! are numbered far above all known ones, as what is lost may have used the next few.
//!
//! A checkpoint names the source too: under another id the server would take everything for new.

mod disk;
mod entry;
mod slot;

pub use self::entry::CheckpointError;
pub(crate) use self::entry::{Entry, PackedContent, PastGeneration, is_zero};

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::{self};
use std::path::{Path, PathBuf};

use types::Timestamp;

use self::slot::{Line, Slot, SlotFile};
use crate::checkpoint::disk::{at, checksum, write_atomically};
use crate::checkpoint::entry::SEEN_EXACT_NS;
use crate::identity::FileKey;

/// How far above known generations new ones start after a damaged checkpoint: more than a file can have had
/// between two checkpoints, which are about a second apart.
const GENERATIONS_SKIPPED: u64 = 1 << 20;

/// Most entries kept; of more, those not seen for longest go.
const ENTRIES_MAX: usize = 200_000;

/// Bytes of changes that a slot takes however little it began with.
const CHANGES_BYTES_LEAST: u64 = 64 << 10;

/// A slot of so many bytes is not worth being made smaller.
const SMALL_BYTES: u64 = 256 << 10;

/// How often a checkpoint is read again that is being written by another process while it is only looked at.
const LOOKS_MAX: usize = 3;

/// What the slots say.
#[derive(Debug, Default)]
struct SlotContents {
    /// Absent in checkpoints of the first releases.
    source: Option<String>,
    pub(crate) generation_least: u64,
    entries: BTreeMap<FileKey, Entry>,
}

impl SlotContents {
    fn take(&mut self, line: Line<Entry>) {
        match line {
            Line::Head { source, generation_least } => {
                self.source = source.or(self.source.take());
                self.generation_least = generation_least.max(self.generation_least);
            }
            Line::Entry(entry) => _ = self.entries.insert(entry.key, entry),
            Line::Gone(key) => _ = self.entries.remove(&key),
            Line::End => {}
        }
    }
}

/// An open state directory.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    dir: PathBuf,
    /// Nothing where it is only looked at.
    lock: Option<File>,
    /// The random id of this state directory.
    pub(crate) source: String,
    /// The next slot has the one after: the place of a damaged one, else of the older.
    serial: u64,
    pub(crate) generation_least: u64,
    /// Whether a damaged checkpoint was found.
    pub(crate) was_damaged: bool,
    /// Whether nothing was remembered: it is a new directory, or an old one that was lost.
    pub(crate) is_new: bool,
    /// Whole slots on disk. As long as there is one alone, saving begins the other.
    n_whole: usize,
    /// The slot that takes changes; none after an error, as no one knows then what it holds.
    slot: Option<SlotFile>,
    /// Fingerprints of the entries that it holds.
    saved: HashMap<FileKey, u64>,
}

impl Checkpoint {
    /// Opens or makes the state directory `dir` and reads what is remembered.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Vec<Entry>), CheckpointError> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        let lock = lock(dir)?;
        let (mut opened, remembered) = Self::read(dir)?;
        if opened.was_damaged {
            let path = dir.display();
            tracing::warn!(%path, "checkpoint is damaged; the last whole one is used, some bytes are sent again");
        }
        opened.source = read_or_make_source(dir, remembered.source)?;
        opened.lock = Some(lock);
        Ok((opened, remembered.entries.into_values().collect()))
    }

    /// Reads what is remembered in `dir`, also while a shipper uses it, and changes nothing there: saving is left out.
    pub(crate) fn look_at(dir: &Path) -> Result<(Self, Vec<Entry>), CheckpointError> {
        let mut looked = Self::read(dir)?;
        for _ in 1..LOOKS_MAX {
            if !looked.0.was_damaged {
                break;
            }
            looked = Self::read(dir)?;
        }
        let (opened, remembered) = looked;
        Ok((opened, remembered.entries.into_values().collect()))
    }

    fn read(dir: &Path) -> Result<(Self, SlotContents), CheckpointError> {
        let mut slots: Vec<Slot> = Vec::new();
        for slot in 0..2 {
            slots.extend(slot::read(&slot_path(dir, slot))?);
        }
        slots.sort_by_key(|slot| slot.serial);
        let slots_n = slots.len();
        let n_whole = slots.iter().filter(|slot| slot.is_whole).count();
        let serial = slots.last().map_or(0, |newest| newest.serial + u64::from(!newest.is_whole));
        // From the second one on there are always two, so one of them was taken away: perhaps the newer.
        let was_damaged = n_whole < slots.len() || (n_whole == 1 && serial > 1);
        // A whole one is complete; a damaged one is applied on top of the one before.
        if slots.last().is_some_and(|newest| newest.is_whole) {
            slots.drain(..slots.len() - 1);
        }
        let mut remembered = SlotContents::default();
        slots.into_iter().flat_map(|slot| slot.lines).for_each(|line| remembered.take(line));
        let mut generation_least = remembered.generation_least;
        if was_damaged {
            let known = remembered.entries.values().map(|entry| entry.generation).max().unwrap_or(0);
            generation_least = known.max(generation_least).saturating_add(GENERATIONS_SKIPPED);
        }
        let opened = Self {
            dir: dir.into(),
            lock: None,
            source: String::new(),
            serial,
            generation_least,
            was_damaged,
            is_new: slots_n == 0,
            n_whole,
            slot: None,
            saved: HashMap::new(),
        };
        Ok((opened, remembered))
    }

    /// Reports whether the directory is open for this process to write to, and not only looked at.
    pub(crate) fn is_ours(&self) -> bool {
        self.lock.is_some()
    }

    /// Returns the generation that follows `generation`.
    pub(crate) fn generation_after(&self, generation: u64) -> u64 {
        generation.saturating_add(1).max(self.generation_least)
    }

    /// Reports whether entries seen at both times say the same of it on disk.
    pub(crate) fn is_seen_alike(one: Timestamp, other: Timestamp) -> bool {
        one.0.div_euclid(SEEN_EXACT_NS) == other.0.div_euclid(SEEN_EXACT_NS)
    }

    /// Makes `entries` what is remembered. Durable when it returns.
    pub(crate) fn save<'e>(&mut self, entries: impl Iterator<Item = &'e Entry> + Clone) -> Result<(), CheckpointError> {
        if self.lock.is_none() {
            return Ok(());
        }
        let Some(mut slot) = self.slot.take().filter(|_| self.n_whole > 1) else { return self.begin(entries) };
        let changes = self.changes(entries.clone());
        // A day after many files went, little is left of what it began with.
        let has_shrunk = slot.begun_bytes > SMALL_BYTES && 2 * entries.clone().count() < slot.n_begun;
        if has_shrunk || !slot.append(changes.values(), bytes_max(slot.begun_bytes)).map_err(at(&slot.path))? {
            return self.begin(entries);
        }
        for (key, line) in changes {
            match line {
                Line::Entry(entry) => _ = self.saved.insert(key, entry.fingerprint()),
                _ => _ = self.saved.remove(&key),
            }
        }
        self.slot = Some(slot);
        Ok(())
    }

    /// Returns how `entries` differ from the slot.
    fn changes<'e>(&self, entries: impl Iterator<Item = &'e Entry> + Clone) -> BTreeMap<FileKey, Line<&'e Entry>> {
        let (mut changes, mut n_known) = (BTreeMap::new(), 0);
        for entry in entries.clone() {
            let known = self.saved.get(&entry.key);
            n_known += usize::from(known.is_some());
            if known != Some(&entry.fingerprint()) {
                changes.insert(entry.key, Line::Entry(entry));
            }
        }
        if n_known < self.saved.len() {
            let there: HashSet<FileKey> = entries.map(|entry| entry.key).collect();
            let gone = self.saved.keys().filter(|key| !there.contains(key));
            changes.extend(gone.map(|key| (*key, Line::Gone(*key))));
        }
        changes
    }

    /// Begins the other slot with everything that is remembered.
    fn begin<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) -> Result<(), CheckpointError> {
        let mut entries: Vec<&Entry> = entries.collect();
        if entries.len() > ENTRIES_MAX {
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.seen));
            entries.truncate(ENTRIES_MAX);
        }
        let begun_bytes = self.begin_next(&entries)?;
        let other = fs::metadata(slot_path(&self.dir, (self.serial + 1) % 2)).map_or(0, |metadata| metadata.len());
        if other > SMALL_BYTES.max(2 * bytes_max(begun_bytes)) {
            self.begin_next(&entries)?;
        }
        self.saved = entries.iter().map(|entry| (entry.key, entry.fingerprint())).collect();
        Ok(())
    }

    /// Begins the next slot and returns how many bytes it has.
    fn begin_next(&mut self, entries: &[&Entry]) -> Result<u64, CheckpointError> {
        let serial = self.serial + 1;
        let head = Line::Head { source: Some(self.source.clone()), generation_least: self.generation_least };
        let lines = std::iter::once(head).chain(entries.iter().map(|entry| Line::Entry(*entry)));
        // Serials alternate between the slots.
        let path = slot_path(&self.dir, serial % 2);
        let slot = SlotFile::begin(path.clone(), serial, lines).map_err(at(&path))?;
        let begun_bytes = slot.begun_bytes;
        (self.slot, self.serial) = (Some(slot), serial);
        self.n_whole += 1;
        Ok(begun_bytes)
    }
}

/// Returns the most bytes of a slot that began with so many.
fn bytes_max(begun_bytes: u64) -> u64 {
    CHANGES_BYTES_LEAST + 2 * begun_bytes
}

/// Refuses a state directory that a later version wrote. Nothing is changed.
///
/// # Errors
/// The file, its format and the one known.
pub fn check_state(dir: &Path) -> Result<(), String> {
    for slot in 0..2 {
        if let Err(error @ CheckpointError::Newer { .. }) = slot::read(&slot_path(dir, slot)) {
            return Err(error.to_string());
        }
    }
    Ok(())
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

/// Returns the id of this directory: that of its file, else the one that the checkpoint remembers, else a new one.
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
            tracing::warn!(path = %path_shown, "the file with the id of this shipper is missing; restored from the checkpoint")
        }
        // It cannot be guessed; with a new one what is on its way may come twice, and nothing is lost.
        (None, true) => {
            tracing::warn!(path = %path_shown, "the id of this shipper is damaged; continuing with a new one");
        }
        (None, false) => {}
    }
    let source = remembered.map_or_else(random_hex, Ok).map_err(at(&path))?;
    write_atomically(&path, format!("{source} {}\n", checksum(source.as_bytes(), 0)).as_bytes()).map_err(at(&path))?;
    Ok(source)
}

/// Returns the id in the text of its file, if it is whole. The first releases wrote no checksum beside it; such an id must
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

/// Returns 128 random bits in hexadecimal.
fn random_hex() -> io::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests;
