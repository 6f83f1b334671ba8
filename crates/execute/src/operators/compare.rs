//! `diff` and `logcompare` after an aggregation: its rows beside those of an earlier time.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use plan::{Compare, Earlier, Length, Name, calendar as bins, earlier_range};
use types::{Column, TimeRange, Timestamp, Value};

use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result, value_bytes, write_key};
use pattern::change;

/// How times of the one range become those of the other.
struct Shift<'s> {
    compare: &'s Compare,
    zone: Tz,
    /// Nanoseconds, where they are the same for all times.
    length: Option<i64>,
}

impl<'s> Shift<'s> {
    fn of(compare: &'s Compare, range: TimeRange, zone: Tz) -> Self {
        let length = match compare.earlier {
            Earlier::Shift(Length::Nanoseconds(length)) => Some(length),
            Earlier::Shift(Length::Months(_)) => None,
            Earlier::Preceding => {
                let earlier = earlier_range(compare.earlier, range, zone);
                earlier.and_then(|earlier| range.from.0.checked_sub(earlier.from.0))
            }
        };
        Self { compare, zone, length }
    }

    /// Returns the earlier time that a time is compared with.
    fn back(&self, time: i64) -> Option<i64> {
        let earlier = match (self.length, self.compare.earlier) {
            (Some(length), _) => time.checked_sub(length),
            (None, Earlier::Shift(span)) => bins::earlier(self.zone, time, span),
            (None, Earlier::Preceding) => None,
        }?;
        match &self.compare.time {
            Some((_, span)) => bins::floor(self.zone, earlier, *span),
            None => Some(earlier),
        }
    }

    /// Returns the time that an earlier one, which nothing of the later range was compared with, would have been
    /// compared with.
    fn forth(&self, time: i64) -> i64 {
        let span = match (self.length, self.compare.earlier) {
            (Some(length), _) => Length::Nanoseconds(length),
            (None, Earlier::Shift(span)) => span,
            (None, Earlier::Preceding) => return time,
        };
        let later = match span {
            Length::Nanoseconds(length) => time.checked_add(length),
            Length::Months(_) => bins::earlier(self.zone, time, span).and_then(|back| time.checked_add(time - back)),
        };
        let floored = |later: i64| match &self.compare.time {
            Some((_, span)) => bins::floor(self.zone, later, *span),
            None => Some(later),
        };
        later.and_then(floored).unwrap_or(time)
    }
}

/// Rows by their keys.
struct KeyColumns {
    columns: Vec<Arc<Column>>,
    n_rows: usize,
}

impl KeyColumns {
    fn of(compare: &Compare, frame: &mut Frame<'static>) -> Result<Self> {
        let columns = compare.keys.iter().map(|name| Ok(frame.column(name)?)).collect::<Result<_>>()?;
        Ok(Self { columns, n_rows: frame.n_rows() })
    }

    /// Returns the key of a row; `moved` gives its time, where it has one.
    fn key(&self, row: usize, compare: &Compare, moved: impl Fn(i64) -> Option<i64>) -> Vec<u8> {
        let mut key = Vec::new();
        for (name, column) in compare.keys.iter().zip(&self.columns) {
            let is_time = compare.time.as_ref().is_some_and(|(time, _)| time == name);
            let cell = match Cell::at(column, row) {
                Cell::Time(time) if is_time => moved(time).map_or(Cell::Missing, Cell::Time),
                cell => cell,
            };
            write_key(cell, &mut key);
        }
        key
    }
}

/// Puts the values of earlier rows, their difference, and how that is to be called next to the rows of `frame`. Earlier
/// rows that have no counterpart come after.
pub(crate) fn apply(
    compare: &Compare,
    frame: &mut Frame<'static>,
    before: &mut Frame<'static>,
    scan: &Scan<'_>,
) -> Result<()> {
    let shift = Shift::of(compare, scan.request.range, scan.request.time_zone);
    let (mine, theirs) = (KeyColumns::of(compare, frame)?, KeyColumns::of(compare, before)?);
    let mut rows_before: HashMap<Vec<u8>, usize> = HashMap::new();
    for row in scan.budget().rows(theirs.n_rows) {
        // The first of several.
        rows_before.entry(theirs.key(row, compare, Some)).or_insert(row);
    }
    scan.check()?;
    let mut is_matched = vec![false; theirs.n_rows];
    let mut counterparts: Vec<Option<usize>> = Vec::with_capacity(mine.n_rows);
    for row in scan.budget().rows(mine.n_rows) {
        let counterpart = rows_before.get(&mine.key(row, compare, |time| shift.back(time))).copied();
        counterpart.into_iter().for_each(|row| is_matched[row] = true);
        counterparts.push(counterpart);
    }
    scan.check()?;
    let gone: Vec<usize> = (0..theirs.n_rows).filter(|row| !is_matched[*row]).collect();
    scan.hold((mine.n_rows + gone.len()) * 64 * (1 + frame.n_columns()))?;
    frame.extend(gone.len());
    for (name, column) in compare.keys.iter().zip(&theirs.columns) {
        let is_time = compare.time.as_ref().is_some_and(|(time, _)| time == name);
        let known = frame.column(name)?;
        let value_of = |row: usize| match column.value(row) {
            Some(Value::Timestamp(time)) if is_time => Some(Value::Timestamp(Timestamp(shift.forth(time.0)))),
            other => other,
        };
        let values = (0..mine.n_rows).map(|row| known.value(row)).chain(gone.iter().map(|row| value_of(*row)));
        let values: Vec<Option<Value>> = values.collect();
        scan.hold(values.iter().flatten().map(value_bytes).sum())?;
        frame.define(name.clone(), Arc::new(Column::of_values(values)));
    }
    counterparts.extend(gone.into_iter().map(Some));
    compare.values.iter().try_for_each(|value| beside(compare, value, (frame, before), &counterparts, scan))
}

/// Makes the new columns for one value.
fn beside(
    compare: &Compare,
    (name, is_count): &(Name, bool),
    (frame, before): (&mut Frame<'static>, &mut Frame<'static>),
    counterparts: &[Option<usize>],
    scan: &Scan<'_>,
) -> Result<()> {
    let (now, earlier) = (frame.column(name)?, before.column(name)?);
    let number = |column: &Column, row: Option<usize>| {
        let value = row.and_then(|row| Cell::at(column, row).number()).map(|number| number.as_float());
        value.or(if *is_count { Some(0.0) } else { None })
    };
    let (mut previous, mut differences, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for row in scan.budget().rows(counterparts.len()) {
        let counterpart = &counterparts[row];
        let both = (number(&now, Some(row)), number(&earlier, *counterpart));
        let known = counterpart.and_then(|row| earlier.value(row));
        previous.push(known.or(if *is_count { Some(Value::Integer(0)) } else { None }));
        differences.push(match both {
            (Some(now), Some(before)) if *is_count => Some(Value::Integer((now - before) as i64)),
            (Some(now), Some(before)) => Some(Value::Float(now - before)),
            _ => None,
        });
        changes.push(match both {
            (Some(now), Some(before)) => Some(Value::text(change(now, before, *is_count))),
            (Some(_), None) => Some(Value::text("new")),
            (None, Some(_)) => Some(Value::text("gone")),
            (None, None) => None,
        });
    }
    scan.check()?;
    for (name, values) in compare.columns_of(name).into_iter().zip([previous, differences, changes]) {
        frame.define(name, Arc::new(Column::of_values(values)));
    }
    Ok(())
}
