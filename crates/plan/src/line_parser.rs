//! Parsers that take labels out of lines: `json`, `logfmt`, `pattern`, `unpack`.
//!
//! They read as Loki's do, which is more lenient than the formats are: what precedes a mistake becomes labels all the
//! same, and the mistake becomes the label `__error__`.

mod json;
mod label_name;
mod logfmt;
mod pattern;

pub use self::json::{PathStep, json_path, json_paths, unpack, unpacked_line};
pub use self::label_name::label_name;
pub use self::logfmt::{Logfmt, logfmt_keys, logfmt_pairs};
pub use self::pattern::{LinePattern, Piece, pieces};
pub use crate::line_parser::json::json;
pub use crate::line_parser::logfmt::logfmt;
pub use crate::line_parser::pattern::pattern;

#[cfg(test)]
mod tests;
