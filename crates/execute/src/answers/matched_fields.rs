//! Which fields the events have that a query lets through.
//!
//! Presence is read per block of the events that match, newest first, as far as a budget goes. The events after it are
//! still counted, and the counts of fields grow in proportion; then they say that they are estimates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use plan::{Operator, Plan};
use types::{RowSet, Run, ScanError};

use crate::answers::fields::{FieldSummaries, FieldSummaryRow, field_summaries};
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::scanner::{Flow, Scan};
use crate::scan::simplify::{leading, simplify_over};
use crate::scan::steps::{Steps, is_row_wise};
use evaluate::BlockRows;

/// Cells (rows of a block times fields of its run) whose presence is looked at for one answer: some thousand columns of
/// full blocks, a fraction of a second.
const CELLS_MAX: usize = 1 << 26;

/// A block of few rows costs about as much as one of so many.
const BLOCK_ROWS_MIN: usize = 1 << 10;

/// What one thread has counted.
#[derive(Default)]
struct FieldCounts {
    n_events: BTreeMap<Arc<str>, u64>,
    n_looked_at: u64,
    n_matched: u64,
}

/// Returns the fields of the events that the conditions at the head of `plan` let through, with how many have each.
///
/// Distinct values are not counted. What is estimated says so: fields that only events after the budget have are
/// missing. A plan without a condition is answered from statistics, as [`field_summaries`] does.
pub fn matched_fields(plan: &Plan, runs: &[Arc<dyn Run>], request: &Request<'_>) -> Result<FieldSummaries> {
    if leading(plan).iter().any(|operator| matches!(operator, Operator::Filter(_))) {
        matched_fields_within(plan, runs, request, CELLS_MAX)
    } else {
        Ok(field_summaries(runs, request.range))
    }
}

/// Does the same within `cells_max`.
pub(crate) fn matched_fields_within(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    cells_max: usize,
) -> Result<FieldSummaries> {
    let operators = simplify_over(plan.operators(), runs);
    let operators: Vec<Operator> = operators.into_iter().take_while(is_row_wise).collect();
    let scan = Scan::over(&operators, runs, request);
    let steps = Steps::new(&operators, &BTreeSet::new());
    let cells_left = AtomicUsize::new(cells_max);
    let work = |counted: &mut FieldCounts, _, item: &_| {
        let frame = scan.frame(item, &steps)?;
        // As they are stored: a query may give the names to something else.
        let Some(block) = frame.block().filter(|block| !block.rows.is_empty()) else { return Ok(Flow::Continue) };
        let n_rows = block.rows.count() as u64;
        counted.n_matched += n_rows;
        let names = block.source.names().map_err(evaluate::columns::stop::Stop::Damaged)?;
        let cost = names.len().saturating_mul(block.rows.n_rows().max(BLOCK_ROWS_MIN));
        // Whoever finds something left may take it all, so that at least one block is looked at.
        let take = |left: usize| (left > 0).then(|| left.saturating_sub(cost));
        if cells_left.fetch_update(Relaxed, Relaxed, take).is_err() {
            return Ok(Flow::Continue);
        }
        counted.n_looked_at += n_rows;
        for name in names {
            let n_present = present(block, name).map_err(evaluate::columns::stop::Stop::Damaged)?;
            if n_present > 0 {
                *counted.n_events.entry(name.clone()).or_default() += n_present;
            }
        }
        Ok(Flow::Continue)
    };
    let counted = scan.for_each(&scan.items(), FieldCounts::default, work)?;
    let mut summaries = summed(counted);
    if let Err(error) = add_types(&scan, &mut summaries) {
        scan.note_stop(evaluate::columns::stop::Stop::Damaged(error));
    }
    summaries.partial_reasons = scan.take_reasons();
    Ok(summaries)
}

/// Returns how many of the rows of a block have a value of `name`.
fn present(block: &BlockRows<'_>, name: &str) -> Result<u64, ScanError> {
    let rows = match block.source.run.presence(block.block, name)? {
        Some(mut rows) => {
            rows.and(&block.rows);
            rows
        }
        None => {
            let columns = block.source.run.read(block.block, &[name], &block.rows)?;
            columns.first().map_or_else(|| RowSet::none(0), types::Column::presence)
        }
    };
    Ok(rows.count() as u64)
}

/// Returns what the threads have counted, together, most frequent first.
fn summed(counted: Vec<FieldCounts>) -> FieldSummaries {
    let mut all = FieldCounts::default();
    for one in counted {
        all.n_matched += one.n_matched;
        all.n_looked_at += one.n_looked_at;
        for (name, n_events) in one.n_events {
            *all.n_events.entry(name).or_default() += n_events;
        }
    }
    let approximate = all.n_looked_at < all.n_matched;
    let n_looked_at = all.n_looked_at.max(1) as f64;
    let row = |(name, n_events): (Arc<str>, u64)| {
        let share = n_events as f64 / n_looked_at;
        let n_events = if approximate { (share * all.n_matched as f64).round() as u64 } else { n_events };
        FieldSummaryRow { name: name.to_string(), types: Vec::new(), n_events, share, n_distinct: None, approximate }
    };
    let mut fields: Vec<FieldSummaryRow> = all.n_events.into_iter().map(row).collect();
    fields.sort_by(|a, b| b.n_events.cmp(&a.n_events).then_with(|| a.name.cmp(&b.name)));
    FieldSummaries { fields, n_events: all.n_matched, partial_reasons: Vec::new() }
}

/// Gives the fields the types that their runs know of, which may be those of other events of the run.
fn add_types(scan: &Scan<'_>, summaries: &mut FieldSummaries) -> Result<(), ScanError> {
    let mut known: BTreeMap<Arc<str>, types::TypeSet> = BTreeMap::new();
    for (index, source) in scan.sources.iter().enumerate() {
        if scan.counted(index).1 > 0 {
            for field in source.run.fields()? {
                known.entry(field.name).or_default().merge(field.types);
            }
        }
    }
    for field in &mut summaries.fields {
        field.types = known.get(&*field.name).map(|types| types.names()).unwrap_or_default();
    }
    Ok(())
}
