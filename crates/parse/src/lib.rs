//! Bytes to events: JSON records, text lines, times and levels as programs write them.
//!
//! Everything here is a pure function of bytes and of their [`ArrivalContext`] (when they arrived, time zone, limits): no
//! I/O, no clock. Content never makes parsing fail, with one exception: a line that was announced as a JSON
//! record and is none is an error of that line. Memory and time grow linearly with the input.
//!
//! This crate knows nothing of requests, groups or storage.

mod arrival;
mod colour;
mod commit;
mod crash;
mod event;
pub mod exception;
mod fields;
mod find;
mod format;
mod format_samples;
mod frames;
mod grok;
mod joined;
mod json;
mod lenient;
mod level;
mod message;
mod multiline;
mod overflow;
mod pairs;
mod piece;
mod projection;
mod runtime;
pub mod secrets;
mod shape;
mod shape_object;
mod signs;
#[cfg(test)]
mod text;
mod time;
mod utf16;
mod zone;

pub use arrival::{ArrivalContext, Extras};
pub use commit::commit_in_parts;
pub use crash::{Death, ReportLevel, Signal, death, level_behind_header};
pub use event::{Event, EventParser, OwnTime, text_of};
pub use fields::FieldWriter;
pub use format::{Format, FormatError, FormatId, FormatSample, Formats};
pub use frames::{Framer, Frames};
pub use grok::{Grok, GrokError, GrokField, GrokType};
pub use joined::{lines_by_text, texts};
pub use json::{JsonCursor, JsonError, ObjectReader, TEXT_KEYS, may_tell_time, time_key};
pub use lenient::{
    JsonMistake, JsonToken, json_key, json_members, json_next, json_text, json_text_end, json_trimmed, json_value,
};
pub use level::{level_of_field, level_of_text};
pub use message::{Message, OF_PROCESS, journal_value, source_of, syslog as syslog_message};
pub use multiline::{Boundaries, Joiner, Placement, Profile, SourceLine, events};
pub use overflow::{JOINED_BYTES_MAX, Overflow};
pub use pairs::logfmt_pair;
pub use piece::{Piece, Screen, batches_of_piece, last_time, sure_end};
pub use projection::Projection;
pub use shape::{LineColumns, PartValue, Parts, Shape, SyslogHeader};
pub use shape_object::shape_object;
pub use time::{FoundTime, ResolvedTime, ambiguous_zone, bounded, find_time, parse_time};
pub use utf16::{Transcript, Utf16};
pub use zone::{Zone, ZoneError};
