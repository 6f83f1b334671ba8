//! System fields: which stored fields are not the sender's, and columns that are computed from other fields.

use crate::run::RunInfo;
use crate::{Column, EventId, Timestamp, Value};

/// System fields that can be asked of every event.
pub const SYSTEM_FIELDS: [&str; 8] =
    ["@level", "@message", "@timestamp", "@ingestionTime", "@log", "@logStream", "@id", "@ptr"];

/// System fields that only some events have: they are stored among the sender's fields. `web/src/event.ts` names them, too.
pub const RARE_SYSTEM_FIELDS: [&str; 9] = [
    "@rest", "@fieldsDropped", "@part", "@partOf", "@encoding", "@timestampRejected", "@timestampZone", "@group",
    "@loki",
];

/// Reports whether no sender can give a field of this name.
pub fn is_reserved(name: &str) -> bool {
    name == "@any" || SYSTEM_FIELDS.contains(&name) || RARE_SYSTEM_FIELDS.contains(&name)
}

/// Tells whether a field that is stored among the sender's is one of them, so that `@any` stands for it.
pub fn is_sent(name: &str) -> bool {
    name != "@logStream" && !RARE_SYSTEM_FIELDS.contains(&name)
}

/// Tells whether all events have their message from the key `name`, and nothing else under that name.
pub fn is_text_key(origins: &[crate::Origin], is_stored: bool, name: &str) -> bool {
    !is_stored && !origins.is_empty() && origins.iter().all(|origin| origin.text_key.as_deref() == Some(name))
}

/// `@id` of rows given by time and sequence.
pub fn id_column(info: &RunInfo, rows: impl Iterator<Item = (i64, u64)>) -> Column {
    let id =
        |(timestamp, sequence)| EventId { group_id: info.group_id, timestamp: Timestamp(timestamp), sequence }.encode();
    let mut values = crate::Strings::default();
    rows.map(id).for_each(|text| values.push(&text));
    Column::Strings { values, present: None }
}

/// `@partOf` of rows given by time and sequence, and by `@part`: the `@id` of the first part.
///
/// Parts of one text have one time and are accepted one after the other, so that nothing need be stored for it.
pub fn part_of_column(info: &RunInfo, rows: impl Iterator<Item = (i64, u64)>, parts: &Column) -> Column {
    let first_id = |(row, (timestamp, sequence)): (usize, (i64, u64))| match parts.value(row)? {
        Value::Integer(part) => {
            let before = u64::try_from(part).ok()?.checked_sub(1)?;
            let sequence = sequence.checked_sub(before)?;
            let id = EventId { group_id: info.group_id, timestamp: Timestamp(timestamp), sequence };
            Some(Value::text(id.encode()))
        }
        _ => None,
    };
    Column::of_values(rows.enumerate().map(first_id).collect())
}

#[cfg(test)]
mod tests;
