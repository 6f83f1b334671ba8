//! A thread that delivers: keeps at a batch until all of it is with the server or set aside.
//!
//! A batch that is refused is cut in two between events, and again, until the event that the server does not want is
//! alone; that one is set aside and the others arrive. A server that wants nothing is not asked for ever: where
//! nothing has got through for a while, what is refused next is set aside in one piece.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use types::Hold;

use crate::dead_letter::DeadLetters;
use crate::deliver::wait_before_retry;
use crate::range_claims::held_to;
use crate::shipper::shared::{Event, ShipperState};
use crate::{Deliver, DeliverError, DeliveryReceipt, FileBatch, HeldQuestion};

/// How long the event that is not wanted is looked for while nothing gets through. Other lines of the file wait.
const NARROWING_MAX: Duration = Duration::from_secs(30);

/// Refusals without anything getting through after which it is the server that is not as it should be.
const REFUSALS_IN_A_ROW_MAX: u32 = 300;

/// A thread that delivers.
pub(super) struct Worker {
    pub(super) shared: Arc<ShipperState>,
    pub(super) server: Arc<dyn Deliver>,
    pub(super) dead_letters: Arc<DeadLetters>,
    pub(super) batches: Arc<Mutex<Receiver<FileBatch>>>,
    pub(super) events: SyncSender<Event>,
}

/// What became of an attempt that is not to be repeated.
enum Answer {
    Done,
    Refused(String),
    TooLarge(String),
}

/// How far the search for events that are not wanted has got.
struct RefusalSearch {
    /// When something got through last, or the search began.
    since: Instant,
    n_refusals: u32,
    /// What was set aside: events or pieces, bytes, and of the first where it is and why.
    n_aside: u64,
    bytes_aside: u64,
    first: Option<(PathBuf, String)>,
}

impl RefusalSearch {
    fn new() -> Self {
        Self { since: Instant::now(), n_refusals: 0, n_aside: 0, bytes_aside: 0, first: None }
    }

    fn got_through(&mut self) {
        (self.since, self.n_refusals) = (Instant::now(), 0);
    }

    /// Returns the halves to try instead of a piece that was refused; `None` if it is to be set aside.
    fn halves_of(&mut self, piece: &FileBatch) -> Option<(FileBatch, FileBatch)> {
        self.n_refusals = self.n_refusals.saturating_add(1);
        let goes_on = self.n_refusals < REFUSALS_IN_A_ROW_MAX && self.since.elapsed() < NARROWING_MAX;
        goes_on.then(|| piece.split()).flatten()
    }

    fn say(&self, batch: &FileBatch) {
        let Some((kept, reason)) = &self.first else { return };
        let (pieces, bytes, kept) = (self.n_aside, self.bytes_aside, kept.display());
        tracing::error!(file = %batch.header.path, start = batch.header.start, pieces, bytes, reason, %kept, "refused, set aside");
    }
}

impl Worker {
    pub(super) fn run(self) {
        loop {
            let next = self.batches.hold().recv();
            let Ok(batch) = next else { return };
            let event = match self.settle(&batch) {
                Ok(None) => Event::Settled(batch),
                Ok(Some(end)) => Event::Held(batch, end),
                Err(reason) => Event::GivenBack(batch, reason),
            };
            if self.events.send(event).is_err() {
                return;
            }
        }
    }

    /// Asks what the server holds where that is to be asked, and delivers the batch unless the server holds its beginning;
    /// gives up to where. An error only when the shipper stops.
    fn settle(&self, batch: &FileBatch) -> Result<Option<u64>, String> {
        if let Some(end) = self.held_to(batch)? {
            return Ok(Some(end));
        }
        self.deliver(batch).map(|()| None)
    }

    fn held_to(&self, batch: &FileBatch) -> Result<Option<u64>, String> {
        if batch.unasked.is_none() {
            return Ok(None);
        }
        let goes_on = || !self.shared.stop.is_set();
        let found = Mutex::new(None);
        let answer = self.until_answered(batch, || {
            let ask = |question: &HeldQuestion| self.server.held(question);
            *found.hold() = held_to(batch, &self.shared.taken, &ask, &goes_on)?;
            Ok(())
        })?;
        // A server that does not know the question holds nothing that it could name.
        Ok(match answer {
            Answer::Done => found.into_inner().unwrap_or_default(),
            Answer::Refused(_) | Answer::TooLarge(_) => None,
        })
    }

    /// Keeps at it until all of the batch is with the server or set aside; an error only when the shipper stops.
    fn deliver(&self, batch: &FileBatch) -> Result<(), String> {
        let mut narrowing = RefusalSearch::new();
        // In the order of the file, the next at the end.
        let mut pieces = vec![batch.clone()];
        while let Some(piece) = pieces.pop() {
            let n_bytes = piece.bytes.len();
            if n_bytes > self.shared.piece_sizes.most()
                && let Some((first, second)) = piece.split()
            {
                pieces.extend([second, first]);
                continue;
            }
            let delivered = Mutex::new(DeliveryReceipt::default());
            let attempt = || {
                *delivered.hold() = self.server.deliver(&piece)?;
                Ok(())
            };
            let reason = match self.until_answered(&piece, attempt)? {
                Answer::Done => {
                    let delivered = delivered.into_inner().unwrap_or_default();
                    self.shared.note_left_out(delivered.exemplars_left_out);
                    self.set_refused_aside(&piece, delivered, &mut narrowing)?;
                    self.shared.delivered(n_bytes);
                    narrowing.got_through();
                    continue;
                }
                Answer::Refused(reason) => reason,
                Answer::TooLarge(reason) => {
                    self.shared.piece_sizes.found_too_large(n_bytes);
                    reason
                }
            };
            match narrowing.halves_of(&piece) {
                Some((first, second)) => pieces.extend([second, first]),
                None => self.set_aside(&piece, reason, 1, &mut narrowing)?,
            }
        }
        narrowing.say(batch);
        Ok(())
    }

    /// Repeats `attempt` until it works or is refused; an error only when the shipper stops.
    fn until_answered(
        &self,
        piece: &FileBatch,
        attempt: impl Fn() -> Result<(), DeliverError>,
    ) -> Result<Answer, String> {
        let mut n_failed = 0u32;
        while !self.shared.stop.is_set() {
            let (after, reason) = match attempt() {
                Ok(()) => return Ok(Answer::Done),
                Err(DeliverError::Refused(reason)) => return Ok(Answer::Refused(reason)),
                Err(DeliverError::TooLarge(reason)) => return Ok(Answer::TooLarge(reason)),
                Err(DeliverError::Retry { after, reason }) => (after, reason),
            };
            n_failed = n_failed.saturating_add(1);
            self.shared.in_trouble(Path::new(&piece.header.path), reason);
            let wait = wait_before_retry(n_failed, after, getrandom::u64().unwrap_or(0));
            let n_recoveries = self.shared.n_recoveries.load(Ordering::Relaxed);
            // The server is back when another thread got through; only what it asked for is waited out.
            let is_back = || after.is_none() && self.shared.n_recoveries.load(Ordering::Relaxed) != n_recoveries;
            self.shared.stop.wait_unless(wait, is_back);
        }
        Err("stopped before it was delivered".into())
    }

    /// Sets aside which events of a piece the server did not take while it took the others.
    fn set_refused_aside(
        &self,
        piece: &FileBatch,
        answer: DeliveryReceipt,
        narrowing: &mut RefusalSearch,
    ) -> Result<(), String> {
        let Some(reason) = answer.refusal else { return Ok(()) };
        // A server of an earlier version names lines alone.
        let all = [(piece.header.start, piece.end())];
        let ranges = if answer.refused.is_empty() { &all[..] } else { &answer.refused };
        for (start, end) in ranges {
            if let Some(part) = piece.part(*start..*end) {
                let n_events = part.events().len().max(1) as u64;
                if part.has_comments_alone() {
                    self.shared.note_left_out(n_events);
                    continue;
                }
                self.set_aside(&part, reason.clone(), n_events, narrowing)?;
            }
        }
        Ok(())
    }

    /// Sets a piece aside that counts as `n`; where that cannot be done now, tries until it can.
    fn set_aside(
        &self,
        piece: &FileBatch,
        reason: String,
        n: u64,
        narrowing: &mut RefusalSearch,
    ) -> Result<(), String> {
        let kept = Mutex::new(PathBuf::new());
        self.until_answered(piece, || {
            let path = self.dead_letters.set_aside(piece, &reason);
            let retry = |error| DeliverError::Retry { after: None, reason: format!("{reason}; {error}") };
            *kept.hold() = path.map_err(retry)?;
            Ok(())
        })?;
        self.shared.n_refused.fetch_add(n, Ordering::Relaxed);
        narrowing.n_aside += n;
        narrowing.bytes_aside += piece.bytes.len() as u64;
        narrowing.first.get_or_insert((std::mem::take(&mut *kept.hold()), reason));
        Ok(())
    }
}
