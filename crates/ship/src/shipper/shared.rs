//! What the threads of a shipper share, and the events that they send to the following thread.

use types::Hold;

use crate::input::{FLUSH_EVERY, Sink};
use crate::range_claims::ClaimedRanges;
use crate::source_report::{Identity, REPORT_AGAIN, REPORT_EVERY};
use crate::status::Status;
use crate::stop::Stop;
use crate::{Deliver, FileBatch, FileStatus, LossCount, SourceReport};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the threads share.
#[derive(Default)]
pub(crate) struct ShipperState {
    pub(crate) stop: Arc<Stop>,
    /// Where lines of inputs are kept that are no files.
    pub(crate) sinks: Vec<Arc<Sink>>,
    pub(crate) bytes_delivered: AtomicU64,
    pub(crate) n_refused: AtomicU64,
    pub(crate) files: Mutex<Vec<FileStatus>>,
    /// Of deleted files.
    pub(crate) given_up: Mutex<LossCount>,
    /// Why delivery fails, while it does.
    pub(crate) trouble: Mutex<Option<DeliveryFailure>>,
    /// How often it worked again.
    pub(crate) n_recoveries: AtomicU64,
    /// Ranges on the server that were claimed for files of this shipper.
    pub(crate) taken: ClaimedRanges,
    /// What size of piece the server takes.
    pub(crate) piece_sizes: PieceSizes,
    /// Whether there were more hints than there was room for.
    pub(crate) hints_missed: AtomicBool,
    /// Exemplars and descriptions of metrics that the server left out.
    pub(crate) n_left_out: AtomicU64,
}

/// Everything that can happen to the following thread.
pub(crate) enum Event {
    /// Something changed at this path, or (`true`) appeared.
    Hint(PathBuf, bool),
    /// A batch is with the server, or set aside.
    Settled(FileBatch),
    /// The file of a batch is with the server up to there.
    Held(FileBatch, u64),
    /// A batch will not be delivered now.
    GivenBack(FileBatch, String),
    /// Stop.
    Stop,
}

impl ShipperState {
    pub(crate) fn new(stop: Arc<Stop>, sinks: Vec<Arc<Sink>>, files: Vec<FileStatus>) -> Self {
        Self { stop, sinks, files: Mutex::new(files), ..Self::default() }
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            files: self.files.hold().clone(),
            inputs: self.sinks.iter().map(|sink| sink.status()).collect(),
            given_up: *self.given_up.hold(),
            bytes_delivered: self.bytes_delivered.load(Ordering::Relaxed),
            n_refused: self.n_refused.load(Ordering::Relaxed),
            last_error: self.trouble.hold().as_ref().map(|trouble| trouble.reason.clone()),
        }
    }

    /// Counts exemplars and descriptions of metrics that the server left out; the first are logged.
    pub(crate) fn note_left_out(&self, n: u64) {
        if n > 0 && self.n_left_out.fetch_add(n, Ordering::Relaxed) == 0 {
            let way_out = "give the key the groups exemplars/*, and upgrade the server if it is of an earlier version";
            tracing::warn!(n, way_out, "the server leaves out exemplars or metadata of scraped metrics");
        }
    }

    /// Reports the status of this shipper to the server from time to time.
    pub(crate) fn report_until_stopped(&self, identity: &Identity, server: &dyn Deliver) {
        let mut wait = REPORT_AGAIN;
        while !self.stop.is_set() {
            if let Err(error) = server.report(&identity.report(self.status())) {
                tracing::debug!(%error, "report not taken");
            }
            self.stop.wait(wait);
            wait = REPORT_EVERY;
        }
    }

    /// Tells the server how this shipper stood at its end; one that does not answer as it is is not waited for.
    pub(crate) fn report_the_end(&self, identity: &Identity, server: &dyn Deliver) {
        let status = self.status();
        if status.last_error.is_some() {
            return;
        }
        let report = SourceReport { has_stopped: true, ..identity.report(status) };
        if let Err(error) = server.report(&report) {
            tracing::debug!(%error, "last report not accepted");
        }
    }

    /// Writes lines of inputs to disk that wait for others to come.
    pub(crate) fn flush_until_stopped(&self) {
        while !self.stop.is_set() {
            self.stop.wait(FLUSH_EVERY);
            for sink in &self.sinks {
                // An input that makes lines is notified directly.
                if let Err(error) = sink.flush_if_room() {
                    tracing::debug!(%error, "lines not saved yet");
                }
            }
        }
    }

    /// Tells inputs how much of their files the server has.
    pub(crate) fn tell_inputs(&self, path: &std::path::Path, offset: u64) {
        self.sinks.iter().for_each(|sink| sink.acknowledged(path, offset));
    }

    /// Notes that the server took a piece.
    pub(crate) fn delivered(&self, n_bytes: usize) {
        self.bytes_delivered.fetch_add(n_bytes as u64, Ordering::Relaxed);
        self.piece_sizes.found_good(n_bytes);
        if self.trouble.hold().take().is_some() {
            self.n_recoveries.fetch_add(1, Ordering::Relaxed);
            self.stop.wake();
            tracing::info!("delivery works again");
        }
    }

    /// Records why delivery fails, and logs a new reason.
    pub(crate) fn in_trouble(&self, path: &Path, reason: String) {
        let mut trouble = self.trouble.hold();
        let known = trouble.as_ref().filter(|trouble| trouble.reason == reason);
        let said_at = match known.map(|trouble| trouble.said_at) {
            Some(said_at) if said_at.elapsed() < SAY_AGAIN_EVERY => said_at,
            _ => {
                tracing::warn!(path = %path.display(), reason, "delivery failed; retrying");
                Instant::now()
            }
        };
        *trouble = Some(DeliveryFailure { reason, said_at });
    }
}

/// Why delivery fails.
pub(crate) struct DeliveryFailure {
    pub(crate) reason: String,
    pub(crate) said_at: Instant,
}

/// The largest piece that is sent, learned from a server that found one too large.
pub(crate) struct PieceSizes {
    bytes_max: AtomicUsize,
}

impl Default for PieceSizes {
    fn default() -> Self {
        Self { bytes_max: AtomicUsize::new(usize::MAX) }
    }
}

impl PieceSizes {
    /// Not lower, or one event that is refused would make all batches tiny.
    const LEAST: usize = 64 << 10;

    pub(crate) fn most(&self) -> usize {
        self.bytes_max.load(Ordering::Relaxed)
    }

    pub(crate) fn found_too_large(&self, n_bytes: usize) {
        self.bytes_max.fetch_min((n_bytes / 2).max(Self::LEAST), Ordering::Relaxed);
    }

    /// Grows little by little, as the limit may have been raised.
    pub(crate) fn found_good(&self, n_bytes: usize) {
        let most = self.most();
        if most != usize::MAX && n_bytes >= most / 2 {
            let _ = self.bytes_max.fetch_max(most.saturating_add(most / 16), Ordering::Relaxed);
        }
    }
}

/// How often a continuing failure is logged again.
pub(crate) const SAY_AGAIN_EVERY: Duration = Duration::from_secs(600);
