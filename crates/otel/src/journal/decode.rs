//! Entries of systemd's journal from `systemd-journal-upload`.
//!
//! `MESSAGE` is the message, and is parsed like any other text. `PRIORITY` is the level, unless it is only the default for
//! output of services (`_TRANSPORT=stdout`) and the text contains one itself. The time is `__REALTIME_TIMESTAMP`, as for
//! journals in JSON; the stream is `_HOSTNAME`. All fields keep their names in the journal. In addition, `host` and `unit`
//! repeat `_HOSTNAME` and `_SYSTEMD_UNIT` under the names of other senders, unless the message contains such fields.
//! A message cannot override trusted fields, whose names begin with `_`: one that mentions them is not parsed for fields.
//!
//! Only `__CURSOR` is stored of the fields that address an entry: it contains the others. An entry whose cursor belongs to an
//! event of the group is not stored again. This works like ids in Elasticsearch (`ids.rs`), except that only events of the
//! same time are compared: the time is part of the entry.

mod export;

use std::collections::HashSet;

use parse::FieldWriter;
use types::{GroupName, Level, TimeRange, Timestamp};

pub use export::{JournalEntries, JournalEntry, JournalFault, JournalReader};
use ingest::RejectedRecord;
use ingest::{Collector, EventFields, EventMetadata, IngestAnswer, IngestError, Intake, RawEvent, Sender};

/// The field that identifies an entry.
const CURSOR: &str = "__CURSOR";

/// Fields that the event does not have: its message, its time, and those that the cursor contains.
const NOT_KEPT: [&str; 5] = ["MESSAGE", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID"];

/// The names of other senders for the same fields.
const ALSO: [(&str, &str); 2] = [("_HOSTNAME", "host"), ("_SYSTEMD_UNIT", "unit")];

/// Limit on the refusals that one answer names; further ones are counted only.
const NAMED_MAX: usize = 20;

/// The result of an upload, or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalAnswer {
    /// Stored now, and durable.
    pub n_stored: u64,
    /// Stored before.
    pub n_known: u64,
    /// Well-formed but refused: too large or too old.
    pub n_left_out: u64,
    /// Malformed.
    pub n_malformed: u64,
    /// The first refused entries, with their numbers in the upload, from 1, as lines.
    pub refused: Vec<RejectedRecord>,
}

impl JournalAnswer {
    /// Adds the result of another part.
    pub fn add(&mut self, other: Self) {
        self.n_stored += other.n_stored;
        self.n_known += other.n_known;
        self.n_left_out += other.n_left_out;
        self.n_malformed += other.n_malformed;
        other.refused.into_iter().for_each(|refused| self.name(refused));
    }

    fn name(&mut self, refused: RejectedRecord) {
        if self.refused.len() < NAMED_MAX {
            self.refused.push(refused);
        }
    }

    fn leave_out(&mut self, number: u64, error: &dyn std::fmt::Display) {
        self.n_left_out += 1;
        self.name(RejectedRecord { line: number as usize, error: error.to_string() });
    }
}

/// Stores the entries that a group does not have, and returns when they are durable. Blocks.
///
/// # Errors
/// If the store refuses the entries, the sender may not write to the group, or another request is storing one of them.
/// Nothing is stored then.
pub fn ingest_journal(
    intake: &Intake,
    entries: &JournalEntries,
    group: &GroupName,
    sender: &Sender<'_>,
) -> Result<JournalAnswer, IngestError> {
    let mut answer = JournalAnswer::default();
    for (number, fault) in entries.faults() {
        answer.leave_out(*number, fault);
        if fault.is_malformed() {
            (answer.n_left_out, answer.n_malformed) = (answer.n_left_out - 1, answer.n_malformed + 1);
        }
    }
    let mut collector = intake.collect(sender);
    let place = collector.group(group)?;
    let cursors: HashSet<&str> = entries.iter().filter_map(|(_, entry)| cursor(entry)).collect();
    let mut claimed = intake.claims().none();
    if intake.claims().claim(group, cursors.iter().copied(), &mut claimed).contains(&false) {
        return Err(IngestError::OnItsWay);
    }
    let range = range_of(entries, sender.now, intake.limits().future_ns_max);
    let known = intake.known_ids(group, CURSOR, range, &cursors);
    let mut added = HashSet::new();
    for (number, entry) in entries.iter() {
        if cursor(entry).is_some_and(|cursor| known.contains(cursor) || !added.insert(cursor)) {
            answer.n_known += 1;
        } else if let Err(refused) = add(entry, place, &mut collector)? {
            answer.leave_out(number, &refused);
        }
    }
    answer.n_stored = intake.deliver(collector, None, entries.n_bytes() as u64, IngestAnswer::default())?.accepted;
    Ok(answer)
}

/// Adds an entry to the group at `place`.
fn add(
    entry: JournalEntry<'_>,
    place: usize,
    collector: &mut Collector<'_>,
) -> Result<Result<(), ingest::RecordRefusal>, IngestError> {
    let message = entry.get("MESSAGE").unwrap_or_default();
    collector.set_stream(place, &String::from_utf8_lossy(entry.get("_HOSTNAME").unwrap_or_default()));
    // An entry without a time has the time of its arrival.
    collector.forget_line_context();
    let level = level(entry, message);
    let write = |fields: &mut FieldWriter<'_>| write_fields(entry, level.is_some(), fields);
    let fields = EventFields::Writer { n_max: entry.fields().len() + ALSO.len(), write: &write };
    let metadata = EventMetadata { time: time(entry), level, fields, offset: None };
    let raw = if names_trusted(entry, message) { RawEvent::Body(message) } else { RawEvent::Text(message) };
    collector.add(place, raw, &metadata)
}

/// Writes the fields, with the priority only if it is the level.
fn write_fields(entry: JournalEntry<'_>, has_level: bool, fields: &mut FieldWriter<'_>) {
    for (name, value) in entry.fields() {
        if NOT_KEPT.contains(&name) || (name == "PRIORITY" && !has_level) {
            continue;
        }
        let text = String::from_utf8_lossy(value);
        match name {
            "PRIORITY" | "SYSLOG_FACILITY" => write_number(name, &text, fields),
            _ => fields.text(name, &text),
        }
        if let Some((_, also)) = ALSO.iter().find(|(known, _)| *known == name) {
            fields.text(also, &text);
        }
    }
}

fn write_number(name: &str, text: &str, fields: &mut FieldWriter<'_>) {
    match text.parse() {
        Ok(number) => fields.integer(name, number),
        Err(_) => fields.text(name, text),
    }
}

/// Reports whether a message mentions a trusted field, and might override it.
fn names_trusted(entry: JournalEntry<'_>, message: &[u8]) -> bool {
    memchr::memchr(b'_', message).is_some()
        && entry
            .fields()
            .any(|(name, _)| name.starts_with('_') && memchr::memmem::find(message, name.as_bytes()).is_some())
}

fn cursor(entry: JournalEntry<'_>) -> Option<&str> {
    str::from_utf8(entry.get(CURSOR)?).ok().filter(|cursor| !cursor.is_empty())
}

/// Returns the time at which the journal accepted an entry, which is in microseconds.
fn time(entry: JournalEntry<'_>) -> Option<Timestamp> {
    let micros: i64 = str::from_utf8(entry.get("__REALTIME_TIMESTAMP")?).ok()?.parse().ok()?;
    micros.checked_mul(1_000).map(Timestamp)
}

/// Returns the level of an entry; `None` if it is to be found in the text.
fn level(entry: JournalEntry<'_>, message: &[u8]) -> Option<Level> {
    let priority = str::from_utf8(entry.get("PRIORITY")?).ok()?.parse::<u8>().ok()?;
    let is_said_by_nobody = priority == 6 && entry.get("_TRANSPORT") == Some(b"stdout");
    let says_itself = || message.starts_with(b"{") || parse::level_of_text(&String::from_utf8_lossy(message)).is_some();
    if is_said_by_nobody && says_itself() { None } else { Level::of_syslog(priority) }
}

/// Returns the range of the times of these entries; all times if one of them has an invalid time.
fn range_of(entries: &JournalEntries, now: Timestamp, future_ns_max: i64) -> TimeRange {
    let latest = now.0.saturating_add(future_ns_max);
    let mut range: Option<TimeRange> = None;
    for (_, entry) in entries.iter().filter(|(_, entry)| cursor(*entry).is_some()) {
        let Some(time) = time(entry).filter(|time| (0..=latest).contains(&time.0)) else { return TimeRange::ALL };
        let so_far = range.unwrap_or(TimeRange { from: time, to: time });
        range = Some(TimeRange { from: so_far.from.min(time), to: so_far.to.max(Timestamp(time.0.saturating_add(1))) });
    }
    range.unwrap_or(TimeRange::ALL)
}

#[cfg(test)]
mod tests;
