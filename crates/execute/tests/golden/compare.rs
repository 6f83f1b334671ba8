//! Compares answers with what cases expect.

use execute::Answer;
use plan::QueryErrors;
use serde_json::Value as Json;
use types::{Timestamp, Value};

/// Tells whether a value is the one expected.
fn is_same(value: Option<&Value>, expected: &Json) -> bool {
    match (value, expected) {
        (None, Json::Null) => true,
        (Some(Value::String(text)), Json::String(expected)) => **text == **expected,
        (Some(Value::Timestamp(time)), Json::String(expected)) => Timestamp::parse_rfc3339(expected) == Some(*time),
        (Some(Value::Boolean(truth)), Json::Bool(expected)) => truth == expected,
        (Some(Value::Integer(number)), Json::Number(expected)) => match expected.as_i64() {
            Some(expected) => *number == expected,
            None => is_near(*number as f64, expected.as_f64()),
        },
        (Some(Value::Float(number)), Json::Number(expected)) => is_near(*number, expected.as_f64()),
        (Some(Value::List(items)), Json::Array(expected)) => {
            items.len() == expected.len() && items.iter().zip(expected).all(|(item, e)| is_same(item.as_ref(), e))
        }
        (Some(Value::Object(members)), Json::Object(expected)) => {
            members.len() == expected.len()
                && members.iter().all(|(name, v)| expected.get(&**name).is_some_and(|e| is_same(v.as_ref(), e)))
        }
        _ => false,
    }
}

fn is_near(number: f64, expected: Option<f64>) -> bool {
    expected.is_some_and(|expected| (number - expected).abs() <= 1e-9 * expected.abs().max(number.abs()))
}

fn shown(row: &[Option<Value>]) -> String {
    let mut text = String::from("[");
    for (index, value) in row.iter().enumerate() {
        text.push_str(if index > 0 { ", " } else { "" });
        match value {
            Some(value) => value.write_json(&mut text),
            None => text.push_str("null"),
        }
    }
    text + "]"
}

/// Compares columns and rows.
pub(crate) fn answer(answer: &Answer, columns: &[String], rows: &[Vec<Json>], any_order: bool) -> Result<(), String> {
    let shown_columns: Vec<usize> = (0..answer.columns.len())
        .filter(|index| answer.columns[*index].name != "@id" || columns.iter().any(|column| column == "@id"))
        .collect();
    let names: Vec<&str> = shown_columns.iter().map(|index| answer.columns[*index].name.as_str()).collect();
    if names != columns {
        return Err(format!("columns {names:?}, not {columns:?}"));
    }
    let found: Vec<Vec<Option<Value>>> =
        answer.rows.iter().map(|row| shown_columns.iter().map(|index| row[*index].clone()).collect()).collect();
    let is_row = |row: &[Option<Value>], expected: &[Json]| {
        row.len() == expected.len() && row.iter().zip(expected).all(|(value, e)| is_same(value.as_ref(), e))
    };
    let is_equal = if any_order {
        let mut open: Vec<&Vec<Json>> = rows.iter().collect();
        found.len() == rows.len()
            && found.iter().all(|row| match open.iter().position(|expected| is_row(row, expected)) {
                Some(place) => {
                    open.swap_remove(place);
                    true
                }
                None => false,
            })
    } else {
        found.len() == rows.len() && found.iter().zip(rows).all(|(row, expected)| is_row(row, expected))
    };
    if is_equal {
        return Ok(());
    }
    let found: Vec<String> = found.iter().map(|row| shown(row)).collect();
    let expected: Vec<String> = rows.iter().map(|row| Json::Array(row.clone()).to_string()).collect();
    Err(format!("rows {}\n    expected {}", found.join(" "), expected.join(" ")))
}

/// Looks for the texts that warnings must contain.
pub(crate) fn warnings(answer: &Answer, expected: &[String]) -> Result<(), String> {
    let said: Vec<String> = answer
        .warnings
        .iter()
        .map(|w| format!("{} {}", w.message, w.hint.as_deref().unwrap_or("")).to_lowercase())
        .collect();
    let silent = expected.iter().find(|text| !said.iter().any(|said| said.contains(text.as_str())));
    silent.map_or(Ok(()), |text| Err(format!("no warning says \"{text}\": {said:?}")))
}

/// Compares the place and text of a refusal.
pub(crate) fn error(place: &str, text: &str, errors: &QueryErrors) -> Result<(), String> {
    let (line, column) = place.split_once(':').expect("a place is line:column");
    let is_at = |found: usize, expected: &str| expected == "*" || found.to_string() == expected;
    let says = |error: &plan::QueryError| {
        let said = format!("{} {}", error.message, error.hint.as_deref().unwrap_or("")).to_lowercase();
        said.contains(&text.to_lowercase())
    };
    if errors.0.iter().any(|error| is_at(error.line, line) && is_at(error.column, column) && says(error)) {
        return Ok(());
    }
    let found: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
    Err(format!("refused at {}, not at {place} {text}", found.join("; ")))
}
