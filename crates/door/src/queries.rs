//! The queries that run now: what they are, how far they are, and the means to stop each.
//!
//! Bounded by the gate that queries enter through. A query whose [`Ticket`] is dropped is cancelled: that is how a
//! client's disconnecting ends the work done for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use execute::Stats;
use types::{Hold, Timestamp};

/// All queries under way.
#[derive(Default)]
pub struct Queries(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    n_started: u64,
    running: BTreeMap<u64, Arc<RunningQuery>>,
}

/// One query under way.
pub struct RunningQuery {
    /// Its number, unique while the server runs.
    pub id: u64,
    /// Its text.
    pub text: String,
    /// Who asked it.
    pub owner: Arc<str>,
    /// When it was asked.
    pub started: Timestamp,
    /// The terms on which it runs.
    pub terms: QueryTerms,
    /// Set to stop it.
    pub cancelled: Arc<AtomicBool>,
    progress: Mutex<Stats>,
}

/// The terms on which a query runs.
#[derive(Clone, Copy, Default)]
pub struct QueryTerms {
    /// Whether its plan promises little work.
    pub is_light: bool,
    /// The range and steps it covers, where its text does not say.
    pub extent: Option<Extent>,
    /// When its client stops waiting.
    pub ends: Option<Instant>,
}

/// The range and steps that a query covers.
#[derive(Clone, Copy)]
pub struct Extent {
    /// The length of its range.
    pub span: Duration,
    /// Instants at which it is evaluated.
    pub n_steps: u64,
}

impl Extent {
    /// Returns how many times as much this is as another one, at least 1.
    pub(crate) fn growth_since(self, other: Self) -> f64 {
        let of_spans = self.span.as_secs_f64() / other.span.as_secs_f64().max(1.0);
        let of_steps = self.n_steps as f64 / other.n_steps.max(1) as f64;
        of_spans.max(of_steps).max(1.0)
    }
}

/// Keeps a query in the book; dropping it takes the query out and stops it.
pub struct Ticket {
    /// The query.
    pub running: Arc<RunningQuery>,
    book: Arc<Mutex<Book>>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.running.cancelled.store(true, Ordering::Relaxed);
        self.book.hold().running.remove(&self.running.id);
    }
}

impl RunningQuery {
    /// Notes how far the query is.
    pub fn note(&self, stats: &Stats) {
        *self.progress.hold() = *stats;
    }

    /// Reports whether the query has to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Returns the progress of the query.
    pub fn progress(&self) -> Stats {
        *self.progress.hold()
    }
}

impl Queries {
    /// Enters a query.
    pub fn start_for(&self, owner: &str, text: &str, now: Timestamp) -> Ticket {
        self.start_on(owner, text, now, QueryTerms::default())
    }

    /// Enters a query on some terms.
    pub fn start_on(&self, owner: &str, text: &str, now: Timestamp, terms: QueryTerms) -> Ticket {
        let mut book = self.0.hold();
        book.n_started += 1;
        let running = Arc::new(RunningQuery {
            id: book.n_started,
            text: text.to_owned(),
            owner: owner.into(),
            started: now,
            terms,
            cancelled: Arc::new(AtomicBool::new(false)),
            progress: Mutex::new(Stats::default()),
        });
        book.running.insert(running.id, running.clone());
        Ticket { running, book: self.0.clone() }
    }

    /// Returns the running queries, oldest first.
    pub fn list(&self) -> Vec<Arc<RunningQuery>> {
        self.0.hold().running.values().cloned().collect()
    }

    /// Stops a query that `may` allows to be stopped; false where none of those has this number.
    pub fn cancel(&self, id: u64, may: impl FnOnce(&RunningQuery) -> bool) -> bool {
        let running = self.0.hold().running.get(&id).cloned().filter(|running| may(running));
        running.map(|running| running.cancelled.store(true, Ordering::Relaxed)).is_some()
    }

    /// Cancels all running queries.
    pub fn cancel_all(&self) {
        self.0.hold().running.values().for_each(|running| running.cancelled.store(true, Ordering::Relaxed));
    }

    /// Returns the number of queries started, and of those running now.
    pub fn counts(&self) -> (u64, usize) {
        let book = self.0.hold();
        (book.n_started, book.running.len())
    }
}

#[cfg(test)]
mod tests;
