//! Functions about several values: a list is several, any other value is one.

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::{ListFunction, TypedKind};
use types::Value;

use super::super::cell::Cell;
use super::convert;
use super::numbers::{decimal, fitting};
use crate::columns::place::RankedValue;
use crate::expressions::functions::output::TEXT_BYTES_MAX;
use crate::expressions::functions::typed::order::order;

/// Returns the values of a cell.
fn values(cell: Cell<'_>) -> Vec<Value> {
    match cell {
        Cell::Nested(Value::List(items)) => items.iter().flatten().cloned().collect(),
        Cell::Nested(_) => Vec::new(),
        other => other.to_value().into_iter().collect(),
    }
}

/// Several values; one alone is no list, and none is missing.
fn of_values(mut values: Vec<Value>) -> Option<Value> {
    match values.len() {
        0 => None,
        1 => values.pop(),
        _ => Some(Value::List(Arc::new(values.into_iter().map(Some).collect()))),
    }
}

/// Stored values in the type of their field, in the order in which Elasticsearch keeps them: sorted, texts once each.
pub(super) fn of_stored(cell: Cell<'_>, kind: TypedKind) -> Option<Value> {
    let Cell::Nested(nested) = cell else { return convert::convert(cell, kind) };
    let mut found = Vec::new();
    flatten(nested, kind, &mut found);
    found.sort_by(|a, b| order(a, b, kind));
    if kind == TypedKind::Text {
        found.dedup();
    }
    of_values(found)
}

fn flatten(value: &Value, kind: TypedKind, found: &mut Vec<Value>) {
    match value {
        Value::List(items) => items.iter().flatten().for_each(|item| flatten(item, kind, found)),
        Value::Object(_) => {}
        value => found.extend(convert::convert(Cell::of(Some(value)), kind)),
    }
}

/// Returns each value in another type.
pub(super) fn converted(cell: Cell<'_>, kind: TypedKind) -> Option<Value> {
    match cell {
        Cell::Nested(Value::List(items)) => {
            let convert = |item: &Value| convert::convert(Cell::of(Some(item)), kind);
            of_values(items.iter().flatten().filter_map(convert).collect())
        }
        cell => convert::convert(cell, kind),
    }
}

/// Returns the greatest or least of values of a type.
pub(super) fn extreme(values: impl Iterator<Item = Value>, kind: TypedKind, is_greatest: bool) -> Option<Value> {
    let compare = |a: &Value, b: &Value| order(a, b, kind);
    if is_greatest { values.max_by(compare) } else { values.min_by(compare) }
}

/// Returns the value of a function about several values.
pub(super) fn scalar(function: ListFunction, cells: &[Cell<'_>]) -> Option<Value> {
    use ListFunction as L;
    let mut values = values(cells[0]);
    match function {
        L::Count => Some(Value::Integer(values.len() as i64)),
        L::First => values.into_iter().next(),
        L::Last => values.pop(),
        L::Min => extreme(values.into_iter(), TypedKind::Double, false),
        L::Max => extreme(values.into_iter(), TypedKind::Double, true),
        L::MinText => extreme(values.into_iter(), TypedKind::Text, false),
        L::MaxText => extreme(values.into_iter(), TypedKind::Text, true),
        L::SumWhole(width) => {
            let whole = |value: &Value| if let Value::Integer(number) = value { Some(*number) } else { None };
            let sum = values.iter().map(whole).try_fold(0i64, |sum, number| sum.checked_add(number?));
            fitting(sum, width)
        }
        L::SumDecimal | L::Average | L::Median => {
            let numbers: Vec<f64> = values.iter().filter_map(|value| decimal(Cell::of(Some(value)))).collect();
            of_decimals(function, numbers).filter(|number| number.is_finite()).map(Value::Float)
        }
        L::Join => {
            let separator = cells.get(1)?.text()?;
            let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
            let n_bytes = texts.iter().fold(0usize, |n, text| n.saturating_add(text.len() + separator.len()));
            (n_bytes <= TEXT_BYTES_MAX).then(|| Value::text(texts.join(&separator)))
        }
        L::Distinct => {
            let mut seen = BTreeSet::new();
            values.retain(|value| seen.insert(RankedValue(value.clone())));
            of_values(values)
        }
        L::Sort | L::SortDescending => {
            let is_text = values.iter().all(|value| matches!(value, Value::String(_)));
            let kind = if is_text { TypedKind::Text } else { TypedKind::Double };
            values.sort_by(|a, b| order(a, b, kind));
            if function == L::SortDescending {
                values.reverse();
            }
            of_values(values)
        }
        L::Slice => slice(values, cells),
        L::Append => {
            values.extend(self::values(*cells.get(1)?));
            of_values(values)
        }
        L::Contains => {
            let wanted = self::values(*cells.get(1)?);
            if let [wanted] = &wanted[..] {
                return Some(Value::Boolean(values.contains(wanted)));
            }
            let values: BTreeSet<RankedValue> = values.into_iter().map(RankedValue).collect();
            Some(Value::Boolean(wanted.into_iter().all(|value| values.contains(&RankedValue(value)))))
        }
    }
}

fn of_decimals(function: ListFunction, mut numbers: Vec<f64>) -> Option<f64> {
    if numbers.is_empty() {
        return None;
    }
    let n = numbers.len();
    let sum: f64 = numbers.iter().sum();
    Some(match function {
        ListFunction::SumDecimal => sum,
        ListFunction::Average => sum / n as f64,
        _ => {
            numbers.sort_by(f64::total_cmp);
            f64::midpoint(numbers[(n - 1) / 2], numbers[n / 2])
        }
    })
}

fn slice(values: Vec<Value>, cells: &[Cell<'_>]) -> Option<Value> {
    let n = values.len() as i64;
    let place = |cell: Option<&Cell<'_>>| match cell {
        Some(Cell::Integer(place)) if *place < 0 => Some(n + place),
        Some(Cell::Integer(place)) => Some(*place),
        _ => None,
    };
    let start = place(cells.get(1))?;
    let end = if cells.len() > 2 { place(cells.get(2))? } else { start };
    let (from, to) = (start.max(0), end.min(n - 1));
    if start >= n || end < 0 || from > to {
        return None;
    }
    of_values(values.into_iter().skip(from as usize).take((to - from + 1) as usize).collect())
}

#[cfg(test)]
mod tests;
