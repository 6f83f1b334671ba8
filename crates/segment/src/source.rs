//! The source of the bytes of a segment: a file in the data directory, or an object in the object store.
//!
//! A reader needs few ranges of a segment and requests each by offset and length. It never sees a descriptor, a
//! page or a request, so segments behave the same wherever they are stored.
//!
//! [`FilePool`] bounds how many local files are open at once: a descriptor is borrowed for one read and may be
//! closed after it, the file is opened again when it is next read. A file therefore has to keep its name while
//! a reader may ask for it: the owner of the files removes one only once no snapshot holds it.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use lru::LruCache;
use types::{Hold, ScanError};

/// The bytes of one segment.
pub trait Source: Send + Sync {
    /// Returns how many bytes there are.
    fn n_bytes(&self) -> u64;

    /// Reads `length` bytes from `offset` on; fewer are an error.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Reports whether [`prefetch`](Self::prefetch) pays.
    fn is_far(&self) -> bool {
        false
    }

    /// Announces the next reads, so that a remote source can fetch them in few large requests. Errors are reported when
    /// it is read.
    fn prefetch(&self, _ranges: &[Range<u64>]) {}

    /// Lets a remote source fetch what is going to be read soon, without waiting for it. It may do nothing.
    fn expect(&self, _ranges: &[Range<u64>]) {}

    /// Returns the error that reports `problem` at `offset` of the segment called `name`.
    fn scan_error(&self, name: &str, offset: u64, problem: String) -> ScanError {
        ScanError { file: name.to_owned(), offset, problem }
    }

    /// Says that the bytes of a range are wrong; `true` if they were a copy and another read may be right.
    fn distrust(&self, _range: Range<u64>) -> bool {
        false
    }
}

/// A bounded pool of open segment files.
#[derive(Debug)]
pub struct FilePool {
    // A thread that panicked here has at most missed to put in a file.
    files: Mutex<LruCache<u64, Arc<File>>>,
    next_number: AtomicU64,
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl FilePool {
    /// Returns a pool of at most `capacity_files` open files, and at least one.
    pub fn new(capacity_files: usize) -> Arc<Self> {
        let (next_number, reads, bytes) = Default::default();
        let capacity = NonZeroUsize::new(capacity_files).unwrap_or(NonZeroUsize::MIN);
        Arc::new(Self { files: Mutex::new(LruCache::sparse(capacity)), next_number, reads, bytes })
    }

    /// Opens the file at `path`, which keeps its name and its bytes.
    pub fn open(self: &Arc<Self>, path: &Path) -> io::Result<LocalFile> {
        let file = File::open(path)?;
        let n_bytes = file.metadata()?.len();
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        self.keep(number, Arc::new(file));
        Ok(LocalFile { pool: self.clone(), number, path: path.to_owned(), n_bytes })
    }

    /// Returns how many files are open now.
    pub fn n_open(&self) -> usize {
        self.files.hold().len()
    }

    /// Returns how many reads there were, and of how many bytes.
    pub fn reads(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    fn borrow(&self, number: u64) -> Option<Arc<File>> {
        self.files.hold().get(&number).cloned()
    }

    /// Keeps a file open, and closes the one that was not used for longest where there are too many.
    fn keep(&self, number: u64, file: Arc<File>) {
        self.files.hold().put(number, file);
    }
}

/// A file of the data directory.
#[derive(Debug)]
pub struct LocalFile {
    pool: Arc<FilePool>,
    number: u64,
    path: PathBuf,
    n_bytes: u64,
}

impl Source for LocalFile {
    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = match self.pool.borrow(self.number) {
            Some(file) => file,
            None => {
                let file = Arc::new(File::open(&self.path)?);
                self.pool.keep(self.number, file.clone());
                file
            }
        };
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, offset)?;
        self.pool.reads.fetch_add(1, Ordering::Relaxed);
        self.pool.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

/// A file that has lost its name and is read for one piece of work.
#[derive(Debug)]
pub struct NamelessFile {
    file: File,
    n_bytes: u64,
}

impl NamelessFile {
    /// Returns a new file whose `n_bytes` bytes `fill` writes; it loses the name `path` before anything is written.
    pub fn new(path: &Path, n_bytes: u64, fill: impl FnOnce(&File) -> io::Result<()>) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        std::fs::remove_file(path)?;
        fill(&file)?;
        Ok(Self { file, n_bytes })
    }
}

impl Source for NamelessFile {
    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        self.pool.files.hold().pop(&self.number);
    }
}

#[cfg(test)]
mod tests;
