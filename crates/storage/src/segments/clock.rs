//! Whether the clock is right, and what maintenance records across starts.

use types::Timestamp;

use super::Segments;
use crate::maintenance_file::MaintenanceRecord;

/// How far the record may be behind: a start only asks whether the clock is a day off.
const NOTE_NS: i64 = 10 * Timestamp::MINUTE;

impl Segments {
    /// Reads the clock; returns whether it is trusted.
    pub(crate) fn look_at_clock(&self) -> bool {
        let clock = &self.options.clock;
        let (wall, uptime) = (clock.now(), clock.uptime());
        let mut guard = self.maintenance.clock();
        let was_doubtful = guard.doubt(uptime).is_some();
        let is_trusted = guard.look(wall.0, uptime);
        let expected = guard.doubt(uptime).and_then(|doubt| doubt.expected).map(|expected| expected.to_string());
        drop(guard);
        if was_doubtful == is_trusted {
            if is_trusted {
                tracing::info!(now = %wall, "the clock is trusted again; retention by age resumes");
            } else {
                let expected = expected.unwrap_or_else(|| "unknown".to_owned());
                tracing::warn!(now = %wall, expected, "the clock jumped; nothing is deleted by age meanwhile");
            }
        }
        self.keep_notes(|_| {});
        is_trusted
    }

    /// Takes an operator's word that the clock is right.
    pub(crate) fn confirm_clock(&self) {
        let clock = &self.options.clock;
        self.maintenance.clock().confirm(clock.now().0, clock.uptime());
        self.keep_notes(|_| {});
        self.signals.retention.ring();
    }

    /// Saves what has changed, where it has changed enough. A disk that takes nothing costs only the memory of it.
    pub(crate) fn keep_notes(&self, change: impl FnOnce(&mut MaintenanceRecord)) {
        let note = self.maintenance.clock().note(self.options.clock.uptime());
        let mut noted = self.maintenance.noted();
        let mut notes = *noted;
        change(&mut notes);
        let has_jumped = |(old, new): (i64, i64)| old.abs_diff(new) >= NOTE_NS.unsigned_abs();
        let is_clock_due = match (noted.clock, note) {
            (Some(old), Some(new)) => {
                let steady = old.other.zip(new.other).map(|(old, new)| (old.1, new.1));
                old.other.is_some() != new.other.is_some()
                    || has_jumped((old.seen, new.seen))
                    || steady.is_some_and(has_jumped)
            }
            (old, new) => old.is_some() != new.is_some(),
        };
        if is_clock_due {
            notes.clock = note;
        }
        if notes == *noted || self.options.faults.has_crashed() {
            return;
        }
        match notes.write(&self.options.dir, &self.store) {
            Ok(()) => *noted = notes,
            Err(error) => tracing::warn!(%error, "state of upkeep not saved"),
        }
    }
}
