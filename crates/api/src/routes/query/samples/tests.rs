//! Names of columns.

use super::*;

#[test]
fn columns_have_different_names() {
    let names = ["__name__", "@timestamp", "histogram", "job", "label.value", "name", "value"];
    let labels = promql::Labels::new(names.map(|name| (name, "a")));
    let answer = rows_of(vec![(labels, 0, promql::Value::Float(1.0))]);
    let columns: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    let expected = [
        "@timestamp", "__name__", "label.@timestamp", "histogram", "job", "label.label.value", "name", "label.value",
        "value",
    ];
    assert_eq!(columns, expected);
    assert_eq!(answer.rows[0].len(), expected.len());
    let different: BTreeSet<&str> = columns.iter().copied().collect();
    assert_eq!(different.len(), columns.len());
}
