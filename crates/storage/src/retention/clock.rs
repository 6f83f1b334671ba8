//! The clock guard: a clock that jumps must not delete anything.
//!
//! Retention by age believes the wall clock only as long as it goes as time goes: against the machine's own uptime
//! while the process runs, and within [`JUMP_NS`] of where it last stood across a start. A clock that is further off,
//! ahead or behind, is another clock: nothing goes for its age, and no undo window ends, until an operator confirms
//! it, or the trusted one is back, or it has gone steadily for [`STEADY_NS`] of uptime. What was the trusted one is
//! not forgotten meanwhile, so that a machine that starts in 1970 and is put right over the network loses no day.

use std::time::Duration;

use types::Timestamp;

use crate::maintenance_file::ClockRecord;

/// How far a clock may be from where it should stand. Events may be as far ahead (`limits.max_future`).
pub(crate) const JUMP_NS: i64 = Timestamp::DAY;

/// For how long another clock must have gone steadily to be trusted.
pub(crate) const STEADY_NS: i64 = Timestamp::DAY;

/// A clock as it stood at one instant.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    wall: i64,
    /// Uptime then.
    uptime: Duration,
}

impl Anchor {
    fn elapsed_ns(&self, uptime: Duration) -> i64 {
        i64::try_from(uptime.saturating_sub(self.uptime).as_nanos()).unwrap_or(i64::MAX)
    }

    /// Returns the time that it should show now.
    fn expected(&self, uptime: Duration) -> i64 {
        self.wall.saturating_add(self.elapsed_ns(uptime))
    }

    fn fits(&self, wall: i64, uptime: Duration) -> bool {
        wall.abs_diff(self.expected(uptime)) <= JUMP_NS.unsigned_abs()
    }
}

/// A clock that is not the trusted one.
#[derive(Clone, Copy, Debug)]
struct ComparedClock {
    anchor: Anchor,
    /// Where it stood last.
    seen: i64,
    /// For how long it had gone steadily when it was anchored.
    steady_ns: i64,
}

impl ComparedClock {
    fn steady_ns(&self, uptime: Duration) -> i64 {
        self.steady_ns.saturating_add(self.anchor.elapsed_ns(uptime))
    }
}

/// What is wrong with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDoubt {
    /// The time of the clock.
    pub now: Timestamp,
    /// What it should say at least, where that is known.
    pub expected: Option<Timestamp>,
    /// How long it must still go steadily to be trusted without anyone's word, in nanoseconds.
    pub steady_for_ns: i64,
}

/// Decides whether the clock can be trusted.
#[derive(Debug)]
pub(crate) struct ClockGuard {
    /// `None` if what was known is damaged.
    trusted: Option<Anchor>,
    /// Where the trusted clock stood last.
    seen: i64,
    other: Option<ComparedClock>,
}

impl ClockGuard {
    /// Goes on from what an earlier process noted; without that the clock is trusted as it is.
    pub(crate) fn new(note: Option<ClockRecord>, wall: i64, uptime: Duration) -> Self {
        let here = Anchor { wall, uptime };
        // No one knows for how long the machine was off: what is near enough is taken for the same clock.
        let again =
            |seen: i64| Some(Anchor { wall: seen, uptime }).filter(|then| then.fits(wall, uptime)).map(|_| here);
        let note = note.unwrap_or(ClockRecord { seen: wall, other: None });
        let trusted = again(note.seen).unwrap_or(Anchor { wall: note.seen, uptime });
        let other = note
            .other
            .and_then(|(seen, steady_ns)| Some(ComparedClock { anchor: again(seen)?, seen: wall, steady_ns }));
        let mut guard = Self { trusted: Some(trusted), seen: note.seen, other };
        guard.look(wall, uptime);
        guard
    }

    /// Returns a guard that doubts the clock, since nothing is known of it.
    pub(crate) fn doubtful(wall: i64, uptime: Duration) -> Self {
        let mut guard = Self { trusted: None, seen: wall, other: None };
        guard.look(wall, uptime);
        guard
    }

    /// Reads the clock; returns whether it is trusted.
    pub(crate) fn look(&mut self, wall: i64, uptime: Duration) -> bool {
        // Never anchored again: many small jumps are as bad as a large one.
        if self.trusted.is_some_and(|trusted| trusted.fits(wall, uptime)) {
            (self.seen, self.other) = (wall, None);
            return true;
        }
        let steady = self.other.filter(|other| other.anchor.fits(wall, uptime));
        let mut other = steady.unwrap_or(ComparedClock { anchor: Anchor { wall, uptime }, seen: wall, steady_ns: 0 });
        other.seen = wall;
        if other.steady_ns(uptime) >= STEADY_NS {
            self.confirm(wall, uptime);
            return true;
        }
        self.other = Some(other);
        false
    }

    /// Trusts the clock from now on.
    pub(crate) fn confirm(&mut self, wall: i64, uptime: Duration) {
        *self = Self { trusted: Some(Anchor { wall, uptime }), seen: wall, other: None };
    }

    /// Returns what is wrong, if anything was when it was last looked at.
    pub(crate) fn doubt(&self, uptime: Duration) -> Option<ClockDoubt> {
        self.other.map(|other| ClockDoubt {
            now: Timestamp(other.seen),
            expected: self.trusted.map(|trusted| Timestamp(trusted.expected(uptime))),
            steady_for_ns: STEADY_NS.saturating_sub(other.steady_ns(uptime)).max(0),
        })
    }

    /// Returns what the next process is to know; nothing if nothing is known.
    pub(crate) fn note(&self, uptime: Duration) -> Option<ClockRecord> {
        let other = self.other.map(|other| (other.seen, other.steady_ns(uptime)));
        // While another clock is told, the trusted one continues by the uptime.
        let expected = self.trusted?.expected(uptime);
        Some(ClockRecord { seen: if other.is_some() { expected } else { self.seen }, other })
    }
}

#[cfg(test)]
mod tests;
