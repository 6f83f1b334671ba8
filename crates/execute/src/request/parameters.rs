//! What a query is run with, next to its plan.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use chrono_tz::Tz;
use spill::SpillSpace;
use types::{TimeRange, Timestamp, Value};

use crate::request::answer::Stats;
use crate::request::cache::PartialCache;
use crate::request::peers::Peers;
use evaluate::{Budget, MemoryPool};

/// What a query is run with, next to its plan.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Events with a time in this range are looked at.
    pub range: TimeRange,
    /// The most event rows of an answer, unless the query itself says how many; groups are never cut by it.
    pub limit: Option<usize>,
    /// The zone that calendar functions work in.
    pub time_zone: Tz,
    /// When the query started.
    pub now: Timestamp,
    /// The most bytes that the query may hold, roughly.
    pub memory_bytes_max: usize,
    /// When the query ends, done or not.
    pub deadline: Option<Instant>,
    /// Set from outside to end the query.
    pub cancelled: &'a AtomicBool,
    /// How many threads scan.
    pub n_threads: usize,
    /// Called now and then with what was done so far.
    pub progress: Option<&'a (dyn Fn(&Stats) + Sync)>,
    /// What else the caller lends.
    pub support: Support<'a>,
}

impl<'a> Request<'a> {
    /// Returns what the query may use.
    pub(crate) fn budget(&self) -> Budget<'a> {
        Budget::new(self.memory_bytes_max, self.support.pool.cloned(), self.deadline, self.cancelled)
    }
}

/// What whoever runs queries may lend to them. The answers are the same without.
#[derive(Clone, Copy, Default)]
pub struct Support<'a> {
    /// Partial results of immutable runs.
    pub cache: Option<&'a PartialCache>,
    /// The memory that all queries share.
    pub pool: Option<&'a Arc<MemoryPool>>,
    /// Uploaded tables by name. Without, there are none.
    pub tables: Option<&'a TableOf<'a>>,
    /// The disk for what does not fit the query's memory. Without, such a query is refused.
    pub spill: Option<&'a Arc<SpillSpace>>,
    /// Other nodes that read the same runs and work out parts of the query.
    pub peers: Option<&'a dyn Peers>,
    /// The most rows that are shown of an answer; it is cut there without a word. Groups count too.
    pub rows_max: Option<usize>,
    /// Takes event rows in their order while the scan continues, where their order and what is done to them permits it;
    /// the answer then has no rows left. `false` ends the query. Time spent here is not the query's.
    pub take_rows: Option<&'a TakeRows<'a>>,
    /// Takes rows of an aggregation now and then while it is under way, a thousand at most.
    pub take_partial_rows: Option<&'a TakePartialRows<'a>>,
}

/// Gives the uploaded table of a name.
pub type TableOf<'a> = dyn Fn(&str) -> Option<Arc<plan::Rows>> + Sync + 'a;

/// Takes rows; `false` where no one wants them any more.
pub type TakeRows<'a> = dyn Fn(Vec<Vec<Option<Value>>>) -> bool + Sync + 'a;

/// Takes the rows found so far, which stand for those that it was given before.
pub type TakePartialRows<'a> = dyn Fn(Vec<Vec<Option<Value>>>) + Sync + 'a;
