//! Segments: immutable, checksummed single files that hold the events of one partition.
//!
//! ```text
//! header   64 bytes: magic "CATATSEG", u16 format version, 6 bytes 0, 16 bytes store UUID, 16 bytes segment id,
//!          i64 partition (UTC day since the epoch; i64::MIN for a segment of several days), u64 XXH3 of the 56
//!          bytes before
//! sections one after another, each compressed and checksummed on its own (`section`)
//! footer   one zstd frame: what runs there are, where their sections lie (`footer`)
//! trailer  32 bytes: u64 offset of the footer, u32 its stored and u32 its plain length, u64 XXH3 of its stored
//!          bytes, magic "CATATEND" (format 1), "CATATEN2" to "CATATEN5"
//! ```
//! All numbers are little-endian. A reader needs the end of the file and then only the sections that a query
//! touches, by `pread` or by requests for ranges of an object; nothing is mapped, so damage is an error and not a
//! signal. Because the end comes first and the header perhaps never, a version whose footer is read in another way
//! ends in another magic.
//!
//! A segment holds runs, one per group. A run's events are in time order (equal times in order of acceptance)
//! in blocks of [`block_rows`]. Fields are columns (`column`, `strings`), which fields an event has is its shape
//! (`shape`), messages are split into templates and variables (`template`, `time_text`), the variables are columns too
//! (`slots`, `texts`, `numbers`), and the words of many templates are indexed by tantivy (`word_index`). Block filters
//! (`filter`) say which pieces of words no variable holds. Times of events are in `times`.
//!
//! This crate reads and writes single files and is the only one that names tantivy. It knows neither the data
//! directory nor the catalog, never deletes a file, and hides no events: deletions are applied above it.

mod anchor;
pub mod bytes;
mod column;
mod column_filter;
mod column_writer;
mod digits;
mod duration;
mod error;
mod field_filter;
mod field_minutes;
mod filter;
mod footer;
mod format;
mod heap;
mod held;
mod meta;
mod needle;
mod numbers;
mod proof;
mod reader;
mod section;
mod section_cache;
mod shape;
mod slots;
mod source;
mod strings;
pub mod tagged;
mod template;
#[cfg(test)]
mod tests;
mod text_pool;
mod texts;
mod time_text;
mod times;
mod width;
mod word_index;
mod words;
mod writer;

pub use error::SegmentError;
pub use format::{BLOCK_ROWS, FORMAT_VERSION, HEADER_BYTES, block_rows, version_of};
pub use meta::{MIXED_PARTITION, RunSummary, SegmentMeta, day_of, range_of};
pub use reader::{RunReader, Segment, SegmentEnd};
pub use section_cache::{SectionCache, SectionCacheStatus};
pub use source::{FilePool, LocalFile, NamelessFile, Source};
pub use width::{RUN_CELLS_MAX, RunWidth, narrow_parts};
pub use writer::{RunInput, RunOutline, SegmentFile, SegmentWriter, write};
