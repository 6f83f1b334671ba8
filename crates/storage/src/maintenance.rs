//! The state of upkeep besides the catalog: whether the clock is right, how far the scrub has come. It is kept across
//! starts in `UPKEEP` (`notes`).

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard};

use types::Hold;

use crate::Clock;
use crate::maintenance_file::{MaintenanceFile, MaintenanceRecord, ScrubProgress};
use crate::retention::clock::{ClockDoubt, ClockGuard};

/// What upkeep knows.
#[derive(Debug)]
pub(crate) struct Maintenance {
    clock: Mutex<ClockGuard>,
    /// The content of the file.
    noted: Mutex<MaintenanceRecord>,
    /// Whether the limits of this start were applied to what there was.
    pub(crate) limits_applied: AtomicBool,
}

impl Maintenance {
    /// Goes on from what an earlier process noted.
    pub(crate) fn open(dir: &Path, store: &[u8; 16], clock: &Clock) -> Self {
        let (wall, uptime) = (clock.now().0, clock.uptime());
        let (noted, guard) = match MaintenanceRecord::read(dir, store) {
            MaintenanceFile::MaintenanceRecord(notes) => (notes, ClockGuard::new(notes.clock, wall, uptime)),
            MaintenanceFile::Nothing => (MaintenanceRecord::default(), ClockGuard::new(None, wall, uptime)),
            MaintenanceFile::Damaged => {
                tracing::error!(file = "UPKEEP", "file is damaged: the clock is not trusted until it is confirmed");
                (MaintenanceRecord::default(), ClockGuard::doubtful(wall, uptime))
            }
        };
        if guard.doubt(uptime).is_some() {
            tracing::warn!(now = %clock.now(), "the clock jumped since the last run; nothing is deleted by age");
        }
        Self { clock: Mutex::new(guard), noted: Mutex::new(noted), limits_applied: AtomicBool::new(false) }
    }

    pub(crate) fn clock(&self) -> MutexGuard<'_, ClockGuard> {
        self.clock.hold()
    }

    pub(crate) fn noted(&self) -> MutexGuard<'_, MaintenanceRecord> {
        self.noted.hold()
    }

    /// Returns how far the scrub was.
    pub(crate) fn scrub_progress(&self) -> ScrubProgress {
        self.noted().scrub
    }

    /// Returns what is wrong with the clock, if anything was when it was last looked at.
    pub(crate) fn clock_doubt(&self, clock: &Clock) -> Option<ClockDoubt> {
        self.clock().doubt(clock.uptime())
    }
}
