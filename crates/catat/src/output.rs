//! How answers look: as a table or lines for people, as JSON, CSV or TSV for programs.
//!
//! A row is a list of cells in JSON, as the server sends them, so that numbers keep every digit on their way.

mod column;
mod readable;
mod table;
mod text;

use std::io::{BufWriter, IsTerminal, Write};

use chrono_tz::Tz;
use plan::{Formulas, write_csv_cell, write_csv_name, write_tsv_cell};
use serde_json::{Map, Value};

use crate::arguments::{Color, Format, Printing};
use crate::failure::{Result, of_output};
use crate::zone::{Zones, in_zone};

pub(crate) use column::{Column, Kind};
use text::EventLines;
pub(crate) use text::{harmless, level_colour, located_error, plain};

/// Prints rows as they come.
pub(crate) struct Printer<W: Write> {
    out: W,
    format: Format,
    lines: EventLines,
    /// In which zone times are printed; as they came where there is none.
    zone: Option<Tz>,
    /// Columns of the terminal that a table must fit into.
    width: Option<usize>,
    columns: Vec<Column>,
    /// Rows held back until the widths of a table's columns are known.
    held: Vec<Vec<String>>,
    /// The number of rows so far.
    pub(crate) n_rows: u64,
}

impl<W: Write> Printer<W> {
    pub(crate) fn new(out: W, format: Format, is_coloured: bool) -> Self {
        let lines = EventLines { is_coloured, group_width: None };
        Self { out, format, lines, zone: None, width: None, columns: Vec::new(), held: Vec::new(), n_rows: 0 }
    }

    /// Prints times in a zone.
    pub(crate) fn in_zone(self, zone: Tz) -> Self {
        Self { zone: Some(zone).filter(|zone| *zone != Tz::UTC), ..self }
    }

    /// Fits tables into a terminal.
    pub(crate) fn fitted_to(self, width: Option<usize>) -> Self {
        Self { width, ..self }
    }

    /// Gives level and group columns of their own before the texts of events, that of the group as wide as before.
    pub(crate) fn naming_groups(mut self, width: Option<usize>) -> Self {
        self.lines.group_width = width;
        self
    }

    /// How wide the column of the group has become.
    pub(crate) fn group_width(&self) -> Option<usize> {
        self.lines.group_width
    }

    /// Takes the columns; the header, where the format has one, is printed.
    pub(crate) fn start(&mut self, columns: Vec<Column>) -> std::io::Result<()> {
        self.columns = columns;
        match self.format {
            Format::Csv | Format::CsvRaw => {
                let formulas = self.formulas();
                let write = |column: &Column, out: &mut String| write_csv_name(&column.name, formulas, out);
                writeln!(self.out, "{}", joined(&self.columns, ",", write))
            }
            Format::Tsv => {
                let write = |column: &Column, out: &mut String| write_tsv_cell(&column.name, Formulas::Kept, out);
                writeln!(self.out, "{}", joined(&self.columns, "\t", write))
            }
            Format::Json => write!(self.out, "["),
            Format::Table | Format::Lines | Format::Ndjson => Ok(()),
        }
    }

    /// Prints or holds a row of JSON cells.
    pub(crate) fn row(&mut self, cells: Vec<String>) -> std::io::Result<()> {
        self.n_rows += 1;
        let cells: Vec<String> =
            cells.into_iter().zip(&self.columns).map(|(cell, column)| self.for_people(cell, column)).collect();
        match self.format {
            Format::Table => {
                self.held.push(cells);
                Ok(())
            }
            Format::Lines => {
                let line = self.lines.line(&self.columns, &cells);
                writeln!(self.out, "{line}")
            }
            Format::Ndjson => writeln!(self.out, "{}", self.object(&cells)),
            Format::Json => {
                let separator = if self.n_rows > 1 { ",\n " } else { "\n " };
                write!(self.out, "{separator}{}", self.object(&cells))
            }
            Format::Csv | Format::CsvRaw | Format::Tsv => {
                let formulas = |cell: &str| if cell.starts_with('"') { self.formulas() } else { Formulas::Kept };
                let is_tsv = self.format == Format::Tsv;
                let write_cell = if is_tsv { write_tsv_cell } else { write_csv_cell };
                let write = |cell: &String, out: &mut String| write_cell(&plain(cell), formulas(cell), out);
                let line = joined(&cells, if is_tsv { "\t" } else { "," }, write);
                writeln!(self.out, "{line}")
            }
        }
    }

    /// Prints what was held back and what closes the format.
    pub(crate) fn finish(&mut self) -> std::io::Result<()> {
        match self.format {
            Format::Table => {
                let style = table::Style { is_coloured: self.lines.is_coloured, width: self.width };
                table::print(&mut self.out, &self.columns, &self.held, style)?;
            }
            Format::Json => writeln!(self.out, "{}]", if self.n_rows > 0 { "\n" } else { "" })?,
            Format::Lines | Format::Ndjson | Format::Csv | Format::CsvRaw | Format::Tsv => {}
        }
        self.out.flush()
    }

    /// Returns a cell in the zone of this printer, and on a terminal with no more digits than people read.
    fn for_people(&self, cell: String, column: &Column) -> String {
        let zone = self.zone.filter(|_| column.kind == Kind::Time);
        let cell = zone.and_then(|zone| in_zone(&cell, zone)).unwrap_or(cell);
        let is_read = self.width.is_some() && matches!(self.format, Format::Table | Format::Lines);
        if is_read { readable::readable(cell, column) } else { cell }
    }

    fn formulas(&self) -> Formulas {
        if self.format == Format::CsvRaw { Formulas::Kept } else { Formulas::Disarmed }
    }

    fn object(&self, cells: &[String]) -> String {
        let present = self.columns.iter().zip(cells).filter(|(_, cell)| *cell != "null");
        let members: Vec<String> =
            present.map(|(column, cell)| format!("{}:{cell}", serde_json::Value::from(&*column.name))).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// Cells with a separator between them.
fn joined<T>(cells: &[T], separator: &str, write: impl Fn(&T, &mut String)) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        line.push_str(if at > 0 { separator } else { "" });
        write(cell, &mut line);
    }
    line
}

/// Prints what a server listed, as [`print_rows`] does.
pub(crate) fn print_list(printing: &Printing, columns: &str, list: &Value) -> Result<()> {
    print_rows(printing, columns, list.as_array().map_or(&[], Vec::as_slice))
}

/// Says why an answer is not whole, if it is not; `what` is how that is called.
pub(crate) fn say_partial(what: &str, answer: &Value) {
    for reason in answer["partial_reasons"].as_array().into_iter().flatten() {
        say!("catat: {what}: {}", reason["message"].as_str().unwrap_or_default());
    }
}

/// Prints rows: a table on a terminal, else JSON lines, unless a format was asked for. Columns are separated by spaces;
/// each is the name of a member, or a name and a JSON pointer with a colon between them. A table has no empty columns.
pub(crate) fn print_rows(printing: &Printing, columns: &str, rows: &[Value]) -> Result<()> {
    let columns: Vec<(&str, String)> = columns
        .split(' ')
        .map(|column| column.split_once(':').map_or((column, format!("/{column}")), |(name, at)| (name, at.to_owned())))
        .collect();
    let mut printer = printer_of(printing)?;
    let mut columns = columns;
    if printer.format == Format::Table && !rows.is_empty() {
        columns.retain(|(_, place)| rows.iter().any(|row| row.pointer(place).is_some_and(|value| !value.is_null())));
    }
    printer.start(columns.iter().map(|(name, place)| Column::of_thing(name, place)).collect()).map_err(of_output)?;
    for row in rows {
        let cell = |(_, place): &(&str, String)| row.pointer(place).unwrap_or(&Value::Null).to_string();
        printer.row(columns.iter().map(cell).collect()).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)
}

/// Prints one thing: a table of its members for people, else one row.
pub(crate) fn print_thing(printing: &Printing, thing: &Value) -> Result<()> {
    let nothing = Map::new();
    let members = thing.as_object().unwrap_or(&nothing);
    let mut printer = printer_of(printing)?;
    if printer.format != Format::Table {
        printer.start(members.keys().map(|name| Column::of_thing(name, name)).collect()).map_err(of_output)?;
        printer.row(members.values().map(Value::to_string).collect()).map_err(of_output)?;
        return printer.finish().map_err(of_output);
    }
    printer.start(["what", "value"].map(Column::named).to_vec()).map_err(of_output)?;
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let cell = printer.for_people(value.to_string(), &Column::of_thing(name, name));
        printer.held.push(vec![Value::from(name.as_str()).to_string(), cell]);
    }
    printer.finish().map_err(of_output)
}

/// Returns the format of a list.
pub(crate) fn format_of(printing: &Printing) -> Format {
    let default = if std::io::stdout().is_terminal() { Format::Table } else { Format::Ndjson };
    printing.output.unwrap_or(default)
}

/// Returns a printer of tables on standard output, as the flags say.
pub(crate) fn printer_of(printing: &Printing) -> Result<Printer<BufWriter<std::io::Stdout>>> {
    let format = format_of(printing);
    let zone = Zones::of(&printing.zone)?.printed(matches!(format, Format::Table | Format::Lines));
    let out = BufWriter::new(std::io::stdout());
    Ok(Printer::new(out, format, is_coloured(printing.color)).in_zone(zone).fitted_to(terminal_width()))
}

/// Returns the number of columns of the terminal that standard output is; `None` where it is none.
pub(crate) fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// Reports whether standard output is to be coloured.
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

/// Returns the default format: readable on a terminal, NDJSON in a pipe.
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
mod tests;
