//! Widths and colours of a table.

use super::*;

fn printed(names: &[&str], rows: &[&[&str]], style: Style) -> String {
    let columns: Vec<Column> = names.iter().map(|name| Column::named(*name)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| cell.to_string()).collect()).collect();
    let mut out = Vec::new();
    print(&mut out, &columns, &rows, style).expect("memory");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_widest_texts_are_cut_to_fit_a_terminal_and_numbers_are_not() {
    let long = format!("\"{}\"", "x".repeat(60));
    let rows: [&[&str]; 1] = [&["\"a\"", &long, "1234567890", "\"some words here\""]];
    let table = |width| printed(&["k", "text", "n", "more"], &rows, Style { is_coloured: false, width });
    for width in [100, 80, 60, 40, 35] {
        let table = table(Some(width));
        assert!(table.lines().all(|line| line.chars().count() <= width) && table.contains("1234567890"), "{table}");
    }
    assert!(table(Some(60)).contains("some words here") && table(Some(60)).contains("x…"));
    assert_eq!(table(None).lines().map(str::len).max(), Some(1 + 2 + 60 + 2 + 10 + 2 + 15));
}

#[test]
fn times_are_whole_and_a_row_that_does_not_fit_is_a_line_for_each_value() {
    let columns = [Column { kind: Kind::Time, ..Column::named("first") }, Column::named("name"), Column::named("n")];
    let rows = [["\"2026-11-20T06:47:13Z\"", "\"tmp/logs/web-1.log\"", "7"], ["null", "\"b\"", "8"]];
    let rows: Vec<Vec<String>> = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
    let table = |width| {
        let mut out = Vec::new();
        print(&mut out, &columns, &rows, Style { is_coloured: false, width: Some(width) }).expect("memory");
        String::from_utf8(out).expect("text")
    };
    assert!(table(40).contains("2026-11-20T06:47:13Z  tmp/l…web-1.log  7"), "{}", table(40));
    assert_eq!(table(30), "first  2026-11-20T06:47:13Z\nname   tmp/logs/web-1.log\nn      7\n\nname   b\nn      8\n");
}

#[test]
fn levels_have_their_colours_where_there_are_any() {
    let rows: [&[&str]; 2] = [&["\"error\"", "1"], &["null", "2"]];
    let table = printed(&["@level", "n"], &rows, Style { is_coloured: true, width: None });
    assert_eq!(table, "\u{1b}[1m@level  n\u{1b}[0m\n\u{1b}[31merror \u{1b}[0m  1\n        2\n");
    assert!(!printed(&["@level", "n"], &rows, Style { is_coloured: false, width: None }).contains('\u{1b}'));
}
