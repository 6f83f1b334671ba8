//! Groups of rows and what is computed of them.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use types::Value;

use super::values::{Number, severity};
use super::{Cell, Row, evaluate, key, number, sort_order, strict_order};
use crate::syntax::{Aggregate, Expr, Item};

/// Rows by the values of some columns, in the order of these; those columns of which it is said are levels.
fn groups<'r, 'a>(
    rows: &'r [Row<'a>],
    is_level: &[bool],
    values: impl Fn(&Row<'a>) -> Vec<Cell>,
) -> Vec<(Vec<Cell>, Vec<&'r Row<'a>>)> {
    let mut groups: BTreeMap<Vec<String>, (Vec<Cell>, Vec<&Row<'a>>)> = BTreeMap::new();
    for row in rows {
        let values: Vec<Cell> = values(row).into_iter().map(canonical).collect();
        let keys = values.iter().map(key).collect();
        groups.entry(keys).or_insert((values, Vec::new())).1.push(row);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|(a, _), (b, _)| {
        let order = |((a, b), is_level): ((&Cell, &Cell), &bool)| match (a, b) {
            (Some(Value::String(a)), Some(Value::String(b))) if *is_level => severity(a).cmp(&severity(b)),
            _ => strict_order(a, b),
        };
        a.iter().zip(b).zip(is_level).map(order).fold(Ordering::Equal, Ordering::then)
    });
    groups
}

fn table(columns: impl IntoIterator<Item = (String, Cell)>) -> Row<'static> {
    Row { event: None, made: columns.into_iter().collect() }
}

/// The rows of a `stats`.
pub(super) fn stats(
    rows: &[Row<'_>],
    aggregates: &[Aggregate],
    by: &[Item],
    levels: &BTreeSet<String>,
) -> Vec<Row<'static>> {
    let is_level: Vec<bool> =
        by.iter().map(|item| matches!(&item.expr, Expr::Field(name) if levels.contains(name))).collect();
    let mut groups = groups(rows, &is_level, |row| by.iter().map(|item| evaluate(&item.expr, row)).collect());
    if by.is_empty() && groups.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    groups
        .into_iter()
        .map(|(values, rows)| {
            let columns = by.iter().map(Item::name).zip(values);
            table(columns.chain(aggregates.iter().map(|aggregate| (aggregate.name(), value(aggregate, &rows)))))
        })
        .collect()
}

/// The rows of `top` and `rare`.
pub(super) fn top(
    rows: &[Row<'_>],
    rarest: bool,
    most: u64,
    names: &[String],
    by: &[String],
    levels: &BTreeSet<String>,
) -> Vec<Row<'static>> {
    let fields = |names: &[String], row: &Row<'_>| names.iter().map(|name| row.field(name)).collect::<Vec<Cell>>();
    let mut made = Vec::new();
    let is_level = |names: &[String]| names.iter().map(|name| levels.contains(name)).collect::<Vec<bool>>();
    for (outer, members) in groups(rows, &is_level(by), |row| fields(by, row)) {
        let members: Vec<Row<'_>> = members.into_iter().cloned().collect();
        let n_all = members.len();
        let mut inner = groups(&members, &is_level(names), |row| fields(names, row));
        inner.retain(|(values, _)| values.iter().all(Option::is_some));
        inner.sort_by_key(|(_, rows)| if rarest { rows.len() as i64 } else { -(rows.len() as i64) });
        inner.truncate(most as usize);
        for (values, rows) in inner {
            let count = ("count".to_owned(), Some(Value::Integer(rows.len() as i64)));
            let share = ("share".to_owned(), Some(Value::Float(rows.len() as f64 / n_all as f64)));
            let columns = by.iter().cloned().zip(outer.clone()).chain(names.iter().cloned().zip(values));
            made.push(table(columns.chain([count, share])));
        }
    }
    made
}

fn value(aggregate: &Aggregate, rows: &[&Row<'_>]) -> Cell {
    let Some(argument) = &aggregate.argument else { return Some(Value::Integer(rows.len() as i64)) };
    let present: Vec<Value> = rows.iter().filter_map(|row| evaluate(argument, row)).collect();
    let by_id = by_id(rows);
    let tied = || by_id.iter().filter_map(|row| evaluate(argument, row));
    let numbers: Vec<Number> = present.iter().filter_map(|value| number(&Some(value.clone()))).collect();
    let n = numbers.len() as f64;
    match aggregate.function {
        "count" => Some(Value::Integer(present.len() as i64)),
        "count_distinct" => Some(Value::Integer(distinct(present).len() as i64)),
        "sum" => sum(&numbers),
        "avg" if numbers.is_empty() => None,
        "avg" => Some(Value::Float(numbers.iter().map(|number| number.decimal()).sum::<f64>() / n)),
        "variance" => variance(&numbers).map(Value::Float),
        "stddev" => variance(&numbers).map(|variance| Value::Float(variance.sqrt())),
        "median" => percentile(&numbers, 50.0),
        "p90" => percentile(&numbers, 90.0),
        "pct" => percentile(&numbers, aggregate.parameter?.parse().expect("a number")),
        "min" => extreme(present, Ordering::Less),
        "max" => extreme(present, Ordering::Greater),
        "earliest" | "latest" => {
            // By time, then by `@id`: of events that have the field.
            let mut having: Vec<&&Row<'_>> = rows.iter().filter(|row| evaluate(argument, row).is_some()).collect();
            having.sort_by_key(|row| row.event.map(|event| (event.time, event.sequence)));
            let chosen = if aggregate.function == "latest" { having.last() } else { having.first() };
            evaluate(argument, chosen?)
        }
        "first" => present.into_iter().next(),
        "last" => present.into_iter().last(),
        "list" => Some(Value::List(present.into_iter().map(Some).collect::<Vec<_>>().into())),
        "values" => {
            let mut values: Vec<Cell> = counted(tied()).into_iter().map(|(value, _)| Some(value)).collect();
            values.sort_by(sort_order);
            values.truncate(aggregate.parameter.map_or(usize::MAX, |most| most.parse().expect("a number")));
            Some(Value::List(values.into()))
        }
        // Of equals, the last one is taken.
        "mode" => counted(tied()).into_iter().rev().max_by_key(|(_, count)| *count).map(|(value, _)| value),
        other => panic!("no aggregate: {other}"),
    }
}

/// Of values that are one, the form that is shown: 3.0 as 3.
fn canonical(cell: Cell) -> Cell {
    match cell {
        Some(Value::Float(number)) if number.fract() == 0.0 && number.abs() < 9.2e18 => {
            Some(Value::Integer(number as i64))
        }
        other => other,
    }
}

/// Rows in the order in which ties are decided: events by `@id`, the newest first, other rows as they come.
fn by_id<'r, 'a>(rows: &[&'r Row<'a>]) -> Vec<&'r Row<'a>> {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| row.event.map(|event| Reverse((event.time, event.sequence))));
    rows
}

/// Distinct values in the order in which they come, with how often each does.
fn counted(values: impl Iterator<Item = Value>) -> Vec<(Value, usize)> {
    let mut counted: Vec<(Value, usize)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for value in values.filter_map(|value| canonical(Some(value))) {
        let place = *places.entry(key(&Some(value.clone()))).or_insert(counted.len());
        match counted.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counted.push((value, 1)),
        }
    }
    counted
}

fn distinct(values: Vec<Value>) -> Vec<Value> {
    let keyed = values.into_iter().map(|value| (key(&Some(value.clone())), value));
    let by_key: BTreeMap<String, Value> = keyed.collect();
    by_key.into_values().filter_map(|value| canonical(Some(value))).collect()
}

fn sum(numbers: &[Number]) -> Cell {
    if numbers.is_empty() {
        return None;
    }
    let whole: Option<i128> = numbers
        .iter()
        .map(|number| match number {
            Number::Whole(number) => i64::try_from(*number).ok().map(i128::from),
            Number::Decimal(_) => None,
        })
        .sum();
    match whole {
        Some(whole) => Number::Whole(whole).value(),
        None => Number::Decimal(numbers.iter().map(|number| number.decimal()).sum()).value(),
    }
}

/// Of a sample, in two passes.
fn variance(numbers: &[Number]) -> Option<f64> {
    let n = numbers.len() as f64;
    let mean = numbers.iter().map(|number| number.decimal()).sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|number| (number.decimal() - mean).powi(2)).sum();
    (numbers.len() > 1).then(|| squares / (n - 1.0))
}

/// Between the closest ranks.
fn percentile(numbers: &[Number], percent: f64) -> Cell {
    let mut sorted: Vec<f64> = numbers.iter().map(|number| number.decimal()).collect();
    sorted.sort_by(f64::total_cmp);
    let position = percent / 100.0 * (sorted.len().checked_sub(1)? as f64);
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    Some(Value::Float(below + (above - below) * position.fract()))
}

/// The least or greatest number or time where there is any, else the least or greatest of the others.
fn extreme(values: Vec<Value>, wanted: Ordering) -> Cell {
    let is_number = |value: &Value| matches!(value, Value::Timestamp(_)) || as_number(value);
    let has_numbers = values.iter().any(is_number);
    let mut best: Cell = None;
    for value in values.into_iter().filter(|value| is_number(value) == has_numbers).map(Some) {
        let order = if best.is_none() { wanted } else { sort_order(&value, &best) };
        // Of values that only differ in type the one that comes first.
        if order == wanted || (order == Ordering::Equal && strict_order(&value, &best) == Ordering::Less) {
            best = value;
        }
    }
    best
}

fn as_number(value: &Value) -> bool {
    !matches!(value, Value::Boolean(_)) && number(&Some(value.clone())).is_some()
}
