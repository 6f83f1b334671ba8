//! How fields become columns.

use super::*;

fn field(name: &str, types: u8, n_events: u64) -> FieldSummary {
    FieldSummary { name: name.into(), types: TypeSet(types), n_events }
}

const STRING: u8 = 1;
const INTEGER: u8 = 2;
const FLOAT: u8 = 4;

#[test]
fn the_first_type_has_the_plain_name_and_columns_stay() {
    let mut schema = TableSchema::default();
    assert!(schema.add(&[field("a", INTEGER, 1), field("b", INTEGER | FLOAT, 9)]));
    assert!(!schema.add(&[field("a", INTEGER, 5)]));
    assert!(schema.add(&[field("a", FLOAT | STRING, 5), field("B", STRING, 1), field("1st", STRING, 1)]));
    let fields: Vec<(i32, &str, Kind)> =
        schema.columns[OF_EVENTS.len()..].iter().map(|column| (column.id, &*column.name, column.kind)).collect();
    let wanted = [
        (100, "b", Kind::Double),
        (101, "a", Kind::Long),
        (102, "a_double", Kind::Double),
        (103, "a_string", Kind::String),
        (104, "f_1st", Kind::String),
        (105, "B_2", Kind::String),
    ];
    assert_eq!(fields, wanted);
    let described = schema.to_json(3);
    assert_eq!(
        described["fields"][0],
        json!({"id": 1, "name": "_timestamp", "required": true, "type": "timestamptz", "doc": "@timestamp"})
    );
    assert_eq!(described["fields"].as_array().map(Vec::len), Some(OF_EVENTS.len() + 6 + 1));
}

#[test]
fn names_of_events_own_columns_are_taken() {
    let mut schema = TableSchema::default();
    schema.add(&[field("_level", STRING, 2), field("_Attributes", STRING, 1)]);
    let names: Vec<&str> = schema.columns[OF_EVENTS.len()..].iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["_level_2", "_Attributes_2"]);
}
