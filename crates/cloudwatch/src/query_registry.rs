//! The registry of started queries and their results, which clients fetch later.
//!
//! Rows are stored as the JSON of the answer, so that polling costs little. The registry is bounded in number, time and
//! bytes; the query that was started first is removed first. A query belongs to the key that started it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use execute::{Answer, Stats};
use types::{Hold, Timestamp, Value};

use super::answer::{CloudWatchProblem, Result};
use super::results::row_json;
use door::{Problem, RunningQuery};

/// How long results are kept after the end of a query: a client polls within seconds, a person returns within an hour.
const KEPT_NS: i64 = Timestamp::HOUR;

/// Limit on the queries in the registry, including those that run.
const KEPT_MAX: usize = 1_000;

/// Limit on the queries that run at once, as for an account at Amazon.
const RUNNING_MAX: usize = 100;

/// Limit on the rows of a query, as at Amazon.
pub(super) const ROWS_MAX: usize = 100_000;

/// Memory of a row in addition to its text.
const ROW_OVERHEAD_BYTES: usize = 32;

/// All queries, in the order of their start.
pub(crate) struct QueryRegistry {
    // What a panic leaves is a map all the same.
    list: Mutex<QueryList>,
    bytes: Arc<AtomicUsize>,
    bytes_max: usize,
}

#[derive(Default)]
struct QueryList {
    n_started: u64,
    by_number: BTreeMap<u64, Arc<RegisteredQuery>>,
}

types::named! {
    /// The state of a query, with Amazon's names.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) enum Status {
        #[default]
        Running = "Running",
        Complete = "Complete",
        Failed = "Failed",
        Cancelled = "Cancelled",
        Timeout = "Timeout",
    }
}

/// A query before it runs.
pub(super) struct QueryStart {
    pub(super) id: String,
    pub(super) text: String,
    /// The groups that the request names.
    pub(super) groups: Vec<String>,
    /// The names of its columns.
    pub(super) names: Vec<String>,
    pub(super) running: Arc<RunningQuery>,
}

/// A query with its results.
pub(super) struct RegisteredQuery {
    pub(super) started: QueryStart,
    results: Mutex<QueryResults>,
    bytes: Arc<AtomicUsize>,
}

/// The results of a query so far.
#[derive(Default)]
pub(super) struct QueryResults {
    pub(super) status: Status,
    pub(super) rows: Vec<Arc<str>>,
    pub(super) ended: Option<Timestamp>,
    /// The work of the query, once it has ended.
    pub(super) stats: Option<Stats>,
    /// Reasons why rows may be missing, and other warnings.
    pub(super) remarks: Vec<String>,
    n_bytes: usize,
}

impl Drop for RegisteredQuery {
    fn drop(&mut self) {
        let n_bytes = self.results().n_bytes;
        self.bytes.fetch_sub(n_bytes, Ordering::Relaxed);
    }
}

impl QueryRegistry {
    /// Creates a registry whose rows take at most `bytes_max` bytes together.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { list: Mutex::default(), bytes: Arc::default(), bytes_max }
    }

    /// Registers a query that begins now.
    pub(super) fn add(&self, started: QueryStart, now: Timestamp) -> Result<Arc<RegisteredQuery>> {
        let mut queries = self.list.hold();
        queries
            .by_number
            .retain(|_, query| query.results().ended.is_none_or(|ended| now.0.saturating_sub(ended.0) < KEPT_NS));
        let n_running = queries.by_number.values().filter(|query| query.results().ended.is_none()).count();
        let is_full = queries.by_number.len() >= KEPT_MAX && !queries.remove_oldest();
        if n_running >= RUNNING_MAX || is_full {
            let message = format!("Account maximum query concurrency limit of [{RUNNING_MAX}] reached.");
            return Err(CloudWatchProblem::new("LimitExceededException", message));
        }
        let query = Arc::new(RegisteredQuery { started, results: Mutex::default(), bytes: self.bytes.clone() });
        queries.n_started += 1;
        let number = queries.n_started;
        queries.by_number.insert(number, query.clone());
        Ok(query)
    }

    /// Returns the query with an id, if `may` allows to see it.
    pub(super) fn get(&self, id: &str, may: impl Fn(&RunningQuery) -> bool) -> Option<Arc<RegisteredQuery>> {
        let queries = self.list.hold();
        queries.by_number.values().find(|query| query.started.id == id && may(&query.started.running)).cloned()
    }

    /// Returns all queries that `may` allows to see, newest first.
    pub(super) fn list(&self, may: impl Fn(&RunningQuery) -> bool) -> Vec<Arc<RegisteredQuery>> {
        let queries = self.list.hold();
        queries.by_number.values().rev().filter(|query| may(&query.started.running)).cloned().collect()
    }

    /// Reserves memory for rows, and removes ended queries if necessary. The caller must not hold the results of a query.
    fn take_room(&self, n_bytes: usize) -> bool {
        let take = |held: usize| held.checked_add(n_bytes).filter(|held| *held <= self.bytes_max);
        while self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            let removed = self.list.hold().remove_oldest();
            if !removed {
                return false;
            }
        }
        true
    }
}

impl QueryList {
    /// Removes the ended query that was started first.
    fn remove_oldest(&mut self) -> bool {
        let oldest = self.by_number.iter().find(|(_, query)| query.results().ended.is_some());
        let number = oldest.map(|(number, _)| *number);
        number.is_some_and(|number| self.by_number.remove(&number).is_some())
    }
}

impl RegisteredQuery {
    /// Returns the results so far, locked.
    pub(super) fn results(&self) -> MutexGuard<'_, QueryResults> {
        // A panic leaves whole rows.
        self.results.hold()
    }

    /// Adds rows. Returns `false` if there is no memory for them, which ends the query.
    pub(super) fn extend(&self, all: &QueryRegistry, rows: Vec<Vec<Option<Value>>>) -> bool {
        let Some((texts, n_bytes)) = self.texts(all, &rows) else { return self.is_too_much(all) };
        let mut results = self.results();
        results.n_bytes += n_bytes;
        results.rows.extend(texts);
        true
    }

    /// Replaces all rows. Returns `false` if there is no memory for the new ones, which ends the query.
    pub(super) fn replace(&self, all: &QueryRegistry, rows: Vec<Vec<Option<Value>>>) -> bool {
        let Some((texts, n_bytes)) = self.texts(all, &rows) else { return self.is_too_much(all) };
        let mut results = self.results();
        self.bytes.fetch_sub(results.n_bytes, Ordering::Relaxed);
        results.n_bytes = n_bytes;
        results.rows = texts;
        true
    }

    /// Returns rows as texts with their bytes, if there is room for them.
    fn texts(&self, all: &QueryRegistry, rows: &[Vec<Option<Value>>]) -> Option<(Vec<Arc<str>>, usize)> {
        let row = |row: &Vec<Option<Value>>| Arc::from(row_json(&self.started.names, row));
        let texts: Vec<Arc<str>> = rows.iter().take(ROWS_MAX).map(row).collect();
        let n_bytes = bytes_of(&texts);
        all.take_room(n_bytes).then_some((texts, n_bytes))
    }

    fn is_too_much(&self, all: &QueryRegistry) -> bool {
        let mut results = self.results();
        results.status = Status::Failed;
        results.remarks = vec![format!(
            "the results of all queries exceed their limit of {} bytes; add a limit to the query",
            all.bytes_max
        )];
        false
    }

    /// Stops the query. Returns `false` if it has already ended.
    pub(super) fn stop(&self, now: Timestamp) -> bool {
        let mut results = self.results();
        if results.ended.is_some() {
            return false;
        }
        self.started.running.cancelled.store(true, Ordering::Relaxed);
        results.status = Status::Cancelled;
        results.ended = Some(now);
        true
    }

    /// Records how the query ended. Its answer contains all rows if `is_whole`, else those that were not passed before.
    pub(super) fn end(&self, all: &QueryRegistry, done: Result<Answer, Problem>, is_whole: bool, now: Timestamp) {
        let ended = match done {
            Ok(mut answer) => {
                let rows = std::mem::take(&mut answer.rows);
                let fits = if is_whole { self.replace(all, rows) } else { rows.is_empty() || self.extend(all, rows) };
                let mut remarks: Vec<String> =
                    answer.partial_reasons.iter().map(|reason| reason.message.clone()).collect();
                remarks.extend(answer.warnings.iter().map(|warning| warning.message.clone()));
                let has = |code: &str| answer.partial_reasons.iter().any(|reason| reason.code == code);
                let status = match () {
                    () if !fits => Status::Failed,
                    () if has("timeout") => Status::Timeout,
                    () if has("cancelled") => Status::Cancelled,
                    () => Status::Complete,
                };
                (status, remarks, Some(answer.stats))
            }
            Err(problem) => (Status::Failed, vec![problem.sentence()], Some(self.started.running.progress())),
        };
        let mut results = self.results();
        let (status, remarks, stats) = ended;
        // A stop, or a lack of memory, has set the status before.
        if results.status == Status::Running {
            (results.status, results.remarks) = (status, remarks);
        }
        results.stats = stats;
        results.ended.get_or_insert(now);
    }
}

fn bytes_of(texts: &[Arc<str>]) -> usize {
    texts.iter().map(|text| text.len() + ROW_OVERHEAD_BYTES).sum()
}

#[cfg(test)]
mod tests;
