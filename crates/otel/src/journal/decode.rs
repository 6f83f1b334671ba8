//! Entries of systemd's journal, as `systemd-journal-upload` sends them.
//!
//! `MESSAGE` is the message, and is recognised like any other text; `PRIORITY` is the level, but where it only is what
//! everything gets that a service prints (`_TRANSPORT=stdout`) and the text says one itself. The time is
//! `__REALTIME_TIMESTAMP`, as for journals that come as JSON; the stream is `_HOSTNAME`. All fields keep the names that
//! the journal gives them. Beside them `host` and `unit` repeat `_HOSTNAME` and
//! `_SYSTEMD_UNIT` under the names that other senders use, unless the message itself says something by those names.
//! What the journal vouches for, by a `_`, no message can say otherwise: one that tries is not read for fields.
//!
//! Of the fields that are an entry's address only `__CURSOR` is kept: it says all that the others do. An entry whose
//! cursor an event of the group has is not stored again. What holds is as with Elasticsearch's ids (`ids.rs`), but that
//! only events of the same time are asked: it belongs to the entry, and what nobody else has at that time is new.

mod export;

use std::collections::HashSet;

use parse::FieldWriter;
use types::{GroupName, Level, TimeRange, Timestamp};

pub use export::{JournalEntries, JournalEntry, JournalFault, JournalReader};
use ingest::Rejected;
use ingest::{Collector, EventFields, EventMetadata, IngestAnswer, IngestError, Intake, RawEvent, Sender};

/// The field by which an entry is known again.
const CURSOR: &str = "__CURSOR";

/// Fields that are no fields of the event: they are its message and its time, or stand in its cursor.
const NOT_KEPT: [&str; 5] = ["MESSAGE", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID"];

/// Names by which other senders say the same.
const ALSO: [(&str, &str); 2] = [("_HOSTNAME", "host"), ("_SYSTEMD_UNIT", "unit")];

/// Refusals that are named in one answer; further ones are only counted.
const NAMED_MAX: usize = 20;

/// What became of the entries of an upload, or of a part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalAnswer {
    /// Stored now, and durable.
    pub n_stored: u64,
    /// Stored before.
    pub n_known: u64,
    /// Well-formed and not taken: too large, too old.
    pub n_left_out: u64,
    /// No entries of the format.
    pub n_malformed: u64,
    /// The first of those that were not taken, by their numbers in the upload, from 1, as lines.
    pub refused: Vec<Rejected>,
}

impl JournalAnswer {
    /// Adds what became of others.
    pub fn add(&mut self, other: Self) {
        self.n_stored += other.n_stored;
        self.n_known += other.n_known;
        self.n_left_out += other.n_left_out;
        self.n_malformed += other.n_malformed;
        other.refused.into_iter().for_each(|refused| self.name(refused));
    }

    fn name(&mut self, refused: Rejected) {
        if self.refused.len() < NAMED_MAX {
            self.refused.push(refused);
        }
    }

    fn leave_out(&mut self, number: u64, error: &dyn std::fmt::Display) {
        self.n_left_out += 1;
        self.name(Rejected { line: number as usize, error: error.to_string() });
    }
}

/// Stores entries in a group, but those that it has, and returns when they are durable. Blocks.
///
/// # Errors
/// Where the store takes nothing, the sender may not write to the group, or another request is about to store one of
/// the entries: nothing was stored then.
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
) -> Result<Result<(), ingest::Refused>, IngestError> {
    let message = entry.get("MESSAGE").unwrap_or_default();
    collector.set_stream(place, &String::from_utf8_lossy(entry.get("_HOSTNAME").unwrap_or_default()));
    // An entry without a time happened when it came, whatever another says.
    collector.forget_line_context();
    let level = level(entry, message);
    let write = |fields: &mut FieldWriter<'_>| write_fields(entry, level.is_some(), fields);
    let fields = EventFields::Writer { n_max: entry.fields().len() + ALSO.len(), write: &write };
    let metadata = EventMetadata { time: time(entry), level, fields, offset: None };
    let raw = if names_trusted(entry, message) { RawEvent::Body(message) } else { RawEvent::Text(message) };
    collector.add(place, raw, &metadata)
}

/// Writes the fields; the priority only where it is the level.
fn write_fields(entry: JournalEntry<'_>, has_level: bool, fields: &mut FieldWriter<'_>) {
    let mut written: Vec<&str> = Vec::with_capacity(entry.fields().len());
    for (name, value) in entry.fields() {
        if NOT_KEPT.contains(&name) || written.contains(&name) || (name == "PRIORITY" && !has_level) {
            // A field has one value; of several the first one counts.
            continue;
        }
        written.push(name);
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

/// Whether a message mentions a field that the journal vouches for, so that its own might take the place of that.
fn names_trusted(entry: JournalEntry<'_>, message: &[u8]) -> bool {
    memchr::memchr(b'_', message).is_some()
        && entry
            .fields()
            .any(|(name, _)| name.starts_with('_') && memchr::memmem::find(message, name.as_bytes()).is_some())
}

fn cursor(entry: JournalEntry<'_>) -> Option<&str> {
    str::from_utf8(entry.get(CURSOR)?).ok().filter(|cursor| !cursor.is_empty())
}

/// When the journal took an entry, which is written in microseconds.
fn time(entry: JournalEntry<'_>) -> Option<Timestamp> {
    let micros: i64 = str::from_utf8(entry.get("__REALTIME_TIMESTAMP")?).ok()?.parse().ok()?;
    micros.checked_mul(1_000).map(Timestamp)
}

/// The level of an entry; none where its text is to say it.
fn level(entry: JournalEntry<'_>, message: &[u8]) -> Option<Level> {
    let priority = str::from_utf8(entry.get("PRIORITY")?).ok()?.parse::<u8>().ok()?;
    let is_said_by_nobody = priority == 6 && entry.get("_TRANSPORT") == Some(b"stdout");
    let says_itself = || message.starts_with(b"{") || parse::level_of_text(&String::from_utf8_lossy(message)).is_some();
    if is_said_by_nobody && says_itself() { None } else { Level::of_syslog(priority) }
}

/// The range of times that the events of these entries have: all of it where one of them will have another time than
/// its own.
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
