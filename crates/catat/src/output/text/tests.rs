//! Marks at the places of errors, and events on lines.

use super::*;

#[test]
fn errors_point_at_their_place() {
    let shown = located_error(
        "unknown command \"filtr\"",
        Some(2),
        Some(3),
        Some("did you mean this?\nfilter x"),
        "a\n| filtr x",
    );
    assert_eq!(
        shown,
        "unknown command \"filtr\" (line 2, column 3)\n  | filtr x\n    ^\n  did you mean this?\n  filter x"
    );
}

#[test]
fn level_and_group_stand_before_the_text_where_they_tell_events_apart() {
    let columns: Vec<Column> = ["@timestamp", "@level", "@log", "@message", "n"].map(Column::named).to_vec();
    let line = |lines: &mut EventLines, cells: [&str; 5]| lines.line(&columns, &cells.map(str::to_owned));
    let mut lines = EventLines { is_coloured: false, group_width: Some(0) };
    let cells = ["\"06:00\"", "\"warn\"", "\"srv/very/long/path/of/shop.log\"", "\"x\"", "1"];
    assert_eq!(line(&mut lines, cells), "06:00  warn   srv/very…ath/of/shop.log  x  n=1");
    let cells = ["\"06:01\"", "null", "\"app/web\"", "\"y\"", "null"];
    assert_eq!(line(&mut lines, cells), "06:01         app/web                   y");
    let mut lines = EventLines { is_coloured: false, group_width: None };
    assert_eq!(line(&mut lines, cells), "06:01  y  @log=app/web");
}
