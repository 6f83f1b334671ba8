//! Copies of pieces of remote segments, so that a query does not ask the object store twice for the same bytes.
//!
//! ```text
//! cache/pages/<segment id, 32 hex>-<page, 6 hex>.piece    pages of 1 MiB, the last one of a segment shorter
//! cache/ends/<segment id, 32 hex>.piece                   the footer and the trailer, for the next start
//!
//! piece    64-byte header: magic "CATATPCE", u16 version 1, 2 bytes 0, u32 length, 16 bytes store UUID, 16 bytes
//!          segment id, u64 offset in the segment, u64 XXH3 of the 56 bytes before and the bytes that follow
//!          the bytes
//! ```
//! Pages never take more than the bound, headers included; those used least recently go first. Ends are one small
//! file for each remote segment and are not counted: without them a start would have to ask for each. Nothing here
//! is synced and nothing relies on it: a piece that is missing, torn, damaged or cannot be written is a miss. A page
//! is checked as a whole when it is first used after a start; what is read of it afterwards is checked as the part
//! of a segment that it is. Copies give way to everything else on the disk: none is made below the reserve, and
//! pages go when it is reached.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use lru::LruCache;
use types::{Hold, ensure};
use xxhash_rust::xxh3::Xxh3Default;

use crate::disk;

const MAGIC: [u8; 8] = *b"CATATPCE";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 64;

/// Bytes of a page. A request costs tens of milliseconds however little it asks for, and a megabyte about as much
/// again; sections of neighbouring blocks of a column lie within it.
pub const PAGE_BYTES: u64 = 1 << 20;

/// Longest end of a segment that is believed.
const END_BYTES_MAX: usize = 256 << 20;

/// Where a page is: segment and number.
pub type PageKey = (u128, u64);

/// The pieces that are at hand.
pub struct ReadCache {
    dir: PathBuf,
    store: [u8; 16],
    capacity_bytes: u64,
    reserve_bytes: u64,
    // A thread that panicked here has at most left the sum too large, which only removes pages early.
    pages: Mutex<Pages>,
    hits: AtomicU64,
    misses: AtomicU64,
    /// Numbers files that are being written.
    next_write: AtomicU64,
}

#[derive(Debug)]
struct Pages {
    known: LruCache<PageKey, Page>,
    n_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Page {
    /// Bytes of its file.
    n_bytes: u64,
    /// Whether it was checked since the start.
    is_checked: bool,
}

/// How much the cache holds, and how often it helped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// Bytes of the cached pages.
    pub n_bytes: u64,
    /// Reads of pages that were cached.
    pub hits: u64,
    /// Reads of pages that were not cached.
    pub misses: u64,
}

impl ReadCache {
    /// Returns the cache of the store `store` in `dir`, with what an earlier process left in it. No copy is made where it
    /// would leave less than `reserve_bytes` free on the disk.
    pub fn open(dir: &Path, store: [u8; 16], capacity_bytes: u64, reserve_bytes: u64) -> Self {
        let (hits, misses, next_write) = Default::default();
        let pages = Mutex::new(Pages { known: LruCache::unbounded(), n_bytes: 0 });
        let dir = dir.to_owned();
        let cache = Self { dir, store, capacity_bytes, reserve_bytes, pages, hits, misses, next_write };
        for part in ["pages", "ends"] {
            if let Err(error) = disk::create_directory(&cache.dir.join(part)) {
                tracing::warn!(%error, "no disk space for a read cache; remote segments are fetched each time");
            }
        }
        cache.take_stock();
        cache
    }

    /// Finds the pages of an earlier process, oldest first, and removes what is no page.
    fn take_stock(&self) {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.dir.join("pages")).into_iter().flatten().flatten() {
            let key = entry.file_name().to_str().and_then(key_of);
            match (key, entry.metadata()) {
                (Some(key), Ok(metadata)) if metadata.is_file() => {
                    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
                    found.push((modified, key, metadata.len()));
                }
                // Cut off while it was written, or put there from outside.
                _ => remove(&entry.path()),
            }
        }
        found.sort_unstable();
        let mut pages = self.pages.hold();
        for (_, key, n_bytes) in found {
            pages.insert(key, n_bytes, false);
        }
        let gone = pages.shrink_to(self.capacity_bytes);
        drop(pages);
        self.remove_pages(&gone);
    }

    /// Returns how much it holds, and how often it helped.
    pub fn used(&self) -> CacheUse {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheUse { n_bytes: self.pages.hold().n_bytes, hits: get(&self.hits), misses: get(&self.misses) }
    }

    /// Reports whether a page is at hand.
    pub fn has(&self, key: PageKey) -> bool {
        self.pages.hold().known.contains(&key)
    }

    /// Reads a range within a page, if it is at hand.
    pub fn read(&self, key: PageKey, range: Range<usize>) -> Option<Vec<u8>> {
        let read = self.read_page(key, range);
        let counter = if read.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        read
    }

    fn read_page(&self, key: PageKey, range: Range<usize>) -> Option<Vec<u8>> {
        let is_checked = self.pages.hold().known.get(&key)?.is_checked;
        let read = File::open(self.page_path(key)).and_then(|file| {
            if is_checked {
                let mut bytes = vec![0; range.len()];
                file.read_exact_at(&mut bytes, (HEADER_BYTES + range.start) as u64)?;
                return Ok(bytes);
            }
            let (offset, bytes) = self.read_piece(&file, key.0, PAGE_BYTES as usize)?;
            let part = bytes.get(range.clone()).filter(|_| offset == key.1 * PAGE_BYTES);
            Ok(part.ok_or(io::ErrorKind::InvalidData)?.to_vec())
        });
        match read {
            Ok(bytes) => {
                if !is_checked && let Some(page) = self.pages.hold().known.peek_mut(&key) {
                    page.is_checked = true;
                }
                Some(bytes)
            }
            Err(_) => {
                self.forget(key);
                None
            }
        }
    }

    /// Keeps a page, if there is room. What cannot be written is asked for again.
    pub fn keep(&self, key: PageKey, bytes: &[u8]) {
        let n_bytes = (HEADER_BYTES + bytes.len()) as u64;
        if n_bytes > self.capacity_bytes {
            return;
        }
        let free = disk::free_bytes(&self.dir).unwrap_or(0);
        let mut pages = self.pages.hold();
        if pages.known.contains(&key) {
            return;
        }
        let is_crowded = free < self.reserve_bytes.saturating_add(n_bytes);
        // Room is made before it is used; where the disk is short of it, for others.
        let room = if is_crowded { pages.n_bytes.min(self.capacity_bytes) } else { self.capacity_bytes };
        let gone = pages.shrink_to(room.saturating_sub(n_bytes));
        if !is_crowded {
            pages.n_bytes += n_bytes;
        }
        drop(pages);
        self.remove_pages(&gone);
        if is_crowded {
            return;
        }
        let written = self.write_piece(&self.page_path(key), key.0, key.1 * PAGE_BYTES, bytes);
        let mut pages = self.pages.hold();
        pages.n_bytes = pages.n_bytes.saturating_sub(n_bytes);
        match written {
            Ok(()) => pages.insert(key, n_bytes, true),
            Err(error) => tracing::debug!(%error, "a page is not kept"),
        }
    }

    /// Removes a page.
    pub fn forget(&self, key: PageKey) {
        self.pages.hold().remove(key);
        remove(&self.page_path(key));
    }

    /// Removes everything of a segment.
    pub fn forget_segment(&self, segment: u128) {
        let mut pages = self.pages.hold();
        let gone: Vec<PageKey> = pages.known.iter().map(|(key, _)| *key).filter(|key| key.0 == segment).collect();
        gone.iter().for_each(|key| pages.remove(*key));
        drop(pages);
        self.remove_pages(&gone);
        remove(&self.end_path(segment));
    }

    /// Returns the end of a segment from some offset on, if it is at hand.
    pub fn end(&self, segment: u128) -> Option<(u64, Vec<u8>)> {
        let file = File::open(self.end_path(segment)).ok()?;
        let read = self.read_piece(&file, segment, END_BYTES_MAX);
        if read.is_err() {
            remove(&self.end_path(segment));
        }
        read.ok()
    }

    /// Keeps the end of a segment from `offset` on.
    pub fn keep_end(&self, segment: u128, offset: u64, bytes: &[u8]) {
        if let Err(error) = self.write_piece(&self.end_path(segment), segment, offset, bytes) {
            tracing::debug!(%error, "the end of a segment is not kept; the next start asks for it");
        }
    }

    /// Removes the ends of segments that are not among `remote`.
    pub fn keep_ends_of(&self, remote: &dyn Fn(u128) -> bool) {
        for entry in fs::read_dir(self.dir.join("ends")).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".piece"));
            let id = id.and_then(|id| u128::from_str_radix(id, 16).ok());
            if !id.is_some_and(remote) {
                remove(&entry.path());
            }
        }
    }

    /// Returns a path for a file that is not to outlive the process.
    pub fn unfinished_path(&self) -> PathBuf {
        let number = self.next_write.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("pages/{number}.tmp"))
    }

    fn page_path(&self, key: PageKey) -> PathBuf {
        self.dir.join(format!("pages/{:032x}-{:06x}.piece", key.0, key.1))
    }

    fn end_path(&self, segment: u128) -> PathBuf {
        self.dir.join(format!("ends/{segment:032x}.piece"))
    }

    fn remove_pages(&self, keys: &[PageKey]) {
        keys.iter().for_each(|key| remove(&self.page_path(*key)));
    }

    fn write_piece(&self, path: &Path, segment: u128, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&[0; 2]);
        header.extend_from_slice(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes());
        header.extend_from_slice(&self.store);
        header.extend_from_slice(&segment.to_le_bytes());
        header.extend_from_slice(&offset.to_le_bytes());
        let checksum = checksum(&header, bytes);
        header.extend_from_slice(&checksum.to_le_bytes());
        let number = self.next_write.fetch_add(1, Ordering::Relaxed);
        let unpublished = path.with_extension(format!("{number}.tmp"));
        let written = disk::create_file(&unpublished).and_then(|mut file| {
            file.write_all(&header)?;
            file.write_all(bytes)
        });
        let renamed = written.and_then(|()| fs::rename(&unpublished, path));
        if renamed.is_err() {
            remove(&unpublished);
        }
        renamed
    }

    /// Reads a whole piece of a segment and checks it; returns its offset in the segment and its bytes.
    fn read_piece(&self, file: &File, segment: u128, length_max: usize) -> io::Result<(u64, Vec<u8>)> {
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0)?;
        let (content, stored_checksum) = header.split_at(HEADER_BYTES - 8);
        let length = u32::from_le_bytes([header[12], header[13], header[14], header[15]]) as usize;
        let is_ours = header[..8] == MAGIC
            && header[8..10] == VERSION.to_le_bytes()
            && header[16..32] == self.store
            && header[32..48] == segment.to_le_bytes();
        if !is_ours || length > length_max || file.metadata()?.len() != (HEADER_BYTES + length) as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, HEADER_BYTES as u64)?;
        ensure!(checksum(content, &bytes).to_le_bytes() == stored_checksum, io::ErrorKind::InvalidData.into());
        let mut offset = [0; 8];
        offset.copy_from_slice(&header[48..56]);
        Ok((u64::from_le_bytes(offset), bytes))
    }
}

impl Pages {
    fn insert(&mut self, key: PageKey, n_bytes: u64, is_checked: bool) {
        self.remove(key);
        self.n_bytes += n_bytes;
        self.known.put(key, Page { n_bytes, is_checked });
    }

    fn remove(&mut self, key: PageKey) {
        let removed = self.known.pop(&key);
        self.n_bytes = self.n_bytes.saturating_sub(removed.map_or(0, |page| page.n_bytes));
    }

    /// Takes out the pages used least recently until no more than so many bytes are left.
    fn shrink_to(&mut self, n_bytes: u64) -> Vec<PageKey> {
        let mut gone = Vec::new();
        while self.n_bytes > n_bytes
            && let Some((key, page)) = self.known.pop_lru()
        {
            self.n_bytes = self.n_bytes.saturating_sub(page.n_bytes);
            gone.push(key);
        }
        gone
    }
}

fn checksum(header: &[u8], bytes: &[u8]) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(header);
    hash.update(bytes);
    hash.digest()
}

fn key_of(name: &str) -> Option<PageKey> {
    let (id, page) = name.strip_suffix(".piece")?.split_once('-')?;
    Some((u128::from_str_radix(id, 16).ok()?, u64::from_str_radix(page, 16).ok()?))
}

/// Removes a copy. One that stays is found by the next start.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(test)]
mod tests;
