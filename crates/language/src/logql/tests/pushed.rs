//! Lines that a Loki sender pushed: which of them stages keep, which labels they have, and what numbers they give.

use plan::{Expr, LabelSet, Operator, PlanDraft};

use super::*;

/// Returns one stream of lines, one a second; those of one instant stand in one text, with `;` between them.
fn pushed(lines: &[&str]) -> Vec<Arc<dyn Run>> {
    let mut builder = BatchBuilder::new();
    for (second, line) in lines.iter().enumerate().flat_map(|(second, line)| line.split(';').map(move |l| (second, l)))
    {
        builder.set_timestamp(Timestamp(second as i64 * Timestamp::SECOND));
        builder.set_message(line);
        builder.set_stream("{app=\"f\"}");
        builder.field_value("@loki", Value::text("[\"unknown\"]"));
        builder.commit();
    }
    let group = GroupName::new("f").expect("a good name");
    vec![Arc::new(BatchRun::new(group, 1, Arc::new(builder.finish())))]
}

/// Returns the lines that a query gives, oldest first, with their labels but for those of all.
#[track_caller]
fn found(query: &str, lines: &[&str]) -> Vec<String> {
    let log = log_query(query);
    let mut operators = log.operators.clone();
    operators.push(Operator::Extend { name: "#set".into(), expr: log.shown.label_set() });
    operators.push(forward());
    let columns = ["@message", "#set"].map(|name| (name.into(), Expr::Field(name.into()))).to_vec();
    operators.push(Operator::Project { columns, is_events: true });
    let plan = PlanDraft { operators, ..PlanDraft::default() }.finish();
    let answer = answer_of(&plan, TimeRange::ALL, &pushed(lines)).expect(query);
    let text = |value: &Option<Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let shown = |row: &Vec<Option<Value>>| {
        let (set, mut shown) = (text(&row[1]), text(&row[0]));
        for (name, value) in LabelSet::read(&set).labels() {
            if !matches!(&*name, "app" | "service_name" | "detected_level") {
                shown.push_str(&format!(" {name}={value}"));
            }
        }
        shown
    };
    answer.rows.iter().map(shown).collect()
}

/// Checks which of the lines a query gives, by their numbers.
#[track_caller]
fn check_kept(query: &str, lines: &[&str], expected: &[usize]) {
    let kept =
        found(&format!("{query} | line_format `{{{{.no}}}}` | drop __error__, __error_details__ | keep x"), lines);
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(kept, expected, "{query}");
}

#[test]
fn a_comma_and_a_blank_have_no_rank() {
    let combinations: Vec<String> =
        (0..8).map(|n| format!("no={n} a={} b={} c={}", n >> 2 & 1, n >> 1 & 1, n & 1)).collect();
    let lines: Vec<&str> = combinations.iter().map(String::as_str).collect();
    for (conditions, expected) in [
        (r#"a="1", b="1" or c="1""#, &[5, 6, 7][..]),
        (r#"a="1" b="1" or c="1""#, &[5, 6, 7]),
        (r#"a="1" or b="1", c="1""#, &[3, 4, 5, 6, 7]),
        (r#"a="1" or b="1" c="1""#, &[3, 4, 5, 6, 7]),
        (r#"a="1" and b="1" or c="1""#, &[1, 3, 5, 6, 7]),
        (r#"a="1" or b="1" and c="1""#, &[3, 4, 5, 6, 7]),
        (r#"a="1" and b="1", c="1" or a="0""#, &[7]),
        (r#"(a="1", b="1") or c="1""#, &[1, 3, 5, 6, 7]),
        (r#"a="1", b="1" or c="1" and b="0""#, &[5, 6, 7]),
    ] {
        check_kept(&format!("{{app=\"f\"}} | logfmt | {conditions}"), &lines, expected);
    }
}

/// Requests with a status and a duration; some values are not valid durations.
const REQUESTS: [&str; 4] = [
    r#"{"no":0,"s":200,"d":"x"}"#,
    r#"{"no":1,"s":200,"d":"2s"}"#,
    r#"{"no":2,"s":500,"d":"x"}"#,
    r#"{"no":3,"s":500,"d":"3s"}"#,
];

#[test]
fn conditions_fail_only_where_they_are_checked() {
    for (stages, expected) in [
        (r#"s=200 or d>1s | __error__="""#, &[0, 1, 3][..]),
        (r#"s=200 or (d>1s, s=500) | __error__="""#, &[0, 1, 3]),
        (r#"d>1s or s=200 | __error__="""#, &[1, 3]),
        (r#"s=200, d>1s | __error__="""#, &[1]),
        (r#"__error__="" | d>1s"#, &[1, 3]),
        (r#"__error__="" | (d>1s)"#, &[1, 3]),
        (r#"__error__!="" | d>1s"#, &[0, 2]),
        (r#"d>1s"#, &[0, 1, 2, 3]),
        (r#"d>1s | drop __error__ | __error__="""#, &[0, 1, 2, 3]),
        (r#"d>1s | drop __error__="no" | __error__="""#, &[1, 3]),
    ] {
        check_kept(&format!("{{app=\"f\"}} | json | {stages}"), &REQUESTS, expected);
    }
}

#[test]
fn an_error_that_is_dropped_leaves_its_details() {
    let lines = [r#"{"d":"x"}"#];
    let details = "__error_details__=time: invalid duration \"x\"";
    let failed = r#"{app="f"} | json | d>1s"#;
    assert_eq!(found(failed, &lines)[0], format!("{} __error__=LabelFilterErr {details} d=x", lines[0]));
    assert_eq!(found(&format!("{failed} | drop __error__"), &lines)[0], format!("{} {details} d=x", lines[0]));
    let all = format!("{failed} | drop __error__, __error_details__");
    assert_eq!(found(&all, &lines)[0], format!("{} d=x", lines[0]));
}

#[test]
fn a_line_has_the_error_of_the_label_that_was_found_first() {
    let lines = [r#"{"d":"x","n":"y"}"#, r#"{"n":"y","d":"x"}"#];
    let (of_d, of_n) = (r#"time: invalid duration "x""#, r#"strconv.ParseFloat: parsing "y": invalid syntax"#);
    for (stages, expected) in [
        ("json | n>1 | d>1s", [of_d, of_n]),
        ("json | (d>1s) | n>1", [of_d, of_n]),
        ("json | u=\"1\" or n>1 | d>1s", [of_d, of_d]),
        ("json | n>1 or u=\"1\" | d>1s", [of_d, of_d]),
        ("json | n>1 or d>1s", [of_n, of_n]),
        ("json | d>1s or n>1", [of_d, of_d]),
        ("json | n>1 | drop __error__ | d>1s", [of_d, of_d]),
        ("json n=\"n\" | json | n>1 | d>1s", [of_d, of_d]),
    ] {
        let shown = format!("{{app=\"f\"}} | {stages} | label_format why=`{{{{.__error_details__}}}}` | keep why");
        for (found, expected) in found(&shown, &lines).iter().zip(expected) {
            assert!(found.ends_with(&format!(" why={expected}")), "{stages}: {found}");
        }
    }
}

#[test]
fn conditions_see_values_that_a_later_parser_replaces() {
    let lines = [r#"2 {"a":"1","no":0}"#, r#"1 {"a":"1","no":1}"#];
    let stages = r#"pattern `<a> <rest>` | line_format `{{.rest}}` | json a="a", no="no" | a="1""#;
    check_kept(&format!("{{app=\"f\"}} | {stages}"), &lines, &[1]);
}

#[test]
fn a_template_of_a_label_sees_details_of_errors() {
    let lines = ["{"];
    let found = found(r#"{app="f"} | json | label_format why="{{.__error_details__}}" | keep why"#, &lines);
    assert!(found[0].contains(" why=Malformed JSON error"), "{found:?}");
}

#[test]
fn labels_may_have_any_letters() {
    check_kept(r#"{app="f"} | logfmt | é="" | drop é"#, &["no=0"], &[0]);
    assert!(parse(r#"{app="f"} | logfmt é "x""#).is_err());
}

const USERS: [&str; 6] = [
    r#"{"no":0,"u":"ann"}"#,
    r#"{"no":1,"u":"bananas"}"#,
    r#"{"no":2,"u":"Ann"}"#,
    r#"{"no":3,"u":"a\nb"}"#,
    r#"{"no":4}"#,
    r#"{"no":5,"u":"b"}"#,
];

#[test]
fn expressions_of_drop_and_keep_are_about_the_whole_label() {
    let shown =
        |stage: &str| found(&format!("{{app=\"f\"}} | json | drop no | {stage} | line_format `{{{{.u}}}}`"), &USERS);
    assert_eq!(shown(r#"drop u=~"an.*""#), ["", "bananas u=bananas", "Ann u=Ann", "a\nb u=a\nb", "", "b u=b"]);
    assert_eq!(shown(r#"drop u=~"a.b""#), ["ann u=ann", "bananas u=bananas", "Ann u=Ann", "", "", "b u=b"]);
    assert_eq!(shown(r#"keep u=~"(?i)an.*""#), ["ann u=ann", "", "Ann u=Ann", "", "", ""]);
}

#[test]
fn expressions_of_conditions_are_read_as_loki_reads_them() {
    for (condition, expected) in [
        (r#"u=~"an.*""#, &[0, 1][..]),
        (r#"u=~"(?i)an.*""#, &[0, 1, 2]),
        (r#"u=~"ann.*|b.*""#, &[0, 1, 3, 5]),
        (r#"u!~"an.*""#, &[2, 3, 4, 5]),
        (r#"u=~"(?i)ann""#, &[0, 2]),
        (r#"u=~"a.b""#, &[]),
        (r#"u=~"a.n""#, &[0]),
        (r#"u=~"(?s)a.b""#, &[3]),
        (r#"u=~"b(ananas|)""#, &[1, 3, 5]),
        (r#"u=~".+""#, &[0, 1, 2, 3, 5]),
        (r#"u=~".*""#, &[0, 1, 2, 3, 4, 5]),
    ] {
        check_kept(&format!("{{app=\"f\"}} | json | {condition}"), &USERS, expected);
    }
}

#[test]
fn the_log_group_is_no_label_of_a_pushed_line() {
    for (query, expected) in
        [(r#"| group="""#, 1), (r#"| group!="""#, 0), (r#"| json | group="""#, 1), (r#"| group="f""#, 0)]
    {
        assert_eq!(found(&format!("{{app=\"f\"}} {query}"), &["x"]).len(), expected, "{query}");
    }
}

#[test]
fn lines_of_one_instant_come_forward_in_the_order_of_their_arrival() {
    let lines = ["a;b;c", "d;e"];
    let order = |direction: Direction, limit: u64| -> String {
        let plan = log_query(r#"{app="f"}"#).plan(direction, limit);
        let rows = answer_of(&plan, TimeRange::ALL, &pushed(&lines)).expect("an answer").rows;
        rows.iter().map(|row| row[1].as_ref().map(ToString::to_string).unwrap_or_default()).collect()
    };
    assert_eq!((order(Direction::Forward, 9), order(Direction::Backward, 9)), ("abcde".into(), "edcba".into()));
    assert_eq!((order(Direction::Forward, 2), order(Direction::Backward, 3)), ("ab".into(), "edc".into()));
}

/// Returns the series that a metric query gives after a minute.
#[track_caller]
fn series_of(query: &str, lines: &[&str]) -> Vec<Series> {
    let Ok(Query::Metric(metric)) = parse(query) else { panic!("{query}: {:?}", parse(query)) };
    let runs = pushed(lines);
    let steps = Steps::instant(Timestamp(60 * Timestamp::SECOND));
    let series = run_metric(&metric, steps, |plan, range| answer_of(plan, range, &runs).map(|answer| answer.rows));
    series.expect(query)
}

#[test]
fn series_have_the_labels_that_loki_gives() {
    let lines = [r#"{"a":"","b":"x","n":1}"#, r#"{"a":"","b":"x","n":3}"#];
    for (query, expected) in [
        (r#"avg_over_time({app="f"} | json | drop b | __error__="" | unwrap n [1h])"#, ""),
        (r#"avg_over_time({app="f"} | json | drop b | unwrap n | __error__="" [1h])"#, "a="),
        (r#"avg_over_time({app="f"} | json | drop b | unwrap n | __error_details__="" [1h])"#, "a="),
        (r#"avg_over_time({app="f"} | json | drop b | unwrap n | c="" [1h])"#, ""),
        (r#"max_over_time({app="f"} | json | drop b | unwrap n | __error__="" [1h])"#, ""),
        (r#"count_over_time({app="f"} | json | b>1 | drop __error__, a, n [1h])"#, "__error_details__=… b=x"),
        (r#"sum without (n) (count_over_time({app="f"} | json | b>1 | drop __error__, a [1h]))"#, "b=x"),
        (
            r#"sum without () (count_over_time({app="f"} | json | b>1 | drop __error__, a, n [1h]))"#,
            "__error_details__=… b=x",
        ),
        (
            r#"max without (n) (count_over_time({app="f"} | json | b>1 | drop __error__, a [1h]))"#,
            "__error_details__=… b=x",
        ),
        (r#"sum without (n) (max_over_time({app="f"} | json | drop a | unwrap n [1h]))"#, "b=x"),
    ] {
        let series = series_of(query, &lines);
        let label = |(name, value): &(String, String)| match &**name {
            "app" | "service_name" | "detected_level" => None,
            "__error_details__" => Some(format!("{name}=…")),
            _ => Some(format!("{name}={value}")),
        };
        let labels: Vec<String> = series.iter().flat_map(|series| series.labels.iter().filter_map(label)).collect();
        assert_eq!((series.len(), labels.join(" ")), (1, expected.to_owned()), "{query}");
    }
}

#[test]
fn lines_that_cannot_be_read_are_not_absent() {
    for stages in ["json", r#"__error__="" | json"#, r#"json | a="" or __error__!="" "#] {
        assert_eq!(series_of(&format!("absent_over_time({{app=\"f\"}} | {stages} [1h])"), &["x"]), [], "{stages}");
    }
}

#[test]
fn numbers_that_are_not_finite_count() {
    let values = |function: &str, lines: &[&str]| {
        series_of(&format!("{function}({{app=\"f\"}} | logfmt | unwrap v [1h])"), lines)
            .iter()
            .flat_map(|series| &series.points)
            .map(|point| point.value.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mixed = ["v=1", "v=Inf", "v=NaN", "v=3"];
    for (function, expected) in [
        ("sum_over_time", "NaN"),
        ("avg_over_time", "NaN"),
        ("max_over_time", "inf"),
        ("min_over_time", "1"),
        ("first_over_time", "1"),
        ("last_over_time", "3"),
        ("stddev_over_time", "NaN"),
        ("rate", "NaN"),
    ] {
        assert_eq!(values(function, &mixed), expected, "{function}");
    }
    assert_eq!(values("sum_over_time", &["v=1", "v=+Inf"]), "inf");
    assert_eq!(values("avg_over_time", &["v=-Inf", "v=7"]), "-inf");
    assert_eq!(values("last_over_time", &["v=1", "v=NaN"]), "NaN");
    assert_eq!(values("max_over_time", &["v=NaN"]), "NaN");
}
