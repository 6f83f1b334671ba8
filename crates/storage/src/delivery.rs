//! What senders bring, and what they are answered.

use std::ops::Range;

use types::{Batch, GroupName};

/// One request's events: accepted whole or not at all, and once.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Identity, where the sender gave one.
    pub key: Option<BatchKey>,
    /// Which part of which shipped file this is.
    pub position: Option<SourcePosition>,
    /// Bytes as they were sent, after decompression.
    pub raw_bytes: u64,
    /// The events, by group. Rows stand in the order in which they were sent.
    pub parts: Vec<Part>,
}

/// Events of one group.
#[derive(Clone, Debug)]
pub struct Part {
    /// The group.
    pub group: GroupName,
    /// The events; their sequences and times of ingestion are set when they are accepted.
    pub batch: Batch,
}

/// Identity of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchKey {
    /// Hash (xxh3-128) of the sender's id together with the scope of its key.
    pub id: [u8; 16],
    /// Hash (xxh3-128) of the decompressed body.
    pub digest: [u8; 16],
}

/// A range of bytes of a shipped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePosition {
    /// The shipper: a random id made once per state directory.
    pub source: String,
    /// The file's identity at the shipper.
    pub file: String,
    /// Rises when the file is truncated or replaced.
    pub generation: u64,
    /// The bytes.
    pub range: Range<u64>,
}

/// What was accepted. Once it is handed out, the events are durable and every later snapshot has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The batch had been accepted before; nothing was stored now.
    pub duplicate: bool,
    /// Sequence of the first event.
    pub first_sequence: u64,
    /// How many events the batch has.
    pub n_events: u64,
    /// End of the gapless range of accepted bytes that holds the position's last byte.
    pub high_water: Option<u64>,
}

/// Why a delivery was not accepted. Nothing of it was stored, unless the variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The batch id is known with another body.
    #[error("batch id was used before for another body")]
    KeyConflict,
    /// Some of the bytes were accepted in the meantime; ask what is missing and send that.
    #[error("bytes at this position were accepted before; ask again what is missing")]
    PositionChanged,
    /// More came in than can be made durable or flushed; try again.
    #[error("store is overloaded; try again in {retry_after_s} s")]
    Overloaded {
        /// After so many seconds.
        retry_after_s: u64,
    },
    /// The bucket or the database of a fleet does not answer. Whether the delivery is stored is unknown where the answer to
    /// its commit was lost; under its batch id it is stored once, however often it is sent.
    #[error("{what} of the fleet does not answer; try again in {retry_after_s} s")]
    Away {
        /// `the bucket` or `the database`.
        what: &'static str,
        /// After so many seconds.
        retry_after_s: u64,
    },
    /// The disk is full but for the reserve.
    #[error("disk is full: {free_bytes} bytes are free and {reserve_bytes} are kept in reserve")]
    DiskFull {
        /// Bytes free.
        free_bytes: u64,
        /// Bytes that stay free.
        reserve_bytes: u64,
    },
    /// Writing the WAL failed; the store takes nothing until it is started again. Whether this delivery is
    /// durable is unknown.
    #[error("store accepts no events since writing the wal failed: {0}")]
    Poisoned(String),
    /// The node takes no new work; another one does.
    #[error("this node is being drained; send to another node, or try again in {retry_after_s} s")]
    Draining {
        /// After so many seconds.
        retry_after_s: u64,
    },
    /// The control store is lost; nothing is taken until it is put back or given up.
    #[error("{0}")]
    Locked(String),
    /// The store is being closed.
    #[error("store is shutting down")]
    ShuttingDown,
    /// The batch is beyond what one WAL record may hold.
    #[error("batch is too large: {0}")]
    TooLarge(String),
}
