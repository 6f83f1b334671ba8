//! A piece of a file on its way: raw bytes as read, and where they came from.
//!
//! On the wire (`format=lines`): the header as one line of JSON, a newline, the bytes. The server deduplicates by
//! the position in the header, so that the same bytes may be sent again, cut differently, and are stored once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use types::GroupName;

use crate::identity::{FileKey, Mark};

/// Where the bytes of a batch came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The state directory's random id.
    pub source: String,
    /// The file's identity within the source; it survives renames.
    pub file: String,
    /// Rises when the file is truncated or replaced in place.
    pub generation: u64,
    /// Offset of the first byte in the file.
    pub start: u64,
    /// Bytes of each event where some event is longer than one line; without it each line is an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Vec<u64>>,
    /// Name of the shipping host.
    pub host: String,
    /// Path under which the file was first seen.
    pub path: String,
    /// Time zone of the shipping host, an IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// When the file was last modified, nanoseconds since the Unix epoch; only while catching up with what was
    /// there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<i64>,
    /// Fields that every event of the shipper gets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// A piece of a file, cut at the end of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileBatch {
    /// The group that its events go to.
    pub group: GroupName,
    /// The stream: `HOST:PATH`.
    pub stream: String,
    /// Where the bytes came from.
    pub header: Header,
    /// The bytes as read.
    pub bytes: Arc<Vec<u8>>,
    /// Where the file was when it was read.
    pub(crate) at: PathBuf,
    /// The file, for the follower to find it again.
    pub(crate) key: FileKey,
    /// How far the file is read when this batch is acknowledged.
    pub(crate) mark_after: Mark,
}

impl FileBatch {
    /// Offset after the last byte.
    pub fn end(&self) -> u64 {
        self.header.start + self.bytes.len() as u64
    }

    /// The batch as a request body of `format=lines`.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = serde_json::to_vec(&self.header).expect("a header is strings and numbers, which JSON can say");
        body.reserve_exact(self.bytes.len() + 1);
        body.push(b'\n');
        body.extend_from_slice(&self.bytes);
        body
    }
}
