//! The report of a shipper to its server: the body of `POST /api/v1/sources/{source}`.
//!
//! Files with errors come first, so that they are reported even if there are more files than a report holds.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::scrape_status::REPORT_BYTES_MAX;
use crate::{FileStatus, InputStatus, LossCount, Status};

/// How often a report is sent. A server treats a shipper as down after three times as long.
pub(crate) const REPORT_EVERY: Duration = Duration::from_secs(10);

/// When the second report is sent: at the first, inputs have only begun.
pub(crate) const REPORT_AGAIN: Duration = Duration::from_secs(3);

/// Most files of a report, and most bytes of their names: the server takes 2,000 files and 2 MiB.
const FILES_MAX: usize = 2_000;
const NAME_BYTES_MAX: usize = 1 << 20;

/// Bytes of a file in a report besides its names.
const FILE_BYTES: usize = 300;

/// The status of a shipper, for its server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    /// The state directory's random id.
    #[serde(skip)]
    pub source: String,
    /// Name of the host.
    pub host: String,
    /// The version of the shipper.
    pub version: &'static str,
    /// When it started, RFC 3339.
    pub started: String,
    /// Whether it has stopped, and this is its last report.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_stopped: bool,
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
    /// Files.
    pub files: Vec<FileStatus>,
    /// Files that are followed and not named.
    pub files_left_out: usize,
}

/// The identity of the shipper, which does not change.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) source: String,
    pub(crate) host: String,
    pub(crate) started: String,
}

impl Identity {
    /// Returns the report of the current state.
    pub(crate) fn report(&self, status: Status) -> SourceReport {
        let mut files = status.files;
        files.sort_by_key(|file| (file.last_error.is_none(), std::cmp::Reverse(file.lag_bytes())));
        let n_files = files.len();
        // Where one begins is not known before the server has answered what it holds of it.
        files.retain(|file| !file.is_unasked);
        files.iter_mut().filter(|file| file.is_own).for_each(|file| file.path = PathBuf::new());
        let mut n_bytes = 0;
        let fits = |file: &FileStatus| {
            n_bytes += file.name_bytes() + FILE_BYTES;
            n_bytes <= NAME_BYTES_MAX
        };
        let files: Vec<FileStatus> = files.into_iter().take(FILES_MAX).take_while(fits).collect();
        let mut room = REPORT_BYTES_MAX;
        let input = |input: InputStatus| InputStatus {
            scrapes: input.scrapes.as_ref().map(|scrapes| scrapes.within(&mut room)),
            ..input
        };
        SourceReport {
            source: self.source.clone(),
            host: self.host.clone(),
            version: env!("CARGO_PKG_VERSION"),
            started: self.started.clone(),
            has_stopped: false,
            bytes_delivered: status.bytes_delivered,
            refused: status.n_refused,
            given_up: status.given_up,
            last_error: status.last_error,
            inputs: status.inputs.into_iter().map(input).collect(),
            files_left_out: n_files - files.len(),
            files,
        }
    }
}

#[cfg(test)]
mod tests;
