//! Labels, their texts and their fields.

use super::*;

#[test]
fn labels_come_back_from_their_text() {
    let text = r#"{"__name__":"up","a":"x \"y\" \\ \n \u0001 é","job":""}"#;
    let pairs = label_texts(text).expect("labels");
    assert_eq!(pairs[1].1, "x \"y\" \\ \n \u{1} é");
    assert_eq!((&*pairs[0].1, &*pairs[2].1), ("up", ""));
    for wrong in [
        "",
        "{",
        "{\"a\"}",
        "{\"b\":\"1\",\"a\":\"2\"}",
        "{\"a\":\"1\"",
        "{\"a\":1}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"1\"} ",
    ] {
        assert_eq!(label_texts(wrong), None, "{wrong}");
    }
    assert_eq!(label_texts("{}"), Some(Vec::new()));
}

#[test]
fn columns_of_labels_are_none_of_time_and_value() {
    let columns = ["job", "@timestamp", VALUE_FIELD, "label.value", "histogram"].map(column_of_label);
    assert_eq!(columns, ["job", "label.@timestamp", "label.value", "label.label.value", "histogram"]);
}

#[test]
fn fields_follow_from_labels() {
    let series =
        Series::of_labels(r#"{"@type":"t","__name__":"up","job":"node","name":"n","value":"v"}"#).expect("labels");
    let shown: Vec<_> = series.fields().iter().map(|(name, text)| format!("{name}={text}")).collect();
    assert_eq!(shown, ["@type=sample", "job=node", "label.@type=t", "label.name=n", "label.value=v", "name=up"]);
    assert!(Series::of_labels(r#"{"job":"node"}"#).is_none(), "there is no metric");
}
