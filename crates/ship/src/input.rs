//! Inputs that are no files: each makes lines on a thread of its own, which a [`Sink`] keeps in files of our own
//! ([`crate::spool`]) until the server has them.
//!
//! Back-pressure: where the disk buffer is full an input waits if what it reads can wait (a pipe, the journal), and
//! gives up its oldest lines, counted, where it cannot (datagrams, measurements of the moment).

mod command;
mod definition;
mod heartbeat;
mod host_metrics;
mod journal;
mod measurements;
mod program;
mod scrape;
mod stdin;
mod syslog;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use command::Command;
pub use definition::{DefinedInput, doubts_about, inputs_of};
pub use stdin::Stdin;

use types::{Hold, ensure};

use crate::follow::FileInput;
use crate::scrape_status::ScrapeStatus;
use crate::spool::{LossCount, Spool};
use crate::status::InputStatus;
use crate::stop::Stop;

/// Bytes of lines that are written at once; fewer when [`FLUSH_EVERY`] has passed.
const FLUSH_BYTES: usize = 256 << 10;

/// How long a line waits for others before it is written to disk.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// How often it is looked whether there is room again.
const ROOM_PAUSE: Duration = Duration::from_millis(200);

/// First wait before an input that failed runs again, and the longest.
const RUN_AGAIN_FIRST: Duration = Duration::from_secs(1);
const RUN_AGAIN_MAX: Duration = Duration::from_secs(60);

/// Something that makes lines.
pub trait Input: Send {
    /// Makes lines until there are no more, which is `Ok`, or [`Sink::is_stopping`]. After an error it is called again,
    /// later and later.
    fn run(&mut self, sink: &Sink) -> Result<(), InputError>;

    /// Returns what happens when the disk buffer is full.
    fn when_full(&self) -> WhenFull {
        WhenFull::Wait
    }
}

/// What happens with lines for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Reading waits until there is.
    Wait,
    /// The oldest lines go, and are counted.
    GiveUpOldest,
}

/// Why an input does not run.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It cannot be read.
    #[error("{what}: {error}")]
    Read {
        /// What was read.
        what: String,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// What it read makes no sense, or something it needs is not there.
    #[error("{0}")]
    Failed(String),
    /// Lines cannot be kept.
    #[error("disk buffer {dir}: {error}")]
    Spool {
        /// The directory.
        dir: String,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// The shipper stops.
    #[error("stopping")]
    Stopping,
}

/// An input as it is configured.
pub struct InputOptions {
    /// How its lines are shipped: name, group, fields. Paths are set by the shipper.
    pub file: FileInput,
    /// What makes the lines.
    pub input: Box<dyn Input>,
    /// Most bytes kept on disk.
    pub buffer_bytes: u64,
}

/// Where an input puts its lines.
pub struct Sink {
    name: String,
    when_full: WhenFull,
    stop: Arc<Stop>,
    lines: AtomicU64,
    inner: Mutex<Inner>,
    state: Mutex<State>,
}

/// Lines on their way to disk.
struct Inner {
    spool: Spool,
    buffer: Vec<u8>,
    given_up: LossCount,
}

#[derive(Default)]
struct State {
    has_ended: bool,
    last_error: Option<String>,
    scrapes: Option<Arc<ScrapeStatus>>,
}

impl Sink {
    pub(crate) fn new(name: String, when_full: WhenFull, spool: Spool, stop: Arc<Stop>) -> Self {
        let inner = Inner { spool, buffer: Vec::new(), given_up: LossCount::default() };
        Self { name, when_full, stop, lines: AtomicU64::new(0), inner: Mutex::new(inner), state: Mutex::default() }
    }

    /// Takes a line; its end is added. It is on disk soon after, at the latest when [`Sink::flush`] returns.
    pub fn line(&self, line: &[u8]) -> Result<(), InputError> {
        self.make_room()?;
        let mut inner = self.inner.hold();
        inner.buffer.extend_from_slice(line);
        inner.buffer.push(b'\n');
        self.lines.fetch_add(1, Ordering::Relaxed);
        if inner.buffer.len() >= FLUSH_BYTES { inner.flush_if_room(self.when_full) } else { Ok(()) }
    }

    /// Writes what was taken, once there is room for it. Durable when it returns.
    pub fn flush(&self) -> Result<(), InputError> {
        while self.flush_if_room().is_ok() && !self.inner.hold().buffer.is_empty() && !self.is_stopping() {
            self.wait(ROOM_PAUSE);
        }
        // Also without room: what was taken is nowhere else when the shipper has stopped.
        self.inner.hold().flush(self.when_full)
    }

    /// Writes what was taken, where there is room for it.
    pub(crate) fn flush_if_room(&self) -> Result<(), InputError> {
        self.inner.hold().flush_if_room(self.when_full)
    }

    /// Returns the last line that was kept, also by an earlier run: an input that knows its place continues after it.
    pub fn last_line(&self) -> Result<Option<Vec<u8>>, InputError> {
        let inner = self.inner.hold();
        inner.spool.last_line().map_err(|error| inner.error(error))
    }

    /// Reports whether the shipper stops.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_set()
    }

    /// Waits, or less when the shipper stops.
    pub fn wait(&self, duration: Duration) {
        self.stop.wait(duration);
    }

    pub(crate) fn status(&self) -> InputStatus {
        let state = self.state.hold();
        InputStatus {
            name: self.name.clone(),
            lines: self.lines.load(Ordering::Relaxed),
            given_up: self.inner.hold().given_up,
            has_ended: state.has_ended,
            last_error: state.last_error.clone(),
            scrapes: state.scrapes.clone(),
        }
    }

    /// Notes how much of a file the server has.
    pub(crate) fn acknowledged(&self, path: &Path, offset: u64) {
        self.inner.hold().spool.acknowledged(path, offset);
    }

    /// Waits while as much waits for room already as is written at once.
    fn make_room(&self) -> Result<(), InputError> {
        loop {
            let mut inner = self.inner.hold();
            if inner.buffer.len() < FLUSH_BYTES {
                return Ok(());
            }
            inner.flush_if_room(self.when_full)?;
            if inner.buffer.is_empty() {
                return Ok(());
            }
            drop(inner);
            ensure!(!self.is_stopping(), InputError::Stopping);
            self.wait(ROOM_PAUSE);
        }
    }

    /// Runs `input` until it ends or the shipper stops.
    pub(crate) fn run(&self, input: &mut dyn Input) {
        let mut pause = RUN_AGAIN_FIRST;
        while !self.is_stopping() {
            let lines_before = self.lines.load(Ordering::Relaxed);
            match input.run(self) {
                Ok(()) | Err(InputError::Stopping) => break,
                Err(error) => {
                    tracing::warn!(input = %self.name, %error, "input failed; retrying");
                    self.state.hold().last_error = Some(error.to_string());
                }
            }
            let has_worked = self.lines.load(Ordering::Relaxed) > lines_before;
            pause = if has_worked { RUN_AGAIN_FIRST } else { (pause * 2).min(RUN_AGAIN_MAX) };
            self.wait(pause);
        }
        // What came last, also where the shipper stops in the midst.
        let flushed = self.flush();
        let mut state = self.state.hold();
        state.has_ended = true;
        if let Err(error) = flushed {
            tracing::error!(input = %self.name, %error, "the last lines are not saved");
            state.last_error = Some(error.to_string());
        }
    }

    /// Notes lines that could not be taken.
    pub fn give_up(&self, lost: LossCount) {
        self.inner.hold().given_up += lost;
    }

    /// Notes that the input works in part, and what does not.
    pub fn fails(&self, problem: String) {
        self.state.hold().last_error = Some(problem);
    }

    /// Notes the state of what the input scrapes.
    pub(crate) fn set_scrapes(&self, scrapes: ScrapeStatus) {
        self.state.hold().scrapes = Some(Arc::new(scrapes));
    }

    /// Notes that the input works.
    pub fn works(&self) {
        self.state.hold().last_error = None;
    }
}

impl Inner {
    /// Writes what was taken, unless its input waits for room and there is none.
    fn flush_if_room(&mut self, when_full: WhenFull) -> Result<(), InputError> {
        let must_wait = when_full == WhenFull::Wait && !self.buffer.is_empty();
        if must_wait && !self.spool.has_room().map_err(|error| self.error(error))? {
            return Ok(());
        }
        self.flush(when_full)
    }

    fn flush(&mut self, when_full: WhenFull) -> Result<(), InputError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if when_full == WhenFull::GiveUpOldest {
            let given_up = self.spool.give_up_oldest().map_err(|error| self.error(error))?;
            self.given_up += given_up;
        }
        // What could not be written stays, and is written with what comes next.
        self.spool.append(&self.buffer).map_err(|error| self.error(error))?;
        self.buffer.clear();
        Ok(())
    }

    fn error(&self, error: std::io::Error) -> InputError {
        InputError::Spool { dir: self.spool.dir.display().to_string(), error }
    }
}

#[cfg(test)]
mod tests;
