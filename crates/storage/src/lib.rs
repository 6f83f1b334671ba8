//! Makes events durable (WAL), searchable (hot events, segments), knows which segments exist (catalog), and
//! hands out snapshots. The only crate that writes below the data directory.
//!
//! ```text
//! <dir>/STORE             what it is: UUID and format (lock)      LOCK   one process at a time
//! <dir>/catalog.sqlite    segments, groups, positions (catalog)
//! <dir>/control.sqlite    what people have set (control)
//! <dir>/COPY              only in a copy: it notifies nobody (copy)
//! <dir>/UPKEEP            what upkeep remembers across starts (notes)
//! <dir>/wal/*.wal, *.ids  what is not yet in segments (wal), batch ids (batch_ids)
//! <dir>/segments/<day>/   events (segment)
//! <dir>/tombstones/       deletions                               quarantine/   damaged files, kept
//! <dir>/cache/            copies of pieces of remote segments (read_cache), may be removed at any time
//! ```
//!
//! Everything here is synchronous and blocks. No name from outside becomes a path.

mod batch_ids;
mod buffers;
mod care;
mod catalog;
mod compact;
mod control;
mod copy;
mod database;
mod delivery;
mod disk;
mod erase;
mod error;
mod fault;
mod feed;
mod flush;
mod formats;
mod groups;
mod hot;
mod lock;
mod notes;
mod objects;
mod offline;
mod offload;
mod options;
mod positions;
mod read_cache;
mod remote_source;
mod retention;
mod scrub;
#[cfg(test)]
#[path = "../../segment/src/tests/events.rs"]
mod segment_events;
mod segment_files;
mod state;
mod status;
mod store;
mod tiers;
mod tombstone;
mod wal;

pub use buffers::Buffers;
pub use copy::{copy_taken, promote};
pub use database::url::{DatabaseUrl, DatabaseUrlError, Databases};
pub use database::{DatabaseError, DatabaseProblem};
pub use delivery::{AppendError, BatchKey, Delivery, Part, Receipt, SourcePosition};
pub use disk::create_file;
pub use erase::{DELETION_BYTES_MAX, DeletionOrder, DeletionReceipt, SequenceCollector, Sequences};
pub use error::{OpenError, StoreError};
pub use fault::{
    COMPACTION_FAULT_POINTS, DELETION_FAULT_POINTS, FAULT_POINTS, Fault, Faults, MOVE_FAULT_POINTS, WRITER_FAULT_POINTS,
};
pub use feed::{AcceptedBatch, Received, Subscription};
pub use formats::formats;
pub use groups::GroupStatus;
pub use objects::{ObjectStoreOptions, is_unreachable};
pub use offline::{BackupError, BackupReport, VerifyReport, backup, restore, verify};
pub use options::{Clock, Options};
pub use positions::ShippedFile;
pub use retention::{
    ClockDoubt, Forecast, GroupRetention, Removal, RetentionChange, RetentionOptions, SizeLimit, StoreForecast,
};
pub use scrub::ScrubStatus;
pub use segment::{SectionCacheStatus, SegmentError};
pub use state::Snapshot;
pub use status::{BytesWritten, Latency, ObjectStoreStatus, Recovery, Status, TornTail};
pub use store::{Expected, Store, repair, unlock};
pub use tiers::{ColdPlace, TierOptions, TierStatus};
