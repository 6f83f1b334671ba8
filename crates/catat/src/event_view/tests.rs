//! Which queries show more than they say.

use super::*;

#[test]
fn level_and_group_are_shown_where_the_query_says_nothing_of_columns() {
    let shown = |query| with_columns(query, true);
    let columns = "fields @timestamp, @level, @log, @message";
    for query in ["filter @level >= \"warn\"", "filter n > 3 | sort @timestamp asc | limit 3", "limit 3 # newest"] {
        assert_eq!(shown(query), Some(format!("{query}\n| {columns}")), "{query}");
    }
    assert_eq!(shown(""), Some(columns.to_owned()));
    assert_eq!(with_columns("", false).as_deref(), Some("fields @timestamp, @level, @message"));
    for query in ["fields @message", "stats count(*) by @level", "pattern @message", "display n", "filter ("] {
        assert_eq!(shown(query), None, "{query}");
    }
}
