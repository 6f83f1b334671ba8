//! Labels of targets and of samples.

use super::*;

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn labels_of_the_target_win_unless_those_of_the_sample_are_honored() {
    let target = labels(&[("job", "a"), ("instance", "b"), ("__scheme__", "http")]);
    let check = |sample: &[(&str, &str)], honors: bool, expected: &str| {
        let mut sample = labels(sample);
        add_target(&mut sample, &target, honors);
        assert_eq!(text_of(&sample), expected);
    };
    check(&[("x", "1")], false, r#"{"instance":"b","job":"a","x":"1"}"#);
    check(&[("job", "1")], false, r#"{"exported_job":"1","instance":"b","job":"a"}"#);
    check(
        &[("job", "1"), ("exported_job", "2")],
        false,
        r#"{"exported_exported_job":"1","exported_job":"2","instance":"b","job":"a"}"#,
    );
    check(&[("job", ""), ("x", "")], false, r#"{"instance":"b","job":"a"}"#);
    check(&[("job", ""), ("x", "")], true, r#"{"instance":"b"}"#);
    check(&[("job", "1")], true, r#"{"instance":"b","job":"1"}"#);
}
