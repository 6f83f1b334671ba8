//! The status of a shipper, read from its state directory, also while it runs.
//!
//! ```text
//! STATE/status.json   what the one at work told last, written next to its place and renamed; not synced, for it is
//!                     nothing that anyone must have after a crash
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, Entry};
use crate::identity::FileKey;
use crate::{InputStatus, LossCount, ShipError, Status};

/// How often a changed status is reported.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Most files whose errors are reported.
const ERRORS_MAX: usize = 100;

/// Most bytes of a status file that are read.
const TOLD_BYTES_MAX: u64 = 4 << 20;

/// The report of a shipper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShipperReport {
    /// Bytes acknowledged since the start.
    pub bytes_delivered: u64,
    /// Pieces of batches that were refused and set aside since the start.
    pub refused: u64,
    /// What was given up of deleted files since the start.
    pub given_up: LossCount,
    /// Why delivery fails, while it does.
    pub last_error: Option<String>,
    /// Inputs that are no files.
    pub inputs: Vec<InputStatus>,
    /// Files that cannot be read or sent, and why; the first of them.
    pub file_errors: Vec<(String, String)>,
}

/// A file in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedFile {
    /// Where it is.
    pub path: String,
    /// Bytes that the server has.
    pub offset: u64,
    /// Bytes that it has.
    pub size: u64,
    /// How often it was truncated or replaced in place.
    pub generation: u64,
    /// What went wrong last, if it still does.
    pub last_error: Option<String>,
}

/// The status of a shipper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether one is at work.
    pub is_running: bool,
    /// Files that are where they were first seen.
    pub files: Vec<ReportedFile>,
    /// Known files that were renamed or deleted since.
    pub n_elsewhere: usize,
    /// Bytes that the server does not have yet, of files.
    pub bytes_waiting: u64,
    /// The same, of lines of inputs that are no files.
    pub bytes_spooled: u64,
    /// The last report of the shipper: of the last five seconds, or of the end of the last run.
    #[serde(flatten)]
    pub told: ShipperReport,
}

impl Report {
    /// Reads the status of the shipper on `state_dir`. Changes nothing there.
    ///
    /// # Errors
    /// Where there is no such directory, or it cannot be read.
    pub fn read(state_dir: &Path) -> Result<Self, ShipError> {
        fs::read_dir(state_dir).map_err(|error| crate::CheckpointError::Io { path: state_dir.to_owned(), error })?;
        let (_, entries) = Checkpoint::look_at(state_dir)?;
        let told = read_told(&state_dir.join("status.json"));
        // Files are known by absolute paths.
        let spool = std::path::absolute(state_dir).unwrap_or_else(|_| state_dir.to_owned()).join("spool");
        let mut report = Self {
            is_running: is_locked(&state_dir.join("LOCK")),
            files: Vec::new(),
            n_elsewhere: 0,
            bytes_waiting: 0,
            bytes_spooled: 0,
            told,
        };
        for entry in entries {
            match report.file(&entry) {
                Some(file) if Path::new(&file.path).starts_with(&spool) => {
                    report.bytes_spooled += file.size.saturating_sub(file.offset);
                }
                Some(file) => {
                    report.bytes_waiting += file.size.saturating_sub(file.offset);
                    report.files.push(file);
                }
                None => report.n_elsewhere += 1,
            }
        }
        report.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(report)
    }

    fn file(&self, entry: &Entry) -> Option<ReportedFile> {
        let metadata = fs::metadata(&entry.path).ok().filter(|metadata| FileKey::of(metadata) == entry.key)?;
        let error = self.told.file_errors.iter().find(|(path, _)| *path == entry.path);
        Some(ReportedFile {
            path: entry.path.clone(),
            offset: entry.mark.offset,
            size: entry.packed.map_or(metadata.len(), |packed| packed.n_bytes),
            generation: entry.generation,
            last_error: error.map(|(_, error)| error.clone()),
        })
    }
}

/// Returns the last report; `None` if it is damaged, as nothing depends on it.
fn read_told(path: &Path) -> ShipperReport {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(TOLD_BYTES_MAX).read_to_end(&mut bytes));
    read.ok().and_then(|_| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The file with the status of a shipper.
pub(crate) struct ReportFile {
    path: PathBuf,
    told: Option<ShipperReport>,
    told_at: Instant,
}

impl ReportFile {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join("status.json"), told: None, told_at: Instant::now() }
    }

    /// Tells what changed, if some time has passed or it `is_last`.
    pub(crate) fn tell(&mut self, status: &dyn Fn() -> Status, is_last: bool) {
        if !is_last && self.told.is_some() && self.told_at.elapsed() < TELL_EVERY {
            return;
        }
        self.told_at = Instant::now();
        let told = told_of(status());
        if self.told.as_ref() == Some(&told) {
            return;
        }
        if let Err(error) = write(&self.path, &told) {
            tracing::debug!(path = %self.path.display(), %error, "status not written");
        }
        self.told = Some(told);
    }
}

fn told_of(status: Status) -> ShipperReport {
    let errors = status.files.into_iter().filter_map(|file| {
        let path = file.path.to_string_lossy().into_owned();
        file.last_error.map(|error| (path, error))
    });
    ShipperReport {
        bytes_delivered: status.bytes_delivered,
        refused: status.n_refused,
        given_up: status.given_up,
        last_error: status.last_error,
        // Targets are for the server, which shows them.
        inputs: status.inputs.into_iter().map(|input| InputStatus { scrapes: None, ..input }).collect(),
        file_errors: errors.take(ERRORS_MAX).collect(),
    }
}

fn write(path: &Path, told: &ShipperReport) -> io::Result<()> {
    let temporary = path.with_extension("json.tmp");
    // A link that an attacker planted is not followed.
    types::ok_if_missing(fs::remove_file(&temporary))?;
    serde_json::to_writer(File::create_new(&temporary)?, told)?;
    fs::rename(&temporary, path)
}
