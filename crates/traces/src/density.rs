//! All traces that a search finds, counted by start and duration, however many they are: a search itself returns the first ones.
//!
//! The spans are visited once, and of each trace no more than its ends and whether it failed is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use execute::BlockVisitor;
use plan::{Expr, Operator, Plan};
use types::{Column, Hold, TimeRange, Value};
use xxhash_rust::xxh3::xxh3_128;

use door::{QueryRun, Result};

use crate::map::scan::Texts;
use crate::plans::{is_span, show, span_groups};
use crate::read::{MARGIN_NS, Reading};
use crate::search::TraceSearch;
use crate::span::{milliseconds, nanoseconds, number};
use crate::times;

/// Bins of the range, and of each power of ten of durations.
const COLUMNS: i64 = 120;
pub(crate) const ROWS_PER_DECADE: i32 = 8;

/// The row of the shortest durations, below a microsecond.
const ROW_MIN: i32 = -3 * ROWS_PER_DECADE;

/// Limit on the traces of one count.
const TRACES_MAX: usize = 1_000_000;

/// The column that holds whether a span meets the conditions of the search.
const MATCHES: &str = "#matches";

/// Counts of the traces of a range.
#[derive(Debug, Default)]
pub(crate) struct TraceDensity {
    /// Nanoseconds of a column.
    pub(crate) width_ns: i64,
    pub(crate) n_traces: u64,
    pub(crate) n_failed: u64,
    /// By column and row: a row begins at 10^(row / [`ROWS_PER_DECADE`]) ms.
    pub(crate) cells: BTreeMap<(i64, i32), DensityCell>,
}

/// Traces that began within one column and took about as long.
#[derive(Debug, Default)]
pub(crate) struct DensityCell {
    pub(crate) n_traces: u64,
    pub(crate) n_failed: u64,
    /// One of those that did not fail, and one of those that did.
    pub(crate) examples: [Option<u128>; 2],
}

/// What is known of a trace.
#[derive(Clone, Copy, Debug)]
struct TraceEnds {
    start: i64,
    end: i64,
    is_failed: bool,
    /// Whether a span of it within the range meets the conditions.
    is_found: bool,
    /// Whether its key is its id, so that it can be named.
    is_named: bool,
}

/// Counts all traces that have a span as `search` asks for; how many it may return and in which order makes no difference.
pub(crate) fn density(search: &TraceSearch, run: &QueryRun<'_>, reading: &mut Reading) -> Result<TraceDensity> {
    let range = times::widened(search.range, MARGIN_NS);
    let snapshot = run.snapshot(&span_groups(&search.groups), range);
    let visitor = TraceVisitor { range: search.range, traces: Mutex::default() };
    let scope = times::scope(run.server.now());
    reading.add(run.visit(&snapshot, &plan(search), &scope, range, &visitor)?);
    let traces = visitor.traces.into_held();
    if traces.len() >= TRACES_MAX {
        reading.cut(format!("more than {TRACES_MAX} traces are around this range; only so many were counted"));
    }
    Ok(counted(search.range, &traces))
}

/// Returns the plan of all spans, with whether each meets the conditions.
fn plan(search: &TraceSearch) -> Plan {
    let (mut operators, mut conditions) = (vec![Operator::Filter(is_span())], Vec::new());
    for operator in search.conditions() {
        match operator {
            Operator::Filter(condition) => conditions.push(condition),
            other => operators.push(other),
        }
    }
    let matches = plan::balanced(conditions, Expr::And);
    operators.push(Operator::Extend { name: MATCHES.into(), expr: matches });
    operators.push(show(["@timestamp", "trace_id", "status", "duration_ms", MATCHES], true));
    Plan::new(operators)
}

/// Puts traces into their cells.
fn counted(range: TimeRange, traces: &HashMap<u128, TraceEnds>) -> TraceDensity {
    let length = range.to.0.saturating_sub(range.from.0).max(1);
    let width_ns = length.saturating_add(COLUMNS - 1) / COLUMNS;
    let mut density = TraceDensity { width_ns, ..TraceDensity::default() };
    for (key, trace) in traces.iter().filter(|(_, trace)| trace.is_found) {
        // A trace may have begun before the range that one of its spans is in.
        let column = trace.start.saturating_sub(range.from.0).div_euclid(width_ns).clamp(0, COLUMNS - 1);
        let cell = density.cells.entry((column, row_of(trace.end.saturating_sub(trace.start)))).or_default();
        cell.n_traces += 1;
        cell.n_failed += u64::from(trace.is_failed);
        density.n_traces += 1;
        density.n_failed += u64::from(trace.is_failed);
        let example = &mut cell.examples[usize::from(trace.is_failed)];
        if trace.is_named {
            *example = Some(example.map_or(*key, |known| known.min(*key)));
        }
    }
    density
}

/// Returns the row of a duration.
fn row_of(duration_ns: i64) -> i32 {
    let row = (milliseconds(duration_ns).log10() * f64::from(ROWS_PER_DECADE)).floor();
    // The logarithm of nothing is below every bound.
    (row.max(f64::from(ROW_MIN)) as i32).max(ROW_MIN)
}

/// Collects the ends of traces, block by block.
struct TraceVisitor {
    range: TimeRange,
    traces: Mutex<HashMap<u128, TraceEnds>>,
}

impl BlockVisitor for TraceVisitor {
    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let [starts, ids, statuses, durations, matches] = columns else { return };
        let Column::Timestamps(starts) = &**starts else { return };
        let (ids, statuses) = (Texts::of(ids), Texts::of(statuses));
        let is_within = |at: i64| self.range.from.0 <= at && at < self.range.to.0;
        let mut spans = Vec::with_capacity(starts.len());
        for (row, start) in starts.iter().copied().enumerate() {
            let Some(id) = ids.get(row).filter(|id| !id.is_empty()) else { continue };
            let duration_ns = nanoseconds(durations.value(row).as_ref().and_then(number).unwrap_or_default());
            let (key, is_named) = key_of(&id);
            let is_match = matches!(matches.value(row), Some(Value::Boolean(true)));
            let is_failed = statuses.get(row).is_some_and(|status| status == "error");
            let end = start.saturating_add(duration_ns);
            spans.push((key, TraceEnds { start, end, is_failed, is_found: is_match && is_within(start), is_named }));
        }
        let mut traces = self.traces.hold();
        for (key, span) in spans {
            if traces.len() >= TRACES_MAX && !traces.contains_key(&key) {
                continue;
            }
            let trace = traces.entry(key).or_insert(span);
            (trace.start, trace.end) = (trace.start.min(span.start), trace.end.max(span.end));
            trace.is_failed |= span.is_failed;
            trace.is_found |= span.is_found;
        }
    }
}

/// Returns what stands for a trace, and whether that is its id: 32 digits as they are stored.
fn key_of(id: &str) -> (u128, bool) {
    let is_plain = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match u128::from_str_radix(id, 16) {
        Ok(key) if is_plain => (key, true),
        _ => (xxh3_128(id.as_bytes()), false),
    }
}
