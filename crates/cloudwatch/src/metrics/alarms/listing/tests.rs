//! Children and parents of alarms.

use alert::Author;
use types::{GroupScope, Timestamp};

use super::*;

fn alarm(name: &str, definition: Value) -> AlarmView {
    let author = Author { name: "a".into(), scope: GroupScope::All, is_admin: true };
    let document = AlarmDocument::new(definition, Vec::new(), &author, Timestamp(0));
    AlarmView { name: name.to_owned(), document, groups: Vec::new(), memory: None, error: None }
}

fn names(input: &Value) -> Result<Vec<String>, String> {
    let filter = AlarmFilter::read(&Parameters::new(input)).map_err(|problem| problem.parts().1.to_owned())?;
    let mut alarms = vec![
        alarm("a", json!({})),
        alarm("b", json!({})),
        alarm("over", json!({"AlarmRule": "ALARM(a) OR ALARM(b)"})),
        alarm("top", json!({"AlarmRule": "ALARM(over) AND OK(a)"})),
    ];
    filter.retain(&mut alarms);
    Ok(alarms.into_iter().map(|alarm| alarm.name).collect())
}

#[test]
fn children_and_parents_are_of_both_types() {
    let check = |input: Value, expected: &[&str]| {
        assert_eq!(names(&input).unwrap(), expected, "{input}");
    };
    check(json!({}), &["a", "b"]);
    check(json!({"AlarmTypes": ["CompositeAlarm"]}), &["over", "top"]);
    check(json!({"ParentsOfAlarmName": "a"}), &["over", "top"]);
    check(json!({"ParentsOfAlarmName": "over", "MaxRecords": 1, "Action": "DescribeAlarms"}), &["top"]);
    check(json!({"ChildrenOfAlarmName": "over"}), &["a", "b"]);
    check(json!({"ChildrenOfAlarmName": "top"}), &["a", "over"]);
}

#[test]
fn children_and_parents_exclude_other_filters() {
    for name in RELATIVES {
        for (other, value) in [("StateValue", json!("OK")), ("AlarmTypes", json!(["MetricAlarm"]))] {
            assert_eq!(names(&json!({name: "a", other: value})), Err("ValidationError".to_owned()), "{other}");
        }
    }
    let both = json!({"ParentsOfAlarmName": "a", "ChildrenOfAlarmName": "a"});
    assert_eq!(names(&both), Err("ValidationError".to_owned()));
}
