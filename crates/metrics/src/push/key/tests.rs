//! Labels of a path.

use super::*;

#[test]
fn labels_are_read_from_the_path() {
    let check = |path: &str| match GroupingKey::of_path(path) {
        Ok(key) => key.labels.iter().map(|(name, value)| format!("{name}={value};")).collect(),
        Err(problem) => problem.message,
    };
    assert_eq!(check("/metrics/job/backup"), "job=backup;");
    assert_eq!(check("/metrics/job/a%20b/instance/x%2Fy"), "instance=x/y;job=a b;");
    assert_eq!(check("/metrics/job@base64/ZGlyZWN0b3J5L3g/dir@base64/="), "dir=;job=directory/x;");
    assert_eq!(check("/metrics/job@base64/ZGlyZWN0b3J5L3g=/"), "job=directory/x;");
    assert_eq!(check("/metrics/job/x/a/"), "a=;job=x;");
    assert_eq!(check("/metrics/job/x/a"), "label \"a\" of the path has no value");
    assert_eq!(
        check("/metrics/job@base64/!"),
        "the value of label \"job\" is not base64 of UTF-8, with the alphabet for URLs"
    );
    assert_eq!(check("/metrics/job/%ff"), "the value of label \"job\" is not UTF-8");
    assert_eq!(check("/metrics/job/"), "the job has no name");
    assert_eq!(check("/metrics/instance/x/job/y"), "the first label of the path, and no other one, is job");
    assert_eq!(check("/metrics/job/x/a/1/a/2"), "label \"a\" is in the path twice");
    assert_eq!(check("/metrics/job/x/__name__/y"), "\"__name__\" is no name of a label here");
    let long = format!("/metrics/job/x{}", "/a/b".repeat(40));
    assert_eq!(check(&long), "the path has 41 labels; a group has at most 32");
}
