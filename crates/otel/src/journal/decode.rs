//! Entries of systemd's journal from `systemd-journal-upload`.
//!
//! `MESSAGE` is the message, and is parsed like any other text. `PRIORITY` is the level, unless it is only the default for
//! output of services (`_TRANSPORT=stdout`) and the text contains one itself. The time is `__REALTIME_TIMESTAMP`, as for
//! journals in JSON; the stream is `_HOSTNAME`. All fields keep their names in the journal. In addition, `host` and `unit`
//! repeat `_HOSTNAME` and `_SYSTEMD_UNIT` under the names of other senders, unless the message contains such fields.
//! A message cannot override trusted fields, whose names begin with `_`: one that mentions them is not parsed for fields.
//!
//! Entries of one unit and process that are one event in a file are one event here ([`joined`]), with the fields of the first.
//!
//! Only `__CURSOR` is stored of the fields that address an entry: it contains the others. Of entries that were joined to another
//! there are hashes of their cursors in `__CURSORS_JOINED`. An entry whose cursor belongs to an event of the group is not stored
//! again. This works like ids in Elasticsearch (`ids.rs`), except that only events of about the same time are compared: the time
//! is part of the entry.

mod export;
mod joined;

use std::collections::{HashMap, HashSet};

use parse::FieldWriter;
use types::{GroupName, Level, TimeRange, Timestamp};

use self::joined::JoinedEntries;
pub use export::{JournalEntries, JournalEntry, JournalFault, JournalReader};
use ingest::ids::{IdField, hashed};
use ingest::{
    Collector, EventFields, EventMetadata, IngestAnswer, IngestError, Intake, RawEvent, RejectedRecord, Sender,
};

/// The field that identifies an entry.
const CURSOR: &str = "__CURSOR";

/// The field with the hashes of the cursors of entries that were joined to the first.
const CURSORS_JOINED: &str = "__CURSORS_JOINED";

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

/// Entries that wait for others that are likely to belong to their events.
#[derive(Debug, Default)]
pub struct HeldEntries {
    /// The entries.
    pub entries: JournalEntries,
    /// The number of the first entry of each event, and the number of its entries.
    pub events: HashMap<u64, usize>,
}

/// Stores the entries that a group does not have, and returns when they are durable. Blocks. Those of an event to which
/// further ones are likely to belong are returned if `is_held` says so, given the number of the first and how many there are.
///
/// # Errors
/// If the store refuses the entries, the sender may not write to the group, or another request is storing one of them.
/// Nothing is stored then.
pub fn ingest_journal(
    intake: &Intake,
    entries: &JournalEntries,
    group: &GroupName,
    sender: &Sender<'_>,
    is_held: &dyn Fn(u64, usize) -> bool,
) -> Result<(JournalAnswer, HeldEntries), IngestError> {
    let mut answer = JournalAnswer::default();
    for (number, fault) in &entries.faults {
        answer.leave_out(*number, fault);
        if fault.is_malformed() {
            (answer.n_left_out, answer.n_malformed) = (answer.n_left_out - 1, answer.n_malformed + 1);
        }
    }
    let mut collector = intake.collect(sender);
    let place = collector.group(group)?;
    let cursors: HashSet<&str> = entries.iter().filter_map(|(_, entry)| cursor(entry)).collect();
    let mut claimed = intake.claims.none();
    if intake.claims.claim(group, cursors.iter().copied(), &mut claimed).contains(&false) {
        return Err(IngestError::OnItsWay);
    }
    let range = range_of(entries, sender.now, intake.limits.future_ns_max);
    let hashes: Vec<String> = cursors.iter().map(|cursor| hashed(cursor)).collect();
    let known = intake.known_ids(group, IdField::One(CURSOR), range, cursors.iter().copied());
    // An event has the time of its first entry.
    let range = TimeRange { from: Timestamp(range.from.0.saturating_sub(joined::SPAN_US * 1_000)), ..range };
    let known_joined = intake.known_ids(group, IdField::List(CURSORS_JOINED), range, hashes.iter().map(String::as_str));
    let mut added = HashSet::new();
    let mut is_new = |entry: JournalEntry<'_>| {
        cursor(entry).is_none_or(|cursor| {
            !known.contains(cursor) && !known_joined.contains(&*hashed(cursor)) && added.insert(cursor.to_owned())
        })
    };
    let (mut held, mut held_numbers, mut n_joined) = (HashMap::new(), HashSet::new(), 0);
    let new: Vec<_> = entries.iter().filter(|(_, entry)| is_new(*entry)).collect();
    answer.n_known += (entries.iter().count() - new.len()) as u64;
    for event in joined::joined(new.into_iter()) {
        if event.is_open && is_held(event.number, event.len()) {
            held.insert(event.number, event.len());
            held_numbers.insert(event.number);
            held_numbers.extend(event.others.iter().map(|(number, _)| number));
        } else if let Err(refused) = add(&event, place, &mut collector)? {
            answer.leave_out(event.number, &refused);
            event.others.iter().for_each(|(number, _)| answer.leave_out(*number, &refused));
        } else {
            n_joined += event.others.len() as u64;
        }
    }
    let stored = intake.deliver(collector, None, entries.n_bytes() as u64, IngestAnswer::default())?;
    answer.n_stored = stored.accepted + n_joined;
    Ok((answer, HeldEntries { entries: entries.of_numbers(&held_numbers), events: held }))
}

/// Adds an event to the group at `place`.
fn add(
    event: &JoinedEntries<'_>,
    place: usize,
    collector: &mut Collector<'_>,
) -> Result<Result<(), ingest::RecordRefusal>, IngestError> {
    let (entry, message) = (event.first, &*event.message());
    collector.set_stream(place, &String::from_utf8_lossy(entry.get("_HOSTNAME").unwrap_or_default()));
    // An entry without a time has the time of its arrival.
    collector.forget_line_context();
    let level = level(entry, message);
    let cursors: Vec<String> = event.others.iter().filter_map(|(_, entry)| cursor(*entry)).map(hashed).collect();
    let write = |fields: &mut FieldWriter<'_>| {
        write_fields(entry, level.is_some(), fields);
        if !cursors.is_empty() {
            fields.text(CURSORS_JOINED, &cursors.join(" "));
        }
    };
    let fields = EventFields::Writer { n_max: entry.fields().len() + ALSO.len() + 1, write: &write };
    let metadata = EventMetadata { time: entry.time(), level, fields, offset: None, is_continued: event.is_continued };
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

/// Returns the level of an entry; `None` if it is to be found in the text.
fn level(entry: JournalEntry<'_>, message: &[u8]) -> Option<Level> {
    let priority = str::from_utf8(entry.get("PRIORITY")?).ok()?.parse::<u8>().ok()?;
    let is_said_by_nobody = priority == 6 && entry.get("_TRANSPORT") == Some(b"stdout");
    let text = String::from_utf8_lossy(message);
    let says_itself = || message.starts_with(b"{") || parse::level_of_text(&text).is_some();
    // The priority of the report of a death is that of all that its program prints.
    let of_report = || if memchr::memchr(b'\n', message).is_some() { parse::ReportLevel::of(&text) } else { None };
    if is_said_by_nobody && says_itself() {
        None
    } else {
        parse::level_behind_header(Level::of_syslog(priority), of_report())
    }
}

/// Returns the range of the times of these entries; all times if one of them has an invalid time.
fn range_of(entries: &JournalEntries, now: Timestamp, future_ns_max: i64) -> TimeRange {
    let latest = now.0.saturating_add(future_ns_max);
    let mut range: Option<TimeRange> = None;
    for (_, entry) in entries.iter().filter(|(_, entry)| cursor(*entry).is_some()) {
        let Some(time) = entry.time().filter(|time| (0..=latest).contains(&time.0)) else { return TimeRange::ALL };
        let so_far = range.unwrap_or(TimeRange { from: time, to: time });
        range = Some(TimeRange { from: so_far.from.min(time), to: so_far.to.max(Timestamp(time.0.saturating_add(1))) });
    }
    range.unwrap_or(TimeRange::ALL)
}

#[cfg(test)]
mod tests;
