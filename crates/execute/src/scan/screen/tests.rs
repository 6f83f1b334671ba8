//! Tests of `screen`.

use types::Timestamp;

use super::*;
use language::{ParseOptions, parse_insights};

fn screen(query: &str) -> Option<Screen> {
    let options = ParseOptions { now: Timestamp(0), time_zone: chrono_tz::Tz::UTC };
    Screen::of(parse_insights(query, &options).expect("a query").operators())
}

fn finds(query: &str, text: &str) -> Option<usize> {
    screen(query).expect("a screen").find(text.as_bytes(), 0)
}

#[test]
fn what_every_matching_event_holds_is_looked_for() {
    assert_eq!(finds("filter @message like \"needle\"", "a needle"), Some(2));
    assert_eq!(finds("filter @message like \"needle\"", "a Needle \\"), None);
    assert_eq!(finds("filter @message like /Need+le \\d/", "a nEED"), Some(2));
    assert_eq!(finds("filter user = \"mary-ann\"", "{\"user\":\"mary-ann\"}"), Some(9));
    assert_eq!(finds("filter user = \"mary-ann\"", "{\"user\":\"mary\\u002dann\"}"), Some(13));
    assert_eq!(finds("filter @any like \"10.1.2.3\"", "{\"ip\":\"10.1.2.3\"}"), Some(9));
    assert_eq!(finds("connection refused", "x Connection Refused"), Some(3));
    assert_eq!(finds("filter @level = \"error\" and @message like \"xyz\" | stats count(*)", "xyz"), Some(0));
}

#[test]
fn what_a_list_shows_as_an_escape_may_stand_there_as_it_is() {
    assert_eq!(finds("filter items like \"tabcd\"", "{\"items\":[\"\tabcd\"]}"), Some(12));
    assert_eq!(finds("filter items like \"u001fabcd\"", "{\"items\":[\"\u{1f}abcd\"]}"), Some(12));
    assert_eq!(
        ["error", "00worker", "01worker", "u00fworker", "xyz"].map(without_escape),
        ["rror", "worker", "worker", "u00fworker", "xyz"]
    );
}

#[test]
fn what_may_be_spelled_otherwise_is_not_looked_for() {
    for query in [
        "filter n = 1000",
        "filter n = \"1000\"",
        "filter n like \"100\"",
        "filter items like \"a, b\"",
        "filter req like \":true\"",
        "filter @any like \"1000\"",
        "filter @message not like \"needle\"",
        "filter @message like \"needle\" or n = 1",
        "filter @level = \"error\"",
        "filter @log = \"stdin\"",
        "fields concat(@message, \"needle\") as @message | filter @message like \"needle\"",
        "stats count(*) | filter @message like \"needle\" or `count(*)` > 0",
    ] {
        assert!(screen(query).is_none(), "{query}");
    }
}
