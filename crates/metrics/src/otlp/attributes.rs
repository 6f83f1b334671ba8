//! Attributes of OTLP as labels: names in Prometheus' alphabet, values as texts.
//!
//! ```text
//! attribute   key = 1   value = 2
//! value       text = 1   bool = 2   integer = 3   double = 4   list = 5 (value = 1*)   map = 6 (attribute = 1*)   bytes = 7
//! ```

use std::collections::BTreeMap;

use data_encoding::BASE64;
use ingest::protobuf::Content;
use ingest::{DecodeBudget, PAIR_BYTES, Result};
use serde_json::Value;

use super::body::{bad, message, text};
use super::name::label_name;

/// Attributes of one list, more than a series has labels. Two bytes can be one.
const ATTRIBUTES_MAX: usize = 10_000;

/// Nesting of values.
const DEPTH_MAX: usize = 32;

/// Adds key and value of an attribute to a list.
pub(super) fn push(attributes: &mut Vec<(String, String)>, bytes: &[u8], budget: &mut DecodeBudget) -> Result<()> {
    if attributes.len() >= ATTRIBUTES_MAX {
        return Err(bad(format!("a resource, point or exemplar has more than {ATTRIBUTES_MAX} attributes")));
    }
    let (key, value) = pair(bytes, 0, budget)?;
    attributes.push((key, label_value(&value)));
    Ok(())
}

/// Returns attributes as labels. Where several attributes become one label, it has all their values, in order of the
/// attributes' names.
///
/// # Errors
/// If the name of an attribute cannot be that of a label. Without its label, series that differ in it would become one.
pub(super) fn labels(mut attributes: Vec<(String, String)>) -> Result<BTreeMap<String, String>, String> {
    attributes.sort_unstable();
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in attributes {
        let name = label_name(&key)?;
        match labels.get_mut(&name) {
            Some(before) => before.extend([";", &value]),
            None => drop(labels.insert(name, value)),
        }
    }
    Ok(labels)
}

fn pair(bytes: &[u8], depth: usize, budget: &mut DecodeBudget) -> Result<(String, Value)> {
    budget.hold(PAIR_BYTES)?;
    let (mut key, mut value) = (String::new(), Value::Null);
    for field in message(bytes) {
        match field? {
            (1, Content::Bytes(bytes)) => key = text(bytes).into_owned(),
            (2, Content::Bytes(bytes)) => value = self::value(bytes, depth, budget)?,
            _ => {}
        }
    }
    Ok((key, value))
}

fn value(bytes: &[u8], depth: usize, budget: &mut DecodeBudget) -> Result<Value> {
    budget.hold(PAIR_BYTES)?;
    types::ensure!(depth <= DEPTH_MAX, bad(format!("an attribute is nested more than {DEPTH_MAX} times")));
    let mut value = Value::Null;
    for field in message(bytes) {
        value = match field? {
            (1, Content::Bytes(bytes)) => text(bytes).into(),
            (2, Content::Number(flag)) => (flag != 0).into(),
            (3, Content::Number(number)) => number.cast_signed().into(),
            (4, Content::Fixed64(bits)) => number(f64::from_bits(bits)),
            (5, Content::Bytes(list)) => {
                let values = message(list).filter_map(|field| match field {
                    Ok((1, Content::Bytes(bytes))) => Some(self::value(bytes, depth + 1, budget)),
                    Ok(_) => None,
                    Err(error) => Some(Err(error)),
                });
                Value::Array(values.collect::<Result<_, _>>()?)
            }
            (6, Content::Bytes(map)) => {
                let pairs = message(map).filter_map(|field| match field {
                    Ok((1, Content::Bytes(bytes))) => Some(pair(bytes, depth + 1, budget)),
                    Ok(_) => None,
                    Err(error) => Some(Err(error)),
                });
                Value::Object(pairs.collect::<Result<_, _>>()?)
            }
            (7, Content::Bytes(bytes)) => BASE64.encode(bytes).into(),
            _ => value,
        };
    }
    Ok(value)
}

/// Returns a number as JSON; one that JSON does not have is a text.
fn number(number: f64) -> Value {
    serde_json::Number::from_f64(number).map_or_else(|| double_text(number).into(), Value::Number)
}

/// Returns the text of a value: a text as it is, lists and maps as JSON.
fn label_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => {
            let mut text = String::new();
            push_json(other, &mut text);
            text
        }
    }
}

/// Appends JSON whose doubles are as [`double_text`] writes them.
fn push_json(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(number) => out.push_str(&double_text(number)),
            None => out.push_str(&number.to_string()),
        },
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                push_json(value, out);
            }
            out.push(']');
        }
        Value::Object(pairs) => {
            out.push('{');
            for (index, (key, value)) in pairs.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                push_json(value, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Returns a double as Prometheus' receiver writes numbers in JSON: without a point where there is no fraction,
/// with an exponent where it is very large or small.
fn double_text(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    match number.abs() {
        0.0 | 1e-6..1e21 => number.to_string(),
        large if large >= 1e21 => format!("{number:e}").replace('e', "e+"),
        _ => format!("{number:e}"),
    }
}

/// Returns a number as Prometheus writes bounds of buckets and quantiles: without an exponent.
pub(super) fn number_text(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    number.to_string()
}

#[cfg(test)]
mod tests;
