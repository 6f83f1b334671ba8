//! Drops spans that were sent before: exporters repeat requests whose answers were late, and collectors send copies.
//!
//! A span is a repeat if an earlier one of its group has the same ids, kind and start, and a trace would show the
//! earlier of the two: the later one is neither longer nor the first that is finished. Its sender is answered as if it
//! had been stored.
//!
//! The store is searched; no ids are kept in memory. So the answer is the same after a restart, on every node of a
//! fleet, and for spans of any age. A repeat has the time of the original: hot events are looked up by that time, and
//! segments that overlap it by their filters of trace ids. A span whose original cannot be read because of damage is
//! stored.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use foldhash::fast::RandomState;
use storage::Part;
use types::{
    Batch, Column, GroupName, GroupPattern, ProbeField, RowSet, Run, ScanError, TextProbe, TimeRange, Timestamp, Value,
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use super::AT_ARRIVAL;
use crate::ids::{IdClaim, IdField, Key, rows_to_read};
use crate::{Intake, Result};

/// Most by which the times of copies differ: OTLP has nanoseconds, Zipkin whole microseconds, X-Ray seconds as floats.
const ROUNDING_NS: i64 = 2_000;

/// How far back the original is searched for a span that has the time of its arrival instead of its own.
const REMEMBERED_NS: i64 = 24 * Timestamp::HOUR;

/// The fields by which spans are compared.
const FIELDS: [&str; 7] =
    ["@type", "trace_id", "span_id", "kind", "duration_ms", "span_problem", "aws.xray.in_progress"];

/// The value of `@type` of spans.
const SPAN_TYPE: &str = "span";

/// The part of a span that is compared with other spans of its group.
#[derive(Clone, Copy, Debug)]
struct Identity<'c> {
    /// The row of the span.
    row: usize,
    time: i64,
    trace_id: &'c str,
    span_id: &'c str,
    kind: &'c str,
    duration_ns: i64,
    problem: &'c str,
    is_in_progress: bool,
}

/// The columns of [`FIELDS`].
type Columns<'c> = [Option<&'c Column>; FIELDS.len()];

impl<'c> Identity<'c> {
    /// Returns the identity of the span in a row; `None` if the row is no span with ids.
    fn of_row(columns: Columns<'c>, row: usize, time: i64) -> Option<Self> {
        let [event_type, trace_id, span_id, kind, duration, problem, in_progress] = columns;
        let text = |column: Option<&'c Column>| column.and_then(|column| text_of(column, row)).unwrap_or_default();
        let duration_ms = match duration?.value(row)? {
            Value::Float(number) => number,
            Value::Integer(number) => number as f64,
            _ => return None,
        };
        let identity = Self {
            row,
            time,
            trace_id: text(trace_id),
            span_id: text(span_id),
            kind: text(kind),
            // A float beyond the range of `i64` saturates.
            duration_ns: (duration_ms * 1e6).round() as i64,
            problem: text(problem),
            is_in_progress: in_progress.is_some_and(|column| column.is_present(row)),
        };
        let is_span = text(event_type) == SPAN_TYPE && !identity.trace_id.is_empty() && !identity.span_id.is_empty();
        is_span.then_some(identity)
    }

    /// Reports whether the span has a time of its own.
    fn has_own_time(&self) -> bool {
        !self.problem.contains(AT_ARRIVAL)
    }

    /// Returns the times at which the original of the span may be stored.
    fn times(&self) -> TimeRange {
        let (before, after) = if self.has_own_time() { (ROUNDING_NS, ROUNDING_NS) } else { (REMEMBERED_NS, 0) };
        TimeRange {
            from: Timestamp(self.time.saturating_sub(before)),
            to: Timestamp(self.time.saturating_add(after).saturating_add(1)),
        }
    }

    /// Reports whether `later` can be dropped without loss because this span is stored.
    fn covers(&self, later: &Self) -> bool {
        let has_same_start = if later.has_own_time() {
            self.time.abs_diff(later.time) <= ROUNDING_NS.unsigned_abs()
        } else {
            self.problem == later.problem
        };
        let is_shown = match (self.is_in_progress, later.is_in_progress) {
            (false, true) => true,
            (true, false) => false,
            _ => later.duration_ns <= self.duration_ns.saturating_add(ROUNDING_NS),
        };
        has_same_start
            && is_shown
            && (self.trace_id, self.span_id, self.kind) == (later.trace_id, later.span_id, later.kind)
    }
}

fn text_of(column: &Column, row: usize) -> Option<&str> {
    match column {
        Column::Strings { values, present } if present.as_ref().is_none_or(|present| present.contains(row)) => {
            Some(values.get(row))
        }
        Column::Dictionary { codes, values } => match values.get(codes[row] as usize)? {
            Value::String(text) => Some(text),
            _ => None,
        },
        Column::Mixed(values) => match values[row].as_ref()? {
            Value::String(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the spans of a batch in the order of its rows.
fn spans_of(batch: &Batch) -> Vec<Identity<'_>> {
    let columns = FIELDS.map(|name| batch.stored(name));
    if columns[..3].iter().any(Option::is_none) {
        return Vec::new();
    }
    let times = batch.timestamps.iter().enumerate();
    times.filter_map(|(row, time)| Identity::of_row(columns, row, time)).collect()
}

/// Reports whether a part has spans.
pub(crate) fn has_spans(parts: &[Part]) -> bool {
    parts.iter().any(|part| !spans_of(&part.batch).is_empty())
}

/// Returns the sequences of the spans in batches of a group that repeat earlier ones, in ascending order.
///
/// Nodes of a fleet that receive copies at the same time do not see each other's, and each acknowledges its own.
pub fn repeated_spans(batches: &[Arc<Batch>]) -> Vec<u64> {
    let columns: Vec<Columns<'_>> = batches.iter().map(|batch| FIELDS.map(|name| batch.stored(name))).collect();
    let mut rows: Vec<(i64, u32, u32)> = Vec::new();
    for (batch, columns) in (0..).zip(&columns) {
        if columns[..3].iter().all(Option::is_some) {
            rows.extend((0..).zip(batches[batch as usize].timestamps.iter()).map(|(row, time)| (time, batch, row)));
        }
    }
    rows.sort_unstable();
    let mut repeated: Vec<RowSet> = batches.iter().map(|batch| RowSet::none(batch.len())).collect();
    for near in rows.chunk_by(|a, b| b.0.saturating_sub(a.0) <= ROUNDING_NS).filter(|near| near.len() > 1) {
        mark_repeated_near(near, batches, &columns, &mut repeated);
    }
    let mut sequences = Vec::new();
    for (batch, repeated) in batches.iter().zip(repeated).filter(|(_, repeated)| !repeated.is_empty()) {
        let gone = with_further_parts(batch, &repeated);
        sequences.extend(gone.iter().map(|row| batch.sequences.get(row)));
    }
    sequences.sort_unstable();
    sequences
}

/// Marks the spans that repeat earlier ones in `near`: rows with a time, a batch and a row, at nearly the same time.
fn mark_repeated_near(
    near: &[(i64, u32, u32)],
    batches: &[Arc<Batch>],
    columns: &[Columns<'_>],
    repeated: &mut [RowSet],
) {
    let span = |(time, batch, row): &(i64, u32, u32)| {
        let (batch, row) = (*batch as usize, *row as usize);
        let span = Identity::of_row(columns[batch], row, *time).filter(Identity::has_own_time)?;
        Some((batches[batch].sequences.get(row), batch, span))
    };
    let mut spans: Vec<(u64, usize, Identity<'_>)> = near.iter().filter_map(span).collect();
    spans.sort_unstable_by_key(|(sequence, ..)| *sequence);
    // Of forms with one start the last that was kept covers what those before it cover.
    let mut known: HashMap<(&str, &str, &str, i64), Identity<'_>, RandomState> = HashMap::default();
    for (_, batch, span) in spans {
        let slot = span.time.div_euclid(ROUNDING_NS);
        let ids = (span.trace_id, span.span_id, span.kind);
        let is_covered = (slot - 1..=slot + 1)
            .any(|slot| known.get(&(ids.0, ids.1, ids.2, slot)).is_some_and(|known| known.covers(&span)));
        if is_covered {
            repeated[batch].insert(span.row);
        } else {
            known.insert((ids.0, ids.1, ids.2, slot), span);
        }
    }
}

/// The spans of a part, and which of them are repeats.
struct PartSpans<'p> {
    group: &'p GroupName,
    /// In the order of rows until the store is searched, then in the order of time.
    spans: Vec<Identity<'p>>,
    /// Rows of the batch.
    repeated: RowSet,
}

impl Intake {
    /// Drops repeated spans. Other requests with spans of the same ids wait until the returned claim is dropped.
    ///
    /// # Errors
    /// If another request takes too long to store one of the spans.
    pub(crate) fn drop_repeated_spans(&self, parts: &mut Vec<Part>) -> Result<IdClaim<'_>> {
        let (mut found, mut keys) = (Vec::new(), Vec::new());
        for part in &*parts {
            let spans = spans_of(&part.batch);
            add_keys(&part.group, &spans, &mut keys);
            found.push(PartSpans { group: &part.group, spans, repeated: RowSet::none(part.batch.len()) });
        }
        if keys.is_empty() {
            return Ok(self.claims.none());
        }
        let claim = self.claims.claim_all(&keys)?;
        if claim.n_ids() < keys.len() {
            mark_repeated_within(&mut found);
        }
        self.mark_stored(&mut found);
        let repeated: Vec<RowSet> = found.into_iter().map(|found| found.repeated).collect();
        for (part, repeated) in parts.iter_mut().zip(repeated) {
            if !repeated.is_empty() {
                self.spans_repeated.fetch_add(repeated.count() as u64, Ordering::Relaxed);
                part.batch = without(&part.batch, &repeated);
            }
        }
        parts.retain(|part| !part.batch.is_empty());
        Ok(claim)
    }

    /// Marks the spans that are stored already.
    fn mark_stored(&self, found: &mut [PartSpans<'_>]) {
        let ranges = found.iter().flat_map(|part| &part.spans).map(Identity::times);
        let Some(range) = ranges.reduce(|a, b| TimeRange { from: a.from.min(b.from), to: a.to.max(b.to) }) else {
            return;
        };
        let with_spans = found.iter().filter(|part| !part.spans.is_empty() && self.store.has_group(part.group));
        let groups: Vec<GroupPattern> = with_spans.map(|part| GroupPattern::new(part.group.as_str())).collect();
        if groups.is_empty() {
            return;
        }
        let snapshot = self.store.snapshot(&groups, range);
        let mut runs: BTreeMap<&GroupName, Vec<&Arc<dyn Run>>> = BTreeMap::new();
        for run in &snapshot.runs {
            runs.entry(&run.info().group).or_default().push(run);
        }
        for part in found {
            part.spans.sort_unstable_by_key(|span| span.time);
            for run in runs.get(part.group).into_iter().flatten() {
                // Queries report the damage.
                let _ = part.mark_in(&***run);
            }
        }
    }
}

/// Adds a key for each span. Spans that may be copies of each other have the same key.
fn add_keys(group: &GroupName, spans: &[Identity<'_>], keys: &mut Vec<Key>) {
    let seed = xxh3_64(group.as_str().as_bytes());
    let mut text = String::new();
    for span in spans {
        text.clear();
        // Ids have no space.
        text.extend([span.trace_id, " ", span.span_id, " ", span.kind]);
        keys.push(xxh3_128_with_seed(text.as_bytes(), seed));
    }
}

/// Marks the spans that repeat an earlier one of the same request.
fn mark_repeated_within(found: &mut [PartSpans<'_>]) {
    let mut earlier: HashMap<(&GroupName, &str, &str), Vec<Identity<'_>>, RandomState> = HashMap::default();
    for part in found {
        for span in &part.spans {
            let known = earlier.entry((part.group, span.trace_id, span.span_id)).or_default();
            if known.iter().any(|earlier| earlier.covers(span)) {
                part.repeated.insert(span.row);
            } else {
                known.push(*span);
            }
        }
    }
}

impl PartSpans<'_> {
    /// Marks the spans that are in a run of the group.
    fn mark_in(&mut self, run: &dyn Run) -> Result<(), ScanError> {
        let (first, last) = (run.info().first, run.info().last);
        let mut asked: Vec<&Identity<'_>> =
            self.spans.iter().filter(|span| span.times().overlaps(first, last)).collect();
        let mut traces: HashSet<&str, RandomState> = HashSet::default();
        if run.rows_within(0, TimeRange::ALL).is_none() {
            for span in &asked {
                if !traces.contains(span.trace_id) && run.may_hold(&of_trace(span.trace_id))? {
                    traces.insert(span.trace_id);
                }
            }
            asked.retain(|span| traces.contains(span.trace_id));
        }
        if asked.is_empty() {
            return Ok(());
        }
        let mut by_ids = SentSpans::default();
        for block in 0..run.n_blocks() {
            let (first, last) = run.block_times(block);
            if !asked.iter().any(|span| span.times().overlaps(first, last)) {
                continue;
            }
            let mut rows = rows_to_read(run, block, IdField::One("trace_id"), &traces)?;
            // Many spans may have one time: each row is taken once.
            let mut ranges: Vec<_> = asked.iter().filter_map(|span| run.rows_within(block, span.times())).collect();
            ranges.sort_unstable_by_key(|range| range.start);
            let mut end = 0;
            for range in ranges {
                (range.start.max(end)..range.end).for_each(|row| rows.insert(row));
                end = end.max(range.end);
            }
            if rows.is_empty() {
                continue;
            }
            if by_ids.0.is_empty() {
                asked.iter().for_each(|span| by_ids.add(span));
            }
            let names: Vec<&str> = ["@timestamp"].into_iter().chain(FIELDS).collect();
            let columns = run.read(block, &names, &rows)?;
            let Some((Column::Timestamps(times), columns)) = columns.split_first() else { continue };
            let mut fields = [None; FIELDS.len()];
            fields.iter_mut().zip(columns).for_each(|(field, column)| *field = Some(column));
            let stored = times.iter().enumerate().filter_map(|(row, time)| Identity::of_row(fields, row, *time));
            by_ids.mark_covered(stored, &mut self.repeated);
        }
        Ok(())
    }
}

/// Spans that were sent, by their ids: those with a time of their own, in its order, and those with the time of their arrival.
#[derive(Default)]
struct SentSpans<'a, 'c>(HashMap<(&'c str, &'c str), [Vec<&'a Identity<'c>>; 2], RandomState>);

impl<'a, 'c> SentSpans<'a, 'c> {
    fn add(&mut self, span: &'a Identity<'c>) {
        self.0.entry((span.trace_id, span.span_id)).or_default()[usize::from(!span.has_own_time())].push(span);
    }

    /// Marks the rows of spans that a stored one covers.
    fn mark_covered<'s>(&self, stored: impl Iterator<Item = Identity<'s>>, covered: &mut RowSet) {
        let mut stored: Vec<_> = stored.filter(|span| self.0.contains_key(&(span.trace_id, span.span_id))).collect();
        // Of spans that differ in their length alone, the longest that is finished covers all that the others cover.
        stored.sort_unstable_by_key(|span| (span.is_in_progress, Reverse(span.duration_ns)));
        let mut seen: HashSet<_, RandomState> = HashSet::default();
        for stored in &stored {
            if !seen.insert((stored.trace_id, stored.span_id, stored.kind, stored.time, stored.problem)) {
                continue;
            }
            let Some([timed, at_arrival]) = self.0.get(&(stored.trace_id, stored.span_id)) else { continue };
            let from = timed.partition_point(|sent| sent.time < stored.time.saturating_sub(ROUNDING_NS));
            let last = stored.time.saturating_add(ROUNDING_NS);
            let near = timed[from..].iter().take_while(|sent| sent.time <= last);
            let sent = near.chain(at_arrival).filter(|sent| stored.covers(sent));
            sent.for_each(|sent| covered.insert(sent.row));
        }
    }
}

fn of_trace(id: &str) -> TextProbe<'_> {
    TextProbe { field: ProbeField::Named("trace_id"), literal: id, ignores_case: false, is_whole: true }
}

/// Returns a batch without some events and the further parts of their texts.
fn without(batch: &Batch, gone: &RowSet) -> Batch {
    let gone = with_further_parts(batch, gone);
    let kept: Vec<(u32, u32)> =
        (0..batch.len()).filter(|row| !gone.contains(*row)).map(|row| (0, row as u32)).collect();
    Batch::gather(&[batch], &kept)
}

/// Adds the rows with further parts of the texts that begin in `rows`.
fn with_further_parts(batch: &Batch, rows: &RowSet) -> RowSet {
    let parts = batch.stored("@part");
    let is_further_part = |row: usize| {
        let part = parts.and_then(|parts| parts.value(row));
        matches!(part, Some(Value::Integer(2..)))
    };
    let mut is_part = false;
    RowSet::of(batch.len(), |row| {
        is_part = rows.contains(row) || is_part && is_further_part(row);
        is_part
    })
}

#[cfg(test)]
mod tests;
