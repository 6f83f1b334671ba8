//! Counts by minute and level, or by minute and value of a field, that runs keep: what is asked of nothing else reads
//! no event.
//!
//! A minute here is `[start, end)`. Windows of LogQL are `(start, end]`: of these only the events exactly at the edges
//! of buckets are on the wrong side, and only their times and levels are read.

use std::collections::HashMap;
use std::sync::Arc;

use plan::fields::{asks_labels, visit_unpushed_fields};
use plan::{Aggregate, AggregateKind, Expr, Function, Length, Name};
use types::{Column, FieldMinutes, MinuteCounts, RowSet, Run, TimeRange, Timestamp, Value};

use crate::operators::group::Groups;
use crate::request::item::Item;
use crate::scan::scanner::Scan;
use crate::scan::steps::Steps;
use evaluate::{Frame, Source};

/// What is known of the events that are counted by level, next to their minutes.
const BY_LEVEL: [&str; 2] = ["@level", "@log"];

/// Where the numbers of events stand while conditions are applied.
const WEIGHT: &str = "#weight";

/// Which counts say all that an aggregation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CountedBy {
    /// Those by minute and level.
    Level,
    /// Those by minute and value of this field.
    Field(Name),
}

/// Returns the counts that say all that an aggregation after `steps` asks for, if such may be kept.
pub(crate) fn counted_by(steps: &Steps<'_>, by: &[(Name, Expr)], aggregates: &[Aggregate]) -> Option<CountedBy> {
    let is_late = |(_, expr): &(Name, Expr)| bucket(expr).is_some_and(|(origin, _)| origin % Timestamp::MINUTE != 0);
    let has_late = by.iter().any(is_late);
    if has_late && late_buckets(by).is_none() {
        return None;
    }
    let mut fields = steps.fields();
    let mut note = |name: &Name| {
        fields.insert(name.clone());
    };
    for (_, expr) in by.iter().filter(|(_, expr)| !is_minute(expr)) {
        match expr {
            Expr::Field(name) => note(name),
            label if asks_labels(label) => visit_unpushed_fields(label, &mut |name| note(name)),
            _ => return None,
        }
    }
    for aggregate in aggregates {
        match (aggregate.kind, &aggregate.argument) {
            (AggregateKind::Count, None) => {}
            (AggregateKind::Count, Some(Expr::Field(name))) => note(name),
            _ => return None,
        }
    }
    if fields.iter().all(|name| BY_LEVEL.contains(&&**name)) {
        return steps.are_about(&BY_LEVEL).then_some(CountedBy::Level);
    }
    fields.remove("@log");
    let [field] = &fields.into_iter().collect::<Vec<_>>()[..] else { return None };
    let is_stored = !field.starts_with('@') || **field == *"@logStream";
    let asks = steps.ask_labels() || by.iter().any(|(_, expr)| asks_labels(expr));
    let is_known = is_stored && !has_late && !asks && steps.are_about(&[field, "@log"]);
    is_known.then(|| CountedBy::Field(field.clone()))
}

/// Reports whether an expression gives all times of a minute the same value.
fn is_minute(expr: &Expr) -> bool {
    match expr {
        Expr::Call(Function::DateFloor, arguments) => match &arguments[..] {
            [Expr::Field(name), Expr::Duration(span)] if **name == *"@timestamp" => match span {
                Length::Nanoseconds(length) => length % Timestamp::MINUTE == 0,
                Length::Months(_) => true,
            },
            _ => false,
        },
        Expr::Call(Function::TimeBucket, _) => bucket(expr).is_some_and(|(origin, length)| {
            length % Timestamp::MINUTE == 0 && matches!(origin.rem_euclid(Timestamp::MINUTE), 0 | 1)
        }),
        _ => false,
    }
}

/// Origin and length of buckets of `@timestamp`.
fn bucket(expr: &Expr) -> Option<(i64, i64)> {
    let Expr::Call(Function::TimeBucket, arguments) = expr else { return None };
    match &arguments[..] {
        [
            Expr::Field(name),
            Expr::Literal(Some(Value::Timestamp(origin))),
            Expr::Duration(Length::Nanoseconds(length)),
        ] if **name == *"@timestamp" => Some((origin.0, *length)),
        _ => None,
    }
}

/// Buckets that begin a nanosecond after a minute does, by origin and length; `None` where some other time is asked
/// for.
fn late_buckets(by: &[(Name, Expr)]) -> Option<Vec<(i64, i64)>> {
    let is_time = |expr: &&Expr| matches!(expr, Expr::Call(Function::TimeBucket | Function::DateFloor, _));
    let times = by.iter().map(|(_, expr)| expr).filter(is_time);
    let is_late = |(origin, _): &(i64, i64)| origin.rem_euclid(Timestamp::MINUTE) == 1;
    let buckets: Vec<(i64, i64)> = times.map(|expr| bucket(expr).filter(is_late)).collect::<Option<_>>()?;
    Some(buckets).filter(|buckets| !buckets.is_empty())
}

/// Adds the counts of whole minutes in the range of a run; gives the blocks that must be read for the rest.
pub(crate) fn count(
    scan: &Scan<'_>,
    source: usize,
    steps: &Steps<'_>,
    (by, known): (&[(Name, Expr)], &CountedBy),
    groups: &mut Groups<'_>,
) -> Vec<Item> {
    let run = &*scan.sources[source].run;
    let range = scan.request.range;
    let inner = inner(range, run.info().first, run.info().last);
    if let CountedBy::Field(name) = known {
        let is_by_time = by.iter().any(|(_, expr)| is_minute(expr));
        let Some(counted) = by_value(&scan.sources[source], name, inner, is_by_time) else {
            return scan.blocks_of(source, range);
        };
        add(scan, source, steps, groups, name, counted);
    } else {
        let asks_labels = steps.ask_labels() || by.iter().any(|(_, expr)| asks_labels(expr));
        if asks_labels && may_be_pushed(run) {
            return scan.blocks_of(source, range);
        }
        let counted = match (late_buckets(by), run.minutes()) {
            (None, Ok(Some(minutes))) => Some(whole(&minutes, inner)),
            (Some(buckets), Ok(Some(minutes))) if is_late(range) => late(run, &minutes, range, &buckets),
            _ => None,
        };
        let Some(counted) = counted else { return scan.blocks_of(source, range) };
        add(scan, source, steps, groups, "@level", by_level(counted));
        if late_buckets(by).is_some() {
            return Vec::new();
        }
    }
    edges(scan, source).into_iter().flat_map(|edge| scan.blocks_of(source, edge)).collect()
}

/// How many events have a value at a time that falls into the right buckets.
struct MinuteCount {
    at: i64,
    value: Option<Value>,
    n_events: u32,
}

/// Counts by value of a field, and by minute where that is asked for; `None` where a run keeps none, or where its name
/// stands for more than what is stored.
fn by_value(source: &Source, name: &str, inner: TimeRange, is_by_time: bool) -> Option<Vec<MinuteCount>> {
    let is_part = name.match_indices('.').any(|(dot, _)| source.has(&name[..dot]).unwrap_or(true));
    if is_part || !source.names_below(name).ok()?.is_empty() {
        return None;
    }
    let start = |minute: i64| minute.saturating_mul(Timestamp::MINUTE);
    let is_inside = |at: i64| (inner.from.0..inner.to.0).contains(&at);
    if !name.starts_with('@') && !source.has(name).ok()? {
        let of_minute = |minute: MinuteCounts| (start(minute.minute), minute.counts.iter().sum());
        let minutes = source.run.minutes().ok()??.into_iter().map(of_minute).filter(|(at, _)| is_inside(*at));
        return Some(minutes.map(|(at, n_events)| MinuteCount { at, value: None, n_events }).collect());
    }
    let FieldMinutes { minutes, values, counts } = source.run.field_minutes(name).ok()??;
    let mut counted = Vec::new();
    let minutes: Vec<(usize, i64)> =
        minutes.into_iter().map(start).enumerate().filter(|(_, at)| is_inside(*at)).collect();
    for (value, counts) in values.into_iter().zip(&counts) {
        let of_minute = minutes.iter().map(|(place, at)| (*at, counts[*place]));
        if is_by_time {
            let of_minute = of_minute.filter(|(_, n_events)| *n_events > 0);
            counted.extend(of_minute.map(|(at, n_events)| MinuteCount { at, value: value.clone(), n_events }));
            continue;
        }
        // No one asks when: a run has fewer events than a `u32` can count.
        let n_events = of_minute.fold(0u32, |sum, (_, n_events)| sum.saturating_add(n_events));
        let first = minutes.first().map_or(0, |(_, at)| *at);
        counted.extend((n_events > 0).then_some(MinuteCount { at: first, value, n_events }));
    }
    Some(counted)
}

/// Reports whether Loki senders may have pushed events of a run, whose labels are not those of other events.
fn may_be_pushed(run: &dyn Run) -> bool {
    // A run whose fields cannot be told is read.
    run.field_names().map_or(true, |names| names.iter().any(|name| **name == *"@loki"))
}

/// How many events of each level there are at times that fall into the right buckets.
type MinuteRows = Vec<(i64, [u32; 7])>;

fn whole(minutes: &[MinuteCounts], inner: TimeRange) -> MinuteRows {
    let start = |minute: &MinuteCounts| minute.minute.saturating_mul(Timestamp::MINUTE);
    let is_inside = |at: &i64| (inner.from.0..inner.to.0).contains(at);
    minutes.iter().map(|minute| (start(minute), minute.counts)).filter(|(at, _)| is_inside(at)).collect()
}

/// Reports whether a range begins and ends a nanosecond after a minute does.
fn is_late(range: TimeRange) -> bool {
    [range.from, range.to].iter().all(|time| time.0.rem_euclid(Timestamp::MINUTE) == 1)
}

/// Counts of minutes for buckets that begin a nanosecond late: events at the edges of buckets are counted by
/// themselves. `None` where they cannot be read.
fn late(run: &dyn Run, minutes: &[MinuteCounts], range: TimeRange, buckets: &[(i64, i64)]) -> Option<MinuteRows> {
    let is_edge = |at: i64| {
        let starts = |(origin, length): &(i64, i64)| (at + 1).checked_sub(*origin).is_some_and(|far| far % length == 0);
        at + 1 == range.from.0 || at + 1 == range.to.0 || buckets.iter().any(starts)
    };
    let inside = |minute: &&MinuteCounts| {
        let start = minute.minute.saturating_mul(Timestamp::MINUTE);
        (range.from.0 - 1..range.to.0).contains(&start)
    };
    let minutes: Vec<&MinuteCounts> = minutes.iter().filter(inside).collect();
    let starts = minutes.iter().map(|minute| minute.minute.saturating_mul(Timestamp::MINUTE));
    let at_edges = events_at(run, &starts.filter(|start| is_edge(*start)).collect::<Vec<i64>>())?;
    let mut counted = MinuteRows::new();
    for minute in minutes {
        let start = minute.minute.saturating_mul(Timestamp::MINUTE);
        let edge = at_edges.get(&start).copied().unwrap_or_default();
        if start >= range.from.0 {
            counted.push((start, edge));
        }
        if start + 1 < range.to.0 {
            let mut rest = minute.counts;
            rest.iter_mut().zip(edge).for_each(|(count, at_edge)| *count = count.saturating_sub(at_edge));
            counted.push((start + 1, rest));
        }
    }
    Some(counted)
}

/// Returns how many events of each level a run has at exactly these times, which are in order.
fn events_at(run: &dyn Run, times: &[i64]) -> Option<HashMap<i64, [u32; 7]>> {
    let mut found: HashMap<i64, [u32; 7]> = HashMap::new();
    for block in 0..run.n_blocks() {
        let (first, last) = run.block_times(block);
        let from = times.partition_point(|time| *time < first.0);
        let to = times.partition_point(|time| *time <= last.0);
        let Some(times) = times.get(from..to).filter(|times| !times.is_empty()) else { continue };
        let n_rows = run.block_rows(block);
        let columns = run.read(block, &["@timestamp"], &RowSet::all(n_rows)).ok()?;
        let [Column::Timestamps(of_rows)] = &columns[..] else { return None };
        let mut rows = RowSet::none(n_rows);
        for time in times {
            let from = of_rows.partition_point(|at| at < time);
            (from..n_rows).take_while(|row| of_rows[*row] == *time).for_each(|row| rows.insert(row));
        }
        if rows.count() == 0 {
            continue;
        }
        let columns = run.read(block, &["@level"], &rows).ok()?;
        for (place, row) in rows.iter().enumerate() {
            let level = columns.first().and_then(|column| column.value(place));
            let level = level.and_then(|value| types::Level::parse(&value.to_string()));
            let code = level.map_or(0, |level| usize::from(level.code()));
            found.entry(of_rows[row]).or_default()[code.min(6)] += 1;
        }
    }
    Some(found)
}

/// Returns the whole minutes of the range, as far as a run has events.
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

/// Returns what of the range lies outside its whole minutes.
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

/// Takes the counts of minutes apart by level.
fn by_level(minutes: MinuteRows) -> Vec<MinuteCount> {
    let mut counted = Vec::new();
    for (at, counts) in minutes {
        for (code, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let value = types::Level::of_code(code as u8).map(|level| Value::text(level.name()));
            counted.push(MinuteCount { at, value, n_events: *count });
        }
    }
    counted
}

/// Adds counts by the values of a field to the groups that the steps and the group columns make of them.
fn add(
    scan: &Scan<'_>,
    source: usize,
    steps: &Steps<'_>,
    groups: &mut Groups<'_>,
    field: &str,
    counted: Vec<MinuteCount>,
) {
    let n_rows = counted.len();
    let n_events = counted.iter().map(|counted| u64::from(counted.n_events)).sum();
    let times = counted.iter().map(|counted| counted.at).collect();
    let weights = counted.iter().map(|counted| Some(Value::Integer(counted.n_events.into()))).collect();
    let log = Column::constant(Value::String(scan.sources[source].run.info().group.shared()), n_rows);
    let columns: Vec<(Name, Arc<Column>)> = vec![
        ("@timestamp".into(), Arc::new(Column::Timestamps(times))),
        ("@log".into(), Arc::new(log)),
        (WEIGHT.into(), Arc::new(Column::of_values(weights))),
        (field.into(), Arc::new(Column::of_values(counted.into_iter().map(|counted| counted.value).collect()))),
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
}
