//! Templates: messages with their variables taken out.
//!
//! A *word* is a maximal run of ASCII letters, digits and bytes of non-ASCII characters. Words that hold a digit
//! are variables, so are IPv4 addresses, UUIDs and times (`time_text`) as a whole; everything else is literal. Therefore
//! a word without digits occurs in the template and nowhere else, but for hex letters alone, which a UUID or a long
//! hex number may hold, and for names of months and weekdays: searching words means searching templates. Where the
//! messages of a run have too many templates, texts in double quotes become variables as a whole (`split`), and such
//! a variable may hold any word.
//!
//! A template is the message with each variable replaced by the marker byte of its kind; the marker of a time is
//! followed by its form. A message that contains a marker byte, or is very long, is stored raw. Segments of format 1 know
//! the first five kinds alone.

mod candidates;
mod kind;
mod matcher;
mod pieces;
mod spelling;
mod split;
mod ways;

pub(crate) use candidates::TemplateText;
pub(crate) use kind::{Kind, Slot};
pub(crate) use matcher::{Kinds, LiteralMatcher, TemplateMatch};
pub(crate) use pieces::{Piece, Template, each_variable, pieces_between};
pub(crate) use spelling::{pack_hex, parse_address, push_address, push_hex, push_integer};
pub(crate) use split::{Granularity, Parts, Variable, split};
pub(crate) use ways::{Requirement, ways};
