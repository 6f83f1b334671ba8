//! The state of a shipper, of its files and of its inputs, as shown to people and sent to the server.

use crate::ContentHash;
use crate::scrape_status::ScrapeStatus;
use crate::spool::LossCount;
use serde::{Deserialize, Serialize, Serializer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The status of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileStatus {
    /// The file's identity within the source.
    pub file: String,
    /// Rises when the file is truncated or replaced in place.
    pub generation: u64,
    /// Where the shipper began with the generation; earlier bytes are left out on purpose.
    pub begin: u64,
    /// Where the file is, or was; empty for files of our own in reports, where their paths mean nothing to anyone.
    #[serde(serialize_with = "path_text")]
    pub path: PathBuf,
    /// The group that its events go to.
    pub group: String,
    /// The stream of its events.
    pub stream: String,
    /// Bytes that it has.
    pub size: u64,
    /// Bytes that a server has acknowledged.
    pub offset: u64,
    /// Whether it is one of our own.
    #[serde(skip)]
    pub is_own: bool,
    /// Whether the server is still to be asked what it holds of it.
    #[serde(skip)]
    pub is_unasked: bool,
    /// The content that a server has of it, where it may be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// Whether it was deleted and given up: nothing more of it is sent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_gone: bool,
    /// What went wrong last, if it still does.
    pub last_error: Option<String>,
}

fn path_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

impl FileStatus {
    /// Returns bytes that the server does not have yet and will have.
    pub fn lag_bytes(&self) -> u64 {
        if self.is_gone { 0 } else { self.size.saturating_sub(self.offset) }
    }

    pub(crate) fn name_bytes(&self) -> usize {
        let error = self.last_error.as_ref().map_or(0, String::len);
        self.file.len() + self.path.to_string_lossy().len() + self.group.len() + self.stream.len() + error
    }
}

/// The status of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputStatus {
    /// Its name.
    pub name: String,
    /// Lines made since the start.
    pub lines: u64,
    /// Lines and bytes given up since the start.
    pub given_up: LossCount,
    /// Whether it has ended by itself.
    pub has_ended: bool,
    /// Why it does not run, while it does not.
    pub last_error: Option<String>,
    /// What it scrapes, in reports to the server.
    #[serde(default, skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub scrapes: Option<Arc<ScrapeStatus>>,
}

/// What the shipper has done and its status.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Every file.
    pub files: Vec<FileStatus>,
    /// Every input that is no file.
    pub inputs: Vec<InputStatus>,
    /// What was given up of deleted files since the start.
    pub given_up: LossCount,
    /// Bytes acknowledged since the start.
    pub bytes_delivered: u64,
    /// Events refused and set aside since the start; a piece of a batch that was refused as a whole is one.
    pub n_refused: u64,
    /// Why the last attempt at delivery did not work, while it does not.
    pub last_error: Option<String>,
}
