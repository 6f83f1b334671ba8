//! Tagged values: any value with its type, for segments and for the WAL.
//!
//! One tag byte and what belongs to it: 0 missing, 1 *text*, 2 zigzag integer, 3 `f64` bits, 4 false, 5 true, 6
//! zigzag time, 7 varint count and as many tagged values (a list), 8 varint count and as many *text*, tagged value
//! (an object).

use types::{Value, ensure};

use crate::bytes::{Cursor, Damage, Decoded};

/// Deepest nesting of a value that is stored and read back; what comes in is cut at 64 levels.
pub const NESTING_MAX: usize = 128;

/// Reports whether `value` is nested deeper than can be read back.
pub fn is_too_deep(value: &Value) -> bool {
    fn exceeds(value: &Value, levels_left: usize) -> bool {
        let within = |value: &Value| match levels_left.checked_sub(1) {
            Some(left) => exceeds(value, left),
            None => true,
        };
        match value {
            Value::List(items) => items.iter().flatten().any(within),
            Value::Object(members) => members.iter().filter_map(|(_, member)| member.as_ref()).any(within),
            _ => false,
        }
    }
    exceeds(value, NESTING_MAX)
}

/// Passes over what [`types::codec::put_value`] wrote.
pub(crate) fn skip_tagged(cursor: &mut Cursor<'_>) -> Decoded<()> {
    skip_nested(cursor, 0)
}

fn skip_nested(cursor: &mut Cursor<'_>, depth: usize) -> Decoded<()> {
    ensure!(depth <= NESTING_MAX, Damage("a value is nested too deeply"));
    match cursor.byte()? {
        0 | 4 | 5 => {}
        1 => {
            cursor.text()?;
        }
        2 | 6 => {
            cursor.zigzag()?;
        }
        3 => {
            cursor.take(8)?;
        }
        7 => {
            for _ in 0..cursor.count(1)? {
                skip_nested(cursor, depth + 1)?;
            }
        }
        8 => {
            for _ in 0..cursor.count(2)? {
                cursor.text()?;
                skip_nested(cursor, depth + 1)?;
            }
        }
        _ => return Err(Damage("unknown type of value")),
    }
    Ok(())
}
