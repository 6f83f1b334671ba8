//! The messages of one block: template numbers, and the variables by kind.
//!
//! A block's messages are [`TEXT_SECTIONS`] sections (empty where there is nothing): template numbers of all rows
//! (*integers*; 0 is a raw message), then variables, last raw messages (*texts*). Variables of a section are in
//! the order (column, row), columns being those of `slots`:
//!
//! | section | content |
//! |---|---|
//! | 1 integers and times | `numbers` |
//! | 2 addresses | `numbers` |
//! | 3 hex | *integers* lengths in packed bytes, packed bytes |
//! | 4 UUIDs | packed bytes, 16 each |
//! | 5 texts, 6 quoted texts | the columns of fewer than [`COLUMN_MIN`] values together: *texts*; then each of the others: *texts* |
//! | 7 raw messages | *texts* |
//!
//! A variable that is the value of a field has no place in them: it is stored with its field.
//!
//! In segments of format 1 there is a column for each (template, place), raw messages are section 6, and sections 1
//! to 5 are: *integers* of value − least of its column, then the leasts as *integers*; *integers*; hex and UUIDs as
//! above; *texts* of all columns.

mod document_fields;
mod field_slots;
mod layout;
mod rebuild;
mod requirements;
mod search;
mod variables;
mod vocabulary;
mod writer;

pub(crate) use layout::{ColumnSelection, TemplateIds};
pub(crate) use rebuild::{example, rebuild};
pub(crate) use requirements::RequirementSet;
pub(crate) use search::{find, find_numbers};
pub(crate) use variables::{Variables, base_of};
pub(crate) use vocabulary::{HEX, QUOTED, TEXT_SECTIONS, UUIDS, Vocabulary, raw_section, section_of};
pub(crate) use writer::{BlockTexts, MessageWriter, encode_raw};
