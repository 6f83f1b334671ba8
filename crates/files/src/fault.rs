//! Named points at which a test makes a step fail or wait, or the process end.
//!
//! Always compiled: a point that no one armed costs one relaxed load. A [`Fault::Crash`] makes its point and
//! every later one fail, so that nothing more reaches the disk, as if the process had ended there.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use types::Hold;

/// The steps of accepting and flushing at which a fault can be armed, in the order in which they happen.
pub const FAULT_POINTS: [&str; 17] = [
    "wal.write", "wal.sync", "wal.rotate", "wal.header", "wal.rename", "wal.sync_directory", "wal.seal", "flush.start",
    "segment.write", "segment.sync", "segment.rename", "segment.sync_directory", "batch_ids.write", "catalog.commit",
    "flush.publish", "wal.remove", "flush.end",
];

/// Steps of the WAL's writer that are taken only when it rests or the disk is full.
pub const WRITER_FAULT_POINTS: [&str; 2] = ["wal.mark", "wal.truncate"];

/// The steps of putting segments together, in the order in which they happen.
pub const COMPACTION_FAULT_POINTS: [&str; 10] = [
    "compact.start", "segment.write", "segment.sync", "segment.rename", "segment.sync_directory", "compact.verify",
    "compact.commit", "compact.publish", "compact.remove", "compact.end",
];

/// The steps of deleting events, in the order in which they happen; those of compaction follow.
pub const DELETION_FAULT_POINTS: [&str; 4] = ["erase.tombstone", "erase.catalog", "erase.publish", "erase.end"];

/// The steps of moving a segment to the object store, in the order in which they happen.
pub const MOVE_FAULT_POINTS: [&str; 6] =
    ["move.start", "object.put", "object.verify", "move.commit", "move.publish", "object.remove"];

/// What happens at an armed fault point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This and every later point fails.
    Crash,
    /// The process aborts.
    Abort,
    /// The point fails with this error number each time until it is disarmed.
    Errno(i32),
}

/// Which points are armed. Nothing is by default.
#[derive(Debug, Default)]
pub struct Faults {
    n_armed: AtomicUsize,
    crashed: AtomicBool,
    points: Mutex<HashMap<String, Fault>>,
    held: Mutex<PausePoints>,
    changed: Condvar,
}

/// Points at which everyone waits.
#[derive(Debug, Default)]
struct PausePoints {
    points: HashSet<String>,
    n_waiting: usize,
}

impl Faults {
    /// Arms `point`, one of [`FAULT_POINTS`], [`WRITER_FAULT_POINTS`], [`COMPACTION_FAULT_POINTS`],
    /// [`DELETION_FAULT_POINTS`] or [`MOVE_FAULT_POINTS`].
    pub fn arm(&self, point: &str, fault: Fault) {
        let mut points = self.points.hold();
        points.insert(point.to_owned(), fault);
        self.count_armed(&points);
    }

    /// Takes the fault from `point` again. A crash that happened stays.
    pub fn disarm(&self, point: &str) {
        let mut points = self.points.hold();
        points.remove(point);
        self.count_armed(&points);
    }

    fn count_armed(&self, points: &HashMap<String, Fault>) {
        self.n_armed.store(points.len() + self.held.hold().points.len(), Ordering::Relaxed);
    }

    /// Makes everyone who comes to `point` wait there, and returns once someone does. `come` is done meanwhile: it
    /// sees to it that someone comes.
    pub fn hold(&self, point: &str, come: impl FnOnce()) {
        self.held.hold().points.insert(point.to_owned());
        self.count_armed(&self.points.hold());
        come();
        let nobody = |held: &mut PausePoints| held.n_waiting == 0;
        drop(self.changed.wait_while(self.held.hold(), nobody).unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets everyone continue who waits at a point.
    pub fn release(&self) {
        self.held.hold().points.clear();
        self.count_armed(&self.points.hold());
        self.changed.notify_all();
    }

    /// Waits while `point` is held.
    fn pass(&self, point: &str) {
        let mut held = self.held.hold();
        if !held.points.contains(point) {
            return;
        }
        held.n_waiting += 1;
        self.changed.notify_all();
        let is_held = |held: &mut PausePoints| held.points.contains(point);
        let mut held = self.changed.wait_while(held, is_held).unwrap_or_else(PoisonError::into_inner);
        held.n_waiting -= 1;
    }

    /// Reports whether an armed crash was reached.
    pub fn has_crashed(&self) -> bool {
        self.crashed.load(Ordering::Relaxed)
    }

    /// Fails where `point` is armed.
    pub fn check(&self, point: &'static str) -> io::Result<()> {
        if self.n_armed.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        self.pass(point);
        let armed = self.points.hold().get(point).copied();
        if armed == Some(Fault::Crash) {
            self.crashed.store(true, Ordering::Relaxed);
        }
        match armed {
            _ if self.has_crashed() => Err(io::Error::other(format!("a crash was injected at {point}"))),
            Some(Fault::Abort) => std::process::abort(),
            Some(Fault::Errno(errno)) => Err(io::Error::from_raw_os_error(errno)),
            _ => Ok(()),
        }
    }
}
