//! Spelling of values, and attributes that collide.

use super::*;

#[test]
fn doubles_are_written_as_in_json_of_prometheus() {
    let numbers =
        [3.0, -0.5, 1e20, 1e21, 1.5e22, 1e-6, 1.5e-7, f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(double_text);
    let expected = [
        "3", "-0.5", "100000000000000000000", "1e+21", "1.5e+22", "0.000001", "1.5e-7", "Infinity", "-Infinity", "NaN",
    ];
    assert_eq!(numbers, expected);
    let list = Value::from(vec![number(3.0), number(f64::INFINITY), 7.into(), "a\"".into(), true.into()]);
    assert_eq!(label_value(&list), r#"[3,"Infinity",7,"a\"",true]"#);
    let map = Value::Object([("k".to_owned(), number(1e21)), ("l".to_owned(), Value::Null)].into_iter().collect());
    assert_eq!(label_value(&map), r#"{"k":1e+21,"l":null}"#);
}

#[test]
fn attributes_are_joined_or_refused_but_never_lost() {
    let labels_of = |attributes: &[(&str, &str)]| {
        labels(attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    };
    let joined = labels_of(&[("a_b", "2"), ("a.b", "1"), ("é", "3")]).expect("labels");
    let expected = [("a_b", "1;2"), ("key_", "3")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(joined, BTreeMap::from(expected));
    for key in ["", "имя", "__"] {
        let refusal = labels_of(&[("a", "1"), (key, "2")]).expect_err("a refusal");
        assert!(refusal.contains(&format!("attribute {key:?}")), "{refusal}");
    }
}
