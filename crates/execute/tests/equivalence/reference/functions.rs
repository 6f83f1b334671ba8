//! Expressions over one row.

use std::cmp::Ordering;

use types::{Timestamp, Value};

use super::values::{Number, compare, number, severity};
use super::{Cell, Row};
use crate::syntax::Expr;

/// The value of an expression.
pub(crate) fn evaluate(expr: &Expr, row: &Row<'_>) -> Cell {
    match expr {
        Expr::Literal(value) => value.clone(),
        Expr::Field(name) => row.field(name),
        Expr::Negate(inner) => arithmetic("-", Some(Number::Whole(0)), number(&evaluate(inner, row))),
        Expr::Arithmetic(operator, a, b) => arithmetic(operator, number(&evaluate(a, row)), number(&evaluate(b, row))),
        Expr::Call(function, arguments) => call(function, arguments, row),
        Expr::Bin(_, length) => match row.field("@timestamp") {
            Some(Value::Timestamp(time)) => Some(Value::Timestamp(Timestamp(time.0 - time.0.rem_euclid(*length)))),
            _ => None,
        },
        condition => Some(Value::Boolean(holds(condition, row))),
    }
}

/// Tells whether an expression is true as a condition.
pub(crate) fn is_true(expr: &Expr, row: &Row<'_>) -> bool {
    evaluate(expr, row) == Some(Value::Boolean(true))
}

fn is_field(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Field(field) if field == name)
}

/// The values that a condition is asked of: for `@any` every text or number of the event in turn.
fn candidates(expr: &Expr, row: &Row<'_>) -> Vec<Cell> {
    if !is_field(expr, "@any") {
        return vec![evaluate(expr, row)];
    }
    let mut values = Vec::new();
    if let Some(event) = row.event {
        values.push(Some(Value::text(event.message.as_str())));
        event.fields.values().for_each(|value| collect(value, &mut values));
    }
    values
}

fn collect(value: &Value, into: &mut Vec<Cell>) {
    match value {
        Value::String(_) | Value::Integer(_) | Value::Float(_) => into.push(Some(value.clone())),
        Value::List(items) => items.iter().flatten().for_each(|item| collect(item, into)),
        Value::Object(members) => members.iter().for_each(|(_, member)| {
            member.iter().for_each(|member| collect(member, into));
        }),
        _ => {}
    }
}

fn holds(condition: &Expr, row: &Row<'_>) -> bool {
    let text = |cell: &Cell| cell.as_ref().map(ToString::to_string);
    match condition {
        Expr::Not(inner) => !is_true(inner, row),
        Expr::And(a, b) => is_true(a, row) && is_true(b, row),
        Expr::Or(a, b) => is_true(a, row) || is_true(b, row),
        Expr::Compare("!=", a, b) => !holds(&Expr::Compare("=", a.clone(), b.clone()), row),
        Expr::Compare(operator, a, b) => {
            let other = evaluate(b, row);
            let is_level = is_field(a, "@level");
            candidates(a, row).iter().any(|value| compares(operator, value, &other, is_level))
        }
        Expr::Like { value, text: part, negated } => {
            let found = candidates(value, row).iter().any(|value| text(value).is_some_and(|text| text.contains(part)));
            found != *negated
        }
        Expr::Matches { value, regex, negated } => {
            let regex = regex::Regex::new(&regex.replace("\\/", "/")).expect("a valid expression");
            let found =
                candidates(value, row).iter().any(|value| text(value).is_some_and(|text| regex.is_match(&text)));
            found != *negated
        }
        Expr::In { value, items, negated } => {
            let is_level = is_field(value, "@level");
            let items: Vec<Cell> = items.iter().map(|item| evaluate(item, row)).collect();
            let found = candidates(value, row)
                .iter()
                .any(|value| items.iter().any(|item| compares("=", value, item, is_level)));
            found != *negated
        }
        Expr::Between { value, low, high, negated } => {
            let (low, high) = (evaluate(low, row), evaluate(high, row));
            let is_level = is_field(value, "@level");
            let found = candidates(value, row)
                .iter()
                .any(|value| compares(">=", value, &low, is_level) && compares("<=", value, &high, is_level));
            found != *negated
        }
        _ => false,
    }
}

/// Whether `=` holds.
pub(super) fn equals(a: &Cell, b: &Cell, is_level: bool) -> bool {
    compares("=", a, b, is_level)
}

fn compares(operator: &str, a: &Cell, b: &Cell, is_level: bool) -> bool {
    let level = |cell: &Cell| match cell {
        Some(Value::String(text)) => severity(text),
        Some(Value::Integer(number)) => severity(&number.to_string()),
        _ => None,
    };
    let order = match (is_level, level(a), level(b)) {
        (true, Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => compare(a, b),
    };
    match (operator, order) {
        (_, None) => false,
        ("=", Some(order)) => order == Ordering::Equal,
        ("<", Some(order)) => order == Ordering::Less,
        (">", Some(order)) => order == Ordering::Greater,
        ("<=", Some(order)) => order != Ordering::Greater,
        (">=", Some(order)) => order != Ordering::Less,
        (other, _) => panic!("no operator: {other}"),
    }
}

/// Whole numbers stay exact where the result is one that 64 bits hold.
fn arithmetic(operator: &str, a: Option<Number>, b: Option<Number>) -> Cell {
    let (a, b) = (a?, b?);
    let small = |number| match number {
        Number::Whole(number) => i64::try_from(number).ok(),
        Number::Decimal(_) => None,
    };
    if let (Some(x), Some(y)) = (small(a), small(b)) {
        if y == 0 && matches!(operator, "/" | "%") {
            return None;
        }
        let exact = match operator {
            "+" => x.checked_add(y),
            "-" => x.checked_sub(y),
            "*" => x.checked_mul(y),
            "/" if x.checked_rem(y) == Some(0) => x.checked_div(y),
            "%" => Some(x.checked_rem(y).unwrap_or(0)),
            "^" => u32::try_from(y).ok().and_then(|y| x.checked_pow(y)),
            _ => None,
        };
        if let Some(exact) = exact {
            return Some(Value::Integer(exact));
        }
    }
    let (x, y) = (a.decimal(), b.decimal());
    let result = match operator {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" => x / y,
        "%" => x % y,
        _ => x.powf(y),
    };
    Number::Decimal(result).value()
}

fn call(function: &str, arguments: &[Expr], row: &Row<'_>) -> Cell {
    match function {
        "if" | "case" => {
            let mut rest = arguments;
            while let [condition, value, others @ ..] = rest {
                if is_true(condition, row) {
                    return evaluate(value, row);
                }
                rest = others;
            }
            return rest.first().and_then(|otherwise| evaluate(otherwise, row));
        }
        _ => {}
    }
    let values: Vec<Cell> = arguments.iter().map(|argument| evaluate(argument, row)).collect();
    let text = |index: usize| values.get(index)?.as_ref().map(ToString::to_string);
    match function {
        "coalesce" => return values.into_iter().flatten().next(),
        "ispresent" => return Some(Value::Boolean(values[0].is_some())),
        "isempty" => return Some(Value::Boolean(text(0).is_none_or(|text| text.is_empty()))),
        "isblank" => return Some(Value::Boolean(text(0).is_none_or(|text| text.trim().is_empty()))),
        _ => {}
    }
    if values.iter().any(Option::is_none) {
        return None;
    }
    let first = text(0)?;
    let count = |index: usize| number(&values[index]).map(|number| number.decimal() as usize);
    Some(match function {
        "concat" => Value::text((0..values.len()).filter_map(text).collect::<String>()),
        "strlen" => Value::Integer(first.chars().count() as i64),
        "toupper" => Value::text(first.to_uppercase()),
        "tolower" => Value::text(first.to_lowercase()),
        "trim" => Value::text(first.trim()),
        "tostring" => Value::text(first),
        "substr" => Value::text(first.chars().skip(count(1)?).take(count(2)?).collect::<String>()),
        "replace" => Value::text(first.replace(&text(1)?, &text(2)?)),
        "strcontains" => Value::Boolean(first.contains(&text(1)?)),
        "startswith" => Value::Boolean(first.starts_with(&text(1)?)),
        "endswith" => Value::Boolean(first.ends_with(&text(1)?)),
        numeric => return of_number(numeric, number(&values[0])?),
    })
}

fn of_number(function: &str, argument: Number) -> Cell {
    let rounded = |round: fn(f64) -> f64| match argument {
        Number::Whole(number) => Number::Whole(number),
        Number::Decimal(number) if round(number).abs() < 9.2e18 => Number::Whole(round(number) as i128),
        Number::Decimal(number) => Number::Decimal(round(number)),
    };
    let result = match function {
        "abs" => match argument {
            Number::Whole(number) => Number::Whole(number.saturating_abs()),
            Number::Decimal(number) => Number::Decimal(number.abs()),
        },
        "sign" => Number::Whole(match argument {
            Number::Whole(number) => number.signum(),
            Number::Decimal(0.0) => 0,
            Number::Decimal(number) => number.signum() as i128,
        }),
        "ceil" => rounded(f64::ceil),
        "floor" => rounded(f64::floor),
        "round" => rounded(f64::round),
        "toint" => rounded(f64::trunc),
        "tonumber" => argument,
        "sqrt" => Number::Decimal(argument.decimal().sqrt()),
        other => panic!("no function: {other}"),
    };
    result.value()
}
