//! How answers look: as a table or lines for people, as JSON or CSV for programs.
//!
//! A row is a list of cells in JSON, as the server sends them, so that numbers keep every digit on their way.

mod table;
mod text;

use std::io::{IsTerminal, Write};

use serde::Deserialize;

use crate::arguments::{Color, Format};

pub(crate) use text::{harmless, level_colour, located_error, plain};

/// A column of an answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
}

/// Prints rows as they come.
pub(crate) struct Printer<W: Write> {
    out: W,
    format: Format,
    is_coloured: bool,
    columns: Vec<Column>,
    /// Rows held back until the widths of a table's columns are known.
    held: Vec<Vec<String>>,
    n_rows: u64,
}

impl<W: Write> Printer<W> {
    pub(crate) fn new(out: W, format: Format, is_coloured: bool) -> Self {
        Self { out, format, is_coloured, columns: Vec::new(), held: Vec::new(), n_rows: 0 }
    }

    /// Takes the columns; the header, where the format has one, is printed.
    pub(crate) fn start(&mut self, columns: Vec<Column>) -> std::io::Result<()> {
        self.columns = columns;
        match self.format {
            Format::Csv => {
                let names: Vec<String> = self.columns.iter().map(|column| csv_cell(&column.name)).collect();
                writeln!(self.out, "{}", names.join(","))
            }
            Format::Json => write!(self.out, "["),
            Format::Table | Format::Lines | Format::Ndjson => Ok(()),
        }
    }

    /// How many rows were given.
    pub(crate) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Prints or holds a row of JSON cells.
    pub(crate) fn row(&mut self, cells: Vec<String>) -> std::io::Result<()> {
        self.n_rows += 1;
        match self.format {
            Format::Table => {
                self.held.push(cells);
                Ok(())
            }
            Format::Lines => {
                let line = text::event_line(&self.columns, &cells, self.is_coloured);
                writeln!(self.out, "{line}")
            }
            Format::Ndjson => writeln!(self.out, "{}", self.object(&cells)),
            Format::Json => {
                let separator = if self.n_rows > 1 { ",\n " } else { "\n " };
                write!(self.out, "{separator}{}", self.object(&cells))
            }
            Format::Csv => {
                let cells: Vec<String> = cells.iter().map(|cell| csv_cell(&plain(cell))).collect();
                writeln!(self.out, "{}", cells.join(","))
            }
        }
    }

    /// Prints what was held back and what closes the format.
    pub(crate) fn finish(&mut self) -> std::io::Result<()> {
        match self.format {
            Format::Table => table::print(&mut self.out, &self.columns, &self.held, self.is_coloured)?,
            Format::Json => writeln!(self.out, "{}]", if self.n_rows > 0 { "\n" } else { "" })?,
            Format::Lines | Format::Ndjson | Format::Csv => {}
        }
        self.out.flush()
    }

    /// Makes sure that what was printed is seen.
    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }

    fn object(&self, cells: &[String]) -> String {
        let present = self.columns.iter().zip(cells).filter(|(_, cell)| *cell != "null");
        let members: Vec<String> =
            present.map(|(column, cell)| format!("{}:{cell}", serde_json::Value::from(&*column.name))).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// RFC 4180; a leading `=`, `+`, `-` or `@` of a text could be run by a spreadsheet, so it is kept as data by quotes
/// only and otherwise untouched: the receiver gets what was logged.
fn csv_cell(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Whether standard output is to be coloured.
pub(crate) fn is_coloured(choice: Color) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            is_set("CLICOLOR_FORCE") || (std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb)
        }
    }
}

/// The format to use where none was asked for: readable on a terminal, NDJSON in a pipe.
pub(crate) fn default_format(columns: &[Column]) -> Format {
    if !std::io::stdout().is_terminal() {
        Format::Ndjson
    } else if columns.iter().any(|column| column.name == "@message") {
        Format::Lines
    } else {
        Format::Table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, expected: &str) {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, format, false);
        let column = |name: &str| Column { name: name.into() };
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
        check(Format::Lines, "2026-11-20T06:00:00Z  a \"b\", c\u{241b}[31m  n=3\nx\n");
        check(
            Format::Table,
            "@timestamp            @message       n\n2026-11-20T06:00:00Z  a \"b\", c\u{241b}[31m  3\n                      x\n",
        );
    }

    #[test]
    fn no_rows_are_still_valid_json() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, Format::Json, false);
        printer.start(Vec::new()).expect("memory");
        printer.finish().expect("memory");
        assert_eq!(out, b"[]\n");
    }
}
