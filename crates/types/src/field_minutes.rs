//! Events by minute and value of one field.

use crate::Value;

/// How many events of each minute have each value of a field, in a run that keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldMinutes {
    /// Minutes since the Unix epoch, ascending.
    pub minutes: Vec<i64>,
    /// The values of the field; `None` stands for events without it.
    pub values: Vec<Option<Value>>,
    /// Per value, the events of each minute.
    pub counts: Vec<Vec<u32>>,
}
