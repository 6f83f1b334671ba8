//! Which fields events have, and which values a field has.

mod inner;

use std::collections::BTreeMap;
use std::sync::Arc;

use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan, SortKey};
use types::{RowSet, Run, ScanError, TimeRange, TypeSet, Value};

use crate::answers::run::execute;
use crate::operators::aggregate::Distinct;
use crate::request::answer::{PartialReason, Stats};
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::simplify::leading;
use evaluate::{BlockRows, Cell, Frame, Source};

pub use self::inner::{field_types, field_types_of};

/// Values looked at for the distinct counts of all fields together.
const SAMPLE_CELLS: usize = 1 << 18;

/// The fields of events.
#[derive(Clone, Debug, Default)]
pub struct FieldSummaries {
    /// The fields, most frequent first.
    pub fields: Vec<FieldSummaryRow>,
    /// Events in the runs that were looked at.
    pub n_events: u64,
    /// Why fields may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// What is known of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSummaryRow {
    /// Its name.
    pub name: String,
    /// The types of its values.
    pub types: Vec<&'static str>,
    /// How many events have it.
    pub n_events: u64,
    /// Their share of all events, 0 to 1.
    pub share: f64,
    /// How many distinct values it has among the events looked at, where they were counted.
    pub n_distinct: Option<u64>,
    /// Whether counts are not exact: events next to the range were counted, or not all values looked at.
    pub approximate: bool,
}

fn damage(error: &ScanError) -> PartialReason {
    PartialReason { code: "damaged", message: error.to_string() }
}

/// Returns the fields that events of `range` have.
///
/// Presence is counted over whole runs that overlap the range, distinct values over the newest events, as many
/// as a budget allows; what is not exact says so.
pub fn field_summaries(runs: &[Arc<dyn Run>], range: TimeRange) -> FieldSummaries {
    let Presence { mut summaries, mut known, mut is_exact, sources } = Presence::of(runs, range);
    match count_distinct(&sources, range, &mut known) {
        Ok(is_complete) => is_exact &= is_complete,
        Err(error) => {
            is_exact = false;
            summaries.partial_reasons.push(damage(&error));
        }
    }
    summaries.fields = rows(known, summaries.n_events, is_exact);
    summaries
}

/// Does the same without distinct values: nothing but names and counts is read.
pub fn field_presence(runs: &[Arc<dyn Run>], range: TimeRange) -> FieldSummaries {
    let Presence { mut summaries, known, is_exact, .. } = Presence::of(runs, range);
    summaries.fields = rows(known, summaries.n_events, is_exact);
    summaries.fields.iter_mut().for_each(|field| field.n_distinct = None);
    summaries
}

/// Types, presence and distinct values of fields by their names.
type FieldTypes = BTreeMap<Arc<str>, (TypeSet, u64, Distinct)>;

/// What runs know of their fields without reading a value.
struct Presence {
    summaries: FieldSummaries,
    known: FieldTypes,
    is_exact: bool,
    sources: Vec<Source>,
}

impl Presence {
    fn of(runs: &[Arc<dyn Run>], range: TimeRange) -> Self {
        let (mut summaries, mut known) = (FieldSummaries::default(), FieldTypes::new());
        let (mut is_exact, mut sources) = (true, Vec::new());
        for run in runs.iter().filter(|run| range.overlaps(run.info().first, run.info().last)) {
            match run.fields() {
                Ok(fields) => {
                    summaries.n_events += run.info().n_events;
                    is_exact &= range.covers(run.info().first, run.info().last);
                    for field in fields {
                        let (types, n_events, _) = known.entry(field.name).or_default();
                        types.merge(field.types);
                        *n_events += field.n_events;
                    }
                    sources.push(Source::new(run.clone()));
                }
                Err(error) => summaries.partial_reasons.push(damage(&error)),
            }
        }
        Self { summaries, known, is_exact, sources }
    }
}

fn rows(known: FieldTypes, n_events: u64, is_exact: bool) -> Vec<FieldSummaryRow> {
    let n_all = n_events.max(1) as f64;
    let row = |(name, (types, n_events, distinct)): (Arc<str>, (TypeSet, u64, Distinct))| FieldSummaryRow {
        name: name.to_string(),
        types: types.names(),
        n_events,
        share: n_events as f64 / n_all,
        n_distinct: Some(distinct.estimate()),
        approximate: !is_exact || distinct.is_approximate(),
    };
    let mut rows: Vec<FieldSummaryRow> = known.into_iter().map(row).collect();
    rows.sort_by(|a, b| b.n_events.cmp(&a.n_events).then_with(|| a.name.cmp(&b.name)));
    rows
}

/// Looks at the newest blocks until the budget is used up; tells whether these were all.
fn count_distinct(sources: &[Source], range: TimeRange, known: &mut FieldTypes) -> Result<bool, ScanError> {
    let mut blocks: Vec<(usize, usize)> = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let overlaps = |block: &usize| {
            let (first, last) = source.run.block_times(*block);
            range.overlaps(first, last)
        };
        blocks.extend((0..source.run.n_blocks()).filter(overlaps).map(|block| (index, block)));
    }
    blocks.sort_by_key(|(index, block)| std::cmp::Reverse(sources[*index].run.block_times(*block).1));
    let mut cells_left = SAMPLE_CELLS;
    for (index, block) in blocks {
        let source = &sources[index];
        let n_rows = source.run.block_rows(block);
        let names = source.names()?;
        let rows_wanted = cells_left / names.len().max(1);
        if rows_wanted == 0 {
            return Ok(false);
        }
        let rows = RowSet::of(n_rows, |row| row >= n_rows.saturating_sub(rows_wanted));
        let mut frame = Frame::of_block(BlockRows { source, block, rows });
        for name in names {
            let column = frame.column(name)?;
            if let Some((_, _, distinct)) = known.get_mut(name) {
                for row in 0..column.n_rows() {
                    distinct.add(Cell::at(&column, row));
                }
            }
        }
        if rows_wanted < n_rows {
            return Ok(false);
        }
        cells_left -= n_rows.saturating_mul(names.len()).min(cells_left);
    }
    Ok(true)
}

/// The values of a field.
#[derive(Clone, Debug, Default)]
pub struct FieldValues {
    /// The most frequent values.
    pub values: Vec<ValueCount>,
    /// How many distinct values there are.
    pub n_distinct: u64,
    /// How many events have the field.
    pub n_events: u64,
    /// What it took.
    pub stats: Stats,
    /// Why values may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// One value with its count.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueCount {
    /// The value.
    pub value: Value,
    /// How many events have it.
    pub count: u64,
    /// Their share of the events that have the field, 0 to 1.
    pub share: f64,
}

/// Returns the most frequent values of `field` among the events that the conditions at the head of `plan` let through.
pub fn field_values(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    field: &str,
    limit: usize,
) -> Result<FieldValues> {
    let (value, count): (Name, Name) = ("value".into(), "count".into());
    let mut operators = leading(plan);
    operators.push(Operator::Aggregate {
        by: vec![(value.clone(), Expr::Field(field.into()))],
        aggregates: vec![Aggregate { name: count.clone(), kind: AggregateKind::Count, argument: None }],
    });
    operators.push(Operator::Sort(vec![SortKey { expr: Expr::Field(count.clone()), descending: true }]));
    let columns = [value, count].map(|name| (name.clone(), Expr::Field(name))).to_vec();
    operators.push(Operator::Project { columns, is_events: false });
    let counting = Plan::new(operators);
    let answer = execute(&counting, runs, &Request { limit: None, ..*request })?;
    let counted = |row: Vec<Option<Value>>| match <[Option<Value>; 2]>::try_from(row) {
        Ok([Some(value), Some(Value::Integer(count))]) => Some((value, count.unsigned_abs())),
        _ => None,
    };
    let counts: Vec<(Value, u64)> = answer.rows.into_iter().filter_map(counted).collect();
    let n_events: u64 = counts.iter().map(|(_, count)| count).sum();
    let share = |count: u64| count as f64 / n_events.max(1) as f64;
    Ok(FieldValues {
        n_distinct: counts.len() as u64,
        n_events,
        values: counts
            .into_iter()
            .take(limit)
            .map(|(value, count)| ValueCount { value, count, share: share(count) })
            .collect(),
        stats: answer.stats,
        partial_reasons: answer.partial_reasons,
    })
}
