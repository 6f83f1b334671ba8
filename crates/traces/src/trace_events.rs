//! The events of one trace, collected in one pass over the store.
//!
//! Most traces are small. Their events are read where they are found, block by block; a trace beyond the limits is left to
//! queries, which count against the memory of queries.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use execute::BlockVisitor;
use plan::{Name, Operator, Plan};
use storage::Snapshot;
use types::{Column, Hold, RowSet, Run, ScanError, TimeRange, Timestamp, Value};

use door::{QueryRun, Result};

use crate::plans::{is_of_trace, show};
use crate::reading::{EventFields, Reading, SYSTEM_FIELDS};
use crate::span::SPAN_TYPE;
use crate::times;

/// Limit on the events that are collected.
const EVENTS_MAX: usize = 2_000;

/// Limit on their memory.
const BYTES_MAX: usize = 16 << 20;

/// Bytes of a value next to its texts.
const VALUE_BYTES: usize = 64;

/// Rows that are read at once; an event may have megabytes.
const ROWS_AT_ONCE: usize = 64;

/// An event of a trace.
#[derive(Debug)]
pub(crate) struct TraceEvent {
    pub(crate) time: Timestamp,
    id: String,
    pub(crate) is_span: bool,
    pub(crate) fields: EventFields,
}

/// Collects the events of a trace in a range of a snapshot. `None` if there are more than the limits permit.
pub(crate) fn collect(
    run: &QueryRun<'_>,
    id: &str,
    (snapshot, range): (&Snapshot, TimeRange),
    reading: &mut Reading,
) -> Result<Option<Vec<TraceEvent>>> {
    let plan = Plan::new(vec![Operator::Filter(is_of_trace(id)), show([], true)]);
    let collector = EventCollector(Mutex::new(Collected { events: Vec::new(), n_bytes: 0, is_too_large: false }));
    reading.add(run.visit(snapshot, &plan, &times::scope(run.server.now()), range, &collector)?);
    let Collected { mut events, is_too_large, .. } = collector.0.into_held();
    events.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    Ok((!is_too_large).then_some(events))
}

/// Reads the rows of blocks that belong to the trace.
// A panic while it was held ends the query.
struct EventCollector(Mutex<Collected>);

struct Collected {
    events: Vec<TraceEvent>,
    n_bytes: usize,
    is_too_large: bool,
}

impl EventCollector {
    /// Reports whether `n_events` more are within the limits; if not, nothing is collected from now on.
    fn has_room_for(&self, n_events: usize) -> bool {
        let mut collected = self.0.hold();
        collected.is_too_large |= collected.events.len().saturating_add(n_events) > EVENTS_MAX;
        if collected.is_too_large {
            collected.events.clear();
        }
        !collected.is_too_large
    }

    fn add(&self, events: Vec<TraceEvent>) {
        let n_bytes: usize = events.iter().map(TraceEvent::n_bytes).sum();
        let mut collected = self.0.hold();
        collected.n_bytes = collected.n_bytes.saturating_add(n_bytes);
        collected.is_too_large |= collected.n_bytes > BYTES_MAX;
        if !collected.is_too_large {
            collected.events.extend(events);
        }
    }
}

impl BlockVisitor for EventCollector {
    fn rows(&self, run: &dyn Run, block: usize, rows: &RowSet) -> Result<(), ScanError> {
        let places: Vec<usize> = rows.iter().collect();
        if places.is_empty() || !self.has_room_for(places.len()) {
            return Ok(());
        }
        let others: BTreeSet<Name> = run.field_names()?.into_iter().collect();
        let others = others.into_iter().filter(|name| !SYSTEM_FIELDS.contains(&&**name));
        let names: Vec<Name> = SYSTEM_FIELDS.map(Name::from).into_iter().chain(others).collect();
        let asked: Vec<&str> = names.iter().map(|name| &**name).collect();
        for places in places.chunks(ROWS_AT_ONCE) {
            let columns = run.read(block, &asked, &RowSet::of_places(rows.n_rows(), places.iter().copied()))?;
            self.add((0..places.len()).map(|row| TraceEvent::read(&names, &columns, row)).collect());
            if !self.has_room_for(0) {
                break;
            }
        }
        Ok(())
    }

    fn visit(&self, _: usize, _: &[Arc<Column>]) {}
}

impl TraceEvent {
    /// Returns the event in a row of columns.
    fn read(names: &[Name], columns: &[Column], row: usize) -> Self {
        let values = names.iter().zip(columns).map(|(name, column)| (name, column.value(row)));
        let fields: EventFields = values.filter_map(|(name, value)| Some((name.clone(), value?))).collect();
        let value = |name: &str| fields.iter().find(|(known, _)| **known == *name).map(|(_, value)| value);
        let time = if let Some(Value::Timestamp(time)) = value("@timestamp") { *time } else { Timestamp::default() };
        let id = value("@id").map(Value::to_string).unwrap_or_default();
        let is_span = matches!(value("@type"), Some(Value::String(text)) if **text == *SPAN_TYPE);
        Self { time, id, is_span, fields }
    }

    fn n_bytes(&self) -> usize {
        self.fields.iter().map(|(_, value)| VALUE_BYTES + n_bytes(value)).sum()
    }
}

/// Returns the bytes of the texts of a value, roughly.
fn n_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().flatten().map(|item| VALUE_BYTES + n_bytes(item)).sum(),
        Value::Object(members) => {
            let bytes =
                |(name, value): &(Name, Option<Value>)| VALUE_BYTES + name.len() + value.as_ref().map_or(0, n_bytes);
            members.iter().map(bytes).sum()
        }
        _ => 0,
    }
}
