//! Reads slices: the spans that are calls, requests or roots, with the columns that the map needs and no others.
//!
//! Blocks come in any order, column by column. A slice is built as soon as all blocks that may have spans of it were visited, so
//! that few slices are incomplete at a time.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use execute::BlockVisitor;
use plan::{Expr, Name, Operator, Plan, not};
use storage::Snapshot;
use types::{Column, Hold, RowSet, Run, ScanError, TimeRange, Timestamp, Value};

use door::{QueryRun, Result};

use super::measure::Call;
use super::slices::{Causes, MapSpan, Slice, SliceBuilder, Target, TargetKind, key};
use crate::plans::{field, is_present, is_span, one_of};
use crate::read::Reading;
use crate::span::{SPAN_TYPE, SpanKind, member, nanoseconds, number};
use crate::times;

/// Limit on the links of a message that are followed.
const LINKS_MAX: usize = 16;

/// The columns of the plan, without those of [`TARGETS`].
const OWN: [&str; 9] =
    ["@timestamp", "trace_id", "span_id", "parent_span_id", "service", "kind", "status", "duration_ms", "links"];

/// Attributes that name the target of a call: databases, queues, peers, addresses; in each row, newest OpenTelemetry name first.
const TARGETS: [&[&str]; 4] = [
    &["db.system.name", "db.system"],
    &["messaging.system"],
    &["peer.service"],
    &["server.address", "net.peer.name", "network.peer.address", "http.host", "net.peer.ip"],
];

/// A slice, and whether all of its blocks were read.
pub(crate) struct ReadSlice {
    pub(crate) slice: Slice,
    pub(crate) is_whole: bool,
}

/// Reads the slices of a range, oldest first.
pub(crate) fn read_slices(
    run: &QueryRun<'_>,
    snapshot: &Snapshot,
    range: TimeRange,
    step: i64,
    reading: &mut Reading,
) -> Result<Vec<ReadSlice>> {
    let n_slices = usize::try_from(range.to.0.saturating_sub(range.from.0) / step).unwrap_or_default();
    let reader = SliceReader {
        from: range.from,
        step,
        pending: (0..n_slices).map(|_| PendingSlice::default()).collect(),
        blocks: OnceLock::new(),
    };
    let scope = times::scope(run.server.now());
    reading.add(run.visit(snapshot, &plan(), &scope, range, &reader)?);
    Ok(reader.pending.into_iter().map(PendingSlice::end).collect())
}

/// Collects spans of blocks until slices are complete.
struct SliceReader {
    from: Timestamp,
    step: i64,
    pending: Vec<PendingSlice>,
    /// The first and the last slice of each block.
    blocks: OnceLock<Vec<(usize, usize)>>,
}

/// A slice, or its spans until all of its blocks were visited.
#[derive(Default)]
struct PendingSlice {
    /// Blocks that may have spans of it and were not visited yet.
    n_blocks: AtomicUsize,
    spans: Mutex<Vec<Vec<MapSpan>>>,
    slice: OnceLock<Slice>,
}

impl PendingSlice {
    /// Builds the slice from the spans collected so far.
    fn make(&self) -> Slice {
        let mut builder = SliceBuilder::default();
        let spans = std::mem::take(&mut *self.spans.hold());
        spans.into_iter().flatten().for_each(|span| builder.add(span));
        builder.finish()
    }

    fn end(mut self) -> ReadSlice {
        let is_whole = *self.n_blocks.get_mut() == 0;
        ReadSlice { slice: self.slice.take().unwrap_or_else(|| self.make()), is_whole }
    }
}

impl SliceReader {
    /// Returns the slice of a time, or the nearest one.
    fn slice_of(&self, at: Timestamp) -> usize {
        let index = at.0.saturating_sub(self.from.0).div_euclid(self.step);
        usize::try_from(index).unwrap_or_default().min(self.pending.len().saturating_sub(1))
    }
}

impl BlockVisitor for SliceReader {
    fn expect(&self, blocks: &[(Timestamp, Timestamp)]) {
        let blocks = self
            .blocks
            .get_or_init(|| blocks.iter().map(|(first, last)| (self.slice_of(*first), self.slice_of(*last))).collect());
        for (first, last) in blocks {
            for slice in &self.pending[*first..=*last] {
                slice.n_blocks.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn visit(&self, block: usize, columns: &[Arc<Column>]) {
        let spans = BlockSpans::of(columns);
        let mut row = 0;
        while let Some(at) = spans.start(row) {
            let slice = self.slice_of(at);
            let n_rows = (row..).map_while(|row| spans.start(row)).take_while(|at| self.slice_of(*at) == slice).count();
            let of_slice: Vec<MapSpan> = (row..row + n_rows).map(|row| spans.span(row)).collect();
            self.pending[slice].spans.hold().push(of_slice);
            row += n_rows;
        }
        let (first, last) = self.blocks.get().map_or((1, 0), |blocks| blocks[block]);
        for slice in self.pending.get(first..=last).unwrap_or_default() {
            // The thread that visits the last block sees the spans that others have collected.
            if slice.n_blocks.fetch_sub(1, Ordering::AcqRel) == 1 {
                slice.slice.get_or_init(|| slice.make());
            }
        }
    }
}

/// Returns the spans of a block that are sides of calls.
pub(crate) fn calls_of(run: &dyn Run, block: usize) -> Result<Vec<MapSpan>, ScanError> {
    let n_rows = run.block_rows(block);
    let columns = run.read(block, &["@type", "kind"], &RowSet::all(n_rows))?;
    let [types, kinds] = &columns[..] else { return Ok(Vec::new()) };
    let (types, kinds) = (Texts::of(types), Texts::of(kinds));
    let is_call = |row: usize| {
        let kind = kinds.get(row).map(|kind| SpanKind::of(&kind)).unwrap_or_default();
        kind != SpanKind::Internal && types.get(row).is_some_and(|text| text == SPAN_TYPE)
    };
    let rows = RowSet::of(n_rows, is_call);
    let names: Vec<&str> = OWN.iter().chain(TARGETS.into_iter().flatten()).copied().collect();
    let columns: Vec<Arc<Column>> = run.read(block, &names, &rows)?.into_iter().map(Arc::new).collect();
    let spans = BlockSpans::of(&columns);
    Ok((0..rows.count()).map(|row| spans.span(row)).collect())
}

/// Returns the plan of the spans that the map needs.
fn plan() -> Plan {
    let kinds = ["server", "client", "producer", "consumer"].map(str::to_owned);
    let is_root = not(is_present("parent_span_id"));
    let concerns = Expr::Or(Box::new(one_of("kind", &kinds)), Box::new(is_root));
    let names = OWN.iter().chain(TARGETS.into_iter().flatten());
    let columns = names.map(|name| (Name::from(*name), field(name))).collect();
    Plan::new(vec![
        Operator::Filter(is_span()),
        Operator::Filter(concerns),
        Operator::Project { columns, is_events: true },
    ])
}

/// The spans of a block, given the columns of [`plan`].
struct BlockSpans<'c> {
    starts: &'c [i64],
    trace_ids: Texts<'c>,
    span_ids: Texts<'c>,
    parents: Texts<'c>,
    services: Texts<'c>,
    kinds: Texts<'c>,
    statuses: Texts<'c>,
    durations: &'c Column,
    links: &'c Column,
    targets: [Vec<Texts<'c>>; 4],
}

impl<'c> BlockSpans<'c> {
    fn of(columns: &'c [Arc<Column>]) -> Self {
        let (own, mut others) = columns.split_at(OWN.len());
        let targets = TARGETS.map(|names| {
            let (of_kind, rest) = others.split_at(names.len());
            others = rest;
            of_kind.iter().map(|column| Texts::of(column)).collect()
        });
        let texts = |index: usize| Texts::of(&own[index]);
        Self {
            starts: if let Column::Timestamps(starts) = &*own[0] { starts } else { &[] },
            trace_ids: texts(1),
            span_ids: texts(2),
            parents: texts(3),
            services: texts(4),
            kinds: texts(5),
            statuses: texts(6),
            durations: &own[7],
            links: &own[8],
            targets,
        }
    }

    fn start(&self, row: usize) -> Option<Timestamp> {
        self.starts.get(row).copied().map(Timestamp)
    }

    fn span(&self, row: usize) -> MapSpan {
        let trace_id = self.trace_ids.get(row).unwrap_or_default();
        let kind = self.kinds.get(row).map(|kind| SpanKind::of(&kind)).unwrap_or_default();
        let is_call = matches!(kind, SpanKind::Client | SpanKind::Producer);
        let duration_ns = nanoseconds(self.durations.value(row).as_ref().and_then(number).unwrap_or_default());
        let is_error = self.statuses.get(row).is_some_and(|status| status == "error");
        MapSpan {
            key: key(&trace_id, &self.span_ids.get(row).unwrap_or_default()),
            causes: Causes {
                parent: self.parents.get(row).map(|parent| key(&trace_id, &parent)),
                links: if kind == SpanKind::Consumer { linked(self.links.value(row)) } else { Vec::new() },
            },
            service: self.services.shared(row),
            kind,
            call: Call::of(duration_ns, is_error),
            duration_ns,
            target: if is_call { self.target(row) } else { None },
        }
    }

    /// Returns the target of a call: its kind, and the best name for it.
    fn target(&self, row: usize) -> Option<Target> {
        let first = |texts: &Vec<Texts<'_>>| {
            let found = texts.iter().find(|texts| texts.get(row).is_some_and(|name| !name.is_empty()))?;
            Some(found.shared(row))
        };
        let [database, queue, peer, address] = self.targets.each_ref().map(first);
        let kind = match (&database, &queue) {
            (Some(_), _) => TargetKind::Database,
            (None, Some(_)) => TargetKind::Queue,
            (None, None) => TargetKind::External,
        };
        let name = [peer, database, queue, address].into_iter().flatten().next()?;
        Some(Target { kind, name })
    }
}

/// Returns the keys of the spans that a span links to.
fn linked(links: Option<Value>) -> Vec<u64> {
    let Some(Value::List(items)) = links else { return Vec::new() };
    let links = items.iter().take(LINKS_MAX).filter_map(|item| {
        let Some(Value::Object(link)) = item else { return None };
        let id = |name: &str| member(link, name).map(Value::to_string).unwrap_or_default();
        Some(key(&id("trace_id"), &id("span_id")))
    });
    links.collect()
}

/// The texts of a column.
pub(crate) struct Texts<'c> {
    column: &'c Column,
    /// The texts of a dictionary, by code.
    named: Vec<Arc<str>>,
}

impl<'c> Texts<'c> {
    pub(crate) fn of(column: &'c Column) -> Self {
        let named = match column {
            Column::Dictionary { values, .. } => values.iter().map(shared).collect(),
            _ => Vec::new(),
        };
        Self { column, named }
    }

    /// Returns the text of a row; `None` if it has no value.
    pub(crate) fn get(&self, row: usize) -> Option<Cow<'_, str>> {
        match self.column {
            Column::Missing { .. } => None,
            Column::Strings { values, .. } => self.column.is_present(row).then(|| Cow::Borrowed(values.get(row))),
            Column::Dictionary { codes, .. } => Some(Cow::Borrowed(self.named.get(codes[row] as usize)?)),
            other => other.value(row).map(|value| Cow::Owned(shared(&value).to_string())),
        }
    }

    /// Returns the text of a row as a shared text, empty if it has no value.
    fn shared(&self, row: usize) -> Arc<str> {
        match self.column {
            Column::Dictionary { codes, .. } => self.named.get(codes[row] as usize).cloned().unwrap_or_default(),
            _ => self.get(row).unwrap_or_default().into(),
        }
    }
}

fn shared(value: &Value) -> Arc<str> {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests;
