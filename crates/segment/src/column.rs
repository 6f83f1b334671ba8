//! Encodes the values of one field in one block, and reads them back with their types.
//!
//! Only rows that have the field are stored; which ones they are is said elsewhere (the block's shapes). A
//! column section is one tag byte and what belongs to it, `n` being the number of values:
//!
//! | tag | content |
//! |---|---|
//! | 0 | codes into the run's dictionary of the field: *integers* |
//! | 1 | a dictionary of the block: varint count, *values*; codes: *integers* |
//! | 2 | *integers* |
//! | 3 | decimals: one byte scale `s` ≤ 9, *integers* (value × 10^s), *flags* of those sent as whole numbers |
//! | 4 | decimals as `f64` bits: *integers*, *flags* |
//! | 5 | *texts* |
//! | 6 | *values* |
//! | 7, 8 | since format 4: what another column of the block does not say (`dependent`) |
//! | 9 | since format 5: numbers as differences from those before in the same series (`successive`) |
//! | 10 | since format 6: a dictionary of ids that are in pages of the segment (`shared_ids`) |
//!
//! *flags*: one byte 0 (none is set) or 1 and then ⌈n/8⌉ bytes, least significant bit first.
//!
//! *texts* are those of `strings`.
//!
//! *values*: one byte 0 and *texts* where all are texts, else 1 and *tagged values* (see `tagged`).

mod decode;
pub(crate) mod dependent;
mod dictionary;
mod encode;
pub(crate) mod few;
mod scale;
pub(crate) mod search;
pub(crate) mod shared_ids;
pub(crate) mod successive;

pub(crate) use decode::{decode, decode_addresses};
pub(crate) use dictionary::{RunDictionary, decode_run_dictionary, put_values, take_values};
pub(crate) use encode::{encode, encode_plainly};

#[cfg(test)]
mod tests;
