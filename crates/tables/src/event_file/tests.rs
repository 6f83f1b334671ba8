//! What a reader of Parquet finds in a file of events.

use std::collections::BTreeMap;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use types::{Timestamp, Value};

use super::{BLOCK_ROWS, EventFile};

fn event(nanos: i64, fields: &[(&str, Value)]) -> Vec<(String, Value)> {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    fields.chain([("@timestamp".to_owned(), Value::Timestamp(Timestamp(nanos)))]).collect()
}

/// The rows of a file, without the columns that are null.
fn rows(events: EventFile) -> Vec<BTreeMap<String, String>> {
    let file = events.write(tempfile::tempfile().expect("a scratch file")).expect("it is writable");
    let reader = SerializedFileReader::new(file).expect("a Parquet file");
    let row = |row: Row| {
        let columns = row.get_column_iter().filter(|(_, value)| !matches!(value, Field::Null));
        columns.map(|(name, value)| (name.clone(), value.to_string())).collect()
    };
    reader.get_row_iter(None).expect("rows").map(|found| row(found.expect("a row"))).collect()
}

#[test]
fn values_of_several_types_have_columns_of_their_own() {
    let beyond = (1_i64 << 53) + 1;
    let values = [Value::Integer(1), Value::Float(1.5), Value::text("one"), Value::Integer(beyond)];
    let mut events = EventFile::default();
    (0..4).for_each(|n| events.push(event(n * 1_001, &[("took", values[n as usize].clone())])));
    let found = rows(events);
    let column = |name: &str| found.iter().map(|row| row.get(name).map_or("", |value| value)).collect::<Vec<_>>();
    assert_eq!(column("took"), ["1.0", "1.5", "", ""]);
    assert_eq!(column("took_string"), ["", "", "\"one\"", ""]);
    assert_eq!(column("took_long"), ["", "", "", &*beyond.to_string()]);
    assert_eq!(column("_nanos"), ["0", "1", "2", "3"]);
}

#[test]
fn fields_that_come_late_are_missing_before() {
    let mut events = EventFile::default();
    let n_rows = 2 * BLOCK_ROWS + 1;
    for n in 0..n_rows {
        let fields = [("n", Value::Integer(n as i64)), ("last", Value::Boolean(true))];
        events.push(event(0, &fields[..if n + 1 == n_rows { 2 } else { 1 }]));
    }
    let found = rows(events);
    assert!(found.iter().enumerate().all(|(n, row)| row["n"] == n.to_string()), "in their order");
    assert_eq!(found.iter().position(|row| row.contains_key("last")), Some(n_rows - 1));
}
