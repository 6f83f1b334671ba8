//! What an import needs of a system that has events.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::Timestamp;

use super::side::Side;
use crate::commands::spans::{Range, Width};
use crate::failure::Failure;

/// Bytes of a piece, below what a server takes in one request.
pub(super) const PIECE_BYTES: usize = 8 << 20;

/// A system that has events.
pub(super) trait Source: Sync {
    /// Says what it is, what becomes of its events, and which of them cannot be had.
    fn about(&self, from: &Side<'_>, range: Range) -> Result<Vec<String>, Failure>;

    /// The options that decide what is imported, without secrets.
    fn asked(&self) -> Value;

    /// Most events of a span that is read at once.
    fn most(&self) -> u64;

    /// The longest time that it can be asked about at once, in nanoseconds.
    fn longest(&self) -> i64 {
        i64::MAX
    }

    /// Reads the events of a range that the server has not, where the source can tell; `None` where it cannot.
    fn missing(&self, _from: &Side<'_>, _to: &Side<'_>, _range: Range) -> Result<Option<Vec<Piece>>, Failure> {
        Ok(None)
    }

    /// The range that it can count exactly, the one asked for or slightly longer.
    fn aligned(&self, range: Range) -> Range {
        range
    }

    /// Counts events by spans of a width: those of the source itself, or those that the server has of it, in the same protocol.
    fn counts(&self, at: &Side<'_>, range: Range, width: Width) -> Result<Vec<(Timestamp, u64)>, Failure>;

    /// Reads the events of a range, in the same order and pieces each time.
    fn read(&self, from: &Side<'_>, range: Range) -> Result<Vec<Piece>, Failure>;

    /// Stores a piece, under an id.
    fn store(&self, to: &Side<'_>, piece: Piece, id: &str) -> Result<Stored, Failure>;
}

/// Events in the form that the door takes.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) body: Vec<u8>,
    pub(super) events: u64,
}

/// What became of events.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Stored {
    /// Events that are on the server now, whenever they were stored.
    pub(super) events: u64,
    /// Events that it refused.
    #[serde(default)]
    pub(super) n_refused: u64,
    /// Its words of some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) refused: Vec<String>,
}
