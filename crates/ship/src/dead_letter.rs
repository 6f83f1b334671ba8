//! Batches that the server refuses for good: set aside on disk with the reason, so that the rest flows.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::FileBatch;

/// Most bytes set aside. When they are used up the shipper stops at the next refused batch instead of dropping it:
/// so many refusals are a mistake in the set-up that somebody must look at.
const DEAD_LETTER_BYTES_MAX: u64 = 256 << 20;

/// The directory `dead-letter` of a state directory.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    dir: PathBuf,
}

impl DeadLetters {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { dir: state_dir.join("dead-letter") }
    }

    /// Writes a refused batch, in the form in which it would be sent, and the reason beside it.
    pub(crate) fn set_aside(&self, batch: &FileBatch, reason: &str) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.dir)?;
        if self.bytes_used()? >= DEAD_LETTER_BYTES_MAX {
            let limit = DEAD_LETTER_BYTES_MAX >> 20;
            let text = format!("{}: {limit} MiB of refused batches; empty it to go on", self.dir.display());
            return Err(io::Error::other(text));
        }
        let header = &batch.header;
        let name = format!("{}-{}-{}", header.file, header.generation, header.start);
        let path = self.dir.join(format!("{name}.lines"));
        write_synced(&self.dir.join(format!("{name}.reason")), reason.as_bytes())?;
        write_synced(&path, &batch.encode())?;
        fs::File::open(&self.dir)?.sync_all()?;
        Ok(path)
    }

    fn bytes_used(&self) -> io::Result<u64> {
        let mut sum = 0u64;
        for entry in fs::read_dir(&self.dir)? {
            sum = sum.saturating_add(entry?.metadata()?.len());
        }
        Ok(sum)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)?;
    fs::File::open(path)?.sync_all()
}
