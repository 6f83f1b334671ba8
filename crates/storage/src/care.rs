//! What upkeep knows beside what is stored: whether the clock is right, how far the scrub has come. It is kept across
//! starts in `UPKEEP` (`notes`).

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use types::Timestamp;

use crate::Clock;
use crate::notes::{Found, Notes, ScrubNote};
use crate::retention::clock::{ClockDoubt, ClockGuard};
use crate::store::Shared;

/// How far what is noted may be behind: a start only asks whether the clock is a day off.
const NOTE_NS: i64 = 10 * Timestamp::MINUTE;

/// What upkeep knows.
#[derive(Debug)]
pub(crate) struct Care {
    clock: Mutex<ClockGuard>,
    /// What the file says.
    noted: Mutex<Notes>,
    /// Whether the limits of this start were applied to what there was.
    pub(crate) limits_applied: AtomicBool,
}

impl Care {
    /// Goes on from what an earlier process noted.
    pub(crate) fn open(dir: &Path, store: &[u8; 16], clock: &Clock) -> Self {
        let (wall, uptime) = (clock.now().0, clock.uptime());
        let (noted, guard) = match Notes::read(dir, store) {
            Found::Notes(notes) => (notes, ClockGuard::new(notes.clock, wall, uptime)),
            Found::Nothing => (Notes::default(), ClockGuard::new(None, wall, uptime)),
            Found::Damaged => {
                tracing::error!(file = "UPKEEP", "file is damaged: the clock is not trusted until it is confirmed");
                (Notes::default(), ClockGuard::doubtful(wall, uptime))
            }
        };
        if guard.doubt(uptime).is_some() {
            tracing::warn!(now = %clock.now(), "the clock jumped since the last run; nothing is deleted for its age");
        }
        Self { clock: Mutex::new(guard), noted: Mutex::new(noted), limits_applied: AtomicBool::new(false) }
    }

    fn clock(&self) -> MutexGuard<'_, ClockGuard> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted(&self) -> MutexGuard<'_, Notes> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the scrub was.
    pub(crate) fn scrub_note(&self) -> ScrubNote {
        self.noted().scrub
    }

    /// What is wrong with the clock, if anything was when it was last looked at.
    pub(crate) fn clock_doubt(&self, clock: &Clock) -> Option<ClockDoubt> {
        self.clock().doubt(clock.uptime())
    }
}

impl Shared {
    /// Looks at the clock; tells whether it is trusted.
    pub(crate) fn look_at_clock(&self) -> bool {
        let clock = &self.options.clock;
        let (wall, uptime) = (clock.now(), clock.uptime());
        let mut guard = self.care.clock();
        let was_doubtful = guard.doubt(uptime).is_some();
        let is_trusted = guard.look(wall.0, uptime);
        let expected = guard.doubt(uptime).and_then(|doubt| doubt.expected).map(|expected| expected.to_string());
        drop(guard);
        if was_doubtful == is_trusted {
            if is_trusted {
                tracing::info!(now = %wall, "the clock is trusted again; retention by age goes on");
            } else {
                let expected = expected.unwrap_or_else(|| "unknown".to_owned());
                tracing::warn!(now = %wall, expected, "the clock jumped; nothing is deleted for its age meanwhile");
            }
        }
        self.keep_notes(|_| {});
        is_trusted
    }

    /// Takes an operator's word that the clock is right.
    pub(crate) fn confirm_clock(&self) {
        let clock = &self.options.clock;
        self.care.clock().confirm(clock.now().0, clock.uptime());
        self.keep_notes(|_| {});
        self.retention_bell.ring();
    }

    /// Writes down what has changed, where it has changed enough. A disk that takes nothing costs only the memory of it.
    pub(crate) fn keep_notes(&self, change: impl FnOnce(&mut Notes)) {
        let note = self.care.clock().note(self.options.clock.uptime());
        let mut noted = self.care.noted();
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
            Err(error) => tracing::warn!(%error, "what upkeep remembers cannot be written down"),
        }
    }
}
