//! Puts together the entries of one unit and process that are one event: the journal makes an entry of each line that a
//! service prints.

use std::collections::HashMap;

use parse::{Joiner, OF_PROCESS, SourceLine, source_of};

use super::JournalEntry;

/// Longest time between the entries of an event, and between its first and its last, in microseconds. The first is that of
/// files, by the times of the entries, so that entries come together alike when they come again.
const HOLD_US: i64 = 1_000_000;
pub(super) const SPAN_US: i64 = 60 * HOLD_US;

/// Entries that are one event.
pub(super) struct JoinedEntries<'e> {
    pub(super) number: u64,
    pub(super) first: JournalEntry<'e>,
    /// The others, with their numbers.
    pub(super) others: Vec<(u64, JournalEntry<'e>)>,
    /// Whether it continues an event that may not become longer.
    pub(super) is_continued: bool,
    /// Whether further entries are likely to belong to it.
    pub(super) is_open: bool,
}

impl<'e> JoinedEntries<'e> {
    /// Returns the number of its entries.
    pub(super) fn len(&self) -> usize {
        1 + self.others.len()
    }

    /// Returns the texts of its entries, in lines.
    pub(super) fn message(&self) -> std::borrow::Cow<'e, [u8]> {
        let first = text_of(self.first);
        if self.others.is_empty() {
            return first.into();
        }
        let mut message = first.to_vec();
        for (_, entry) in &self.others {
            message.push(b'\n');
            message.extend_from_slice(text_of(*entry));
        }
        message.into()
    }
}

fn text_of(entry: JournalEntry<'_>) -> &[u8] {
    entry.get("MESSAGE").unwrap_or_default()
}

/// The process that wrote entries, and when it wrote the last one.
#[derive(Default)]
struct Process {
    last_us: i64,
    /// Rises when entries that come no longer belong to those before.
    n_pauses: u8,
}

/// Joins entries in their order; the events are in the order of their first entries.
pub(super) fn joined<'e>(entries: impl Iterator<Item = (u64, JournalEntry<'e>)>) -> Vec<JoinedEntries<'e>> {
    let mut events: Vec<JoinedEntries<'e>> = Vec::new();
    let mut joiner = Joiner::default();
    let mut processes: HashMap<u64, Process> = HashMap::new();
    for (number, entry) in entries {
        let time_us = entry.time().map_or(0, |time| time.0 / 1_000);
        let mut placed = SourceLine::Begins;
        if let Some(source) = source(entry) {
            let process = processes.entry(source).or_default();
            process.n_pauses = process.n_pauses.wrapping_add(u8::from(time_us - process.last_us > HOLD_US));
            process.last_us = time_us;
            let mut place = |process: &Process| {
                joiner.place(source ^ u64::from(process.n_pauses), text_of(entry), events.len() as u64, 0)
            };
            placed = place(process);
            let began_us = |event: u64| events[event as usize].first.time().map_or(0, |time| time.0 / 1_000);
            if matches!(placed, SourceLine::Continues(event) if time_us - began_us(event) > SPAN_US) {
                process.n_pauses = process.n_pauses.wrapping_add(1);
                placed = place(process);
            }
        }
        if let SourceLine::Continues(event) = placed {
            events[event as usize].others.push((number, entry));
            continue;
        }
        let is_continued = matches!(placed, SourceLine::Overflows(_));
        events.push(JoinedEntries { number, first: entry, others: Vec::new(), is_continued, is_open: false });
    }
    joiner.open(0).for_each(|event| events[event as usize].is_open = true);
    events
}

/// Returns a number for the unit, process and priority of an entry that names a unit, a process or at least a program.
fn source(entry: JournalEntry<'_>) -> Option<u64> {
    let mut names: [&[u8]; 5] = [b""; 5];
    let mut program: &[u8] = b"";
    for (name, value) in entry.fields() {
        let place = match name {
            "_SYSTEMD_UNIT" => 0,
            "_PID" => 1,
            "PRIORITY" => 2,
            "_BOOT_ID" => 3,
            "_HOSTNAME" => 4,
            "SYSLOG_IDENTIFIER" => {
                program = value;
                continue;
            }
            _ => continue,
        };
        names[place] = value;
    }
    if !names[0].is_empty() || !names[1].is_empty() {
        return Some(source_of(names.into_iter()) | OF_PROCESS);
    }
    names[0] = program;
    // The kernel is one, and gives each line of a report a priority of its own.
    let of_process = if program == b"kernel" { OF_PROCESS } else { 0 };
    if of_process > 0 {
        names[2] = b"";
    }
    (!program.is_empty()).then(|| source_of(names.into_iter()) | of_process)
}
