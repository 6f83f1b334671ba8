//! Batch ids of the last 24 hours: what makes a batch stored once however often it is sent.
//!
//! In memory all of them, at most a million; on disk those of flushed batches, in one file per hour of
//! acceptance (`wal/<hour since the epoch, 16 hex digits>.ids`), the others in the WAL. A flush appends to the
//! files and syncs them before its catalog transaction, which records how far each is valid; what stands
//! behind that is overwritten by the next flush. Where the catalog was lost, they are valid as far as they are intact.
//!
//! Ages are measured with a clock that cannot be set ([`Age`]): while the wall clock is wrong, nothing is forgotten for
//! it.
//!
//! ```text
//! header, 40 bytes, little-endian       entry, 64 bytes
//!    0  8 bytes  magic "catatids"          0  16 bytes  id
//!    8  u32      format version, 1        16  16 bytes  digest of the body
//!   12  u32      0                        32  i64       time of acceptance, ns since the Unix epoch
//!   16  16 bytes UUID of the store        40  u64       sequence of the first event
//!   32  u64      xxh3 of those before     48  u64       events
//!                                         56  u64       xxh3 of those before, seeded with the entry's place
//! ```

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use types::{ScanError, Timestamp};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::{BatchKey, Clock};
use files::disk;

/// How long an id is remembered.
const REMEMBERED_NS: i64 = 24 * Timestamp::HOUR;

/// How far the wall clock may be from what is expected.
const SLACK_NS: i64 = 10 * Timestamp::MINUTE;

/// Most ids remembered; the oldest go first.
const IDS_MAX: usize = 1_000_000;

/// What damage to a file means.
const CONSEQUENCE: &str = "batches accepted in that hour may be stored again when they are sent again";

const MAGIC: [u8; 8] = *b"catatids";
pub(crate) const VERSION: u32 = 1;
const HEADER_BYTES: usize = 40;
const ENTRY_BYTES: usize = 64;

/// A batch that was accepted under an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownBatch {
    pub(crate) key: BatchKey,
    pub(crate) accepted: Timestamp,
    pub(crate) first_sequence: u64,
    pub(crate) n_events: u64,
}

/// The ids that are remembered.
#[derive(Debug, Default)]
pub(crate) struct BatchIds {
    known: HashMap<[u8; 16], KnownBatch, foldhash::fast::RandomState>,
    /// Ids with the time of acceptance, oldest first.
    by_age: VecDeque<([u8; 16], Timestamp)>,
}

impl BatchIds {
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Returns all that are remembered.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &KnownBatch> {
        self.known.values()
    }

    /// Returns the batch that was accepted under this id, where it is still remembered at `now`.
    pub(crate) fn get(&self, id: &[u8; 16], now: Timestamp) -> Option<&KnownBatch> {
        self.known.get(id).filter(|batch| is_remembered(batch.accepted, now))
    }

    /// Remembers a batch, and forgets those that are too old at `now` or too many.
    pub(crate) fn insert(&mut self, batch: KnownBatch, now: Timestamp) {
        self.known.insert(batch.key.id, batch);
        self.by_age.push_back((batch.key.id, batch.accepted));
        while let Some((id, accepted)) = self.by_age.front().copied() {
            if is_remembered(accepted, now) && self.known.len() <= IDS_MAX && self.by_age.len() <= 2 * IDS_MAX {
                break;
            }
            self.by_age.pop_front();
            // The id may have been accepted again since.
            if self.known.get(&id).is_some_and(|batch| batch.accepted == accepted) {
                self.known.remove(&id);
            }
        }
    }
}

/// Tells the time for ages: the wall clock, as long as it says about what it said at the start and the time that the
/// machine has been up since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    started: Timestamp,
    uptime: Duration,
}

impl Age {
    /// Creates an age from the time of the start, as far as that can be trusted.
    pub(crate) fn new(started: Timestamp, clock: &Clock) -> Self {
        Self { started, uptime: clock.uptime() }
    }

    pub(crate) fn now(&self, clock: &Clock) -> Timestamp {
        let passed = clock.uptime().saturating_sub(self.uptime).as_nanos();
        let expected = self.started.0.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        let plausible = expected.saturating_sub(SLACK_NS)..=expected.saturating_add(SLACK_NS);
        Timestamp(clock.now().0.clamp(*plausible.start(), *plausible.end()))
    }
}

fn is_remembered(accepted: Timestamp, now: Timestamp) -> bool {
    accepted.0.saturating_add(REMEMBERED_NS) > now.0
}

fn hour_of(instant: Timestamp) -> i64 {
    instant.0.div_euclid(Timestamp::HOUR)
}

fn path_of(dir: &Path, hour: i64) -> PathBuf {
    dir.join(format!("{hour:016x}.ids"))
}

fn header(store: &[u8; 16]) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..32].copy_from_slice(store);
    let hash = xxh3_64(&bytes[..32]);
    bytes[32..].copy_from_slice(&hash.to_le_bytes());
    bytes
}

/// Returns the version in an intact header.
pub(crate) fn version_of(bytes: &[u8]) -> Option<u64> {
    let header = bytes.first_chunk::<HEADER_BYTES>().filter(|header| header.starts_with(&MAGIC))?;
    let is_intact = xxh3_64(&header[..32]).to_le_bytes() == header[32..];
    is_intact.then(|| u32::from_le_bytes([header[8], header[9], header[10], header[11]]).into())
}

impl KnownBatch {
    fn encode(&self, place: u64) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..16].copy_from_slice(&self.key.id);
        bytes[16..32].copy_from_slice(&self.key.digest);
        bytes[32..40].copy_from_slice(&self.accepted.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first_sequence.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.n_events.to_le_bytes());
        let hash = xxh3_64_with_seed(&bytes[..56], place);
        bytes[56..].copy_from_slice(&hash.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; ENTRY_BYTES], place: u64) -> Option<Self> {
        let u64_at = |at: usize| bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if xxh3_64_with_seed(&bytes[..56], place) != u64_at(56) {
            return None;
        }
        let key = BatchKey { id: *bytes.first_chunk()?, digest: *bytes[16..].first_chunk()? };
        let accepted = Timestamp(u64_at(32) as i64);
        Some(Self { key, accepted, first_sequence: u64_at(40), n_events: u64_at(48) })
    }
}

/// How far each file is valid, in entries: hour → entries. The catalog keeps it.
pub(crate) type ValidEntries = BTreeMap<i64, u64>;

/// Appends the ids of flushed batches to their files and syncs them. Returns how far the files are valid once
/// the flush is in the catalog; files that no one remembers any more at `now` are not in it.
pub(crate) fn write(
    dir: &Path,
    store: &[u8; 16],
    valid: &ValidEntries,
    batches: &[KnownBatch],
    now: Timestamp,
) -> io::Result<ValidEntries> {
    let mut by_hour: BTreeMap<i64, Vec<&KnownBatch>> = BTreeMap::new();
    for batch in batches.iter().filter(|batch| is_remembered(batch.accepted, now)) {
        by_hour.entry(hour_of(batch.accepted)).or_default().push(batch);
    }
    let mut valid: ValidEntries = valid.clone();
    let oldest_hour = hour_of(Timestamp(now.0.saturating_sub(REMEMBERED_NS)));
    valid.retain(|hour, _| *hour >= oldest_hour);
    for (hour, batches) in &by_hour {
        let n_valid = valid.entry(*hour).or_default();
        let mut bytes = Vec::with_capacity(batches.len() * ENTRY_BYTES);
        for (place, batch) in (*n_valid..).zip(batches) {
            bytes.extend_from_slice(&batch.encode(place));
        }
        let file = disk::writing().create(true).truncate(false).open(path_of(dir, *hour))?;
        file.write_all_at(&header(store), 0)?;
        file.write_all_at(&bytes, HEADER_BYTES as u64 + *n_valid * ENTRY_BYTES as u64)?;
        file.sync_all()?;
        *n_valid += batches.len() as u64;
    }
    if !by_hour.is_empty() {
        disk::sync_directory(dir)?;
    }
    Ok(valid)
}

/// Returns the intact length of the files in `dir`, for a catalog that was lost.
pub(crate) fn intact(dir: &Path, store: &[u8; 16]) -> io::Result<ValidEntries> {
    let mut valid = ValidEntries::new();
    for (hour, path) in files(dir)? {
        let bytes = std::fs::read(path)?;
        if bytes.get(..HEADER_BYTES) != Some(&header(store)) {
            continue;
        }
        let (entries, _) = bytes[HEADER_BYTES..].as_chunks::<ENTRY_BYTES>();
        let is_intact =
            |(place, entry): &(usize, &[u8; ENTRY_BYTES])| KnownBatch::decode(entry, *place as u64).is_some();
        let n_intact = entries.iter().enumerate().take_while(is_intact).count() as u64;
        valid.insert(hour, n_intact);
    }
    Ok(valid)
}

/// Removes files that are in no catalog.
pub(crate) fn remove_others(dir: &Path, valid: &ValidEntries) -> io::Result<()> {
    let mut others = files(dir)?.into_iter().filter(|(hour, _)| !valid.contains_key(hour));
    others.try_for_each(|(_, path)| std::fs::remove_file(path))
}

/// Returns the files in `dir` with their hours; those before 1970 are written in two's complement.
fn files(dir: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".ids"));
        files.extend(stem.and_then(|stem| u64::from_str_radix(stem, 16).ok()).map(|hour| (hour as i64, entry.path())));
    }
    Ok(files)
}

/// Reads the files back as far as they are valid. Damaged entries are left out and named.
pub(crate) fn read(dir: &Path, store: &[u8; 16], valid: &ValidEntries, now: Timestamp) -> (BatchIds, Vec<ScanError>) {
    let mut ids = BatchIds::default();
    let mut damaged = Vec::new();
    for (hour, n_valid) in valid {
        let path = path_of(dir, *hour);
        let name = format!("wal/{hour:016x}.ids");
        let mut report = |offset: usize, problem: String| {
            damaged.push(ScanError { file: name.clone(), offset: offset as u64, problem });
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                report(0, format!("{error}; {CONSEQUENCE}"));
                continue;
            }
        };
        if bytes.get(..HEADER_BYTES) != Some(&header(store)) {
            report(0, format!("the file header is damaged; {CONSEQUENCE}"));
        }
        let (entries, _) = bytes.get(HEADER_BYTES..).unwrap_or_default().as_chunks::<ENTRY_BYTES>();
        let n_valid = usize::try_from(*n_valid).unwrap_or(usize::MAX);
        let mut batches = Vec::new();
        for (place, entry) in entries.iter().take(n_valid).enumerate() {
            match KnownBatch::decode(entry, place as u64) {
                Some(batch) => batches.push(batch),
                None => report(HEADER_BYTES + place * ENTRY_BYTES, format!("a batch id is damaged; {CONSEQUENCE}")),
            }
        }
        if entries.len() < n_valid {
            report(bytes.len(), format!("{} batch ids are missing; {CONSEQUENCE}", n_valid - entries.len()));
        }
        batches.sort_by_key(|batch| batch.accepted);
        batches.into_iter().for_each(|batch| ids.insert(batch, now));
    }
    (ids, damaged)
}

#[cfg(test)]
mod tests;
