//! Runs a plan over runs of events.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use plan::fields::fields_of;
use plan::{Operator, Plan, earlier_range};
use types::{Run, TimeRange, Timestamp};

use crate::answers::nested::has_subqueries;
use crate::columns::stop::Stop;
use crate::expressions::elements::Prepared;
use crate::operators::aggregation::Aggregation;
use crate::operators::progress::Preview;
use crate::operators::table::Table;
use crate::operators::unnest::Spread;
use crate::request::answer::Answer;
use crate::request::error::ExecuteError;
use crate::request::parameters::Request;
use crate::scan::kept_rows::{RowKeeper, WantedRows};
use crate::scan::matches::Matcher;
use crate::scan::scanner::Scan;
use crate::scan::selection::{Cut, EventSelection};
use crate::scan::steps::{Steps, is_row_wise};

/// Runs a plan over runs. One with subqueries goes to [`execute_with_subqueries`].
pub fn execute(plan: &Plan, runs: &[Arc<dyn Run>], request: &Request<'_>) -> Result<Answer, ExecuteError> {
    if has_subqueries(plan) {
        return Err(ExecuteError::Subquery);
    }
    let operators = crate::scan::simplify::simplify_over(plan.operators(), runs);
    let mut scan = Scan::new(runs, request);
    scan.env.prepared = Prepared::of(&operators);
    let n_lead = operators.iter().position(|operator| !is_row_wise(operator)).unwrap_or(operators.len());
    let (lead, rest) = operators.split_at(n_lead);
    let Some(Operator::Project { columns, .. }) = operators.last() else {
        return Err(ExecuteError::NoProjection);
    };
    let cut = Cut::of(plan.operators(), request);
    if let Some(take) = request.support.take_rows
        && Spread::of(rest).is_none()
    {
        let wanted = EventSelection::of(lead, rest, cut);
        if crate::answers::frontier::can_leave(&wanted, cut) {
            let rows = crate::answers::frontier::Rows {
                scan: &scan,
                lead,
                wanted: &wanted,
                columns,
                take,
                has_said_seconds: has_said_seconds(plan),
            };
            let (answer, more) = rows.give(cut)?;
            return finish(&scan, plan, Ok(answer), more);
        }
    }
    let begun_now = begun(&scan, runs, (lead, rest), cut, has_said_seconds(plan))?;
    ended(&scan, runs, plan, (lead, rest), begun_now, cut, &mut |scan, made| {
        begun(scan, runs, (lead, made), Cut::No, true)
    })
}

/// Rows in memory, what remains to be done with them, and whether rows were cut off.
pub(crate) type Begun<'o> = (Table, &'o [Operator], bool);

/// Begins anew, for another time, with some of the operators behind the row-wise ones.
pub(crate) type Begin<'b> = dyn for<'m> FnMut(&Scan<'_>, &'m [Operator]) -> Result<Begun<'m>, ExecuteError> + 'b;

/// Does what remains with rows in memory, and answers. Events that pass by are in no run.
pub(crate) fn ended(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    plan: &Plan,
    (lead, rest): (&[Operator], &[Operator]),
    (mut table, left, mut more): Begun<'_>,
    cut: Cut,
    begin: &mut Begin<'_>,
) -> Result<Answer, ExecuteError> {
    let Some(Operator::Project { columns, is_events }) = rest.last().or(lead.last()) else {
        return Err(ExecuteError::NoProjection);
    };
    for (index, operator) in left.iter().enumerate() {
        let done = match operator {
            Operator::Compare(compare) => {
                let made = &rest[..rest.len() - left.len() + index];
                let mut before = table_before(scan, runs, (lead, made), compare, begin)?;
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
        return finish(scan, plan, Ok(Table::nothing(columns)), more);
    }
    if let Cut::At(most) = cut
        && table.n_rows() > most
    {
        table.truncate(most);
        more = true;
    }
    let held = scan.budget().held();
    let answer = match table.project(columns, *is_events, scan) {
        Err(crate::columns::stop::Stop::Over) => Ok(Table::nothing(columns)),
        projected => projected,
    };
    let n_bytes = scan.budget().held().saturating_sub(held);
    finish(scan, plan, answer.map(|answer| Answer { held: Some(scan.budget().keep(n_bytes)), ..answer }), more)
}

/// Does what has to be done with events; gives what remains to be done with rows in memory, and whether rows were cut
/// off.
pub(crate) fn begun<'o>(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    (lead, rest): (&[Operator], &'o [Operator]),
    cut: Cut,
    has_said_seconds: bool,
) -> Result<Begun<'o>, ExecuteError> {
    if let [Operator::Patterns(patterns), rest @ ..] = rest {
        return Ok((crate::operators::patterns::of_runs(scan, runs, lead, patterns)?, rest, false));
    }
    match Spread::of(rest) {
        Some((spread, aggregate, rest)) => {
            let aggregation = Aggregation::new(lead, spread, aggregate).ok_or(ExecuteError::NoProjection)?;
            let preview = Preview::of(scan.request, rest);
            Ok((aggregation.run(scan, has_said_seconds, preview.as_ref())?, rest, false))
        }
        None => event_rows(scan, lead, EventSelection::of(lead, rest, cut), cut, has_said_seconds),
    }
}

/// What the operators before a comparison, row-wise and others, give for the earlier time.
pub(crate) fn table_before(
    scan: &Scan<'_>,
    runs: &[Arc<dyn Run>],
    (lead, made): (&[Operator], &[Operator]),
    compare: &plan::Compare,
    begin: &mut Begin<'_>,
) -> Result<Table, ExecuteError> {
    let request = earlier_request(compare, scan);
    let mut before = Scan::new(runs, &request);
    before.env.prepared = Prepared::of(lead);
    let (mut table, left, _) = begin(&before, made)?;
    for operator in left {
        if let Err(stop) = table.apply(operator, &before) {
            before.or_nothing::<()>(Err(stop));
            break;
        }
    }
    scan.absorb(&before);
    Ok(table)
}

/// The same request for the earlier time that a comparison names; where there is no such time, for none.
pub(crate) fn earlier_request<'a>(compare: &plan::Compare, scan: &Scan<'a>) -> Request<'a> {
    let nothing = TimeRange { from: Timestamp(0), to: Timestamp(0) };
    let range = earlier_range(compare.earlier, scan.request.range, scan.request.time_zone).unwrap_or(nothing);
    Request { range, progress: None, ..*scan.request }
}

/// Chooses and reads event rows; gives what remains to be done with them, and whether some were cut off.
pub(crate) fn event_rows<'o>(
    scan: &Scan<'_>,
    lead: &[Operator],
    wanted: EventSelection<'o>,
    cut: Cut,
    has_said_seconds: bool,
) -> Result<Begun<'o>, ExecuteError> {
    let EventSelection { order, sort_fields, cap, is_final, rest } = wanted;
    let most = match cut {
        Cut::At(most) if is_final => Some(most),
        _ => None,
    };
    let mut needed = fields_of(rest);
    needed.insert("@id".into());
    let steps = Steps::new(lead, &sort_fields);
    let matcher = Matcher::new(scan, (lead, &sort_fields), &steps, has_said_seconds);
    let wanted = WantedRows { lead, order: &order, cap, most, needed: &needed };
    let (rows, more) = RowKeeper::new(scan, wanted, has_said_seconds).rows(scan, &matcher)?;
    matcher.keep(scan);
    Ok((Table::of_events(rows), rest, more))
}

/// Puts together what was found, what it took and what is to be said about it.
pub(crate) fn finish(
    scan: &Scan<'_>,
    plan: &Plan,
    answer: Result<Answer, Stop>,
    more: bool,
) -> Result<Answer, ExecuteError> {
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(stop) => {
            scan.note_stop(stop);
            Answer::default()
        }
    };
    if let Some(error) = scan.take_error() {
        return Err(error);
    }
    answer.more = more;
    answer.stats = scan.stats();
    answer.partial_reasons = scan.take_reasons();
    if answer.partial_reasons.is_empty() {
        // What was not looked at is not needed.
        answer.stats.segments_done = answer.stats.segments_total;
    }
    answer.warnings.clone_from(&plan.warnings);
    if scan.env.took_seconds.load(Relaxed) && !has_said_seconds(plan) {
        answer.warnings.push(plan::Warning {
            code: SECONDS_CODE,
            message: "a number below 100000000000 that a time is compared with is taken as seconds".into(),
            line: None,
            column: None,
            hint: Some("write milliseconds, or the time as text: \"2026-11-20T06:00:00Z\"".into()),
        });
    }
    Ok(answer)
}

/// Tells whether the author of the query was told that numbers are taken as seconds when it was parsed.
pub(crate) fn has_said_seconds(plan: &Plan) -> bool {
    plan.warnings.iter().any(|warning| warning.code == SECONDS_CODE)
}

/// The warning about times compared with seconds.
pub(crate) const SECONDS_CODE: &str = "time-in-seconds";
