//! Values as keys of groups.

use types::Value;

use crate::columns::cell::Cell;

/// Returns a value in the form in which groups, `dedup`, `count_distinct`, `values` tell values apart: `3.0` is `3`.
pub fn canonical(value: Value) -> Value {
    match value {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => Value::Integer(number as i64),
        other => other,
    }
}

/// A key that is equal for values that are one: type and canonical value.
pub fn write_key(cell: Cell<'_>, key: &mut Vec<u8>) {
    match cell {
        Cell::Missing => key.push(0),
        Cell::Text(text) => {
            key.push(1);
            key.extend_from_slice(&(text.len() as u64).to_le_bytes());
            key.extend_from_slice(text.as_bytes());
        }
        Cell::Integer(number) => {
            key.push(2);
            key.extend_from_slice(&number.to_le_bytes());
        }
        Cell::Float(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => {
            write_key(Cell::Integer(number as i64), key);
        }
        Cell::Float(number) => {
            key.push(3);
            key.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Cell::Boolean(truth) => key.extend_from_slice(&[4, u8::from(truth)]),
        Cell::Time(nanos) => {
            key.push(5);
            key.extend_from_slice(&nanos.to_le_bytes());
        }
        Cell::Nested(value) => {
            let mut json = String::new();
            value.write_json(&mut json);
            key.push(6);
            key.extend_from_slice(&(json.len() as u64).to_le_bytes());
            key.extend_from_slice(json.as_bytes());
        }
    }
}
