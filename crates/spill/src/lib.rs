//! Sorts records that do not fit into memory, through temporary files.
//!
//! A [`Sorter`] takes records of a key and a payload, both bytes, and keeps as many as it may hold. What is more goes to
//! the [`SpillSpace`] as sorted runs, and [`Merge`] reads runs and memory back as one sequence in order of the keys. Equal
//! keys come in the order in which they were added.
//!
//! Files have no name once they are open, so their bytes are free as soon as the process no longer uses them, however it
//! ends. All sorters of a process share one space, which bounds them together. The crate does not know what a record
//! means: groups, rows and keys of rows are encoded by their owners.

mod merge;
mod record;
mod run;
mod sorter;
mod space;

pub use merge::{Lent, Merge};
pub use sorter::{Sorter, SorterOptions};
pub use space::{SpillError, SpillSpace};
