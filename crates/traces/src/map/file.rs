//! Slices on disk: those of events in segments, so that a map after a restart reads no span that one before it has read.
//!
//! ```text
//! header   magic "CATATMAP", u32 format, 16 bytes UUID of the store, u64 XXH3 of the program's version,
//!          i64 time of the last request for a map, u64 XXH3 of the bytes before
//! record   u32 number of segments, u32 bytes of the slice, 32 bytes key, u64 XXH3 of the slice,
//!          16 bytes id of each segment, u64 XXH3 of the bytes before; the slice (codec)
//! ```
//! Numbers are little-endian. Nothing is synced and nothing relies on it: the file may be removed at any time, and what is missing, torn,
//! damaged or of another store, format or version of the program is a slice that is read from spans again.
//!
//! The key is that of the cache in memory: a record is found by a map over the very runs that it was read from, and by no other. Records
//! are appended. A record goes with the first of its segments that is in no snapshot any more, so that nothing of deleted events stays
//! here. To remove records, the others are written under another name, which is renamed. The first
//! change after a start does the same: a process never writes into a file that it has not made.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use types::{Hold, TimeRange, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::cache::{KEY_BYTES, SliceKey};
use super::codec;
use super::slices::Slice;

const MAGIC: &[u8] = b"CATATMAP";

/// Rises when the bytes of a slice change, or what is read into one.
const FORMAT: u32 = 1;

/// The header without the time of the last request and the hash.
const PREFIX_BYTES: usize = 36;
const HEADER_BYTES: usize = PREFIX_BYTES + 16;

/// Bytes of a record before the ids of its segments.
const HEAD_BYTES: usize = 16 + KEY_BYTES;

/// Limit on the bytes of the file: several maps of an hour of 5 million spans, each of 120 slices. A slice of 50 services and 150 edges
/// with calls in 50 bins takes 35 KB for them, and 14 bytes for each call whose other side is in another slice.
const BYTES_MAX: u64 = 64 << 20;

/// Limit on the number of records, which are listed in memory: a quiet store has small slices.
const RECORDS_MAX: usize = 1 << 16;

/// Limit on the segments of a record. A slice of more is one of days, whose segments are compacted soon.
const SEGMENTS_MAX: usize = 1 << 10;

/// How much later the time of the last request must be to be written again.
const ASKED_STEP_NS: u64 = Timestamp::HOUR.unsigned_abs();

/// The file of slices.
#[derive(Debug)]
pub(crate) struct SliceFile {
    path: PathBuf,
    prefix: Vec<u8>,
    bytes_max: u64,
    /// The time of the last request for a map, in nanoseconds since the epoch; 0 if none is known.
    asked: AtomicI64,
    /// What the file contains, once it is needed.
    records: OnceLock<Mutex<Records>>,
}

/// What the file contains.
#[derive(Debug, Default)]
struct Records {
    file: Option<Arc<File>>,
    /// Whether this process has made the file, and may append to it.
    is_own: bool,
    n_bytes: u64,
    by_key: HashMap<SliceKey, Record>,
    n_uses: u64,
    /// The time of the last request that is in the file.
    asked: i64,
    /// Whether the last change failed.
    is_failing: bool,
}

/// A record of the file.
#[derive(Debug)]
struct Record {
    segments: Vec<u128>,
    offset: u64,
    n_bytes: u64,
    slice: SliceBytes,
    /// The number of its last use.
    used: u64,
}

/// Where the bytes of a slice are, and their hash.
#[derive(Clone, Copy, Debug)]
struct SliceBytes {
    offset: u64,
    n_bytes: usize,
    hash: u64,
}

impl SliceFile {
    /// Returns the file of a store at a path, as a version of the program reads and writes it. It is opened when it is first used.
    pub(crate) fn new(path: PathBuf, store: [u8; 16], version: &str) -> Self {
        let version = xxh3_64(version.as_bytes());
        let prefix = [MAGIC, &FORMAT.to_le_bytes(), &store, &version.to_le_bytes()].concat();
        Self { path, prefix, bytes_max: BYTES_MAX, asked: AtomicI64::new(0), records: OnceLock::new() }
    }

    /// Returns the slice with a key.
    pub(crate) fn get(&self, key: &SliceKey) -> Option<Slice> {
        let (file, place) = self.find(key)?;
        let mut bytes = vec![0; place.n_bytes];
        let is_read = file.read_exact_at(&mut bytes, place.offset).is_ok() && xxh3_64(&bytes) == place.hash;
        let slice = if is_read { codec::decode(&bytes) } else { None };
        if slice.is_none() {
            let offset = place.offset;
            tracing::warn!(file = %self.path.display(), offset, "slice of a service map is damaged; it is read from spans again");
            self.retain(|other, _| other != key);
        }
        slice
    }

    /// Notes a use of a slice that was found in memory: otherwise those used most would be the first to go.
    pub(crate) fn note_use(&self, key: &SliceKey) {
        self.find(key);
    }

    fn find(&self, key: &SliceKey) -> Option<(Arc<File>, SliceBytes)> {
        let mut records = self.records();
        records.n_uses += 1;
        let used = records.n_uses;
        let file = records.file.clone()?;
        let record = records.by_key.get_mut(key)?;
        record.used = used;
        Some((file, record.slice))
    }

    /// Adds a slice that was read from some segments.
    pub(crate) fn put(&self, key: SliceKey, segments: Vec<u128>, slice: &Slice) {
        let bytes = codec::encode(slice);
        // One slice never drives most of the others out.
        if bytes.len() as u64 > self.bytes_max / 8 || segments.len() > SEGMENTS_MAX {
            return;
        }
        let head = head_of(&key, &segments, &bytes);
        let mut records = self.records();
        let written = self.append(&mut records, (key, segments), &head, &bytes);
        self.settle(&mut records, written);
    }

    /// Returns the segments of all slices, and a range that they lie in; `None` without slices.
    pub(crate) fn segments(&self) -> Option<(HashSet<u128>, TimeRange)> {
        let records = self.records();
        let from = records.by_key.keys().map(|key| key.range().from).min()?;
        let to = records.by_key.keys().map(|key| key.range().to).max()?;
        let segments = records.by_key.values().flat_map(|record| &record.segments).copied().collect();
        Some((segments, TimeRange { from, to }))
    }

    /// Removes the slices of segments that are gone.
    pub(crate) fn forget(&self, gone: &HashSet<u128>) {
        self.retain(|_, record| record.segments.iter().all(|segment| !gone.contains(segment)));
    }

    fn retain(&self, is_kept: impl Fn(&SliceKey, &Record) -> bool) {
        let mut records = self.records();
        let n_before = records.by_key.len();
        records.by_key.retain(|key, record| is_kept(key, record));
        if records.by_key.len() < n_before {
            let written = self.rewrite(&mut records);
            self.settle(&mut records, written);
        }
    }

    /// Notes a request for a map.
    pub(crate) fn note_asked(&self, now: Timestamp) {
        self.asked.store(now.0, Ordering::Relaxed);
    }

    /// Writes the time of the last request, unless the file has nearly the same.
    pub(crate) fn save_asked(&self) {
        let mut records = self.records();
        let asked = self.asked.load(Ordering::Relaxed);
        if asked.abs_diff(records.asked) < ASKED_STEP_NS {
            return;
        }
        let written = match records.file.clone().filter(|_| records.is_own) {
            Some(file) => file.write_all_at(&self.header(asked), 0).map(|()| records.asked = asked),
            None => self.rewrite(&mut records),
        };
        self.settle(&mut records, written);
    }

    /// Reports whether a map was requested since a time, also before a restart.
    pub(crate) fn was_asked_since(&self, since: Timestamp) -> bool {
        drop(self.records());
        let asked = self.asked.load(Ordering::Relaxed);
        asked > 0 && asked >= since.0
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        let records = self.records.get_or_init(|| Mutex::new(self.open()));
        records.hold()
    }

    fn temporary(&self) -> PathBuf {
        self.path.with_extension("tmp")
    }

    fn header(&self, asked: i64) -> Vec<u8> {
        let bytes = [&self.prefix[..], &asked.to_le_bytes()].concat();
        let hash = xxh3_64(&bytes).to_le_bytes();
        [&bytes[..], &hash].concat()
    }

    /// Returns what an earlier process has left.
    fn open(&self) -> Records {
        // One that was not renamed.
        let _ = fs::remove_file(self.temporary());
        match self.read() {
            Ok((mut records, is_whole)) => {
                // A request that came while it was read is later.
                let _ = self.asked.compare_exchange(0, records.asked, Ordering::Relaxed, Ordering::Relaxed);
                if !is_whole {
                    let written = self.rewrite(&mut records);
                    self.settle(&mut records, written);
                }
                records
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %self.path.display(), %error, "slices of service maps not used; they are read from spans again");
                    let _ = fs::remove_file(&self.path);
                }
                Records::default()
            }
        }
    }

    /// Returns what the file contains, and whether that is all of its bytes.
    fn read(&self) -> io::Result<(Records, bool)> {
        let metadata = fs::symlink_metadata(&self.path)?;
        let n_bytes = metadata.len();
        if !metadata.is_file() || n_bytes > self.bytes_max {
            return Err(io::Error::other(format!("it is not a file of at most {} bytes", self.bytes_max)));
        }
        let file = Arc::new(File::open(&self.path)?);
        let mut reader = BufReader::new(&*file);
        let mut header = [0; HEADER_BYTES];
        reader.read_exact(&mut header)?;
        let asked = header[PREFIX_BYTES..].first_chunk::<8>().map_or(0, |bytes| i64::from_le_bytes(*bytes));
        if header[..] != self.header(asked)[..] {
            return Err(io::Error::other("it is damaged, or of another store or version"));
        }
        let mut records =
            Records { file: Some(file.clone()), n_bytes: HEADER_BYTES as u64, asked, ..Records::default() };
        while records.n_bytes < n_bytes && records.by_key.len() < RECORDS_MAX {
            let Some((key, mut record)) = read_record(&mut reader, records.n_bytes, n_bytes) else {
                let offset = records.n_bytes;
                tracing::warn!(file = %self.path.display(), offset, "slices of service maps are damaged from here on; they are read from spans again");
                break;
            };
            records.n_uses += 1;
            records.n_bytes += record.n_bytes;
            record.used = records.n_uses;
            records.by_key.insert(key, record);
        }
        let is_whole = records.n_bytes == n_bytes;
        Ok((records, is_whole))
    }

    fn append(
        &self,
        records: &mut Records,
        (key, segments): (SliceKey, Vec<u128>),
        head: &[u8],
        slice: &[u8],
    ) -> io::Result<()> {
        let n_bytes = (head.len() + slice.len()) as u64;
        let is_full = records.n_bytes + n_bytes > self.bytes_max || records.by_key.len() >= RECORDS_MAX;
        if is_full || !records.is_own {
            self.rewrite(records)?;
        }
        let Some(file) = &records.file else { return Ok(()) };
        let offset = records.n_bytes;
        file.write_all_at(&[head, slice].concat(), offset)?;
        let place = SliceBytes { offset: offset + head.len() as u64, n_bytes: slice.len(), hash: xxh3_64(slice) };
        records.n_uses += 1;
        records.n_bytes += n_bytes;
        let record = Record { segments, offset, n_bytes, slice: place, used: records.n_uses };
        records.by_key.insert(key, record);
        Ok(())
    }

    /// Makes the file again, with a quarter of it free: without the least recently used records if there are too many.
    fn rewrite(&self, records: &mut Records) -> io::Result<()> {
        let mut left: Vec<(SliceKey, Record)> = records.by_key.drain().collect();
        left.sort_unstable_by_key(|(_, record)| Reverse(record.used));
        let mut n_bytes = HEADER_BYTES as u64;
        let fits = |(_, record): &&(SliceKey, Record)| {
            n_bytes += record.n_bytes;
            n_bytes <= self.bytes_max / 4 * 3
        };
        let n_left = left.iter().take(RECORDS_MAX / 4 * 3).take_while(fits).count();
        left.truncate(n_left);
        let (before, asked) = (records.file.take(), self.asked.load(Ordering::Relaxed));
        let file = storage::create_file(&self.temporary())?;
        let mut writer = BufWriter::new(&file);
        writer.write_all(&self.header(asked))?;
        let mut offset = HEADER_BYTES as u64;
        // In the order of their uses, which the next start takes from their places.
        for (key, mut record) in left.into_iter().rev() {
            let mut bytes = vec![0; record.n_bytes as usize];
            let is_read = before.as_ref().is_some_and(|file| file.read_exact_at(&mut bytes, record.offset).is_ok());
            if is_read {
                writer.write_all(&bytes)?;
                record.slice.offset = offset + (record.slice.offset - record.offset);
                record.offset = offset;
                offset += record.n_bytes;
                records.by_key.insert(key, record);
            }
        }
        writer.flush()?;
        drop(writer);
        fs::rename(self.temporary(), &self.path)?;
        (records.file, records.is_own, records.n_bytes, records.asked) = (Some(Arc::new(file)), true, offset, asked);
        Ok(())
    }

    /// Gives the file up if a change has failed, for example because the disk is full; the next change begins a new one.
    fn settle(&self, records: &mut Records, written: io::Result<()>) {
        let Err(error) = written else {
            records.is_failing = false;
            return;
        };
        if !records.is_failing {
            tracing::warn!(file = %self.path.display(), %error, "slices of service maps not saved; after a restart they are read from spans again");
        }
        let _ = (fs::remove_file(self.temporary()), fs::remove_file(&self.path));
        *records = Records { is_failing: true, ..Records::default() };
    }
}

/// Returns the bytes of a record before those of its slice.
fn head_of(key: &SliceKey, segments: &[u128], slice: &[u8]) -> Vec<u8> {
    // Both are within their limits.
    let (n_segments, n_bytes) = (segments.len() as u32, slice.len() as u32);
    let mut head =
        [&n_segments.to_le_bytes()[..], &n_bytes.to_le_bytes(), &key.to_bytes(), &xxh3_64(slice).to_le_bytes()]
            .concat();
    head.extend(segments.iter().flat_map(|segment| segment.to_le_bytes()));
    let hash = xxh3_64(&head);
    head.extend_from_slice(&hash.to_le_bytes());
    head
}

/// Reads the record at an offset, which ends before `end`, and passes over its slice.
fn read_record(reader: &mut BufReader<&File>, offset: u64, end: u64) -> Option<(SliceKey, Record)> {
    let mut head = vec![0; HEAD_BYTES];
    reader.read_exact(&mut head).ok()?;
    let n_segments = u32::from_le_bytes(*head.first_chunk::<4>()?) as usize;
    if n_segments > SEGMENTS_MAX {
        return None;
    }
    head.resize(HEAD_BYTES + n_segments * 16 + 8, 0);
    reader.read_exact(&mut head[HEAD_BYTES..]).ok()?;
    let (hashed, hash) = head.split_last_chunk::<8>()?;
    if xxh3_64(hashed) != u64::from_le_bytes(*hash) {
        return None;
    }
    let (n_bytes, rest) = hashed.get(4..)?.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_first_chunk::<KEY_BYTES>()?;
    let (slice_hash, segments) = rest.split_first_chunk::<8>()?;
    let n_bytes = u32::from_le_bytes(*n_bytes) as usize;
    let slice = SliceBytes { offset: offset + head.len() as u64, n_bytes, hash: u64::from_le_bytes(*slice_hash) };
    let segments = segments.as_chunks::<16>().0.iter().map(|segment| u128::from_le_bytes(*segment)).collect();
    let record = Record { segments, offset, n_bytes: (head.len() + n_bytes) as u64, slice, used: 0 };
    reader.seek_relative(n_bytes as i64).ok()?;
    (offset + record.n_bytes <= end).then_some((SliceKey::of_bytes(key)?, record))
}

#[cfg(test)]
mod tests;
