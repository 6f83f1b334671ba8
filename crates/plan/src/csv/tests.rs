//! Formulas, quotes, and texts that are no tables.

use super::*;

fn written(text: &str, formulas: Formulas) -> String {
    let mut out = String::new();
    write_csv_cell(text, formulas, &mut out);
    out
}

#[test]
fn what_a_spreadsheet_would_calculate_is_written_as_text() {
    for text in
        ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\"=1", " =1", "＝1", "--1", "+cmd|' /C calc'!A0"]
    {
        let cell = written(text, Formulas::Disarmed);
        assert!(cell.starts_with('\'') || cell.starts_with("\"'"), "{cell}");
        let read = read_csv(&format!("n\n{cell}\n")).expect("what was written is a table");
        assert_eq!(read.rows[0][0].as_ref().map(ToString::to_string), Some(format!("'{text}")), "{cell}");
        let kept = written(text, Formulas::Kept);
        assert!(!kept.starts_with('\'') && !kept.starts_with("\"'"), "{kept}");
    }
}

#[test]
fn numbers_and_other_texts_are_written_as_they_are() {
    for text in ["-5", "+3.25e-4", "-.5", "-", "====", "a=b", "1-2", "", "2026-11-20", "a+b@c", "{}"] {
        assert_eq!(written(text, Formulas::Disarmed), text);
    }
    let mut names = String::new();
    ["@timestamp", "=n", "@a(1)"].iter().for_each(|name| write_csv_name(name, Formulas::Disarmed, &mut names));
    assert_eq!(names, "@timestamp'=n'@a(1)");
}

fn check(text: &str, expected: Result<&str, &str>) {
    let shown = read_csv(text).map(|table| {
        let cell = |cell: &Option<Value>| cell.as_ref().map_or("-".into(), ToString::to_string);
        let rows = table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|"));
        std::iter::once(table.columns.join("|")).chain(rows).collect::<Vec<_>>().join("/")
    });
    assert_eq!(shown.as_deref().map_err(ToString::to_string), expected.map_err(str::to_owned), "{text:?}");
}

#[test]
fn tables_are_read_as_spreadsheets_write_them() {
    check("id,name\n1,ann\n2,\n", Ok("id|name/1|ann/2|-"));
    check("\u{feff}id , name\r\n1,\"a \"\"b\"\", c\r\nd\"\r\n\r\n2,x", Ok("id|name/1|a \"b\", c\r\nd/2|x"));
    check("id\n", Ok("id"));
    check("a,b\n,\n\"\",\"x\"", Ok("a|b/-|-/-|x"));
}

#[test]
fn what_is_no_table_is_refused_with_its_line() {
    check("", Err("line 1: the header with the names of columns is missing"));
    check("a,\n", Err("line 1: column 2 has no name"));
    check("a,a\n", Err("line 1: two columns are named `a`"));
    check("a,b\n\"1\n2\",x\n\n3\n", Err("line 5: 1 cells where the header has 2"));
    check("a\n\"x", Err("line 2: a quoted cell is not closed"));
    check("a\n\"x\"y\n", Err("line 2: a closing quote is followed by neither a comma nor the end of the line"));
}
