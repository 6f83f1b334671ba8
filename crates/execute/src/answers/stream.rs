//! Queries over events that pass by once: files and pipes of any size.
//!
//! A [`Feed`] gives runs one after the other, each of which is looked at and dropped. What is kept are partial
//! aggregates, or the rows that may still be shown, as values; both count against the query's memory. Answers are those
//! of [`execute`](crate::answers::run::execute) over the same runs at once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use parse::Projection as WantedParts;
use plan::{Expr, Name, Operator, Plan, fields_of, has_subqueries};
use types::{Column, Hold, RowSet, Value};

use crate::answers::run::{ScanOutput, row_stage};
use crate::answers::subquery::answer_inner;
use crate::operators::aggregation::merged::merge_held;
use crate::operators::aggregation::top::{self, Top};
use crate::operators::feed::{FeedOf, FeedRequest, OpenFeed, for_each_frame};
use crate::operators::group::Groups;
use crate::operators::patterns;
use crate::operators::table::Table;
use crate::operators::unnest::Spread;
use crate::request::answer::Answer;
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::row_order::{RowOrder, compare_keys, key_columns};
use crate::scan::scanner::Scan;
use crate::scan::screen::Screen;
use crate::scan::selection::{Cut, EventSelection};
use crate::scan::simplify;
use crate::scan::stages::Stages;
use crate::scan::steps::Steps;
use evaluate::{Cell, Frame, Place, Stop, Warnings, places, value_bytes};

/// Bytes of a row next to its values.
const ROW_BYTES: usize = 96;

/// Reports whether events have to pass by more than once: what can be read only once must be kept then.
pub fn needs_several_passes(plan: &Plan) -> bool {
    let looks_twice = |operator: &Operator| matches!(operator, Operator::Patterns(_) | Operator::Compare(_));
    has_subqueries(plan) || plan.operators().iter().any(looks_twice)
}

/// Answers a query over events that pass by. Each query inside it lets them pass once more.
pub fn execute_stream(plan: &Plan, feed_of: &mut FeedOf<'_>, request: &Request<'_>) -> Result<Answer> {
    if !has_subqueries(plan) {
        return pass(plan, feed_of, request);
    }
    let mut answered = answer_inner(plan, request, &mut |inner, request| pass(inner, feed_of, request))?;
    let answer = pass(&answered.plan, feed_of, &answered.remaining(request))?;
    Ok(answered.add_to(answer))
}

fn pass(plan: &Plan, feed_of: &mut FeedOf<'_>, request: &Request<'_>) -> Result<Answer> {
    let operators = simplify::simplify(plan.operators());
    let mut scan = Scan::over(&operators, &[], request);
    scan.env.warnings = Warnings::of(plan);
    let stages = Stages::of(&operators);
    let is_grouped = Spread::of(stages.rest).is_some() && !matches!(stages.rest, [Operator::Patterns(_), ..]);
    let mut feed = |fields: BTreeSet<Name>| {
        let fields: BTreeSet<Name> = fields.into_iter().chain(fields_of(stages.lead)).collect();
        let has_times = !is_grouped || fields.iter().any(|name| tells_time(name));
        let untimed = (!has_times).then_some(request.range);
        feed_of(&plan.sources, FeedRequest { screen: Screen::of(&operators), wanted: WantedParts::of(fields), untimed })
    };
    let cut = Cut::of(plan.operators(), request);
    let output = scan_stage(&scan, &mut feed, stages, cut)?;
    row_stage(&scan, &[], stages, output, cut, &mut |scan, stages| scan_stage(scan, &mut feed, stages, Cut::No))
}

/// Whether a part of an event may depend on its time.
fn tells_time(name: &str) -> bool {
    name.starts_with('@') && !matches!(name, "@level" | "@message" | "@log" | "@logStream")
}

/// Runs the operators that read events while these pass by.
fn scan_stage<'f, 'o>(
    scan: &Scan<'_>,
    feed: &mut OpenFeed<'f, '_>,
    stages: Stages<'o>,
    cut: Cut,
) -> Result<ScanOutput<'o>> {
    let Stages { lead, rest } = stages;
    if let [Operator::Patterns(patterns), remaining @ ..] = rest {
        let table = patterns::of_feed(scan, feed, lead, patterns)?;
        return Ok(ScanOutput { table, remaining, is_cut: false });
    }
    match Spread::of(rest) {
        Some((spread, aggregate, remaining)) => {
            let table = aggregated(scan, feed, lead, spread, (aggregate, remaining))?;
            Ok(ScanOutput { table, remaining, is_cut: false })
        }
        None => event_rows(scan, feed, lead, rest, cut),
    }
}

/// Groups the events by an aggregation. The operators after it decide which groups are returned.
fn aggregated<'f>(
    scan: &Scan<'_>,
    feed: &mut OpenFeed<'f, '_>,
    lead: &[Operator],
    spread: Spread<'_>,
    (aggregate, after): (&Operator, &[Operator]),
) -> Result<Table> {
    let Operator::Aggregate { by, aggregates } = aggregate else {
        return Err(crate::request::error::ExecuteError::NoProjection);
    };
    let fields = spread.fields(aggregate);
    let steps = Steps::new(lead, &fields);
    let feed = feed(fields.clone());
    let states = scan.until_done(
        || Groups::new(by, aggregates),
        |groups| {
            for_each_frame(scan, &*feed, &steps, &mut |frame| {
                let mut frame = spread.apply(frame, &fields, scan)?;
                let before = groups.memory_bytes();
                groups.add(&mut frame, &scan.env, None)?;
                scan.hold(groups.memory_bytes().saturating_sub(before))
            })
        },
    )?;
    let mut counted = Groups::new(by, aggregates);
    let merged = states.into_iter().try_for_each(|state| merge_held(scan, &mut counted, state)).map(|()| counted);
    Ok(top::finish(Top::of(aggregate, after).as_ref(), merged, scan))
}

/// A row that may be shown.
#[derive(Clone)]
struct Row {
    keys: Box<[Option<Value>]>,
    place: Place,
    values: Box<[Option<Value>]>,
}

impl Row {
    fn n_bytes(&self) -> usize {
        let values = self.keys.iter().chain(&self.values);
        ROW_BYTES + values.map(|value| 24 + value.as_ref().map_or(0, value_bytes)).sum::<usize>()
    }
}

/// The rows that may be shown so far, of all threads.
struct BestRows<'p> {
    order: &'p RowOrder<'p>,
    cap: Option<usize>,
    rows: Vec<Row>,
    /// What they hold, and how much of the query's memory was taken for them.
    n_bytes: usize,
    n_bytes_taken: usize,
    /// The last row that is still wanted, once there are enough: its keys and its place.
    worst: Option<(Box<[Option<Value>]>, Place)>,
}

impl BestRows<'_> {
    fn add(&mut self, rows: Vec<Row>, scan: &Scan<'_>) -> Result<(), Stop> {
        self.n_bytes += rows.iter().map(Row::n_bytes).sum::<usize>();
        self.rows.extend(rows);
        if let Some(cap) = self.cap {
            let is_first = self.worst.is_none() && self.rows.len() >= cap;
            if is_first || self.rows.len() >= cap.saturating_mul(2).max(cap.saturating_add(64)) {
                self.shrink(cap);
            }
        }
        let more = self.n_bytes.saturating_sub(self.n_bytes_taken);
        self.n_bytes_taken += more;
        scan.hold(more)
    }

    fn shrink(&mut self, cap: usize) {
        if cap == 0 {
            self.rows.clear();
        } else if self.rows.len() >= cap {
            let order = self.order;
            self.rows.select_nth_unstable_by(cap - 1, |a, b| compare(order, a, b));
            self.rows.truncate(cap);
            self.worst = self.rows.last().map(|row| (row.keys.clone(), row.place));
        }
        self.n_bytes = self.rows.iter().map(Row::n_bytes).sum();
    }
}

fn compare(order: &RowOrder<'_>, a: &Row, b: &Row) -> std::cmp::Ordering {
    order.compare_rows((&a.keys, &a.place), (&b.keys, &b.place))
}

/// Chooses event rows, with all that is needed of them; gives what remains to be done with them, and whether some were
/// cut off.
fn event_rows<'f, 'o>(
    scan: &Scan<'_>,
    feed: &mut OpenFeed<'f, '_>,
    lead: &[Operator],
    rest: &'o [Operator],
    cut: Cut,
) -> Result<ScanOutput<'o>> {
    let EventSelection { order, mut sort_fields, cap, is_final, rest: remaining } = EventSelection::of(lead, rest, cut);
    let mut needed = fields_of(remaining);
    needed.insert("@id".into());
    sort_fields.extend(needed.iter().cloned());
    let steps = Steps::new(lead, &sort_fields);
    let feed = feed(sort_fields.clone());
    let kept = BestRows { order: &order, cap, rows: Vec::new(), n_bytes: 0, n_bytes_taken: 0, worst: None };
    let kept = Mutex::new(kept);
    let locked = || kept.hold();
    scan.until_done(
        || (),
        |()| {
            for_each_frame(scan, &*feed, &steps, &mut |frame| {
                let worst = locked().worst.clone();
                let rows = wanted_rows(scan, frame, &order, cap, worst, &needed)?;
                locked().add(rows, scan)
            })
        },
    )?;
    let mut rows = kept.into_held().rows;
    rows.sort_unstable_by(|a, b| compare(&order, a, b));
    rows.truncate(cap.unwrap_or(usize::MAX));
    let mut is_cut = false;
    if let Cut::At(most) = cut
        && is_final
        && rows.len() > most
    {
        rows.truncate(most);
        is_cut = true;
    }
    Ok(ScanOutput { table: table_of(rows, &needed), remaining, is_cut })
}

/// Returns the rows of a frame that may be among the first `cap`.
fn wanted_rows(
    scan: &Scan<'_>,
    mut frame: Frame<'_>,
    order: &RowOrder<'_>,
    cap: Option<usize>,
    worst: Option<(Box<[Option<Value>]>, Place)>,
    needed: &BTreeSet<Name>,
) -> Result<Vec<Row>, Stop> {
    let n_rows = frame.n_rows();
    if let (crate::scan::row_order::RowOrder::Newest, Some(cap)) = (order, cap)
        && n_rows > cap
    {
        // Rows of a block are in order of time and acceptance: the newest ones are the last.
        frame.retain(&RowSet::of(n_rows, |row| row >= n_rows - cap));
    }
    let mut keys = key_columns(order.keys(), &mut frame, scan)?;
    if let Some((worst_keys, worst_place)) = &worst {
        let times = frame.column("@timestamp")?;
        let may_win = |row: usize| match order {
            crate::scan::row_order::RowOrder::Newest => {
                Cell::at(&times, row).time().is_none_or(|time| time >= worst_place.time)
            }
            crate::scan::row_order::RowOrder::Oldest | crate::scan::row_order::RowOrder::Forward => {
                Cell::at(&times, row).time().is_none_or(|time| time <= worst_place.time)
            }
            crate::scan::row_order::RowOrder::Keys(sort_keys) => {
                let keys: Vec<Option<Value>> = keys.iter().map(|column| column.value(row)).collect();
                compare_keys(sort_keys, &keys, worst_keys).is_le()
            }
        };
        let winners = RowSet::of(frame.n_rows(), may_win);
        keys.iter_mut().for_each(|column| *column = Arc::new(column.gather(&winners)));
        frame.retain(&winners);
    }
    let places = places(&mut frame)?;
    let column = |name: &Name| scan.env.evaluate(&Expr::Field(name.clone()), &mut frame);
    let columns: Vec<Arc<Column>> = needed.iter().map(column).collect::<Result<_, Stop>>()?;
    let row = |(row, place): (usize, Place)| Row {
        keys: keys.iter().map(|column| column.value(row)).collect(),
        place,
        values: columns.iter().map(|column| column.value(row)).collect(),
    };
    Ok(places.into_iter().enumerate().map(row).collect())
}

/// Rows as columns.
fn table_of(rows: Vec<Row>, names: &BTreeSet<Name>) -> Table {
    let n_rows = rows.len();
    let mut columns: Vec<Vec<Option<Value>>> = names.iter().map(|_| Vec::with_capacity(n_rows)).collect();
    for row in rows {
        columns.iter_mut().zip(row.values).for_each(|(column, value)| column.push(value));
    }
    let named = names.iter().zip(columns).filter(|(_, values)| values.iter().any(Option::is_some));
    let columns = named.map(|(name, values)| (name.clone(), Arc::new(Column::Mixed(values)))).collect();
    Table::of_events(Frame::of_columns(n_rows, columns))
}

#[cfg(test)]
mod tests;
