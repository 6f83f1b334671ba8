//! Groups as open tables: Apache Iceberg with Parquet files, in a folder or a bucket, for engines that are not catat.
//!
//! ```text
//! store ─ snapshot: runs in segments ─┐
//! place ─ table: files of runs ───────┴► difference ─► Parquet files ─► manifests ─► the next version of the table
//! ```
//!
//! A table has what the segments of its group have, and follows them: flushes, compaction, deletions, retention. A reader sees each
//! event once or not at all. Knows no query, and reads no table but its own. An [`EventFile`] is a file of such a table by itself.

mod avro;
mod data_file;
mod doors;
mod error;
mod event_file;
mod manifest;
mod place;
mod publisher;
mod schema;
mod table;

pub use doors::{CatalogFormat, PREFIX, TablesState, is_address, routes};
pub use error::PublishError;
pub use event_file::EventFile;
pub use place::PlaceOptions;
pub use publisher::{TableStatus, Tables, TablesOptions};
