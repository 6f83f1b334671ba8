//! What a checkpoint remembers of one file, and why a checkpoint cannot be used.

use crate::content::Content;
use crate::identity::{FileKey, Mark};
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self};
use std::path::PathBuf;
use types::Timestamp;

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read or written.
    #[error("state directory {path}: {error}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// Another shipper uses it.
    #[error("state directory {path}: another shipper uses it; stop that one or name another with --state-dir")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A newer catat wrote it.
    #[error("{path}: format {found} is newer than {VERSION}, which this catat knows; start the newer catat")]
    Newer {
        /// The checkpoint.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// How far a generation of a file was acknowledged that has ended since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PastGeneration {
    /// Its number.
    pub(crate) generation: u64,
    /// How far the server has it.
    pub(crate) mark: Mark,
    /// What the server may have of it where nothing is known to be acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<Mark>,
    /// The hash of what was sent of it, up to the mark; nothing if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Content>,
}

impl PastGeneration {
    /// Returns what a file has that is this generation.
    pub(crate) fn evidence(&self) -> Option<Mark> {
        Some(self.mark).filter(|mark| mark.offset > 0).or(self.told)
    }
}

/// What a packed file is known by: its own content, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PackedContent {
    /// The mark of all its bytes as they are on disk.
    pub(crate) mark: Mark,
    /// Bytes that it holds, as many as can be unpacked.
    pub(crate) n_bytes: u64,
}

/// What is remembered of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Where it lies.
    pub(crate) key: FileKey,
    /// When it was made, nanoseconds since the Unix epoch, where the file system records it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) born: Option<i64>,
    /// The name under which the server knows it.
    pub(crate) file: String,
    /// Rises when it is truncated or replaced in place.
    pub(crate) generation: u64,
    /// The path under which it was first seen; names its group and stream.
    pub(crate) path: String,
    /// Where we began with this generation: earlier bytes are left out on purpose.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) begin: u64,
    /// All that the server may have as long as nothing is known to be acknowledged: saved before any of it is sent, and
    /// no more is sent at first. Other content under the same name would pass for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<Mark>,
    /// How far the server has it.
    pub(crate) mark: Mark,
    /// The hash of what was sent of it, up to the mark; nothing if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Content>,
    /// Whether the server is to be asked what it holds of this file before anything is sent: an earlier shipper may have
    /// brought it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_unasked: bool,
    /// How far it had the generation before: a copy made of that is recognised by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<PastGeneration>,
    /// Whether it is a copy, read on under the name and the generation of its original.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_copy: bool,
    /// Set where it is packed: then all places are those of what it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) packed: Option<PackedContent>,
    /// When it was last seen on disk, nanoseconds since the Unix epoch.
    pub(crate) seen: i64,
}

/// Reports whether a number is the default.
pub(crate) fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Entry {
    /// Returns a hash of what there is to be remembered of it: where that is the same, nothing is written.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        // The hash of the content changes with the mark alone.
        let Self { key: _, path: _, content: _, born, file, generation, begin, told, mark, .. } = self;
        let Self { is_unasked, before, is_copy, packed, seen, .. } = self;
        let seen = seen.div_euclid(SEEN_EXACT_NS);
        (born, file, generation, begin, told, mark, is_unasked, before, is_copy, packed, seen).hash(&mut hasher);
        hasher.finish()
    }

    /// Returns its generation as it is now.
    pub(crate) fn now(&self) -> PastGeneration {
        PastGeneration { generation: self.generation, mark: self.mark, told: self.told, content: self.content }
    }
}

/// When a file was last seen is saved so exactly: it is forgotten a day after.
pub(crate) const SEEN_EXACT_NS: i64 = 3 * Timestamp::HOUR;

/// The version that is written.
pub(crate) const VERSION: u32 = 2;
