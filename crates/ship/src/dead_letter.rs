//! What the server refuses for good: set aside on disk with the reason, so that the rest flows.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs, io};

use types::Hold;

use crate::FileBatch;

/// Most bytes set aside. When they are used up the shipper stops at the next refused batch instead of dropping it:
/// so many refusals are a mistake in the set-up that needs attention.
const DEAD_LETTER_BYTES_MAX: u64 = 256 << 20;

/// What a file takes at least, so that many small ones count as well.
const FILE_BYTES_LEAST: u64 = 4 << 10;

/// The directory `dead-letter` of a state directory.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    dir: PathBuf,
    /// Bytes in it as far as known; it may have been emptied since.
    used: Mutex<Option<u64>>,
}

impl DeadLetters {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { dir: state_dir.join("dead-letter"), used: Mutex::new(None) }
    }

    /// Writes a refused batch, in the form in which it would be sent, and the reason beside it.
    pub(crate) fn set_aside(&self, batch: &FileBatch, reason: &str) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.dir)?;
        let mut used = self.used.hold();
        if used.is_none_or(|used| used >= DEAD_LETTER_BYTES_MAX) {
            *used = Some(self.bytes_used()?);
        }
        if used.is_some_and(|used| used >= DEAD_LETTER_BYTES_MAX) {
            let limit = DEAD_LETTER_BYTES_MAX >> 20;
            let text = format!("{}: {limit} MiB of refused batches; empty it to continue", self.dir.display());
            return Err(io::Error::other(text));
        }
        let header = &batch.header;
        let name = format!("{}-{}-{}", header.file, header.generation, header.start);
        let path = self.dir.join(format!("{name}.lines"));
        write_synced(&self.dir.join(format!("{name}.reason")), reason.as_bytes())?;
        let body = batch.encode();
        write_synced(&path, &body)?;
        *used = used.map(|used| used + FILE_BYTES_LEAST + FILE_BYTES_LEAST.max(body.len() as u64));
        fs::File::open(&self.dir)?.sync_all()?;
        Ok(path)
    }

    fn bytes_used(&self) -> io::Result<u64> {
        let mut sum = 0u64;
        for entry in fs::read_dir(&self.dir)? {
            sum = sum.saturating_add(entry?.metadata()?.len().max(FILE_BYTES_LEAST));
        }
        Ok(sum)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)?;
    fs::File::open(path)?.sync_all()
}
