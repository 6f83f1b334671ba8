//! Traces that may match a search, found by their matching spans, in the order of the search.
//!
//! Matching spans are read page by page, so that a caller can continue until it has enough. Memory is bounded: one page of ids
//! and times, and a hash of each trace found. The reason why a search ended before it read all spans is in its [`Reading`].

use std::collections::{HashSet, VecDeque};

use plan::{Comparison, Expr, Operator, Plan};
use storage::Snapshot;
use types::{TimeRange, Timestamp, Value};
use xxhash_rust::xxh3::xxh3_128;

use door::{QueryRun, Result};

use crate::plans::{compare, is_present, one_of, show, sort, span_groups};
use crate::read::Reading;
use crate::search::{TraceOrder, TraceSearch};
use crate::times;

/// Spans on the first page for each trace that the search may return: a trace has several.
const SPANS_PER_TRACE: usize = 20;

/// Limit on the spans of a page, and the factor from each page to the next.
const PAGE_MAX: usize = 20_000;
const PAGE_GROWTH: usize = 4;

/// Limit on the traces of one search.
const TRACES_MAX: usize = 500_000;

/// Traces whose spans the next page leaves out. It only saves pages: traces with many spans would fill them.
const LEFT_OUT_MAX: usize = 1_000;

/// The ids of the traces that have a matching span, each once.
pub(crate) struct Candidates<'s> {
    search: &'s TraceSearch,
    operators: Vec<Operator>,
    snapshot: Snapshot,
    /// The part of the range that is still to be read.
    range: TimeRange,
    page: usize,
    /// The time or duration of the last span read.
    last: Option<Value>,
    seen: HashSet<u128>,
    left_out: VecDeque<String>,
    found: VecDeque<String>,
    is_over: bool,
}

impl<'s> Candidates<'s> {
    /// Begins a search over the events stored now.
    pub(crate) fn new(search: &'s TraceSearch, run: &QueryRun<'_>) -> Self {
        Self {
            search,
            operators: search.conditions(),
            snapshot: run.snapshot(&span_groups(&search.groups), search.range),
            range: search.range,
            page: search.limit.saturating_mul(SPANS_PER_TRACE).clamp(SPANS_PER_TRACE, PAGE_MAX),
            last: None,
            seen: HashSet::new(),
            left_out: VecDeque::new(),
            found: VecDeque::new(),
            is_over: false,
        }
    }

    /// Returns the next `n` ids; fewer if there are no more or the query runs out of time.
    pub(crate) fn next(&mut self, n: usize, run: &QueryRun<'_>, reading: &mut Reading) -> Result<Vec<String>> {
        while self.found.len() < n && !self.is_over {
            self.read_page(run, reading)?;
        }
        Ok(self.found.drain(..n.min(self.found.len())).collect())
    }

    /// Returns the number of traces found so far.
    pub(crate) fn n_found(&self) -> usize {
        self.seen.len()
    }

    fn read_page(&mut self, run: &QueryRun<'_>, reading: &mut Reading) -> Result<()> {
        let (field, place) = match self.search.order {
            TraceOrder::Newest => ("@timestamp", 1),
            TraceOrder::Slowest => ("duration_ms", 2),
        };
        let mut operators = self.operators.clone();
        if let (TraceOrder::Slowest, Some(last)) = (self.search.order, &self.last) {
            let is_next = compare(field, Comparison::LessOrEqual, last.clone());
            operators.push(Operator::Filter(Expr::Or(Box::new(is_next), Box::new(plan::not(is_present(field))))));
        }
        if !self.left_out.is_empty() {
            operators.push(Operator::Filter(plan::not(one_of("trace_id", self.left_out.make_contiguous()))));
        }
        operators.extend([Operator::Sort(vec![sort(field, true)]), Operator::Limit(self.page as u64)]);
        operators.push(show(["trace_id", "@timestamp", "duration_ms"], true));
        let scope = times::scope(run.server.now());
        let rows = reading.add(run.execute_on(&self.snapshot, &Plan::new(operators), &scope, self.range)?);
        self.is_over = rows.len() < self.page || reading.is_ended();
        let n_before = self.seen.len();
        self.add(&rows);
        if self.is_over {
            return Ok(());
        }
        if self.seen.len() >= TRACES_MAX {
            self.end(reading, format!("the search ended after {TRACES_MAX} traces that may match"));
            return Ok(());
        }
        let last = rows.last().and_then(|row| row.get(place)?.clone());
        let is_stuck = self.seen.len() == n_before && (last.is_none() || last == self.last);
        if is_stuck && self.page == PAGE_MAX {
            self.end(reading, format!("more than {PAGE_MAX} matching spans have the same time or duration"));
            return Ok(());
        }
        self.page = self.page.saturating_mul(PAGE_GROWTH).min(PAGE_MAX);
        // The next page begins with the last span of this one: others may have the same time or duration.
        if let (TraceOrder::Newest, Some(Value::Timestamp(time))) = (self.search.order, &last) {
            self.range.to = self.range.to.min(Timestamp(time.0.saturating_add(1)));
        }
        self.last = last.or_else(|| self.last.take());
        Ok(())
    }

    /// Adds the traces of the spans of a page.
    fn add(&mut self, rows: &[Vec<Option<Value>>]) {
        let mut of_page = HashSet::new();
        for row in rows {
            let Some(Some(Value::String(id))) = row.first() else { continue };
            let hash = xxh3_128(id.as_bytes());
            if !of_page.insert(hash) {
                continue;
            }
            if self.seen.insert(hash) {
                self.found.push_back(id.to_string());
            }
            if is_only_text(id) {
                self.left_out.push_back(id.to_string());
            }
            if self.left_out.len() > LEFT_OUT_MAX {
                self.left_out.pop_front();
            }
        }
    }

    fn end(&mut self, reading: &mut Reading, message: String) {
        self.is_over = true;
        reading.cut(format!("{message}; the rest of the range was not searched"));
    }
}

/// Returns the ids of the first traces that a search finds, as many as it asks for.
pub(crate) fn first(search: &TraceSearch, run: &QueryRun<'_>, reading: &mut Reading) -> Result<Vec<String>> {
    Candidates::new(search, run).next(search.limit, run, reading)
}

/// Reports whether an id is certain to equal no other one in a plan. Plans compare texts that read as numbers as numbers: the
/// ids `18e2` and `1800` are equal.
fn is_only_text(id: &str) -> bool {
    id.bytes().filter(|byte| b"abcdf".contains(byte)).count() > 1
}
