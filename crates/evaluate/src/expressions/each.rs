//! Calls about the values of a field that may hold lists: [`Function::Each`], [`Function::HasValue`],
//! [`Function::IfDate`]. What they mean is written in [`plan::each`].

use std::sync::Arc;

use plan::function::{ANY_VALUE, SELECTOR_STEP};
use plan::{Expr, Name, date_value};
use types::{Column, RowSet, Timestamp, Value};

use crate::columns::frame::Frame;
use crate::columns::stop::Result;
use crate::columns::value_size::value_bytes;
use crate::expressions::environment::Environment;
use crate::expressions::functions::select_json;

/// The values of a field.
struct Values {
    /// Of rows with one value, the value.
    single: Arc<Column>,
    /// Values inside lists.
    elements: Vec<Option<Value>>,
    /// The row that each of them belongs to, in order.
    owners: Vec<u32>,
}

/// Collects the values of a field and of the lists above it; `None` where none is in a list.
fn values(name: &Name, above: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<Option<Values>> {
    let base = frame.column(name)?;
    let mut lists: Vec<(Arc<Column>, &str)> = Vec::new();
    for field in above {
        let Expr::Field(list) = field else { continue };
        let column = frame.column(list)?;
        if has_nested(&column) {
            lists.push((column, name.get(list.len() + 1..).unwrap_or_default()));
        }
    }
    let is_nested = has_nested(&base);
    if !is_nested && lists.is_empty() {
        return Ok(None);
    }
    let (mut elements, mut owners) = (Vec::new(), Vec::new());
    let mut n_bytes = 0;
    for row in 0..base.n_rows() {
        let n_before = elements.len();
        if let Some(list @ Value::List(_)) = base.value(row).filter(|_| is_nested) {
            collect(&list, None, &mut elements);
        }
        for (column, rest) in &lists {
            if let Some(list @ Value::List(_)) = column.value(row) {
                collect(&list, Some(rest), &mut elements);
            }
        }
        n_bytes += elements[n_before..].iter().flatten().map(|value| 32 + value_bytes(value)).sum::<usize>();
        owners.resize(elements.len(), row as u32);
        env.budget.permits(n_bytes)?;
    }
    Ok(Some(Values { single: if is_nested { Arc::new(without_nested(&base)) } else { base }, elements, owners }))
}

/// Adds the values at `path` inside a value, lists on the way and at its end taken apart.
fn collect(value: &Value, path: Option<&str>, found: &mut Vec<Option<Value>>) {
    match (value, path) {
        (Value::List(items), path) => items.iter().flatten().for_each(|item| collect(item, path, found)),
        (Value::Object(members), Some(path)) => {
            for (name, member) in members.iter() {
                let (Some(rest), Some(member)) = (path.strip_prefix(&**name), member) else { continue };
                match rest.strip_prefix('.') {
                    Some(rest) => collect(member, Some(rest), found),
                    None if rest.is_empty() => collect(member, None, found),
                    None => {}
                }
            }
        }
        (Value::Object(_), None) | (_, Some(_)) => {}
        (value, None) => found.push(Some(value.clone())),
    }
}

/// Reports whether there is a value at or below `path` that is no list and no object.
fn has_leaf(value: &Value, path: Option<&str>) -> bool {
    match (value, path) {
        (Value::List(items), path) => items.iter().flatten().any(|item| has_leaf(item, path)),
        (Value::Object(members), None) => members.iter().any(|(_, member)| {
            let member = member.as_ref();
            member.is_some_and(|member| has_leaf(member, None))
        }),
        (Value::Object(members), Some(path)) => members.iter().any(|(name, member)| {
            let (Some(rest), Some(member)) = (path.strip_prefix(&**name), member) else { return false };
            match rest.strip_prefix('.') {
                Some(rest) => has_leaf(member, Some(rest)),
                None => rest.is_empty() && has_leaf(member, None),
            }
        }),
        (_, path) => path.is_none(),
    }
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Object(_))
}

fn has_nested(column: &Column) -> bool {
    match column {
        Column::Mixed(values) => values.iter().flatten().any(is_nested),
        Column::Dictionary { values, .. } => values.iter().any(is_nested),
        _ => false,
    }
}

fn without_nested(column: &Column) -> Column {
    Column::of_values((0..column.n_rows()).map(|row| column.value(row).filter(|value| !is_nested(value))).collect())
}

/// Returns the elements as rows of their own.
fn of_elements(name: &Name, elements: Vec<Option<Value>>) -> Frame<'static> {
    Frame::of_columns(elements.len(), vec![(name.clone(), Arc::new(Column::Mixed(elements)))])
}

/// Returns per row what `inner` is of the field's value, as a list where there is one of values.
pub(super) fn each(arguments: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<Arc<Column>> {
    let [Expr::Field(name), inner, above @ ..] = arguments else {
        return Ok(Arc::new(Column::Missing { n_rows: frame.n_rows() }));
    };
    let Some(values) = values(name, above, frame, env)? else { return env.evaluate(inner, frame) };
    let mut part = frame.clone();
    let base = values.single.presence();
    part.define(name.clone(), values.single);
    let single = env.evaluate(inner, &mut part)?;
    let of_elements = env.evaluate(inner, &mut of_elements(name, values.elements))?;
    let mut at = 0;
    let mut rows: Vec<Option<Value>> = Vec::with_capacity(frame.n_rows());
    for row in 0..frame.n_rows() {
        let n_of_row = values.owners[at..].iter().take_while(|owner| **owner as usize == row).count();
        let mut items: Vec<Option<Value>> = Vec::new();
        for value in (at..at + n_of_row).filter_map(|element| of_elements.value(element)) {
            match value {
                Value::List(inner) => items.extend(inner.iter().cloned()),
                value => items.push(Some(value)),
            }
        }
        at += n_of_row;
        let single = if n_of_row == 0 || base.contains(row) { single.value(row) } else { None };
        rows.push(if items.is_empty() {
            single
        } else {
            items.extend(single.map(Some));
            Some(Value::List(Arc::new(items)))
        });
    }
    Ok(Arc::new(Column::of_values(rows)))
}

fn without_elements(n_rows: usize, owners: &[u32]) -> RowSet {
    let mut rows = RowSet::none(n_rows);
    owners.iter().for_each(|owner| rows.insert(*owner as usize));
    rows.invert();
    rows
}

/// Returns the rows for which a condition holds of one of the values.
pub(super) fn holds_of_one(arguments: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<RowSet> {
    let [Expr::Field(name), inner, above @ ..] = arguments else { return Ok(RowSet::none(frame.n_rows())) };
    let Some(values) = values(name, above, frame, env)? else { return env.truth(inner, frame) };
    let mut part = frame.clone();
    // A row whose values are all in lists is not asked about as one without a value.
    let mut is_single = values.single.presence();
    is_single.or(&without_elements(frame.n_rows(), &values.owners));
    part.define(name.clone(), values.single);
    let mut rows = env.truth(inner, &mut part)?;
    rows.and(&is_single);
    let found = env.truth(inner, &mut of_elements(name, values.elements))?;
    found.iter().for_each(|element| rows.insert(values.owners[element] as usize));
    Ok(rows)
}

/// Returns the rows for which a condition holds of one of the values that a path selects in a JSON text.
pub(super) fn holds_of_selected(arguments: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<RowSet> {
    let mut rows = RowSet::none(frame.n_rows());
    let [text, Expr::Literal(Some(Value::String(path))), condition] = arguments else { return Ok(rows) };
    let path: Vec<&str> = path.split(SELECTOR_STEP).collect();
    let texts = env.evaluate(text, frame)?;
    let (mut elements, mut owners): (Vec<Option<Value>>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut n_bytes = 0;
    for row in 0..texts.n_rows() {
        let Some(Value::String(text)) = texts.value(row) else { continue };
        let n_before = elements.len();
        select_json(&text, &path, &mut elements);
        n_bytes += elements[n_before..].iter().flatten().map(|value| 32 + value_bytes(value)).sum::<usize>();
        owners.resize(elements.len(), row as u32);
        env.budget.permits(n_bytes)?;
    }
    let found = env.truth(condition, &mut of_elements(&ANY_VALUE.into(), elements))?;
    found.iter().for_each(|element| rows.insert(owners[element] as usize));
    Ok(rows)
}

/// Returns the rows in which a field has a value that is no empty list or object.
pub(super) fn has_value(arguments: &[Expr], frame: &mut Frame<'_>) -> Result<RowSet> {
    let [Expr::Field(name), above @ ..] = arguments else { return Ok(RowSet::none(frame.n_rows())) };
    let base = frame.column(name)?;
    let mut rows = match has_nested(&base) {
        false => base.presence(),
        true => RowSet::of(base.n_rows(), |row| base.value(row).is_some_and(|value| has_leaf(&value, None))),
    };
    for field in above {
        let Expr::Field(list) = field else { continue };
        let (column, rest) = (frame.column(list)?, name.get(list.len() + 1..).unwrap_or_default());
        let holds = |value: Value| matches!(value, Value::List(_)) && has_leaf(&value, Some(rest));
        if has_nested(&column) {
            rows.or(&RowSet::of(column.n_rows(), |row| column.value(row).is_some_and(holds)));
        }
    }
    Ok(rows)
}

/// Returns the rows for which the first condition holds where the field's value is a date, which it then is as a time,
/// and the second where it is none.
pub(super) fn if_date(arguments: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<RowSet> {
    let [Expr::Field(name), of_date, of_other] = arguments else { return Ok(RowSet::none(frame.n_rows())) };
    let column = frame.column(name)?;
    let date = |row| match column.value(row)? {
        Value::String(text) => date_value(&text).map(|instant| Value::Timestamp(Timestamp(instant))),
        time @ Value::Timestamp(_) => Some(time),
        _ => None,
    };
    let dates: Vec<Option<Value>> = match &*column {
        Column::Integers { .. } | Column::Floats { .. } | Column::Missing { .. } => Vec::new(),
        column => (0..column.n_rows()).map(date).collect(),
    };
    let mut others = env.truth(of_other, frame)?;
    if dates.iter().all(Option::is_none) {
        return Ok(others);
    }
    let mut is_other = RowSet::of(dates.len(), |row| dates[row].is_none());
    others.and(&is_other);
    let mut with_dates = frame.clone();
    with_dates.define(name.clone(), Arc::new(Column::of_values(dates)));
    let mut rows = env.truth(of_date, &mut with_dates)?;
    is_other.invert();
    rows.and(&is_other);
    rows.or(&others);
    Ok(rows)
}

/// A column of which lists are taken apart, and the row that each value belongs to.
pub struct Spread {
    /// The values.
    pub column: Column,
    /// Of each value, its row.
    pub owners: Vec<u32>,
}

impl Spread {
    /// Takes the lists of a column apart; `None` where it has none. A row without a value is one without a value.
    /// `is_set`: equal values of a row are one.
    pub fn of(column: &Column, is_set: bool) -> Option<Self> {
        if !has_nested(column) {
            return None;
        }
        let (mut values, mut owners): (Vec<Option<Value>>, Vec<u32>) = (Vec::new(), Vec::new());
        for row in 0..column.n_rows() {
            let n_before = values.len();
            match column.value(row) {
                Some(Value::List(items)) => values.extend(items.iter().cloned()),
                value => values.push(value),
            }
            if is_set {
                let mut of_row: Vec<Option<Value>> = Vec::new();
                for value in values.drain(n_before..) {
                    if !of_row.contains(&value) {
                        of_row.push(value);
                    }
                }
                values.extend(of_row);
            }
            owners.resize(values.len(), row as u32);
        }
        Some(Self { column: Column::of_values(values), owners })
    }
}
