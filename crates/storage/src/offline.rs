//! Work on a data directory from outside, whether a server runs on it or not: check it, copy it, bring it back.
//!
//! Nothing here changes the directory that is looked at. Segments never change once they are published, WAL files
//! only grow, and the catalog is read through a connection of its own, so a running server does not notice. Segments in
//! the object store are checked and copied like the others: a copy stands for itself and shares no object with the
//! store that it was taken from.

mod backup;
mod fleet;
mod listing;
mod promote;
#[cfg(test)]
mod tests;
mod verify;

pub use backup::{BackupError, BackupReport, backup, restore, snapshot};
pub use fleet::export::{ExportError, ExportReport, export};
pub use fleet::restore::restore_fleet;
pub use fleet::verify::verify_fleet;
pub use promote::promote;
pub use verify::{VerifyReport, verify};
