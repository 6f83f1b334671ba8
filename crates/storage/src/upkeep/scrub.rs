//! The scrub: reads old segments again before a query needs them.
//!
//! In every cycle (`storage.scrub_interval`) each segment in the data directory is read once from the disk, header,
//! footer and all sections against their checksums, at no more than [`RATE_MAX`] bytes a second. How far it has come
//! is noted, so that a store that is started every day gets through as well. Segments that were written since the
//! cycle began were proved then and wait for the next.
//!
//! A segment that is found damaged is reported in status, metrics and `/-/ready`, is no longer put together with
//! others, and every answer over its time is partial and names it. What of it can be read is still read, and the file
//! stays: when it is found whole again, because someone has put it back, everything is as before.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use types::{Hold, ScanError, Timestamp};

use crate::maintenance_file::ScrubProgress;
use crate::segments::Segments;
use crate::segments::files::written_at;
use crate::signal::Signal;
use crate::state::StoredSegment;
use crate::tier::Place;

/// Bytes read in a second at most: a fraction of what the slowest disk does.
const RATE_MAX: u64 = 5 << 20;

/// Reading that is paused for at once: a sleep is never exact.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// Least time between two segments: a thousand tiny ones are no burst either.
const SEGMENT_PAUSE: Duration = Duration::from_millis(5);

/// How often is looked whether a cycle is to begin.
const TICK_MAX: Duration = Duration::from_secs(60);
const TICK_MIN: Duration = Duration::from_millis(100);

/// How far what is noted may be behind.
const NOTE_AFTER: Duration = Duration::from_secs(60);

/// How far the scrub is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubStatus {
    /// When the cycle began; `None` before the first.
    pub began: Option<Timestamp>,
    /// Segments that it has read or need not read.
    pub segments_done: u64,
    /// Segments in the data directory.
    pub segments: u64,
    /// Segments read since the start of the process.
    pub segments_read: u64,
    /// Bytes read since the start of the process.
    pub bytes_read: u64,
    /// Segments that are damaged.
    pub damaged: u64,
}

/// Reads segments again to find damage.
pub(crate) struct Scrubber {
    segments: Arc<Segments>,
    progress: Mutex<ScrubProgress>,
}

impl Scrubber {
    /// Goes on from what an earlier process noted.
    pub(crate) fn new(segments: Arc<Segments>, note: ScrubProgress) -> Self {
        Self { segments, progress: Mutex::new(note) }
    }

    /// Forgets what was read, for tests.
    #[cfg(test)]
    pub(crate) fn restart(&self) {
        *self.progress.hold() = ScrubProgress::default();
    }

    /// Begins a cycle if its time has come, and reads the rest of the cycle.
    pub(crate) fn scrub(&self, interval_ns: i64, rate: u64) {
        let now = self.segments.options.clock.now().0;
        let mut note = *self.progress.hold();
        // A clock that was put back must not keep the next cycle waiting for years.
        if note.began == 0 || now.saturating_sub(note.began) >= interval_ns || note.began > now {
            note = ScrubProgress { began: now, done: 0 };
            *self.progress.hold() = note;
        }
        let mut noted = Instant::now();
        let mut pace = Pace::new(&self.segments.signals.scrub, rate);
        while let Some(next) = self.next_to_scrub(&note) {
            if !self.scrub_segment(&next, &mut pace) {
                return;
            }
            note.done = next.segment.meta.segment;
            *self.progress.hold() = note;
            if noted.elapsed() >= NOTE_AFTER {
                noted = Instant::now();
                self.segments.keep_notes(|notes| notes.scrub = note);
            }
        }
        self.segments.keep_notes(|notes| notes.scrub = note);
    }

    /// Returns the next segment of the cycle.
    fn next_to_scrub(&self, note: &ScrubProgress) -> Option<Arc<StoredSegment>> {
        let state = self.segments.state();
        let is_left = |stored: &&Arc<StoredSegment>| is_in_cycle(stored, note) && id_of(stored) > note.done;
        state.segments.iter().filter(is_left).min_by_key(|stored| id_of(stored)).cloned()
    }

    /// Reads one segment from the disk; `false` if the store is being closed.
    fn scrub_segment(&self, stored: &StoredSegment, pace: &mut Pace<'_>) -> bool {
        let path = self.segments.options.dir.join(&stored.file);
        forget_pages(&path);
        let mut n_bytes = 0;
        let mut is_stopped = false;
        let read = self.segments.files.open_local(&stored.file).and_then(|segment| {
            segment.verify_while(|n_of_section| {
                n_bytes += n_of_section;
                is_stopped = !pace.after(n_of_section);
                !is_stopped
            })
        });
        self.segments.counters.scrub_bytes_read.add(n_bytes);
        if is_stopped || self.segments.options.faults.has_crashed() {
            return false;
        }
        self.segments.counters.scrub_segments_read.add(1);
        self.judge_scrubbed(stored, read.err());
        self.segments.signals.scrub.pause(SEGMENT_PAUSE)
    }

    /// Notes what was found.
    fn judge_scrubbed(&self, stored: &StoredSegment, damage: Option<ScanError>) {
        let id = id_of(stored);
        if damage.is_none() && !self.segments.state().flawed.contains_key(&id) {
            return;
        }
        let mut state = self.segments.state_mut();
        // It may have been put together with others, or have gone, while it was read.
        let is_there = state.segments.iter().any(|known| id_of(known) == id);
        match damage.filter(|_| is_there) {
            Some(damage) => {
                let (file, offset, problem) = (&damage.file, damage.offset, &damage.problem);
                tracing::error!(file, offset, problem, "the scrub found a damaged segment; its answers are partial");
                state.flawed.insert(id, damage);
            }
            None => {
                if state.flawed.remove(&id).is_some() {
                    tracing::info!(file = stored.file, "a segment that was damaged is whole again");
                }
            }
        }
    }

    /// Returns how far the scrub is.
    pub(crate) fn status(&self) -> ScrubStatus {
        let note = *self.progress.hold();
        let state = self.segments.state();
        let local = || state.segments.iter().filter(|stored| stored.place == Place::Local);
        let done = local().filter(|stored| !is_in_cycle(stored, &note) || id_of(stored) <= note.done);
        ScrubStatus {
            began: (note.began != 0).then_some(Timestamp(note.began)),
            segments_done: if note.began == 0 { 0 } else { done.count() as u64 },
            segments: local().count() as u64,
            segments_read: self.segments.counters.scrub_segments_read.get(),
            bytes_read: self.segments.counters.scrub_bytes_read.get(),
            damaged: state.flawed.len() as u64,
        }
    }
}

/// Runs the scrub thread.
pub(crate) fn run(scrubber: &Scrubber) {
    let Some(interval_ns) = scrubber.segments.options.scrub_interval_ns else { return };
    let tick = Duration::from_nanos(u64::try_from(interval_ns / 4).unwrap_or(0)).clamp(TICK_MIN, TICK_MAX);
    while scrubber.segments.signals.scrub.wait(tick) {
        scrubber.scrub(interval_ns, RATE_MAX);
    }
}

fn id_of(stored: &StoredSegment) -> u128 {
    stored.segment.meta.segment
}

fn is_in_cycle(stored: &StoredSegment, note: &ScrubProgress) -> bool {
    stored.place == Place::Local && written_at(id_of(stored)).0 < note.began
}

/// Lets the kernel forget what it holds of a file: what counts is what the disk holds.
#[cfg(target_os = "linux")]
fn forget_pages(path: &Path) {
    let file = std::fs::File::open(path);
    // Where that cannot be, memory is read instead: it finds less, and nothing that is not so.
    let _ = file.map(|file| rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed));
}

/// Does nothing: this system has no way to drop pages.
#[cfg(not(target_os = "linux"))]
fn forget_pages(_path: &Path) {}

/// Keeps reading below a rate.
struct Pace<'a> {
    signal: &'a Signal,
    rate: u64,
    owed: Duration,
}

impl<'a> Pace<'a> {
    fn new(signal: &'a Signal, rate: u64) -> Self {
        Self { signal, rate: rate.max(1), owed: Duration::ZERO }
    }

    /// Pauses for what was read; `false` if everything is to end.
    fn after(&mut self, n_bytes: u64) -> bool {
        self.owed += Duration::from_secs_f64(n_bytes as f64 / self.rate as f64);
        if self.owed < PAUSE_MIN {
            return true;
        }
        self.signal.pause(std::mem::take(&mut self.owed))
    }
}
