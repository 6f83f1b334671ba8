//! What the nodes of a fleet share in PostgreSQL beside the tables of the catalog.
//!
//! ```text
//! meta       objects: number of the last object; changes: how often anything else changed; flushed: the sequence below
//!            which all events are in segments; next_sequence, next_group
//! nodes      a row per process: its epoch, who it is, until when its lease holds, from which change on it still reads, the
//!            last place at which an object of it was listed or found to be of no use, how many changes it knows, whether
//!            it is drained, whether it hides deleted events; one that only reads, as a backup does, has a row too
//! draining   names of nodes that are to take no new work
//! puts       a row per hour: requests that stored something in the bucket, since when they are counted
//! leases     who does what only one may do
//! objects    accepted events that are in no segment yet, in the order of their acceptance; and the last one of each node
//! batches    ids of accepted batches
//! taken_segments     segments that a node is merging
//! changed_segments   segments that came, moved or went, each with the number of the change
//! receipts   a text per deletion of events, with the number of the change in which it was last written
//! ```
//!
//! **One order.** A transaction that changes something holds the row of `state`, so that objects and changes have an
//! order, and a sequence below that of another was committed before it.
//!
//! **Fencing.** A node has an epoch, and a lease that it renews. A transaction of a node whose lease has ended is
//! refused; the node joins again, under another epoch, and whatever it was about to do is done again or never.
//!
//! **One truth.** An object is named by the epoch and a number that its node used once. Where the answer to a commit is
//! lost, the same commit finds the object listed, and answers what it had answered.

pub(crate) mod changes;
pub(crate) mod erasures;
pub(crate) mod members;
pub(crate) mod news;
pub(crate) mod objects;
pub(crate) mod uploads;
pub(crate) mod usage;
pub(crate) mod visit;

use database::DatabaseProblem;
use database::postgres::Failure;

/// Time after which a node's lease ends unless it is renewed, in seconds.
const LEASE_S: f64 = 15.0;

/// Returns the failure of a transaction that a node is not allowed to make.
pub(in crate::catalog) fn refused(problem: &'static str) -> Failure {
    Failure::Problem(DatabaseProblem::Refused(problem))
}
