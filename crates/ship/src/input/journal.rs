//! The journal of systemd, as `journalctl` prints it: one object of JSON for each entry, fields as the journal names them.
//!
//! Two of them also have the names that other senders use: a `MESSAGE` that is text is `message`, which pages and patterns show,
//! and `unit` is what `_SYSTEMD_UNIT` is. What is binary is left to the server.
//!
//! It continues after the last entry that was kept: `journalctl` begins with that one, which is left out. Where the
//! journal was vacuumed past it, `journalctl` begins with the oldest there is; where it does not take the cursor at all, it
//! is asked for what came after that time.

mod entry;

use std::io::BufRead;
use std::path::PathBuf;

use serde_json::json;
use types::Timestamp;

use self::entry::{Entry, field_of, next_entry};
use crate::input::journal::entry::{CURSOR, TIME};
use crate::input::program::{self, Program, StderrUse};
use crate::input::{Input, InputError, Sink};
use crate::shipper::now;

/// The program, which comes with systemd.
const PROGRAM: &str = "journalctl";

/// What it is asked for besides: everything, whole, as it comes.
const ARGUMENTS: [&str; 5] = ["--follow", "--no-tail", "--no-pager", "--all", "--output=json"];

/// Where the very first start begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartPoint {
    /// With all that there is.
    Oldest,
    /// With this boot.
    Boot,
    /// With what comes from now on.
    Now,
    /// So many nanoseconds ago.
    Ago(i64),
}

/// Entries of the journal.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) program: PathBuf,
    pub(super) since: StartPoint,
    /// What is asked for: units, fields with their values, another directory.
    pub(super) filters: Vec<String>,
    /// Whether the cursor of the last entry is of no use.
    pub(super) is_cursor_refused: bool,
}

/// Where an entry is in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EntryLocation {
    cursor: String,
    /// Microseconds since the epoch.
    time: Option<i64>,
}

impl Input for Journal {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        // What was taken and is not on disk yet counts as kept.
        sink.flush()?;
        let place = sink.last_line()?.as_deref().and_then(EntryLocation::of_line);
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(self.beginning(place.as_ref()));
        arguments.extend_from_slice(&self.filters);
        let program = Program { path: &self.program, arguments: &arguments, trouble: StderrUse::Kept };
        let ended = program::run(&program, sink, |output| copy_entries(output, place.as_ref(), sink));
        let ended = ended.map_err(|error| match error {
            InputError::Read { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
                InputError::Failed(format!("{PROGRAM} not found; reading the journal needs systemd's"))
            }
            error => error,
        })?;
        // It ends by itself only where something is wrong.
        self.is_cursor_refused = !ended.status.success() && ended.trouble.contains("cursor");
        Err(InputError::Failed(format!("{PROGRAM}: {}: {}", ended.status, ended.trouble)))
    }
}

impl Journal {
    pub(super) fn new(since: StartPoint, filters: Vec<String>) -> Self {
        Self { program: PROGRAM.into(), since, filters, is_cursor_refused: false }
    }

    /// Returns the argument for the starting point.
    fn beginning(&self, place: Option<&EntryLocation>) -> String {
        match (place, self.since) {
            (Some(EntryLocation { cursor, .. }), _) if !self.is_cursor_refused => format!("--cursor={cursor}"),
            (Some(EntryLocation { time: Some(micros), .. }), _) => since(micros.saturating_add(1)),
            (_, StartPoint::Boot) => "--boot".to_owned(),
            (_, StartPoint::Now) => since(now().0 / 1_000),
            (_, StartPoint::Ago(nanos)) => since(now().0.saturating_sub(nanos) / 1_000),
            // As good as nothing: entries before that have lost their times.
            (_, StartPoint::Oldest) => "--since=@0".to_owned(),
        }
    }
}

fn since(micros: i64) -> String {
    let micros_of_second = Timestamp::SECOND / 1_000;
    format!("--since=@{}.{:06}", micros.div_euclid(micros_of_second), micros.rem_euclid(micros_of_second))
}

impl EntryLocation {
    fn of_line(line: &[u8]) -> Option<Self> {
        let time = field_of(line, TIME).and_then(|time| time.parse().ok());
        Some(Self { cursor: field_of(line, CURSOR)?.to_owned(), time })
    }
}

/// Hands every entry over, but the first where it is at `place`.
fn copy_entries(output: &mut dyn BufRead, place: Option<&EntryLocation>, sink: &Sink) -> Result<(), InputError> {
    sink.works();
    let mut kept = place.map(|place| place.cursor.as_str());
    let mut line = Vec::new();
    while !sink.is_stopping() {
        let read = next_entry(output, &mut line);
        match read.map_err(|error| InputError::Read { what: PROGRAM.into(), error })? {
            Entry::None => return Ok(()),
            Entry::Whole if !line.starts_with(b"{") => {}
            Entry::Whole => {
                let is_kept = kept.take().is_some_and(|kept| field_of(&line, CURSOR) == Some(kept));
                if !is_kept {
                    sink.line(&entry::with_usual_names(&line))?;
                }
            }
            Entry::TooLong { n_bytes, cursor: Some(cursor), time } => {
                if kept.take() != Some(&cursor) {
                    let text =
                        format!("entry of {n_bytes} bytes left out; {PROGRAM} --cursor shows it by its __CURSOR");
                    let line = json!({ CURSOR: cursor, TIME: time, "PRIORITY": "4", "MESSAGE": text });
                    sink.line(line.to_string().as_bytes())?;
                }
            }
            Entry::TooLong { n_bytes, .. } => tracing::error!(n_bytes, "journal entry without a cursor left out"),
        }
    }
    Err(InputError::Stopping)
}

#[cfg(test)]
mod tests;
