//! What upkeep remembers across starts: where the clock stood, and how far the scrub has come.
//!
//! `UPKEEP` in the data directory is text, one `key value` per line, written whole under another name and renamed:
//!
//! ```text
//! catat upkeep
//! format 1
//! store <UUID, 32 hex digits>
//! clock <ns since the epoch>              where the trusted clock stood
//! other_clock <ns> <ns>                   only while another one is told: where it stood, for how long it has been
//! scrub <ns> <segment, 32 hex digits>     when the cycle began, up to where segments were read
//! checksum <XXH3 of the lines before, 16 hex digits>
//! ```
//!
//! Nothing that was accepted depends on it. Without it the clock is trusted as it is and the scrub begins again; a
//! damaged one makes the clock doubtful until it has gone steadily for a day.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use files::disk;

pub(crate) const FORMAT: u32 = 1;

/// What the clock guard remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockRecord {
    /// Where the trusted clock stood.
    pub(crate) seen: i64,
    /// Where another clock stood that is not trusted yet, and for how long it has gone steadily.
    pub(crate) other: Option<(i64, i64)>,
}

/// What the scrub remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScrubProgress {
    /// When the cycle began; 0: there was none yet.
    pub(crate) began: i64,
    /// All segments up to this one were read in it.
    pub(crate) done: u128,
}

/// The content of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MaintenanceRecord {
    pub(crate) clock: Option<ClockRecord>,
    pub(crate) scrub: ScrubProgress,
}

/// The file as it was found at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaintenanceFile {
    MaintenanceRecord(MaintenanceRecord),
    Nothing,
    /// There is a file, and its contents are invalid.
    Damaged,
}

fn path_of(dir: &Path) -> PathBuf {
    dir.join("UPKEEP")
}

impl MaintenanceRecord {
    /// Reads what an earlier process has written.
    pub(crate) fn read(dir: &Path, store: &[u8; 16]) -> MaintenanceFile {
        match std::fs::read_to_string(path_of(dir)) {
            Ok(text) => parse(&text, store).map_or(MaintenanceFile::Damaged, MaintenanceFile::MaintenanceRecord),
            Err(error) if error.kind() == io::ErrorKind::NotFound => MaintenanceFile::Nothing,
            Err(_) => MaintenanceFile::Damaged,
        }
    }

    /// Writes them down, durably.
    pub(crate) fn write(&self, dir: &Path, store: &[u8; 16]) -> io::Result<()> {
        let mut text = format!("catat upkeep\nformat {FORMAT}\nstore {:032x}\n", u128::from_be_bytes(*store));
        // Writing into a text cannot fail.
        if let Some(clock) = &self.clock {
            let _ = writeln!(text, "clock {}", clock.seen);
            let _ = clock.other.map(|(seen, steady)| writeln!(text, "other_clock {seen} {steady}"));
        }
        let _ = writeln!(text, "scrub {} {:032x}", self.scrub.began, self.scrub.done);
        let _ = writeln!(text, "checksum {:016x}", xxh3_64(text.as_bytes()));
        disk::write_whole(&path_of(dir), text.as_bytes())
    }
}

/// Returns the notes in a text; `None` if it is damaged, of another store or of a later version.
fn parse(text: &str, store: &[u8; 16]) -> Option<MaintenanceRecord> {
    let (content, checksum) = text.split_at(text.rfind("checksum ")?);
    let checksum = u64::from_str_radix(checksum.strip_prefix("checksum ")?.trim_end(), 16).ok()?;
    let value = |key: &str| content.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    let is_of_store = u128::from_str_radix(value("store")?, 16) == Ok(u128::from_be_bytes(*store));
    let is_known = value("format")?.parse() == Ok(FORMAT);
    if checksum != xxh3_64(content.as_bytes()) || !is_of_store || !is_known {
        return None;
    }
    let other = value("other_clock").and_then(|value| {
        let (seen, steady) = value.split_once(' ')?;
        Some((seen.parse().ok()?, steady.parse().ok()?))
    });
    let clock = value("clock").and_then(|seen| Some(ClockRecord { seen: seen.parse().ok()?, other }));
    let (began, done) = value("scrub")?.split_once(' ')?;
    let scrub = ScrubProgress { began: began.parse().ok()?, done: u128::from_str_radix(done, 16).ok()? };
    Some(MaintenanceRecord { clock, scrub })
}

#[cfg(test)]
mod tests;
