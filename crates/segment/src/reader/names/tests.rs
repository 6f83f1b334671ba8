//! Names that are known, and room for them.

use super::*;

#[test]
fn names_and_the_objects_above_them_are_known_and_few_others() {
    let columns: Vec<String> = (0..50).map(|number| format!("http.request.header_{number}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).chain(["service"]).collect();
    let names = RunNames::new(&columns, ["text.body"].into_iter());
    let known = columns.iter().chain(&["text.body", "text", "http", "http.request"]);
    known.for_each(|name| assert!(names.may_have(name), "{name}"));
    ["text.body", "text", "http", "http.request"].iter().for_each(|name| assert!(names.may_have_besides(name)));
    assert!(!names.may_have_besides("service"));
    let n_mistakes = (0..1000).filter(|number| names.may_have(&format!("trace{number}"))).count();
    assert!(n_mistakes < 50, "{n_mistakes}");
    for (number, name) in columns.iter().enumerate() {
        assert_eq!(names.column(name, columns.len(), |number| columns[number]), Some(number));
    }
    assert_eq!(names.column("text.body", columns.len(), |number| columns[number]), None);
    assert!(!RunNames::new(&[], [].into_iter()).may_have(""));
}

#[test]
fn more_columns_than_the_table_has_room_for_are_found() {
    let columns: Vec<String> = (0..usize::from(NONE) + 1).map(|number| number.to_string()).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let names = RunNames::new(&columns, [].into_iter());
    assert_eq!(names.column("65535", columns.len(), |number| columns[number]), Some(65_535));
    assert_eq!(names.column("x", columns.len(), |number| columns[number]), None);
}
