//! Deleting events: invisible before it is acknowledged, gone from the disk soon after.
//!
//! Which events go is decided elsewhere; here they are the sequences of a group. The steps, in an order in which it is
//! safe to stop anywhere:
//!
//! ```text
//! masks of the segments concerned (`mask`) → tombstone written and synced (`tombstone::events`) → row in the catalog
//! → hot events without them, masks and deletion in the state, all at once → acknowledged
//! → compaction writes the segments again without them → old files removed → WAL released by a flush
//! → receipt says when (`receipt`) → tombstone and row go
//! ```
//!
//! From the tombstone on a start finds the deletion and carries it out: it leaves the events out of what the WAL brings
//! back and hides them in segments, those that a lost catalog is created again from included. That is why a tombstone stays
//! until no file of the data directory holds any of its events: no segment in use, none that waits to be removed, none
//! that cannot be read, and no WAL file. Batch ids and source positions are not touched: what was sent once and deleted
//! stays a duplicate.
//!
//! In a fleet, one transaction stores the row and the receipt, and there is no tombstone. Each node works out the masks
//! and hides the hot events when it reads the row (`fleet::erasure`); the deletion ends when the last object is
//! removed.
//!
//! Copies are out of reach: a backup made before holds the events, and so does what was already sent to someone.

mod batch;
mod mask;
mod masked_run;
mod order;
mod receipt;
mod sequences;
#[cfg(test)]
mod tests;

pub(crate) use batch::without;
pub(crate) use mask::{Mask, Masks, Removals};
pub(crate) use masked_run::MaskedRun;
pub use order::{DELETION_BYTES_MAX, DeletionOrder};
pub(crate) use order::{Deletion, Receipts, forget_oldest};
pub use receipt::DeletionReceipt;
pub(crate) use receipt::{FORMAT as RECEIPT_FORMAT, ReceiptError, read as read_receipts, remove as remove_receipt};
pub(crate) use sequences::Finder;
pub use sequences::{SequenceCollector, Sequences};
