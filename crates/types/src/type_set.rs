//! Types of the values of a field, as a set.

use crate::{Column, RowSet, Value};

/// Types that a field has had, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeSet(pub u8);

impl TypeSet {
    const NAMES: [&'static str; 7] = ["string", "integer", "float", "boolean", "timestamp", "list", "object"];

    /// Adds the type of `value`.
    pub fn insert(&mut self, value: &Value) {
        self.0 |= 1
            << match value {
                Value::String(_) => 0,
                Value::Integer(_) => 1,
                Value::Float(_) => 2,
                Value::Boolean(_) => 3,
                Value::Timestamp(_) => 4,
                Value::List(_) => 5,
                Value::Object(_) => 6,
            };
    }

    /// Adds all types that occur in `column`.
    pub fn insert_column(&mut self, column: &Column) {
        match column {
            Column::Missing { .. } => {}
            Column::Timestamps(_) => self.0 |= 1 << 4,
            Column::Strings { .. } => self.0 |= 1,
            Column::Integers { .. } => self.0 |= 1 << 1,
            Column::Floats { values, integers, .. } => {
                let n_integers = integers.as_ref().map_or(0, RowSet::count);
                self.0 |= if n_integers > 0 { 1 << 1 } else { 0 };
                self.0 |= if n_integers < values.len() { 1 << 2 } else { 0 };
            }
            Column::Dictionary { values, .. } => values.iter().for_each(|value| self.insert(value)),
            Column::Mixed(values) => values.iter().flatten().for_each(|value| self.insert(value)),
        }
    }

    /// Adds all types of `other`.
    pub fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Names of the types, most usual first.
    pub fn names(self) -> Vec<&'static str> {
        Self::NAMES.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| *name).collect()
    }
}
