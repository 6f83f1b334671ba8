//! `fillmissing`, `timechart` and `filldown`: what is put where there is nothing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use plan::{FillBuckets, Name, calendar as bins};
use types::{Column, Timestamp, Value, ensure};

use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result, value_bytes, write_key};

/// Most rows that are put in; a chart of more has too short spans.
const ROWS_MAX: usize = 1_000_000;

/// Spans between two looks at whether the query is over.
const ROWS_BETWEEN_LOOKS: usize = 1024;

/// The series of the rows that are there.
struct Series {
    /// Per row the number of its series.
    of_rows: Vec<usize>,
    /// Per series its values.
    values: Vec<Vec<Option<Value>>>,
}

/// Puts rows in for spans of time without one, and puts all in order of time.
pub(crate) fn buckets(fill: &FillBuckets, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let n_rows = frame.n_rows();
    let column = frame.column(&fill.time)?;
    let times: Vec<Option<i64>> = (0..n_rows).map(|row| Cell::at(&column, row).time()).collect();
    let series = series(fill, frame, scan)?;
    let starts = starts(fill, &times, scan);
    scan.check()?;
    let n_cells = starts.len().saturating_mul(series.values.len());
    ensure!(starts.len() <= ROWS_MAX && n_cells <= ROWS_MAX, evaluate::columns::stop::Stop::Memory);
    let known: HashSet<(i64, usize)> =
        times.iter().zip(&series.of_rows).filter_map(|(time, series)| Some(((*time)?, *series))).collect();
    let mut added: Vec<(i64, usize)> = Vec::new();
    for (at, start) in starts.into_iter().enumerate() {
        if at % ROWS_BETWEEN_LOOKS == 0 {
            scan.check()?;
        }
        added.extend((0..series.values.len()).map(|series| (start, series)).filter(|cell| !known.contains(cell)));
    }
    scan.hold(added.len().saturating_mul(32 * (1 + frame.n_columns())))?;
    frame.extend(added.len());
    let instants = times.iter().copied().chain(added.iter().map(|(start, _)| Some(*start)));
    let instants: Vec<Option<i64>> = instants.collect();
    let of_rows: Vec<usize> = series.of_rows.iter().copied().chain(added.iter().map(|(_, series)| *series)).collect();
    let value = |instant: &Option<i64>| instant.map(|nanos| Value::Timestamp(Timestamp(nanos)));
    frame.define(fill.time.clone(), Arc::new(Column::of_values(instants.iter().map(value).collect())));
    for (index, name) in fill.series.iter().enumerate() {
        let value = |row: usize| series.values[of_rows[row]][index].clone();
        let values = scan.budget().rows(of_rows.len()).map(value).collect();
        scan.check()?;
        frame.define(name.clone(), Arc::new(Column::of_values(values)));
    }
    for (name, value) in &fill.values {
        let column = frame.column(name)?;
        let filled = |row| if row < n_rows { column.value(row) } else { Some(value.clone()) };
        let filled = Column::of_values(scan.budget().rows(column.n_rows()).map(filled).collect());
        scan.check()?;
        frame.define(name.clone(), Arc::new(filled));
    }
    let mut order: Vec<u32> = (0..of_rows.len() as u32).collect();
    let place = |row: u32| (instants[row as usize], of_rows[row as usize]);
    scan.budget().sort_by(&mut order, |a, b| place(*a).cmp(&place(*b)))?;
    frame.reorder(&order);
    Ok(())
}

/// Tells the series of the rows apart. Without columns for them there is one, even where there is no row.
fn series(fill: &FillBuckets, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<Series> {
    let columns = fill.series.iter().map(|name| frame.column(name)).collect::<Result<Vec<_>, _>>()?;
    let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut series = Series { of_rows: Vec::with_capacity(frame.n_rows()), values: Vec::new() };
    if columns.is_empty() {
        series.values.push(Vec::new());
        series.of_rows = vec![0; frame.n_rows()];
        return Ok(series);
    }
    for row in scan.budget().rows(frame.n_rows()) {
        let mut key = Vec::new();
        columns.iter().for_each(|column| write_key(Cell::at(column, row), &mut key));
        let number = *numbers.entry(key).or_insert_with(|| {
            series.values.push(columns.iter().map(|column| column.value(row)).collect());
            series.values.len() - 1
        });
        series.of_rows.push(number);
    }
    scan.check()?;
    Ok(series)
}

/// Returns the starts of all spans in the range of the query. A side that the range leaves open ends with the rows.
fn starts(fill: &FillBuckets, times: &[Option<i64>], scan: &Scan<'_>) -> BTreeSet<i64> {
    let (zone, range) = (scan.env.time_zone, scan.request.range);
    // The events were earlier by the offset than the times that are shown.
    let shown = |instant: i64| fill.offset.map_or(Some(instant), |offset| bins::later(zone, instant, offset));
    let first = if range.from.0 == i64::MIN { times.iter().flatten().min().copied() } else { shown(range.from.0) };
    let last = match range.to.0 {
        i64::MAX => times.iter().flatten().max().copied(),
        to => shown(to.saturating_sub(1)),
    };
    let mut starts = BTreeSet::new();
    let (Some(first), Some(last)) = (first, last) else { return starts };
    let mut next = bins::floor(zone, first, fill.span);
    while let Some(start) = next.filter(|start| *start <= last)
        && starts.insert(start)
        && starts.len() <= ROWS_MAX
        && (starts.len() % ROWS_BETWEEN_LOOKS != 0 || scan.check().is_ok())
    {
        next = bins::bounds(zone, start, fill.span).map(|(_, end)| end);
    }
    starts
}

/// Gives rows that miss a value the one of the row before.
pub(crate) fn down(names: &[Name], frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    for name in names {
        let column = frame.column(name)?;
        let mut last: Option<Value> = None;
        let mut bytes = 0;
        let mut values = Vec::with_capacity(column.n_rows());
        for row in scan.budget().rows(column.n_rows()) {
            if let Some(value) = column.value(row) {
                bytes += value_bytes(&value);
                last = Some(value);
            }
            bytes += 32;
            values.push(last.clone());
        }
        scan.check()?;
        scan.hold(bytes)?;
        frame.define(name.clone(), Arc::new(Column::of_values(values)));
    }
    Ok(())
}
