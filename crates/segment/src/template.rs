//! Templates: messages with their variables taken out.
//!
//! A *word* is a maximal run of ASCII letters, digits and bytes of non-ASCII characters. Words that hold a digit
//! are variables, so are IPv4 addresses, UUIDs and times (`time_text`) as a whole; everything else is literal. Therefore
//! a word without digits occurs in the template and nowhere else, but for hex letters alone, which a UUID or a long
//! hex number may hold, and for names of months and weekdays: searching words means searching templates. Where the
//! messages of a run have too many templates, texts in double quotes become variables as a whole (`split`), and such
//! a variable may hold any word.
//!
//! A message that is a JSON document and whose values are fields of the event is taken apart by them (`document`): the template
//! has its keys and its spaces, and names the fields whose values stand between.
//!
//! A template is the message with each variable replaced by the marker byte of its kind; the marker of a time is
//! followed by its form, that of a field by the field's number. A message that contains a marker byte, or is very long, is
//! stored raw. Segments of format 1 know the first five kinds alone, those of format 2 no fields.

mod candidates;
mod document;
mod kind;
mod matcher;
mod pieces;
mod spelling;
mod split;
mod text;
mod ways;

pub(crate) use document::{EventFields, split_document};
pub(crate) use kind::{FIELDS_MAX, Kind, Slot};
pub(crate) use matcher::{Kinds, LiteralMatcher, TemplateMatch};
pub(crate) use pieces::{Piece, Template};
pub(crate) use spelling::{may_be_packed, pack_hex, parse_address, push_address, push_hex, push_integer};
pub(crate) use split::{Granularity, Parts, Variable, split};
pub(crate) use text::TemplateText;
pub(crate) use ways::{Requirement, ways};
