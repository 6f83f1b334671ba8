//! Reads the spans and the log lines of traces from the store, within the caller's scope.
//!
//! A trace without a range is looked for in the newest events first, in ranges that grow. What is found is read within an hour
//! of it on either side, so that a trace is whole wherever a range happens to end; and further away among what was accepted at
//! about the same time (`far_events`).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use execute::{PartialReason, Stats};
use plan::{AggregateKind, Expr, Name, Operator, Plan, not};
use storage::Snapshot;
use types::{GroupPattern, TimeRange, Timestamp, Value};

use door::{QueryRun, Result};

use crate::plans::{aggregate, field, is_of_trace, is_span, one_of, show, sort, span_groups};
use crate::problem::{ProblemCode, TraceProblem};
use crate::reading::SYSTEM_FIELDS;
pub(crate) use crate::reading::{EventFields, Reading, query};
use crate::span::Span;
use crate::trace_events::{TraceEvent, collect};
use crate::tree::{Tree, without_repeated};
use crate::{far_events, times};

/// Limit on the spans of one trace, and of the traces of one answer together.
pub(crate) const SPANS_MAX: usize = 20_000;

/// Limit on the spans whose own problems are among those of the trace.
const SPAN_PROBLEMS_MAX: usize = 100;

/// Limit on the log lines of one trace.
const LOGS_MAX: usize = 1_000;

/// If the groups have more field names than this, only the fields that the events have are read.
const NAMES_MAX: usize = 200;

/// The time before and after the events found in which the rest of the trace is looked for.
pub(crate) const MARGIN_NS: i64 = Timestamp::HOUR;

/// The first range in which a trace is looked for, and the factor from each range to the next: six of them cover eight
/// years. What is found in the later half of the first one has no more events before it.
const FIRST_RANGE_NS: i64 = 2 * MARGIN_NS;
const RANGE_GROWTH: i64 = 8;

/// A trace as it was read.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Its id, of 32 digits.
    pub(crate) id: String,
    /// Its spans in order of time, none repeated.
    pub(crate) spans: Vec<Span>,
    /// Their tree.
    pub(crate) tree: Tree,
    /// The other events with its id, oldest first.
    pub(crate) logs: Vec<EventFields>,
    /// What was cut, and which spans were repeated.
    pub(crate) problems: Vec<TraceProblem>,
    /// Why it may be incomplete.
    pub(crate) reading: Reading,
}

/// The number and the times of a trace's events in one group: of its spans, or of its other events.
#[derive(Debug)]
struct GroupEvents {
    group: GroupPattern,
    is_spans: bool,
    n_events: usize,
    first: Timestamp,
    last: Timestamp,
}

/// Reads a trace. `None` if no event in the range has its id; without a range all events are searched.
pub(crate) fn trace(run: &QueryRun<'_>, id: &str, range: Option<TimeRange>) -> Result<Option<Trace>> {
    let mut trace = Trace { id: id.to_owned(), ..Trace::default() };
    let mut collected = |snapshot: &Snapshot, range| collect(run, id, (snapshot, range), &mut trace.reading);
    let found = match range {
        Some(range) => collected(&run.snapshot(&[], range), range)?,
        None => find_anywhere(run, &mut collected, |event| (event.time, event.time))?,
    };
    match found {
        Some(found) if found.is_empty() => return Ok(None),
        Some(found) => {
            let (spans, logs): (Vec<TraceEvent>, Vec<TraceEvent>) = found.into_iter().partition(|event| event.is_span);
            trace.spans = spans.into_iter().map(|event| Span::of_event(event.fields)).collect();
            trace.logs = logs.into_iter().map(|event| event.fields).collect();
        }
        None => read_large(run, &mut trace, range)?,
    }
    // In a plan, ids that read as the same number are equal.
    trace.spans.retain(|span| *span.trace_id == *id);
    let n_logs = trace.logs.len();
    if n_logs > LOGS_MAX {
        trace.logs.truncate(LOGS_MAX);
        trace.note_cut(n_logs, LOGS_MAX, "log lines");
    }
    trace.finish();
    Ok(Some(trace))
}

/// Reads the oldest events of a trace that has too many to be collected.
fn read_large(run: &QueryRun<'_>, trace: &mut Trace, range: Option<TimeRange>) -> Result<()> {
    let (id, reading) = (trace.id.clone(), &mut trace.reading);
    let mut counted = |snapshot: &Snapshot, range| find(run, &id, (snapshot, range), reading).map(Some);
    let found = match range {
        Some(range) => counted(&run.snapshot(&[], range), range)?,
        None => find_anywhere(run, &mut counted, |found| (found.first, found.last))?,
    };
    let found = found.unwrap_or_default();
    let of_trace = || Operator::Filter(is_of_trace(&id));
    let spans = vec![of_trace(), Operator::Filter(is_span())];
    let spans = events(run, &found, true, spans, SPANS_MAX, &mut trace.reading)?;
    trace.spans = spans.into_iter().map(Span::of_event).collect();
    let logs = vec![of_trace(), Operator::Filter(not(is_span()))];
    trace.logs = events(run, &found, false, logs, LOGS_MAX, &mut trace.reading)?;
    for (is_spans, most, noun) in [(true, SPANS_MAX, "spans"), (false, LOGS_MAX, "log lines")] {
        let n_events = n_events(&found, is_spans);
        if n_events > most {
            trace.note_cut(n_events, most, noun);
        }
    }
    Ok(())
}

impl Trace {
    /// Removes repeated spans and builds the tree.
    fn finish(&mut self) {
        let n_repeated = without_repeated(&mut self.spans);
        if n_repeated > 0 {
            let message = format!("{n_repeated} spans were sent more than once and are shown once");
            self.problems.push(TraceProblem::of_trace(ProblemCode::Repeated, message));
        }
        self.tree = Tree::of(&self.spans);
        self.problems.append(&mut self.tree.problems);
        let of_span = |span: &Span| {
            let message = format!("{}: {}", span.name, span.field("span_problem")?);
            Some(TraceProblem::of_span(ProblemCode::Span, &span.span_id, message))
        };
        self.problems.extend(self.spans.iter().filter_map(of_span).take(SPAN_PROBLEMS_MAX));
    }

    fn note_cut(&mut self, n_events: usize, most: usize, noun: &str) {
        let message = format!("the trace has {n_events} {noun}; only the {most} oldest are shown");
        self.problems.push(TraceProblem::of_trace(ProblemCode::Cut, message));
    }

    /// Adds what was cut to the reasons why the trace is partial.
    pub(crate) fn note_cuts(&mut self) {
        let cut = self.problems.iter().filter(|problem| problem.code == ProblemCode::Cut);
        cut.for_each(|problem| self.reading.cut(problem.message.clone()));
    }

    /// Returns the services in order of their names.
    pub(crate) fn services(&self) -> Vec<Arc<str>> {
        let services: BTreeSet<&Arc<str>> = self.spans.iter().map(|span| &span.service).collect();
        services.into_iter().cloned().collect()
    }

    /// Returns the number of spans that failed.
    pub(crate) fn n_errors(&self) -> usize {
        self.spans.iter().filter(|span| span.is_error).count()
    }

    /// Returns the start and the end of all spans by their own clocks; without spans, of the log lines.
    pub(crate) fn times(&self) -> (Timestamp, Timestamp) {
        let ends = self.spans.iter().map(|span| (span.start, span.end()));
        let time = |fields: &EventFields| {
            fields.iter().find_map(|(name, value)| match value {
                Value::Timestamp(time) if **name == *"@timestamp" => Some((*time, *time)),
                _ => None,
            })
        };
        let whole = |a: (Timestamp, Timestamp), b: (Timestamp, Timestamp)| (a.0.min(b.0), a.1.max(b.1));
        ends.reduce(whole).or_else(|| self.logs.iter().filter_map(time).reduce(whole)).unwrap_or_default()
    }
}

/// Reads the spans of some traces and returns the traces in the order of `ids`. Traces that are not found are left out. If all have
/// too many spans together, which [`too_many_spans`] says, fewer are to be asked for: some or all are missing.
pub(crate) fn traces(
    run: &QueryRun<'_>,
    ids: &[String],
    range: TimeRange,
    groups: &[GroupPattern],
) -> Result<(Vec<Trace>, Reading)> {
    let (mut reading, searched) = (Reading::default(), times::widened(range, MARGIN_NS));
    let operators = vec![Operator::Filter(is_span()), Operator::Filter(one_of("trace_id", ids))];
    let rows = match read_events(run, &span_groups(groups), searched, operators, SPANS_MAX + 1, &mut reading) {
        Err(problem) if problem.code == "query-memory" && ids.len() > 1 => return in_halves(run, ids, range, groups),
        rows => rows?,
    };
    let mut traces: Vec<Trace> = ids.iter().map(|id| Trace { id: id.clone(), ..Trace::default() }).collect();
    let is_cut = rows.len() > SPANS_MAX;
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
    for span in rows.into_iter().take(SPANS_MAX).map(Span::of_event) {
        if let Some(place) = places.get(&*span.trace_id) {
            traces[*place].spans.push(span);
        }
    }
    traces.retain(|trace| !trace.spans.is_empty());
    traces.iter_mut().for_each(Trace::finish);
    if is_cut {
        reading.partial_reasons.push(too_many_spans());
    }
    Ok((traces, reading))
}

/// Reads the spans of traces that need too much memory at once: a row has the fields of all spans, so that a span with very many
/// fields makes those of a large trace large too.
fn in_halves(
    run: &QueryRun<'_>,
    ids: &[String],
    range: TimeRange,
    groups: &[GroupPattern],
) -> Result<(Vec<Trace>, Reading)> {
    let (first, second) = ids.split_at(ids.len() / 2);
    let (mut found, mut reading) = traces(run, first, range, groups)?;
    let (more, part) = traces(run, second, range, groups)?;
    found.extend(more);
    reading.take(part);
    if found.iter().map(|trace| trace.spans.len()).sum::<usize>() > SPANS_MAX {
        found.clear();
        reading.cut(too_many_spans().message);
    }
    Ok((found, reading))
}

/// Reads the oldest spans of a trace, at most `most`. `None` if it has none.
pub(crate) fn some_spans(
    run: &QueryRun<'_>,
    id: String,
    range: TimeRange,
    most: usize,
    reading: &mut Reading,
) -> Result<Option<Trace>> {
    let operators = vec![Operator::Filter(is_span()), Operator::Filter(one_of("trace_id", std::slice::from_ref(&id)))];
    let range = times::widened(range, MARGIN_NS);
    let rows = read_events(run, &span_groups(&[]), range, operators, most, reading)?;
    let mut trace = Trace { id, ..Trace::default() };
    trace.spans = rows.into_iter().map(Span::of_event).filter(|span| *span.trace_id == *trace.id).collect();
    trace.finish();
    Ok((!trace.spans.is_empty()).then_some(trace))
}

/// Reads traces by their ids until they have as many spans as one answer may have. Returns the traces found, and the ids without a
/// span.
pub(crate) fn by_ids(run: &QueryRun<'_>, ids: &[String], reading: &mut Reading) -> Result<(Vec<Trace>, Vec<String>)> {
    let (mut traces, mut missing, mut n_spans) = (Vec::new(), Vec::new(), 0);
    for (n, id) in ids.iter().enumerate() {
        if n_spans >= SPANS_MAX {
            reading.cut(format!("the first {n} traces have {n_spans} spans; the others were not read"));
            break;
        }
        let Some(mut trace) = trace(run, id, None)?.filter(|trace| !trace.spans.is_empty()) else {
            missing.push(id.clone());
            continue;
        };
        n_spans += trace.spans.len();
        trace.note_cuts();
        reading.take(std::mem::take(&mut trace.reading));
        traces.push(trace);
    }
    Ok((traces, missing))
}

/// Returns the reason why an answer is partial whose traces have more spans than are read.
pub(crate) fn too_many_spans() -> PartialReason {
    let message = format!("the traces have more than {SPANS_MAX} spans; only the oldest were read");
    PartialReason { code: "cut", message }
}

fn n_events(found: &[GroupEvents], is_spans: bool) -> usize {
    found.iter().filter(|found| found.is_spans == is_spans).map(|found| found.n_events).sum()
}

/// Finds what belongs to a trace in a range; `None` if it is too much.
type Find<'f, T> = &'f mut dyn FnMut(&Snapshot, TimeRange) -> Result<Option<Vec<T>>>;

/// Looks for a trace in all events, newest first, with `find`. `None` as soon as that finds too many.
fn find_anywhere<T>(
    run: &QueryRun<'_>,
    find: Find<'_, T>,
    times: impl Fn(&T) -> (Timestamp, Timestamp),
) -> Result<Option<Vec<T>>> {
    let Some((first, last)) = door::spans::ends(run, &[]) else { return Ok(Some(Vec::new())) };
    let end = Timestamp(last.0.saturating_add(1));
    let (mut to, mut length) = (end, FIRST_RANGE_NS);
    while to > first {
        let from = Timestamp(to.0.saturating_sub(length)).max(first);
        let searched = TimeRange { from, to };
        let snapshot = run.snapshot(&[], searched);
        let Some(mut found) = find(&snapshot, searched)? else { return Ok(None) };
        let bounds = found.iter().map(&times).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        if let Some((start, stop)) = bounds {
            let before = TimeRange { from: Timestamp(start.0.saturating_sub(MARGIN_NS)).max(first), to: from };
            let after = TimeRange { from: to, to: Timestamp(stop.0.saturating_add(MARGIN_NS)).min(end) };
            let whole = TimeRange { from: before.from.min(from), to: after.to.max(to) };
            let near = [before, after].into_iter().filter(|range| range.from < range.to);
            let near = near.map(|range| (run.snapshot(&[], range), range));
            for (snapshot, range) in near.chain(far_events::around(run, whole, &snapshot)) {
                let Some(more) = find(&snapshot, range)? else { return Ok(None) };
                found.extend(more);
            }
            return Ok(Some(found));
        }
        (to, length) = (from, length.saturating_mul(RANGE_GROWTH));
    }
    Ok(Some(Vec::new()))
}

/// Counts the events of a trace by group.
fn find(
    run: &QueryRun<'_>,
    id: &str,
    (snapshot, range): (&Snapshot, TimeRange),
    reading: &mut Reading,
) -> Result<Vec<GroupEvents>> {
    let by: Vec<(Name, Expr)> = vec![("log".into(), field("@log")), ("is_span".into(), is_span())];
    let time = |name, kind| aggregate(name, kind, Some(field("@timestamp")));
    let (first, last) = (time("first", AggregateKind::Min), time("last", AggregateKind::Max));
    let aggregates = vec![aggregate("n", AggregateKind::Count, None), first, last];
    let plan = Plan::new(vec![
        Operator::Filter(is_of_trace(id)),
        Operator::Aggregate { by, aggregates },
        show(["log", "is_span", "n", "first", "last"], false),
    ]);
    let rows = reading.add(run.execute_on(snapshot, &plan, &times::scope(run.server.now()), range)?);
    let found = |row: Vec<Option<Value>>| match row.as_slice() {
        [
            Some(Value::String(log)),
            is_span,
            Some(Value::Integer(n)),
            Some(Value::Timestamp(first)),
            Some(Value::Timestamp(last)),
        ] => Some(GroupEvents {
            group: GroupPattern::new(&**log),
            is_spans: *is_span == Some(Value::Boolean(true)),
            n_events: usize::try_from(*n).unwrap_or_default(),
            first: *first,
            last: *last,
        }),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(found).collect())
}

/// Reads the events that were found, oldest first.
fn events(
    run: &QueryRun<'_>,
    found: &[GroupEvents],
    is_spans: bool,
    operators: Vec<Operator>,
    most: usize,
    reading: &mut Reading,
) -> Result<Vec<EventFields>> {
    let found: Vec<&GroupEvents> = found.iter().filter(|found| found.is_spans == is_spans).collect();
    let times = found.iter().map(|found| (found.first, found.last));
    let Some((first, last)) = times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { return Ok(Vec::new()) };
    let range = TimeRange { from: first, to: Timestamp(last.0.saturating_add(1)) };
    let groups: Vec<GroupPattern> = found.iter().map(|found| found.group.clone()).collect();
    read_events(run, &groups, range, operators, most, reading)
}

/// Reads all fields of the events that `operators` let through, oldest first.
pub(crate) fn read_events(
    run: &QueryRun<'_>,
    groups: &[GroupPattern],
    range: TimeRange,
    mut operators: Vec<Operator>,
    most: usize,
    reading: &mut Reading,
) -> Result<Vec<EventFields>> {
    let scope = times::scope(run.server.now());
    let snapshot = run.snapshot(groups, range);
    let mut names: BTreeSet<Arc<str>> =
        snapshot.runs.iter().filter_map(|run| run.field_names().ok()).flatten().collect();
    if names.len() > NAMES_MAX {
        let mut all = operators.clone();
        all.push(show(["@id"], true));
        let progress = |stats: &Stats| run.note(stats);
        let request = run.request(range, &scope, &progress);
        let fields = execute::matched_fields(&Plan::new(all), &snapshot.runs, &request)?;
        names = fields.fields.into_iter().map(|field| field.name.into()).collect();
    }
    names.retain(|name| !SYSTEM_FIELDS.contains(&&**name));
    let columns: Vec<Name> = SYSTEM_FIELDS.iter().map(|name| Name::from(*name)).chain(names).collect();
    operators.push(Operator::Sort(vec![sort("@timestamp", false), sort("@id", false)]));
    operators.push(Operator::Limit(most as u64));
    operators.push(show(columns.iter().map(|name| &**name), true));
    let rows = reading.add(run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?);
    let fields = |row: Vec<Option<Value>>| {
        columns.iter().zip(row).filter_map(|(name, value)| Some((name.clone(), value?))).collect()
    };
    Ok(rows.into_iter().map(fields).collect())
}
