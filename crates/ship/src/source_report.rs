//! The report of a shipper to its server: the body of `POST /api/v1/sources/{source}`.
//!
//! Files with errors come first, so that they are reported even if there are more files than a report holds.

use std::time::Duration;

use serde::Serialize;

use crate::scrape_status::REPORT_BYTES_MAX;
use crate::{ContentHash, FileStatus, InputStatus, LossCount, Status};

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
    pub files: Vec<SourceFile>,
    /// Files that are followed and not named.
    pub files_left_out: usize,
}

/// A file in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// The file's identity within the source.
    pub file: String,
    /// Rises when the file is truncated or replaced in place.
    pub generation: u64,
    /// Where the shipper began with the generation; earlier bytes are left out on purpose.
    pub begin: u64,
    /// Where the file is, or was; empty for files of our own.
    pub path: String,
    /// The group that its events go to.
    pub group: String,
    /// The stream of its events.
    pub stream: String,
    /// Bytes that it has.
    pub size: u64,
    /// Bytes that a server has acknowledged.
    pub offset: u64,
    /// The content that a server has of it, where it may be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// Whether it was deleted and given up: nothing more of it is sent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_gone: bool,
    /// What went wrong last, if it still does.
    pub last_error: Option<String>,
}

impl SourceFile {
    fn of(file: FileStatus) -> Self {
        Self {
            path: if file.is_own { String::new() } else { file.path.to_string_lossy().into_owned() },
            group: file.group.as_str().to_owned(),
            file: file.file,
            generation: file.generation,
            begin: file.begin,
            stream: file.stream,
            size: file.size,
            offset: file.offset,
            content: file.content,
            is_gone: file.is_gone,
            last_error: file.last_error,
        }
    }

    fn name_bytes(&self) -> usize {
        let error = self.last_error.as_ref().map_or(0, String::len);
        self.file.len() + self.path.len() + self.group.len() + self.stream.len() + error + FILE_BYTES
    }
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
        let mut n_bytes = 0;
        let fits = |file: &SourceFile| {
            n_bytes += file.name_bytes();
            n_bytes <= NAME_BYTES_MAX
        };
        let files: Vec<SourceFile> = files.into_iter().take(FILES_MAX).map(SourceFile::of).take_while(fits).collect();
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
