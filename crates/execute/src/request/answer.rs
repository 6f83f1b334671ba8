//! The answer to a query, and what it took.

use std::sync::Arc;

use crate::request::error::Result;
use evaluate::MemoryReservation;

pub(crate) use types::Value;

/// The result of a query.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<ColumnInfo>,
    /// The rows, each with a value or none per column.
    pub rows: Vec<Vec<Option<Value>>>,
    /// For rows that are events, the `@id` of each.
    pub ids: Option<Vec<String>>,
    /// Whether rows were cut off by [`Request::limit`].
    pub more: bool,
    /// What it took.
    pub stats: Stats,
    /// Why rows may be missing; empty for a whole answer.
    pub partial_reasons: Vec<PartialReason>,
    /// What the author of the query should know.
    pub warnings: Vec<plan::Warning>,
    /// The memory of the rows, which is theirs until the answer is written.
    pub held: Option<Arc<MemoryReservation>>,
}

/// What is known of a column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// Whether its values are estimates.
    pub approximate: bool,
}

types::named! {
    /// What the values of a column are.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ColumnKind {
        /// Instants.
        Timestamp = "timestamp",
        /// Texts.
        String = "string",
        /// Whole numbers.
        Integer = "integer",
        /// Numbers.
        Float = "float",
        /// Booleans.
        Boolean = "boolean",
        /// Lists.
        List = "list",
        /// Objects.
        Object = "object",
        /// Several of these, or nothing is known.
        Any = "any",
    }
}

/// What a query took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Events looked at (in blocks that were read, inside the range).
    pub events_scanned: u64,
    /// Events that fulfilled the conditions on events.
    pub events_matched: u64,
    /// Of the events scanned, those whose partial results were kept from an earlier query.
    pub events_cached: u64,
    /// Of the events scanned, those that an index ruled out: nothing of them was read.
    pub events_skipped: u64,
    /// Of the events scanned, those that other nodes of the fleet looked at.
    pub events_shared: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Segments that the runs belong to.
    pub segments_total: u64,
    /// Segments left out; known to whoever made the snapshot.
    pub segments_pruned: u64,
    /// Segments read from.
    pub segments_opened: u64,
    /// Segments that nothing remains to be done with.
    pub segments_done: u64,
    /// Milliseconds.
    pub elapsed_ms: f64,
}

/// Why an answer is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialReason {
    /// `damaged`, `timeout` or `cancelled`.
    pub code: &'static str,
    /// One sentence; names the file where there is one.
    pub message: String,
}

impl Answer {
    /// Puts the rows of another answer to the same question, about another time, after these.
    pub fn append(&mut self, more: Self) {
        if self.columns.is_empty() || self.rows.is_empty() {
            self.columns = more.columns;
        } else if !more.rows.is_empty() {
            widen(&mut self.columns, more.columns);
        }
        self.rows.extend(more.rows);
        match (&mut self.ids, more.ids) {
            (Some(ids), Some(more)) => ids.extend(more),
            (ids, more) => *ids = ids.take().or(more),
        }
        self.more |= more.more;
        self.stats.add(&more.stats);
        for reason in more.partial_reasons {
            if !self.partial_reasons.contains(&reason) {
                self.partial_reasons.push(reason);
            }
        }
        for warning in more.warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        match (&self.held, more.held) {
            (Some(held), Some(more)) => held.take_over(&more),
            (None, held) => self.held = held,
            (Some(_), None) => {}
        }
    }

    /// Refuses to continue where the rows hold more than `bytes_max`.
    pub fn check_memory(&self, bytes_max: usize) -> Result<()> {
        let n_bytes = self.held.as_ref().map_or(0, |held| held.n_bytes());
        let setting = "limits.query_memory";
        if n_bytes > bytes_max {
            Err(crate::request::error::ExecuteError::Memory { bytes_max, setting })
        } else {
            Ok(())
        }
    }
}

impl Stats {
    /// Adds what another query took.
    pub(crate) fn add(&mut self, more: &Self) {
        self.events_scanned += more.events_scanned;
        self.events_matched += more.events_matched;
        self.events_cached += more.events_cached;
        self.events_skipped += more.events_skipped;
        self.events_shared += more.events_shared;
        self.bytes_read += more.bytes_read;
        self.segments_total += more.segments_total;
        self.segments_pruned += more.segments_pruned;
        self.segments_opened += more.segments_opened;
        self.segments_done += more.segments_done;
        self.elapsed_ms += more.elapsed_ms;
    }
}

/// Takes the kinds of further values into those of the columns.
pub(crate) fn widen(known: &mut Vec<ColumnInfo>, more: Vec<ColumnInfo>) {
    if known.is_empty() {
        *known = more;
        return;
    }
    for (known, more) in known.iter_mut().zip(more) {
        known.kind = match (known.kind, more.kind) {
            (a, b) if a == b => a,
            (crate::request::answer::ColumnKind::Integer, crate::request::answer::ColumnKind::Float)
            | (crate::request::answer::ColumnKind::Float, crate::request::answer::ColumnKind::Integer) => {
                crate::request::answer::ColumnKind::Float
            }
            _ => crate::request::answer::ColumnKind::Any,
        };
    }
}
