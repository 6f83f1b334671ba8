//! The functions of values, row by row, in families.
//!
//! A function of a missing argument is missing; the few that are not are distinguished in [`scalar`]. Texts that
//! functions make are bounded, each and all of a column together: a query cannot ask for memory without limit.

mod columns;
mod encoding;
mod json;
mod labels;
mod network;
mod numbers;
mod output;
mod text;
mod time;
mod typed;

use std::sync::Arc;

use plan::address::address_key;
use plan::function::{level_of_key, severity_key};
use plan::{Expr, Function, Length};
use types::{Column, RowSet, Value};

use crate::columns::cell;
use crate::columns::cell::Cell;
use crate::columns::frame::{Frame, booleans};
use crate::columns::stop::Result;
use crate::expressions::environment::Environment;
use crate::expressions::functions::output::{FunctionOutput, filled, rows};

pub use json::{parse as parse_json, select as select_json};

/// Returns the values of a call. Columns that were computed only for it give their memory back.
pub fn call(function: Function, arguments: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<Arc<Column>> {
    let n_leases = frame.n_leases();
    let (column, lease) = called(function, arguments, frame, env)?;
    frame.end_leases(n_leases);
    if let Some(lease) = lease {
        frame.add_lease(lease);
    }
    Ok(column)
}

fn called(function: Function, arguments: &[Expr], frame: &mut Frame<'_>, env: &Environment) -> Result<FunctionOutput> {
    match (function, arguments) {
        (Function::IsPresent, [value]) => Ok((Arc::new(booleans(&env.evaluate(value, frame)?.presence())), None)),
        (Function::HasValue | Function::IfDate, _) => {
            let condition = Expr::Call(function, arguments.to_vec());
            Ok((Arc::new(booleans(&env.truth(&condition, frame)?)), None))
        }
        (Function::If, [condition, then]) => choose(&[(condition, then)], None, frame, env),
        (Function::If, [condition, then, otherwise]) => choose(&[(condition, then)], Some(otherwise), frame, env),
        (Function::Case, arguments) => {
            let (pairs, otherwise) = arguments.as_chunks::<2>();
            let pairs: Vec<(&Expr, &Expr)> = pairs.iter().map(|[condition, value]| (condition, value)).collect();
            choose(&pairs, otherwise.first(), frame, env)
        }
        (Function::DateFloor | Function::DateCeil, [value, Expr::Duration(span)]) => {
            let times = env.evaluate(value, frame)?;
            Ok((Arc::new(time::round_rows(function, &times, *span, env.time_zone)), None))
        }
        (Function::Later, [value, Expr::Duration(span)]) => {
            let times = env.evaluate(value, frame)?;
            Ok((Arc::new(time::later_rows(&times, *span, env.time_zone)), None))
        }
        (Function::TimeBucket, [value, origin, Expr::Duration(Length::Nanoseconds(length))]) => {
            let (times, origins) = (env.evaluate(value, frame)?, env.evaluate(origin, frame)?);
            Ok((Arc::new(time::bucket_rows(&times, &origins, *length)), None))
        }
        (
            Function::WallBucket,
            [value, Expr::Literal(Some(Value::Timestamp(origin))), Expr::Duration(Length::Nanoseconds(length))],
        ) => {
            let times = env.evaluate(value, frame)?;
            Ok((Arc::new(time::wall_bucket_rows(&times, origin.0, *length, env.time_zone)), None))
        }
        (Function::RegexpExtract, [value, Expr::Regex(regex)]) => {
            let texts = env.evaluate(value, frame)?;
            rows(frame.n_rows(), env, |row| text::extract(&Cell::at(&texts, row).text()?, regex))
        }
        (Function::RegexpReplace, [value, Expr::Regex(regex), with]) => {
            let (texts, with) = (env.evaluate(value, frame)?, env.evaluate(with, frame)?);
            rows(frame.n_rows(), env, |row| {
                text::replace_matches(&Cell::at(&texts, row).text()?, regex, &Cell::at(&with, row).text()?)
            })
        }
        (Function::Labels(function), arguments) => labels::call(function, arguments, frame, env),
        (Function::Template, [Expr::Template(template), values @ ..]) => {
            let columns: Vec<Arc<Column>> =
                values.iter().map(|value| env.evaluate(value, frame)).collect::<Result<_>>()?;
            rows(frame.n_rows(), env, |row| filled(template, &columns, row, env.now).ok().map(Value::text))
        }
        (function, arguments) => {
            let columns: Vec<Arc<Column>> =
                arguments.iter().map(|argument| env.evaluate(argument, frame)).collect::<Result<_>>()?;
            let mut cells = vec![Cell::Missing; columns.len()];
            rows(frame.n_rows(), env, |row| {
                cells.iter_mut().zip(&columns).for_each(|(cell, column)| *cell = Cell::at(column, row));
                scalar(function, &cells, env)
            })
        }
    }
}

/// Returns the value after the first true condition.
fn choose(
    pairs: &[(&Expr, &Expr)],
    otherwise: Option<&Expr>,
    frame: &mut Frame<'_>,
    env: &Environment,
) -> Result<FunctionOutput> {
    let conditions: Vec<RowSet> =
        pairs.iter().map(|(condition, _)| env.truth(condition, frame)).collect::<Result<_>>()?;
    let values: Vec<Arc<Column>> = pairs.iter().map(|(_, value)| env.evaluate(value, frame)).collect::<Result<_>>()?;
    let otherwise = match otherwise {
        Some(value) => env.evaluate(value, frame)?,
        None => Arc::new(Column::Missing { n_rows: frame.n_rows() }),
    };
    rows(frame.n_rows(), env, |row| {
        let chosen = conditions.iter().position(|condition| condition.contains(row));
        chosen.map_or(&otherwise, |chosen| &values[chosen]).value(row)
    })
}

/// Returns the value of a function of one row's values.
fn scalar(function: Function, cells: &[Cell<'_>], env: &Environment) -> Option<Value> {
    match function {
        Function::Coalesce => return cells.iter().find(|cell| cell.is_present()).and_then(|cell| cell.to_value()),
        Function::IsEmpty => return Some(Value::Boolean(cells[0].text().is_none_or(|text| text.is_empty()))),
        Function::IsBlank => return Some(Value::Boolean(cells[0].text().is_none_or(|text| text.trim().is_empty()))),
        Function::Now => return Some(Value::Integer(env.now.0.div_euclid(1_000_000_000))),
        _ => {}
    }
    if cells.is_empty() || cells.iter().any(|cell| !cell.is_present()) {
        return None;
    }
    use Function as F;
    match function {
        F::Unmask => cells[0].to_value(),
        F::Greatest => extreme(cells, std::cmp::Ordering::Greater),
        F::Least => extreme(cells, std::cmp::Ordering::Less),
        F::Abs | F::Ceil | F::Floor | F::Round | F::Sqrt | F::Pow | F::Sign => numbers::scalar(function, cells),
        F::Log | F::Log2 | F::Log10 | F::Exp | F::ToNumber | F::ToInteger => numbers::scalar(function, cells),
        F::ParseDuration | F::ParseBytes | F::FormatDuration | F::FormatBytes => numbers::scalar(function, cells),
        F::Concat | F::TrimStart | F::TrimEnd | F::Trim | F::TextLength | F::ByteLength | F::Masked => {
            text::scalar(function, cells)
        }
        F::ToUpper | F::ToLower | F::Substring | F::Replace | F::Contains => text::scalar(function, cells),
        F::Position | F::StartsWith | F::EndsWith | F::ToString | F::Split => text::scalar(function, cells),
        F::Measure => time::measure(cells[0]),
        F::Typed(function) => typed::scalar(function, cells),
        F::AddressKey => Some(Value::text(address_key(cells[0].text()?.trim().parse().ok()?))),
        F::DateMillis => time::date_millis(cells[0]),
        F::LeastOfList => extreme_of_list(cells[0].to_value()?, std::cmp::Ordering::Less),
        F::GreatestOfList => extreme_of_list(cells[0].to_value()?, std::cmp::Ordering::Greater),
        F::WordList => Some(text::word_list(&cells[0].text()?)),
        F::FromMillis | F::ToMillis | F::Hour | F::Weekday => time::scalar(function, cells, env.time_zone),
        F::FormatDate | F::ParseDate => time::scalar(function, cells, env.time_zone),
        F::JsonParse => json::parse(&cells[0].text()?),
        F::JsonStringify | F::ArrayLength => json::scalar(function, cells[0]),
        F::Severity => match cell::severity(cells[0]) {
            Some(level) => Some(severity_key(level)),
            None => cells[0].to_value(),
        },
        F::LevelName => cells[0].to_value().map(level_name),
        F::IsJsonNull => Some(Value::Boolean(json::is_null(&cells[0].text()?, &cells[1].text()?))),
        F::Columns | F::ColumnsFromEnd => Some(columns::list(&cells[0].text()?, function == F::ColumnsFromEnd)),
        F::IsValidIp | F::IsValidIpV4 | F::IsValidIpV6 => network::scalar(function, cells),
        F::IsIpInSubnet | F::IsIpV4InSubnet | F::IsIpV6InSubnet => network::scalar(function, cells),
        F::HoldsAddress => Some(Value::Boolean(network::holds_address(&cells[0].text()?, &cells[1].text()?))),
        F::UrlDecode | F::Base64Decode | F::Md5 | F::Sha256 => encoding::scalar(function, &cells[0].text()?),
        // Those that `call` and the lines above have answered; without the arguments the checker demands, missing.
        F::Coalesce | F::IsEmpty | F::IsBlank | F::Now | F::IsPresent | F::If | F::Case => None,
        F::Each | F::JsonSelected | F::HasValue | F::IfDate | F::Labels(_) | F::Template => None,
        F::DateFloor | F::DateCeil | F::TimeBucket | F::WallBucket | F::Later | F::RegexpExtract | F::RegexpReplace => {
            None
        }
    }
}

/// Returns the name of a severity that [`Function::Severity`] gave.
fn level_name(value: Value) -> Value {
    match value {
        Value::String(key) => match level_of_key(&key) {
            Some(level) => Value::text(level.name()),
            None => Value::String(key),
        },
        Value::List(items) => Value::List(Arc::new(items.iter().cloned().map(|item| item.map(level_name)).collect())),
        other => other,
    }
}

/// Returns the least or greatest of the values of a list, as they are sorted.
fn extreme_of_list(value: Value, wanted: std::cmp::Ordering) -> Option<Value> {
    let Value::List(items) = &value else { return Some(value) };
    let mut best: Option<&Value> = None;
    for item in items.iter().flatten() {
        let is_better = |best: &Value| cell::sort_order(Cell::of(Some(item)), Cell::of(Some(best))) == wanted;
        if best.is_none_or(is_better) {
            best = Some(item);
        }
    }
    best.cloned()
}

fn extreme(cells: &[Cell<'_>], wanted: std::cmp::Ordering) -> Option<Value> {
    let mut best = *cells.first()?;
    for cell in &cells[1..] {
        if cell::compare(*cell, best).order == Some(wanted) {
            best = *cell;
        }
    }
    best.to_value()
}
