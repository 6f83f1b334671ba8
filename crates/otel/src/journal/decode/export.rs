//! Parses the Journal Export Format (<https://systemd.io/JOURNAL_EXPORT_FORMATS/>) from a stream of bytes.
//!
//! ```text
//! entry  = { field } LF
//! field  = name "=" text LF
//!        | name LF length (8 bytes, little-endian) bytes LF
//! ```
//!
//! Bytes may arrive in any pieces. A refused entry does not affect others: it is skipped to its end, or to the next empty
//! line if its fields cannot be delimited. The parser needs the memory of one entry, which is bounded.

use std::collections::HashSet;
use std::ops::Range;

use memchr::memchr;
use types::Timestamp;

/// Longest name of a field, as in the journal.
const NAME_BYTES_MAX: usize = 64;

/// Limit on the fields of an entry; the journal's is 1,024.
const FIELDS_MAX: usize = 4_096;

/// Bytes stored of each line of a skipped entry: enough to find the end of a name.
const HEAD_BYTES: usize = NAME_BYTES_MAX + 2;

/// The reason why an entry is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalFault {
    /// A name has other characters than `A-Z`, `0-9` and `_`, begins with a digit, is empty or too long.
    #[error("field {0:?} has no name that fields may have")]
    BadName(String),
    /// The bytes of a field with a length are not followed by a newline.
    #[error("field {0}: no newline after its bytes")]
    NoNewline(String),
    /// It has too many fields.
    #[error("entry has more than {FIELDS_MAX} fields")]
    TooManyFields,
    /// It has too many bytes.
    #[error("field {name}: entry is larger than {bytes_max} bytes with it")]
    TooLarge {
        /// The field that exceeded the limit.
        name: String,
        /// The limit.
        bytes_max: usize,
    },
}

impl JournalFault {
    /// Reports whether the bytes violate the format, not only a limit.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::BadName(_) | Self::NoNewline(_))
    }
}

/// The positions of a field's name and value in the bytes of all entries.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    name: Range<usize>,
    value: Range<usize>,
}

/// Complete entries in their order.
#[derive(Clone, Debug, Default)]
pub struct JournalEntries {
    bytes: Vec<u8>,
    fields: Vec<Place>,
    /// The number of each entry, and the end of its fields.
    entries: Vec<(u64, usize)>,
    /// Refused entries with their numbers in the stream.
    pub faults: Vec<(u64, JournalFault)>,
}

impl JournalEntries {
    /// Returns the bytes of the entries.
    pub fn n_bytes(&self) -> usize {
        self.bytes.len() + self.fields.len() * size_of::<Place>()
    }

    /// Reports whether there is neither an entry nor a fault.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.faults.is_empty()
    }

    /// Returns each entry with its number in the stream, from 1.
    pub fn iter(&self) -> impl Iterator<Item = (u64, JournalEntry<'_>)> {
        let starts = std::iter::once(0).chain(self.entries.iter().map(|(_, end)| *end));
        starts.zip(&self.entries).map(|(start, (number, end))| {
            (*number, JournalEntry { bytes: &self.bytes, fields: &self.fields[start..*end] })
        })
    }

    /// Returns a copy of the entries of these numbers, without the refused ones.
    pub fn of_numbers(&self, numbers: &HashSet<u64>) -> Self {
        let mut copy = Self::default();
        for (number, entry) in self.iter().filter(|(number, _)| numbers.contains(number)) {
            for field in entry.fields {
                let mut push = |range: &Range<usize>| {
                    let start = copy.bytes.len();
                    copy.bytes.extend_from_slice(&self.bytes[range.clone()]);
                    start..copy.bytes.len()
                };
                let (name, value) = (push(&field.name), push(&field.value));
                copy.fields.push(Place { name, value });
            }
            copy.entries.push((number, copy.fields.len()));
        }
        copy
    }
}

/// One entry.
#[derive(Clone, Copy, Debug)]
pub struct JournalEntry<'e> {
    bytes: &'e [u8],
    fields: &'e [Place],
}

impl<'e> JournalEntry<'e> {
    /// Returns names and values, in the order of the entry. A name may occur several times.
    pub fn fields(self) -> impl ExactSizeIterator<Item = (&'e str, &'e [u8])> {
        self.fields.iter().map(move |place| {
            // The reader has checked that names are ASCII.
            let name = str::from_utf8(&self.bytes[place.name.clone()]).unwrap_or_default();
            (name, &self.bytes[place.value.clone()])
        })
    }

    /// Returns the time at which the journal accepted the entry, which is in microseconds.
    pub fn time(self) -> Option<Timestamp> {
        let micros: i64 = str::from_utf8(self.get("__REALTIME_TIMESTAMP")?).ok()?.parse().ok()?;
        micros.checked_mul(1_000).map(Timestamp)
    }

    /// Returns the first value of a name.
    pub fn get(self, name: &str) -> Option<&'e [u8]> {
        self.fields().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// The position of the stream in the format.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// In a line.
    Line,
    /// In the length of a field, after a number of its bytes.
    Length { known: [u8; 8], n_known: usize },
    /// In the bytes of a field, with the number of the remaining ones.
    Bytes(u64),
    /// Before the newline after them.
    Newline,
    /// In bytes that are skipped to an empty line, and whether at the start of a line.
    Lost { at_line_start: bool },
}

/// Splits a stream of bytes into entries.
#[derive(Debug)]
pub struct JournalReader {
    state: State,
    /// The incomplete entry: its bytes, and its fields as positions in them.
    bytes: Vec<u8>,
    fields: Vec<Place>,
    /// The start of its line, or of the value of its field.
    start: usize,
    /// The name of the field whose length or bytes are read.
    name: Range<usize>,
    fault: Option<JournalFault>,
    /// Whether the fault still lacks the name of its field.
    is_fault_unnamed: bool,
    has_any: bool,
    /// The number of the incomplete entry.
    number: u64,
    entry_bytes_max: usize,
}

impl JournalReader {
    /// Returns a reader of a new stream, given the limit on the bytes of an entry.
    pub fn new(entry_bytes_max: usize) -> Self {
        Self {
            state: State::Line,
            bytes: Vec::new(),
            fields: Vec::new(),
            start: 0,
            name: 0..0,
            fault: None,
            is_fault_unnamed: false,
            has_any: false,
            number: 1,
            entry_bytes_max,
        }
    }

    /// Returns the bytes of the incomplete entry.
    pub fn n_held_bytes(&self) -> usize {
        self.bytes.len() + self.fields.len() * size_of::<Place>()
    }

    /// Reads the next bytes, and adds complete entries to `entries`.
    pub fn feed(&mut self, input: &[u8], entries: &mut JournalEntries) {
        let mut rest = input;
        while !rest.is_empty() {
            rest = match self.state {
                State::Line => self.line(rest, entries),
                State::Length { known, n_known } => self.length(rest, known, n_known),
                State::Bytes(n_left) => self.field_bytes(rest, n_left),
                State::Newline => self.newline(rest),
                State::Lost { at_line_start } => self.lost(rest, at_line_start, entries),
            };
        }
    }

    /// Ends the stream. An entry whose last field is complete is added.
    ///
    /// # Errors
    /// The number of the entry within which the stream ended, which is refused.
    pub fn finish(mut self, entries: &mut JournalEntries) -> Result<(), u64> {
        let is_whole = self.state == State::Line && self.bytes.len() == self.start;
        if self.has_any && !is_whole {
            return Err(self.number);
        }
        self.end(entries);
        Ok(())
    }

    /// Continues in a line.
    fn line<'i>(&mut self, rest: &'i [u8], entries: &mut JournalEntries) -> &'i [u8] {
        let end = memchr(b'\n', rest);
        let (part, rest) = rest.split_at(end.unwrap_or(rest.len()));
        self.has_any |= !part.is_empty();
        self.keep(part);
        if end.is_none() {
            return rest;
        }
        self.end_line(entries);
        &rest[1..]
    }

    fn end_line(&mut self, entries: &mut JournalEntries) {
        let line = self.start..self.bytes.len();
        if line.is_empty() {
            return self.end(entries);
        }
        let equals = memchr(b'=', &self.bytes[line.clone()]);
        let name = line.start..equals.map_or(line.end, |at| line.start + at);
        let shown = &self.bytes[name.start..name.end.min(name.start + NAME_BYTES_MAX)];
        if std::mem::take(&mut self.is_fault_unnamed)
            && let Some(JournalFault::TooLarge { name, .. }) = &mut self.fault
        {
            *name = String::from_utf8_lossy(shown).into_owned();
        }
        if !is_name(&self.bytes[name.clone()]) {
            let shown = String::from_utf8_lossy(shown).into_owned();
            self.fault(JournalFault::BadName(shown));
            if equals.is_none() {
                // It is unknown whether a length follows.
                self.state = State::Lost { at_line_start: true };
            }
            self.cut();
        } else if equals.is_some() {
            self.add(Place { value: name.end + 1..line.end, name });
        } else {
            (self.name, self.start) = (name, line.end);
            self.state = State::Length { known: [0; 8], n_known: 0 };
        }
    }

    fn length<'i>(&mut self, rest: &'i [u8], mut known: [u8; 8], n_known: usize) -> &'i [u8] {
        known[n_known] = rest[0];
        self.state = if n_known < 7 {
            State::Length { known, n_known: n_known + 1 }
        } else {
            match u64::from_le_bytes(known) {
                0 => State::Newline,
                n_bytes => State::Bytes(n_bytes),
            }
        };
        &rest[1..]
    }

    fn field_bytes<'i>(&mut self, rest: &'i [u8], n_left: u64) -> &'i [u8] {
        let n_here = usize::try_from(n_left).unwrap_or(usize::MAX).min(rest.len());
        let (part, rest) = rest.split_at(n_here);
        let n_left = n_left - n_here as u64;
        if self.fault.is_none() {
            self.keep(part);
        }
        self.state = if n_left == 0 { State::Newline } else { State::Bytes(n_left) };
        rest
    }

    /// Reads the newline after the bytes of a field.
    fn newline<'i>(&mut self, rest: &'i [u8]) -> &'i [u8] {
        if rest[0] != b'\n' {
            let name = self.name();
            self.fault(JournalFault::NoNewline(name));
            self.cut();
            self.state = State::Lost { at_line_start: false };
            return rest;
        }
        self.state = State::Line;
        self.add(Place { name: self.name.clone(), value: self.start..self.bytes.len() });
        &rest[1..]
    }

    fn lost<'i>(&mut self, rest: &'i [u8], at_line_start: bool, entries: &mut JournalEntries) -> &'i [u8] {
        let Some(end) = memchr(b'\n', rest) else {
            self.state = State::Lost { at_line_start: false };
            return &[];
        };
        if end == 0 && at_line_start {
            self.end(entries);
        } else {
            self.state = State::Lost { at_line_start: true };
        }
        &rest[end + 1..]
    }

    /// Stores bytes of the entry; for a refused one only the start of each line, which is needed to skip it.
    fn keep(&mut self, part: &[u8]) {
        let is_too_large = self.n_held_bytes().saturating_add(part.len()) > self.entry_bytes_max;
        if self.fault.is_none() && !is_too_large {
            self.bytes.extend_from_slice(part);
            return;
        }
        let room = HEAD_BYTES.saturating_sub(self.bytes.len() - self.start);
        self.bytes.extend_from_slice(&part[..room.min(part.len())]);
        if self.fault.is_none() {
            // The name is known at the end of a line.
            let name = if self.state == State::Line { String::new() } else { self.name() };
            self.is_fault_unnamed = self.state == State::Line;
            self.fault(JournalFault::TooLarge { name, bytes_max: self.entry_bytes_max });
            let head = self.start..self.bytes.len().min(self.start + HEAD_BYTES);
            self.bytes.copy_within(head.clone(), 0);
            self.bytes.truncate(head.len());
            (self.start, self.name) = (0, 0..0);
        }
    }

    /// Returns the name of the field whose bytes are read.
    fn name(&self) -> String {
        String::from_utf8_lossy(&self.bytes[self.name.clone()]).into_owned()
    }

    fn add(&mut self, place: Place) {
        if self.fault.is_none() && self.fields.len() < FIELDS_MAX {
            self.fields.push(place);
            self.start = self.bytes.len();
            return;
        }
        if self.fault.is_none() {
            self.fault(JournalFault::TooManyFields);
        }
        self.cut();
    }

    /// Records why the entry is refused; the first reason counts.
    fn fault(&mut self, fault: JournalFault) {
        self.fault.get_or_insert(fault);
        self.fields = Vec::new();
    }

    /// Drops the bytes of a refused entry.
    fn cut(&mut self) {
        self.bytes.clear();
        (self.start, self.name) = (0, 0..0);
    }

    /// Completes the entry.
    fn end(&mut self, entries: &mut JournalEntries) {
        self.state = State::Line;
        if let Some(fault) = self.fault.take() {
            entries.faults.push((self.number, fault));
        } else if !self.fields.is_empty() {
            let base = entries.bytes.len();
            let moved = |range: Range<usize>| range.start + base..range.end + base;
            entries.bytes.extend_from_slice(&self.bytes);
            let places = self.fields.drain(..);
            entries.fields.extend(places.map(|p| Place { name: moved(p.name), value: moved(p.value) }));
            entries.entries.push((self.number, entries.fields.len()));
        } else {
            // A surplus empty line.
            return;
        }
        self.cut();
        self.has_any = false;
        self.number += 1;
    }
}

fn is_name(name: &[u8]) -> bool {
    let is_known = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name[0].is_ascii_digit() && name.iter().all(is_known)
}

#[cfg(test)]
mod tests;
