//! The same rows in every format.

use super::*;

fn check(format: Format, expected: &str) {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, format, false);
    let column = |name: &str| Column::named(name);
    printer.start(vec![column("@timestamp"), column("@message"), column("n")]).expect("memory");
    let rows = [["\"2026-11-20T06:00:00Z\"", "\"a \\\"b\\\", c\\u001b[31m\"", "3"], ["null", "\"x\"", "null"]];
    for row in rows {
        printer.row(row.iter().map(|cell| cell.to_string()).collect()).expect("memory");
    }
    printer.finish().expect("memory");
    assert_eq!(String::from_utf8(out).expect("text"), expected);
}

#[test]
fn every_format_shows_the_same_rows() {
    let first = r#"{"@timestamp":"2026-11-20T06:00:00Z","@message":"a \"b\", c\u001b[31m","n":3}"#;
    check(Format::Ndjson, &format!("{first}\n{{\"@message\":\"x\"}}\n"));
    check(Format::Json, &format!("[\n {first},\n {{\"@message\":\"x\"}}\n]\n"));
    check(Format::Csv, "@timestamp,@message,n\n2026-11-20T06:00:00Z,\"a \"\"b\"\", c\u{1b}[31m\",3\n,x,\n");
    check(Format::Tsv, "@timestamp\t@message\tn\n2026-11-20T06:00:00Z\ta \"b\", c\u{1b}[31m\t3\n\tx\t\n");
    check(Format::Lines, "2026-11-20T06:00:00Z  a \"b\", c\u{241b}[31m  n=3\nx\n");
    check(
        Format::Table,
        "@timestamp            @message       n\n2026-11-20T06:00:00Z  a \"b\", c\u{241b}[31m  3\n                      x\n",
    );
}

#[test]
fn formulas_are_disarmed_where_nobody_asked_for_them_and_numbers_stay_numbers() {
    let csv = |format| {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, format, false);
        printer.start(vec![Column::named("@message"), Column::named("=n")]).expect("memory");
        printer.row(vec!["\"=1+1\"".into(), "-5".into()]).expect("memory");
        printer.finish().expect("memory");
        String::from_utf8(out).expect("text")
    };
    assert_eq!(csv(Format::Csv), "@message,'=n\n'=1+1,-5\n");
    assert_eq!(csv(Format::CsvRaw), "@message,=n\n=1+1,-5\n");
    assert_eq!(csv(Format::Tsv), "@message\t=n\n'=1+1\t-5\n");
}

#[test]
fn a_row_of_tabs_and_line_ends_is_one_line_with_as_many_tabs_as_columns_need() {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, Format::Tsv, false);
    printer.start(vec![Column::named("a\tb"), Column::named("c")]).expect("memory");
    printer.row(vec![r#""one\ttwo\nthree\\""#.into(), "[1,2]".into()]).expect("memory");
    printer.finish().expect("memory");
    assert_eq!(out, b"a\\tb\tc\none\\ttwo\\nthree\\\\\t[1,2]\n");
}

#[test]
fn no_rows_are_still_valid_json() {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, Format::Json, false);
    printer.start(Vec::new()).expect("memory");
    printer.finish().expect("memory");
    assert_eq!(out, b"[]\n");
}
