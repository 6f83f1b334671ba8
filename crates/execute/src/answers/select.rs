//! Which events fulfil the conditions of a plan, as ids: for those who do something with events, not with rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::{Operator, Plan, has_subqueries};
use types::{Column, EventId, Run, Value, ensure};

use crate::request::answer::{PartialReason, Stats};
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::scanner::{Flow, Scan};
use crate::scan::simplify;
use crate::scan::steps::{Steps, is_row_wise};

/// What was looked at to choose events.
#[derive(Clone, Debug, Default)]
pub struct SelectionReport {
    /// What it took.
    pub stats: Stats,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// Hands the ids of all events that a row-wise plan lets through to `take`, block by block and from several threads.
///
/// Memory: the ids of a block for each thread. Where `take` answers `false`, no more is looked for.
pub fn select_events(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    take: &(dyn Fn(&[EventId]) -> bool + Sync),
) -> Result<SelectionReport> {
    ensure!(!has_subqueries(plan), crate::request::error::ExecuteError::Subquery);
    let operators = simplify::simplify_over(plan.operators(), runs);
    let Some((Operator::Project { .. }, lead)) = operators.split_last() else {
        return Err(crate::request::error::ExecuteError::NoProjection);
    };
    ensure!(lead.iter().all(is_row_wise), crate::request::error::ExecuteError::NoProjection);
    let scan = Scan::over(&operators, runs, request);
    let steps = Steps::new(lead, &BTreeSet::new());
    let items = scan.items();
    scan.for_each(
        &items,
        || (),
        |(), _, item| {
            let frame = scan.frame(item, &steps)?;
            // As it is stored: a query may give the name to something else.
            let Some(block) = frame.block().filter(|block| !block.rows.is_empty()) else { return Ok(Flow::Continue) };
            let read = block
                .source
                .run
                .read(block.block, &["@id"], &block.rows)
                .map_err(evaluate::columns::stop::Stop::Damaged)?;
            let ids = read.first().map(ids_of).unwrap_or_default();
            Ok(if take(&ids) { Flow::Continue } else { Flow::Done })
        },
    )?;
    Ok(SelectionReport { stats: scan.stats(), partial_reasons: scan.take_reasons() })
}

fn ids_of(column: &Column) -> Vec<EventId> {
    let text = |row| match column {
        Column::Strings { values, .. } => EventId::decode(values.get(row)),
        other => match other.value(row)? {
            Value::String(text) => EventId::decode(&text),
            _ => None,
        },
    };
    (0..column.n_rows()).filter_map(text).collect()
}
