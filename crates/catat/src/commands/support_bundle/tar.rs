//! A `.tar.gz` of small texts, in the form of POSIX (ustar).

use std::fs::File;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use types::Timestamp;

/// Headers and contents are padded to blocks of so many bytes.
const BLOCK: usize = 512;

/// An archive that is written.
pub(super) struct Archive {
    out: GzEncoder<File>,
    seconds: i64,
}

impl Archive {
    /// Begins an archive whose files are all from one time.
    pub(super) fn new(file: File, now: Timestamp) -> Self {
        Self { out: GzEncoder::new(file, Compression::default()), seconds: now.0 / Timestamp::SECOND }
    }

    /// Adds a file for its owner alone.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(&header(name, bytes.len(), self.seconds))?;
        self.out.write_all(bytes)?;
        self.out.write_all(&[0; BLOCK][..bytes.len().next_multiple_of(BLOCK) - bytes.len()])
    }

    /// Ends the archive and returns the bytes that it takes.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        let file = self.out.finish()?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

fn header(name: &str, n_bytes: usize, seconds: i64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, &format!("catat-support/{name}"));
    put(100, "0000600");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{n_bytes:011o}"));
    put(136, &format!("{seconds:011o}"));
    // The sum counts itself as spaces.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}
