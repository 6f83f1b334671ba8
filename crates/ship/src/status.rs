//! The state of a shipper, of its files and of its inputs, as shown to people and sent to the server.

use crate::ContentHash;
use crate::scrape_status::ScrapeStatus;
use crate::spool::LossCount;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use types::GroupName;

/// The status of a file, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// The name under which the server knows it.
    pub file: String,
    /// Where it is, or was.
    pub path: PathBuf,
    /// The group that its events go to.
    pub group: GroupName,
    /// The stream of its events.
    pub stream: String,
    /// Where the shipper began with the generation.
    pub begin: u64,
    /// Bytes that the server has.
    pub offset: u64,
    /// Bytes that the file has.
    pub size: u64,
    /// How often it was truncated or replaced in place.
    pub generation: u64,
    /// Whether it is one of our own, whose path means nothing to anyone.
    pub is_own: bool,
    /// Whether the server is still to be asked what it holds of it.
    pub is_unasked: bool,
    /// The content that the server has, where it may be compared.
    pub content: Option<ContentHash>,
    /// Whether it was deleted and given up: nothing more of it is sent.
    pub is_gone: bool,
    /// What went wrong last, if it still does.
    pub last_error: Option<String>,
}

impl FileStatus {
    /// Returns bytes that the server does not have yet and will have.
    pub fn lag_bytes(&self) -> u64 {
        if self.is_gone { 0 } else { self.size.saturating_sub(self.offset) }
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
