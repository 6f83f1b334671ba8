//! Runs a plan over runs of events.

use std::sync::Arc;

use plan::{Operator, Plan, earlier_range, fields_of, has_subqueries};
use types::{Run, TimeRange, Timestamp, ensure};

use crate::answers::finish::finish;
use crate::answers::frontier;
use crate::answers::kept::AnswerKeeper;
use crate::answers::spilled::{execute_spilled, in_memory_first};
use crate::operators::aggregation::Aggregation;
use crate::operators::progress::Preview;
use crate::operators::table::Table;
use crate::operators::unnest::Spread;
use crate::request::answer::Answer;
use crate::request::error::{ExecuteError, Result};
use crate::request::parameters::Request;
use crate::scan::matches::Matcher;
use crate::scan::row_reader::{RowReader, RowRequest};
use crate::scan::scanner::Scan;
use crate::scan::selection::{Cut, EventSelection};
use crate::scan::simplify::simplify_over;
use crate::scan::stages::Stages;
use crate::scan::steps::Steps;
use evaluate::{PreparedElements, Warnings};

/// Runs a plan over runs. One with subqueries goes to [`execute_with_subqueries`].
pub fn execute(plan: &Plan, runs: &[Arc<dyn Run>], request: &Request<'_>) -> Result<Answer> {
    ensure!(!has_subqueries(plan), ExecuteError::Subquery);
    let operators = simplify_over(plan.operators(), runs);
    let Some(first) = in_memory_first(&operators, request) else {
        return execute_in_memory(plan, &operators, runs, request);
    };
    match execute_in_memory(plan, &operators, runs, &first) {
        Err(ExecuteError::Memory { .. } | ExecuteError::MemoryOfAll { .. }) => {
            execute_spilled(plan, &operators, runs, request)
        }
        answered => answered,
    }
}

fn execute_in_memory(
    plan: &Plan,
    operators: &[Operator],
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
) -> Result<Answer> {
    let mut scan = Scan::over(operators, runs, request);
    scan.env.warnings = Warnings::of(plan);
    let stages = Stages::of(operators);
    let Some(Operator::Project { columns, .. }) = operators.last() else {
        return Err(ExecuteError::NoProjection);
    };
    let cut = Cut::of(plan.operators(), request);
    if let Some(take) = request.support.take_rows
        && Spread::of(stages.rest).is_none()
    {
        let wanted = EventSelection::of(stages.lead, stages.rest, cut);
        if frontier::can_leave(&wanted, cut) {
            let (answer, more) = frontier::give_shown(&scan, stages.lead, &wanted, cut, (columns, take))?;
            return finish(&scan, Ok(answer), more);
        }
    }
    let keeper = AnswerKeeper::of(&scan, operators, cut);
    if let Some((answer, more)) = keeper.as_ref().and_then(|keeper| keeper.find(&scan)) {
        return finish(&scan, Ok(answer), more);
    }
    let output = scan_stage(&scan, runs, stages, cut)?;
    let answer =
        row_stage(&scan, runs, stages, output, cut, &mut |scan, stages| scan_stage(scan, runs, stages, Cut::No))?;
    if let Some(keeper) = keeper {
        keeper.keep(&scan, &answer);
    }
    Ok(answer)
}

/// Rows in memory after the operators that read events.
pub(crate) struct ScanOutput<'o> {
    pub(crate) table: Table,
    /// The operators that remain to be run.
    pub(crate) remaining: &'o [Operator],
    /// Whether there are more rows than the table has.
    pub(crate) is_cut: bool,
}

/// Scans again, for another time, with some of the operators after the row-wise ones.
pub(crate) type ScanAgain<'b> = dyn for<'m> FnMut(&Scan<'_>, Stages<'m>) -> Result<ScanOutput<'m>> + 'b;

/// Runs the remaining operators over the rows in memory, and answers. `runs` is empty for events that pass by.
pub(crate) fn row_stage(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    stages: Stages<'_>,
    output: ScanOutput<'_>,
    cut: Cut,
    scan_again: &mut ScanAgain<'_>,
) -> Result<Answer> {
    let Stages { lead, rest } = stages;
    let ScanOutput { mut table, remaining, mut is_cut } = output;
    let Some(Operator::Project { columns, is_events }) = rest.last().or(lead.last()) else {
        return Err(ExecuteError::NoProjection);
    };
    for (index, operator) in remaining.iter().enumerate() {
        let done = match operator {
            Operator::Compare(compare) => {
                let done = Stages { lead, rest: &rest[..rest.len() - remaining.len() + index] };
                let mut before = table_before(scan, runs, done, compare, scan_again)?;
                table.compare(compare, &mut before, scan)
            }
            operator => table.apply(operator, scan),
        };
        if let Err(stop) = done {
            scan.or_nothing::<()>(Err(stop));
            break;
        }
    }
    if scan.budget().is_cut() {
        // Rows that not everything was done to would be wrong rows.
        return finish(scan, Ok(Table::nothing(columns)), is_cut);
    }
    if let Cut::At(most) = cut
        && table.n_rows() > most
    {
        table.truncate(most);
        is_cut = true;
    }
    let held = scan.budget().held();
    let answer = match table.project(columns, *is_events, scan) {
        Err(evaluate::columns::stop::Stop::Over) => Ok(Table::nothing(columns)),
        projected => projected,
    };
    let n_bytes = scan.budget().held().saturating_sub(held);
    finish(scan, answer.map(|answer| Answer { held: Some(scan.budget().keep(n_bytes)), ..answer }), is_cut)
}

/// Runs the operators that read events.
fn scan_stage<'o>(scan: &Scan<'_>, runs: &[Arc<dyn Run>], stages: Stages<'o>, cut: Cut) -> Result<ScanOutput<'o>> {
    let Stages { lead, rest } = stages;
    if let [Operator::Patterns(patterns), remaining @ ..] = rest {
        let table = crate::operators::patterns::of_runs(scan, runs, lead, patterns)?;
        return Ok(ScanOutput { table, remaining, is_cut: false });
    }
    match Spread::of(rest) {
        Some((spread, aggregate, remaining)) => {
            let aggregation = Aggregation::new(lead, spread, aggregate, remaining).ok_or(ExecuteError::NoProjection)?;
            let preview = Preview::of(scan.request, remaining);
            Ok(ScanOutput { table: aggregation.run(scan, preview.as_ref())?, remaining, is_cut: false })
        }
        None => event_rows(scan, lead, EventSelection::of(lead, rest, cut), cut),
    }
}

/// Returns what the operators before a comparison give for the earlier time.
fn table_before(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    done: Stages<'_>,
    compare: &plan::Compare,
    scan_again: &mut ScanAgain<'_>,
) -> Result<Table> {
    let request = earlier_request(compare, scan);
    let mut before = Scan::new(runs, &request);
    before.env.prepared = PreparedElements::of(done.lead);
    before.env.warnings = Warnings::none();
    let ScanOutput { mut table, remaining, .. } = scan_again(&before, done)?;
    for operator in remaining {
        if let Err(stop) = table.apply(operator, &before) {
            before.or_nothing::<()>(Err(stop));
            break;
        }
    }
    scan.absorb(&before);
    Ok(table)
}

/// Returns the request for the earlier time that a comparison names; where there is no such time, for none.
fn earlier_request<'a>(compare: &plan::Compare, scan: &Scan<'a>) -> Request<'a> {
    let nothing = TimeRange { from: Timestamp(0), to: Timestamp(0) };
    let range = earlier_range(compare.earlier, scan.request.range, scan.request.time_zone).unwrap_or(nothing);
    Request { range, progress: None, ..*scan.request }
}

/// Chooses and reads event rows.
fn event_rows<'o>(scan: &Scan<'_>, lead: &[Operator], wanted: EventSelection<'o>, cut: Cut) -> Result<ScanOutput<'o>> {
    let EventSelection { order, sort_fields, cap, is_final, rest: remaining } = wanted;
    let most = match cut {
        Cut::At(most) if is_final => Some(most),
        _ => None,
    };
    let mut needed = fields_of(remaining);
    needed.insert("@id".into());
    let steps = Steps::new(lead, &sort_fields);
    let matcher = Matcher::new(scan, (lead, &sort_fields), &steps);
    let wanted = RowRequest { lead, order: &order, cap, most, needed: &needed };
    let (rows, is_cut) = RowReader::new(scan, wanted).rows(scan, &matcher)?;
    matcher.keep(scan);
    Ok(ScanOutput { table: Table::of_events(rows), remaining, is_cut })
}
