//! Counts by minute and level that runs keep: an unfiltered histogram reads no event.

use std::sync::Arc;

use types::{Column, MinuteCounts, TimeRange, Timestamp, Value};

use super::frame::Frame;
use super::group::Groups;
use super::scan::{Item, Scan};
use super::steps::Steps;
use crate::function::Function;
use crate::plan::{Aggregate, AggregateKind, Expr, Name, Span};

/// What is known of the events that are counted, beside their minutes.
const KNOWN: [&str; 2] = ["@level", "@log"];

/// Where the numbers of events stand while conditions are applied.
const WEIGHT: &str = "#weight";

/// Tells whether counts by minute and level say all that an aggregation behind `steps` asks for.
pub(crate) fn can_answer(steps: &Steps<'_>, by: &[(Name, Expr)], aggregates: &[Aggregate]) -> bool {
    let counts = aggregates.iter().all(|a| a.kind == AggregateKind::Count && a.argument.is_none());
    counts && steps.are_about(&KNOWN) && by.iter().all(|(_, expr)| is_of_minute(expr))
}

fn is_of_minute(expr: &Expr) -> bool {
    match expr {
        Expr::Field(name) => KNOWN.contains(&&**name),
        Expr::Call(Function::DateFloor, arguments) => match &arguments[..] {
            [Expr::Field(name), Expr::Duration(span)] if **name == *"@timestamp" => match span {
                Span::Nanoseconds(length) => length % Timestamp::MINUTE == 0,
                Span::Months(_) => true,
            },
            _ => false,
        },
        // Buckets that begin with a minute and are some minutes long hold every minute whole.
        Expr::Call(Function::TimeBucket, arguments) => match &arguments[..] {
            [
                Expr::Field(name),
                Expr::Literal(Some(Value::Timestamp(origin))),
                Expr::Duration(Span::Nanoseconds(length)),
            ] => **name == *"@timestamp" && origin.0 % Timestamp::MINUTE == 0 && length % Timestamp::MINUTE == 0,
            _ => false,
        },
        _ => false,
    }
}

/// Adds the counts of whole minutes in the range of a run; gives the blocks that must be read for the rest.
pub(crate) fn count(scan: &Scan<'_>, source: usize, steps: &Steps<'_>, groups: &mut Groups<'_>) -> Vec<Item> {
    if !count_run(scan, source, steps, groups) {
        return scan.blocks_of(source, scan.request.range);
    }
    edges(scan, source).into_iter().flat_map(|edge| scan.blocks_of(source, edge)).collect()
}

/// The whole minutes of the range, as far as a run has events.
fn inner(range: TimeRange, first: Timestamp, last: Timestamp) -> TimeRange {
    let up = |time: i64| {
        time.div_euclid(Timestamp::MINUTE).saturating_add(i64::from(time.rem_euclid(Timestamp::MINUTE) > 0))
    };
    let from = if range.from <= first { i64::MIN } else { up(range.from.0).saturating_mul(Timestamp::MINUTE) };
    let to = if range.to > last {
        i64::MAX
    } else {
        range.to.0.div_euclid(Timestamp::MINUTE).saturating_mul(Timestamp::MINUTE)
    };
    TimeRange { from: Timestamp(from), to: Timestamp(to) }
}

/// What of the range lies outside its whole minutes.
fn edges(scan: &Scan<'_>, source: usize) -> Vec<TimeRange> {
    let (range, info) = (scan.request.range, scan.sources[source].run.info());
    let inner = inner(range, info.first, info.last);
    if inner.from >= inner.to {
        return vec![range];
    }
    let before = TimeRange { from: range.from, to: inner.from };
    let after = TimeRange { from: inner.to, to: range.to };
    [before, after].into_iter().filter(|edge| edge.from < edge.to).collect()
}

/// Adds a run's counts; `false` where it has none that can be used.
fn count_run(scan: &Scan<'_>, source: usize, steps: &Steps<'_>, groups: &mut Groups<'_>) -> bool {
    let run = &scan.sources[source].run;
    let inner = inner(scan.request.range, run.info().first, run.info().last);
    let Ok(Some(minutes)) = run.minutes() else { return false };
    let is_inside = |minute: &&MinuteCounts| {
        let start = Timestamp(minute.minute.saturating_mul(Timestamp::MINUTE));
        inner.from <= start && start < inner.to
    };
    let minutes: Vec<&MinuteCounts> = minutes.iter().filter(is_inside).collect();
    let (mut times, mut levels, mut weights, mut n_events) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for minute in minutes {
        for (code, count) in minute.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            times.push(minute.minute.saturating_mul(Timestamp::MINUTE));
            levels.push(types::Level::of_code(code as u8).map(|level| Value::text(level.name())));
            weights.push(Some(Value::Integer((*count).into())));
            n_events += u64::from(*count);
        }
    }
    let n_rows = times.len();
    let log = Column::constant(Value::String(run.info().group.shared()), n_rows);
    let columns: Vec<(Name, Arc<Column>)> = vec![
        ("@timestamp".into(), Arc::new(Column::Timestamps(times))),
        ("@level".into(), Arc::new(Column::of_values(levels))),
        ("@log".into(), Arc::new(log)),
        (WEIGHT.into(), Arc::new(Column::of_values(weights))),
    ];
    let mut frame = Frame::of_columns(n_rows, columns);
    let added = steps.apply_to(&mut frame, &scan.env).and_then(|()| {
        let weights = frame.column(WEIGHT)?;
        let weight = |row: usize| match weights.value(row) {
            Some(Value::Integer(weight)) => weight as u64,
            _ => 0,
        };
        let weights: Vec<u64> = (0..frame.n_rows()).map(weight).collect();
        groups.add(&mut frame, &scan.env, Some(&weights))?;
        Ok(weights.iter().sum())
    });
    let n_matched = added.unwrap_or_else(|stop| {
        scan.note_stop(stop);
        0
    });
    scan.count(source, n_events, n_matched);
    true
}
