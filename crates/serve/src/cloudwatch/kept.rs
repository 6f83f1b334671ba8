//! Queries that were started here, and what they have found: their clients come back for it.
//!
//! Rows are kept as they are answered, so that asking again and again costs little. Bounded in number, in time and in
//! bytes: what ended first goes first. A query belongs to the key that started it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use execute::{Answer, Stats};
use types::{Timestamp, Value};

use super::answer::CloudWatchProblem;
use super::results::row_json;
use door::problem::Problem;
use door::queries::Running;

/// How long a query is kept after its end: a client that polls comes back within seconds, a person within an hour.
const KEPT_NS: i64 = Timestamp::HOUR;

/// Queries that are kept, those that run among them.
const KEPT_MAX: usize = 1_000;

/// Queries that run at once, as many as Amazon lets an account have.
const RUNNING_MAX: usize = 100;

/// Most rows of a query, as Amazon has it.
pub(super) const ROWS_MAX: usize = 100_000;

/// What a row and its place in a list take besides its text.
const ROW_OVERHEAD_BYTES: usize = 32;

/// All of them, by the order in which they were started.
pub(crate) struct KeptQueries {
    book: Mutex<Book>,
    bytes: Arc<AtomicUsize>,
    bytes_max: usize,
}

#[derive(Default)]
struct Book {
    n_started: u64,
    queries: BTreeMap<u64, Arc<Kept>>,
}

/// How a query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Complete,
    Failed,
    Cancelled,
    Timeout,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Timeout => "Timeout",
        }
    }
}

/// What is known of a query before it runs.
pub(super) struct Started {
    pub(super) id: String,
    pub(super) text: String,
    /// The groups that the request names.
    pub(super) groups: Vec<String>,
    /// The names of its columns.
    pub(super) names: Vec<String>,
    pub(super) running: Arc<Running>,
}

/// A query, and what it has found.
pub(super) struct Kept {
    pub(super) started: Started,
    found: Mutex<Found>,
    bytes: Arc<AtomicUsize>,
}

/// What a query has found so far.
pub(super) struct Found {
    pub(super) status: Status,
    pub(super) rows: Vec<Arc<str>>,
    pub(super) ended: Option<Timestamp>,
    /// What it took, once it has ended.
    pub(super) stats: Option<Stats>,
    /// Why rows may be missing, and what else its author should know.
    pub(super) remarks: Vec<String>,
    n_bytes: usize,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let n_bytes = self.found().n_bytes;
        self.bytes.fetch_sub(n_bytes, Ordering::Relaxed);
    }
}

impl KeptQueries {
    /// Queries whose rows may take so many bytes together.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { book: Mutex::default(), bytes: Arc::default(), bytes_max }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // What a panic leaves is a map all the same.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a query that begins now.
    pub(super) fn add(&self, started: Started, now: Timestamp) -> Result<Arc<Kept>, CloudWatchProblem> {
        let mut book = self.book();
        book.queries.retain(|_, kept| kept.found().ended.is_none_or(|ended| now.0.saturating_sub(ended.0) < KEPT_NS));
        let n_running = book.queries.values().filter(|kept| kept.found().ended.is_none()).count();
        let is_full = book.queries.len() >= KEPT_MAX && !book.remove_oldest();
        if n_running >= RUNNING_MAX || is_full {
            let message = format!("Account maximum query concurrency limit of [{RUNNING_MAX}] reached.");
            return Err(CloudWatchProblem::new("LimitExceededException", message));
        }
        let found = Found {
            status: Status::Running,
            rows: Vec::new(),
            ended: None,
            stats: None,
            remarks: Vec::new(),
            n_bytes: 0,
        };
        let kept = Arc::new(Kept { started, found: Mutex::new(found), bytes: self.bytes.clone() });
        book.n_started += 1;
        let number = book.n_started;
        book.queries.insert(number, kept.clone());
        Ok(kept)
    }

    /// The query of an id, among those that `may` allows to be seen.
    pub(super) fn get(&self, id: &str, may: impl Fn(&Running) -> bool) -> Option<Arc<Kept>> {
        let book = self.book();
        book.queries.values().find(|kept| kept.started.id == id && may(&kept.started.running)).cloned()
    }

    /// All that `may` allows to be seen, newest first.
    pub(super) fn list(&self, may: impl Fn(&Running) -> bool) -> Vec<Arc<Kept>> {
        let book = self.book();
        book.queries.values().rev().filter(|kept| may(&kept.started.running)).cloned().collect()
    }

    /// Takes room for rows, where needed that of queries which ended before. Nobody holds what a query has found.
    fn take_room(&self, n_bytes: usize) -> bool {
        let take = |held: usize| held.checked_add(n_bytes).filter(|held| *held <= self.bytes_max);
        while self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            let removed = self.book().remove_oldest();
            if !removed {
                return false;
            }
        }
        true
    }
}

impl Book {
    /// Removes the query that was started first of those that have ended.
    fn remove_oldest(&mut self) -> bool {
        let oldest = self.queries.iter().find(|(_, kept)| kept.found().ended.is_some());
        let number = oldest.map(|(number, _)| *number);
        number.is_some_and(|number| self.queries.remove(&number).is_some())
    }
}

impl Kept {
    /// What was found so far.
    pub(super) fn found(&self) -> MutexGuard<'_, Found> {
        // Rows are added and taken whole.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes further rows; `false` where there is no room for them, which ends the query.
    pub(super) fn extend(&self, all: &KeptQueries, rows: Vec<Vec<Option<Value>>>) -> bool {
        let texts = self.texts(&rows);
        let n_bytes = bytes_of(&texts);
        if !all.take_room(n_bytes) {
            return self.is_too_much(all);
        }
        let mut found = self.found();
        found.n_bytes += n_bytes;
        found.rows.extend(texts);
        true
    }

    /// Takes rows in the place of those before.
    pub(super) fn replace(&self, all: &KeptQueries, rows: Vec<Vec<Option<Value>>>) -> bool {
        let texts = self.texts(&rows);
        let n_bytes = bytes_of(&texts);
        if !all.take_room(n_bytes) {
            return self.is_too_much(all);
        }
        let mut found = self.found();
        self.bytes.fetch_sub(found.n_bytes, Ordering::Relaxed);
        found.n_bytes = n_bytes;
        found.rows = texts;
        true
    }

    fn texts(&self, rows: &[Vec<Option<Value>>]) -> Vec<Arc<str>> {
        rows.iter().take(ROWS_MAX).map(|row| Arc::from(row_json(&self.started.names, row))).collect()
    }

    fn is_too_much(&self, all: &KeptQueries) -> bool {
        let mut found = self.found();
        found.status = Status::Failed;
        found.remarks =
            vec![format!("the rows of all queries that are kept here take {} bytes at most", all.bytes_max)];
        false
    }

    /// Stops the query; `false` where it has ended before.
    pub(super) fn stop(&self, now: Timestamp) -> bool {
        let mut found = self.found();
        if found.ended.is_some() {
            return false;
        }
        self.started.running.cancelled.store(true, Ordering::Relaxed);
        found.status = Status::Cancelled;
        found.ended = Some(now);
        true
    }

    /// Notes how the query ended. Rows that it gave while it ran are followed by those of its answer, where those are
    /// events; where `is_whole`, the answer has all.
    pub(super) fn end(&self, all: &KeptQueries, done: Result<Answer, Problem>, is_whole: bool, now: Timestamp) {
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
        let mut found = self.found();
        let (status, remarks, stats) = ended;
        // Who stopped it, or had no room for it, has said already how it ended.
        if found.status == Status::Running {
            (found.status, found.remarks) = (status, remarks);
        }
        found.stats = stats;
        found.ended.get_or_insert(now);
    }
}

fn bytes_of(texts: &[Arc<str>]) -> usize {
    texts.iter().map(|text| text.len() + ROW_OVERHEAD_BYTES).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use door::queries::Queries;

    fn start(all: &KeptQueries, id: &str) -> Arc<Kept> {
        let running = Queries::default().start_for("", id, Timestamp(0)).running.clone();
        let names = vec!["n".to_owned()];
        let started = Started { id: id.into(), text: String::new(), groups: Vec::new(), names, running };
        all.add(started, Timestamp(0)).unwrap_or_else(|_| panic!("there is room"))
    }

    fn rows(n: usize) -> Vec<Vec<Option<Value>>> {
        (0..n).map(|n| vec![Some(Value::Integer(n as i64))]).collect()
    }

    fn end(all: &KeptQueries, kept: &Kept, n: usize) -> Status {
        kept.end(all, Ok(Answer { rows: rows(n), ..Answer::default() }), true, Timestamp(1));
        kept.found().status
    }

    #[test]
    fn what_ended_first_makes_room_and_what_has_none_fails() {
        let all = KeptQueries::new(10_000);
        let (first, second, third) = (start(&all, "1"), start(&all, "2"), start(&all, "3"));
        assert_eq!(end(&all, &first, 100), Status::Complete);
        drop(first);
        assert!(second.extend(&all, rows(50)));
        // Together they would be too many: the first one goes, the second still runs.
        assert!(third.extend(&all, rows(80)));
        assert!(all.get("1", |_| true).is_none() && all.get("2", |_| true).is_some());
        assert!(!second.extend(&all, rows(1_000)));
        second.end(&all, Ok(Answer::default()), false, Timestamp(1));
        let found = second.found();
        assert_eq!((found.status, found.rows.len(), found.remarks.len()), (Status::Failed, 50, 1));
        drop(found);
        drop((second, third));
        drop(all.list(|_| true));
        all.book().queries.clear();
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn too_many_at_once_are_refused_and_old_ones_forgotten() {
        let all = KeptQueries::new(1 << 20);
        let first = start(&all, "first");
        for n in 1..RUNNING_MAX {
            start(&all, &n.to_string());
        }
        let running = Queries::default().start_for("", "", Timestamp(0)).running.clone();
        let more = || Started {
            id: "more".into(),
            text: String::new(),
            groups: Vec::new(),
            names: Vec::new(),
            running: running.clone(),
        };
        assert_eq!(all.add(more(), Timestamp(0)).err().map(|problem| problem.kind), Some("LimitExceededException"));
        assert!(first.stop(Timestamp(5)) && !first.stop(Timestamp(6)));
        assert!(all.add(more(), Timestamp(6)).is_ok() && all.get("first", |_| true).is_some());
        all.list(|_| true).iter().for_each(|kept| _ = kept.stop(Timestamp(7)));
        assert!(all.add(more(), Timestamp(KEPT_NS + 7)).is_ok());
        assert_eq!(all.list(|_| true).len(), 1);
    }

    #[test]
    fn a_query_of_somebody_else_is_not_there() {
        let all = KeptQueries::new(1 << 20);
        start(&all, "mine");
        assert!(all.get("mine", |running| &*running.owner == "me").is_none());
        assert!(all.list(|running| &*running.owner == "me").is_empty());
    }
}
