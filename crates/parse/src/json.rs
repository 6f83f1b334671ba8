//! JSON records, read straight from bytes into fields: no tree is built.
//!
//! A record is first scanned as a whole into a flat list of members ([`Members`]), spans into the line
//! wherever possible; only then does the event get its fields. A broken record thus leaves nothing behind,
//! and which key gives the text and the time is known before the first field is written.
//!
//! What is over a limit is kept as JSON text in `@rest`. Nesting costs no stack.
//!
//! Looser than RFC 8259 in one point: control characters may stand unescaped in texts.

mod cursor;
mod emit;
mod hints;
mod lists;
mod members;
mod number;
mod scan;
mod strings;
mod times;

pub use cursor::JsonCursor;
pub(crate) use emit::{emit_around, emit_line_fields, emit_record};
pub(crate) use hints::is_needed;
pub use hints::{may_tell_time, time_key};
pub use members::{JsonError, TEXT_KEYS};
pub(crate) use members::{Members, TIME_KEYS, Token};
pub(crate) use times::exact_rfc3339;

use types::Limits;

use crate::FieldWriter;
use crate::json::scan::Scanner;

/// Reads JSON objects that stand beside events, and writes their members as fields: nested ones under dotted paths.
#[derive(Debug, Default)]
pub struct ObjectReader(Members);

impl ObjectReader {
    /// Reads one object, which must be all of `text`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(&mut self, text: &str, limits: &Limits) -> Result<(), JsonError> {
        self.0.scan(text, limits, None)
    }

    /// Reads the object that `text` begins with; returns how many bytes it has.
    ///
    /// # Errors
    /// Where it begins with none.
    pub fn read_first(&mut self, text: &str, limits: &Limits) -> Result<usize, JsonError> {
        self.0.clear();
        Scanner::new(text, limits, None, &mut self.0).first()
    }

    /// At most how many fields the object has that was read last.
    pub fn n_fields(&self) -> usize {
        self.0.n_fields()
    }

    /// Writes what was read of `text`.
    pub fn write(&self, text: &str, fields: &mut FieldWriter<'_>) {
        let set_aside = self.0.texts.iter().chain(&self.0.times).flatten();
        for member in self.0.members.iter().chain(set_aside) {
            let name = self.0.get(member.name, text);
            match &member.token {
                Token::Text(span) | Token::Digits(span) => fields.text(name, self.0.get(*span, text)),
                Token::Integer(number) => fields.integer(name, *number),
                Token::Float(number) => fields.float(name, *number),
                Token::Boolean(truth) => fields.boolean(name, *truth),
                Token::Value(value) => fields.value(name, value),
            }
        }
        fields.add_rest(&self.0.rest, self.0.n_dropped);
    }
}

#[cfg(test)]
mod tests;
