//! Opens segments and reads runs out of them.
//!
//! Opening reads the end of the file, which nearly always holds the whole footer, else the rest of the footer: one
//! read or two. The header says nothing that the footer does not; it is looked at where that read has it, or where
//! something is wrong, and when everything is checked. What a run needs as a whole (templates, shape table, word
//! index, dictionaries) is read when a query first asks, and kept like sections of blocks: as long as there is room.

mod block_cache;
mod blocks;
mod days;
mod decode;
mod end;
mod fields;
#[cfg(test)]
mod footprint_tests;
mod names;
mod narrow;
mod narrow_fields;
mod prefetch;
mod recent;
mod run;
mod samples;
mod segment;
mod series;
mod whole;

pub use blocks::RunReader;
pub use end::SegmentEnd;
pub use segment::Segment;
