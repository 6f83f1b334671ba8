//! Label sets that fall silent, and expected ones that never came.

use super::*;

fn absence(by: &[&str], expect: &[&[(&str, &str)]]) -> Absence {
    let set =
        |set: &&[(&str, &str)]| set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Absence {
        by: by.iter().map(|name| (*name).to_owned()).collect(),
        expect: expect.iter().map(set).collect(),
        forget_ns: Timestamp::DAY,
    }
}

/// Label sets by when their last event was, in minutes before now; shows `set: silent minutes`, those that fire with
/// `!`. The window is five minutes long.
fn check(absence: &Absence, past: &[(&[&str], i64)], window: &[(&[&str], i64)], expected: &str) {
    let now = Timestamp(100 * Timestamp::DAY);
    let rows_of = |sets: &[(&[&str], i64)]| -> Vec<Vec<Option<Value>>> {
        let row = |(set, minutes): &(&[&str], i64)| {
            let last = Value::Timestamp(Timestamp(now.0 - minutes * Timestamp::MINUTE));
            set.iter().map(|value| Some(Value::text(*value))).chain([Some(Value::Integer(1)), Some(last)]).collect()
        };
        sets.iter().map(row).collect()
    };
    let spans = Spans { now, from: Timestamp(now.0 - 5 * Timestamp::MINUTE) };
    let n_by = absence.by.len();
    let shown: Vec<String> = rows(absence, &spans, &rows_of(past), &rows_of(window))
        .iter()
        .map(|row| {
            let set: Vec<String> = key_of(row, 0..n_by).into_iter().map(|value| value.unwrap_or("-".into())).collect();
            let silent = match &row[n_by] {
                Some(Value::Integer(seconds)) => (seconds / 60).to_string(),
                _ => "ever".to_owned(),
            };
            let sign = if row.last() == Some(&Some(Value::Boolean(true))) { "!" } else { "" };
            format!("{} {silent}{sign}", set.join("/"))
        })
        .collect();
    assert_eq!(shown.join(", "), expected);
}

#[test]
fn a_set_that_was_there_and_is_silent_fires_until_it_is_forgotten() {
    let by_host = absence(&["host"], &[]);
    check(&by_host, &[(&["a"], 7), (&["b"], 6)], &[(&["b"], 1)], "a 7!, b 1");
    check(&by_host, &[(&["a"], 1439)], &[], "a 1439!");
    check(&by_host, &[(&["a"], 1440)], &[], "");
    check(&by_host, &[], &[], "");
}

#[test]
fn what_is_expected_fires_though_it_was_never_there_and_is_not_forgotten() {
    let expects = absence(&["host"], &[&[("host", "a")], &[("host", "b")]]);
    check(&expects, &[], &[], "a ever!, b ever!");
    check(&expects, &[(&["a"], 2000)], &[(&["b"], 0)], "a 2000!, b 0");
    let loosely = absence(&["host", "job"], &[&[("job", "backup")]]);
    check(&loosely, &[], &[(&["x", "backup"], 2)], "x/backup 2");
    check(&loosely, &[], &[(&["x", "other"], 2)], "-/backup ever!, x/other 2");
}

#[test]
fn without_label_sets_the_query_itself_is_the_heartbeat() {
    let heartbeat = absence(&[], &[]);
    let nothing = |count: i64| vec![vec![Some(Value::Integer(count)), None]];
    let spans = Spans { now: Timestamp(Timestamp::DAY), from: Timestamp(0) };
    let rows = rows(&heartbeat, &spans, &nothing(0), &nothing(0));
    assert_eq!(rows, [vec![None, None, Some(Value::Boolean(true))]]);
    check(&heartbeat, &[(&[], 9)], &[], " 9!");
    check(&heartbeat, &[(&[], 9)], &[(&[], 4)], " 4");
}
