//! Fields of objects and of logfmt.

use super::*;

fn check(line: &str, expected: &[(&str, &str)], parser: &str) {
    let labels = Labels::from([("app".to_owned(), "a".to_owned())]);
    let (found, by) = fields(line, &labels);
    let found: Vec<(&str, &str)> = found.iter().map(|f| (f.name.as_str(), f.value.as_str())).collect();
    assert_eq!((found.as_slice(), by), (expected, parser), "{line}");
}

#[test]
fn objects_are_flattened_and_lists_left_out() {
    check(
        r#"{"app":"x","user":{"first-name":"ann","tags":["a"]},"1st":2,"n":1e+21,"none":null,"e":"","ok":true}"#,
        &[("app_extracted", "x"), ("user_first_name", "ann"), ("_1st", "2"), ("n", "1e+21"), ("e", ""), ("ok", "true")],
        "json",
    );
    let (found, _) = fields(r#"{"a":{"b-c":1}}"#, &Labels::new());
    assert_eq!(found[0].path, ["a", "b-c"]);
    check(&"{\"a\":".repeat(5000), &[], "logfmt");
}

#[test]
fn other_lines_are_read_as_logfmt_as_far_as_they_are() {
    check(
        r#"a=1 b="x \"y\"" alone c= app=z d==e f=g"h k=v"#,
        &[("a", "1"), ("b", "x \"y\""), ("app_extracted", "z"), ("k", "v")],
        "logfmt",
    );
    check(r#"a=1 b="no end k=v"#, &[("a", "1")], "logfmt");
    check(r#"{"msg": "cut off"#, &[], "logfmt");
    check("", &[], "logfmt");
}
