//! Makes events durable (WAL), searchable (hot events, segments), knows which segments exist (catalog), and
//! hands out snapshots. The only crate that writes below the data directory.
//!
//! ```text
//! <dir>/STORE             what it is: UUID and format (lock)      LOCK   one process at a time
//! <dir>/catalog.sqlite    segments, groups, positions (catalog)
//! <dir>/control.sqlite    what people have set (control)
//! <dir>/COPY              only in a copy: it notifies no one (copy)
//! <dir>/UPKEEP            what maintenance records across starts (maintenance_file)
//! <dir>/wal/*.wal, *.ids  what is not yet in segments (wal), batch ids (batch_ids)
//! <dir>/segments/<day>/   events (segment)
//! <dir>/tombstones/       deletions                               quarantine/   damaged files, kept
//! <dir>/cache/            copies of pieces of remote segments (read_cache), may be removed at any time
//! ```
//! The executable gives other crates paths next to these.
//!
//! Everything here is synchronous and blocks. No name from outside becomes a path.

mod batch_ids;
mod buffers;
mod catalog;
mod control;
mod copy_mark;
mod counters;
mod deletion;
mod delivery;
mod error;
#[cfg(test)]
#[path = "../../files/src/objects/fake.rs"]
mod fake_s3;
mod feed;
mod fleet;
mod formats;
mod groups;
mod hot;
mod leased_state;
mod lock;
mod maintenance;
mod maintenance_file;
mod offline;
mod options;
mod positions;
#[cfg(test)]
#[path = "../../database/src/postgres/testing.rs"]
mod postgres_server;
#[cfg(test)]
mod promises;
mod retention;
#[cfg(test)]
#[path = "../../segment/src/tests/events.rs"]
mod segment_events;
mod segments;
mod settings;
mod signal;
mod state;
mod status;
mod store;
mod tier;
mod tombstone;
mod upkeep;
mod wal;
mod writer;

pub use buffers::Buffers;
pub use control::states::{DocumentWriter, StateChange, StateNews};
pub use copy_mark::copy_taken;
pub use counters::Latency;
pub use database::url::{DatabaseUrl, DatabaseUrlError, Databases};
pub use database::{DatabaseError, DatabaseProblem};
pub use deletion::{DELETION_BYTES_MAX, DeletionOrder, DeletionReceipt, SequenceCollector, Sequences};
pub use delivery::{AppendError, BatchKey, Delivery, Part, Receipt, SourcePosition};
pub use error::{OpenError, StoreError};
pub use feed::{AcceptedBatch, FeedItem, Subscription};
pub use files::disk::{create_file, write_whole};
pub use files::fault::{
    COMPACTION_FAULT_POINTS, DELETION_FAULT_POINTS, FAULT_POINTS, Fault, Faults, MOVE_FAULT_POINTS,
};
pub use files::objects::{ObjectStoreOptions, is_unreachable};
pub use fleet::adopt::{AdoptError, AdoptReport, adopt};
pub use fleet::{FleetLoad, FleetOptions, FleetStatus, NodeStatus};
pub use formats::formats;
pub use groups::GroupStatus;
pub use leased_state::LeasedState;
pub use offline::{
    BackupError, BackupReport, ExportError, ExportReport, VerifyReport, backup, export, promote, restore,
    restore_fleet, snapshot, verify, verify_fleet,
};
pub use options::{Clock, Options, RepeatFinder};
pub use positions::ShippedFile;
pub use retention::{ClockDoubt, GroupRetention, Removal, RetentionChange, RetentionOptions, SizeLimit};
pub use segment::{SectionCacheStatus, SegmentError};
pub use settings::Settings;
pub use state::{Acceptance, Snapshot};
pub use status::{BytesWritten, ObjectStoreStatus, Recovery, Status, TornTail};
pub use store::{ArrivalGuard, Store, repair, unlock};
pub use tier::{ColdPlace, TierOptions, TierStatus};
pub use upkeep::retention::forecast::{Forecast, StoreForecast};
pub use upkeep::scrub::ScrubStatus;
