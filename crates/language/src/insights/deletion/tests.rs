//! Queries that may delete, and those that may not.

use types::Timestamp;

use super::*;

fn check(text: &str, expected: Option<(&str, usize, usize)>) {
    let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::Tz::UTC };
    let found = plan(text, &options).err().map(|errors| {
        let first = &errors.0[0];
        (first.code, first.line, first.column)
    });
    assert_eq!(found, expected, "{text}");
}

#[test]
fn only_what_chooses_events_one_by_one_is_taken() {
    check("filter user = \"ann\"", None);
    check("fields @timestamp", None);
    check("parse @message \"user=* \" as user\n| filter user in [\"ann\", \"bob\"] | eval n = 1", None);
    check("", Some(("empty-query", 1, 1)));
    check(" \n", Some(("empty-query", 1, 1)));
    check("user ann", Some(("no-query", 1, 1)));
    check("filter a = 1 | limit 10", Some(("not-a-filter", 1, 16)));
    check("filter a = 1\n| stats count(*)", Some(("not-a-filter", 2, 3)));
    check("source \"a\" | filter a = 1", Some(("not-a-filter", 1, 1)));
    check("filter a in (source \"b\" | fields a)", Some(("not-a-filter", 1, 1)));
    check("filter a = ", Some(("syntax", 1, 12)));
    for command in ["sort a", "dedup a", "tail 3", "top 3 a", "rare a", "unnest a into b", "display a", "drop a"] {
        check(command, Some(("not-a-filter", 1, 1)));
    }
}
