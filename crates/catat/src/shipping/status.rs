//! `catat ship status`: the state of the shipper on a state directory, running or not.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;

use serde_json::{Value, json};
use ship::{InputStatus, Report, ReportedFile};
use types::{ByteSize, counted, verb_for};

use crate::arguments::{Format, Printing};
use crate::failure::{Failure, Result, of_output};
use crate::output::{Column, Printer, is_coloured, terminal_width};

const COLUMNS: [&str; 8] = ["kind", "name", "sent", "size", "waiting", "lines", "given_up", "error"];

/// Prints a table, or everything as one object.
pub(super) fn print(state_dir: &Path, printing: &Printing) -> Result<()> {
    let report = Report::read(state_dir)
        .map_err(|error| Failure::usage(format!("{error}; name the directory of the shipper with --state-dir")))?;
    let is_terminal = std::io::stdout().is_terminal();
    let format = printing.output.unwrap_or(if is_terminal { Format::Table } else { Format::Json });
    let mut out = BufWriter::new(std::io::stdout().lock());
    if matches!(format, Format::Json | Format::Ndjson) {
        let text = serde_json::to_string(&report).map_err(|error| Failure::other(error.to_string()))?;
        return writeln!(out, "{text}").and_then(|()| out.flush()).map_err(of_output);
    }
    let mut printer = Printer::new(out, format, is_coloured(printing.color)).fitted_to(terminal_width());
    printer.start(COLUMNS.map(|name| Column::named(name.to_owned())).to_vec()).map_err(of_output)?;
    let rows = report.told.inputs.iter().map(input_cells).chain(report.files.iter().map(file_cells));
    for cells in rows {
        printer.row(cells.map(|cell| cell.to_string()).to_vec()).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)?;
    say_rest(&report);
    Ok(())
}

fn input_cells(input: &InputStatus) -> [Value; 8] {
    let (lines, given_up) = (json!(input.lines), json!(input.given_up.lines));
    let none = Value::Null;
    [json!("input"), json!(input.name), none.clone(), none.clone(), none, lines, given_up, json!(input.last_error)]
}

fn file_cells(file: &ReportedFile) -> [Value; 8] {
    let waiting = json!(file.size.saturating_sub(file.offset));
    let (offset, size, none) = (json!(file.offset), json!(file.size), Value::Null);
    [json!("file"), json!(file.path), offset, size, waiting, none.clone(), none, json!(file.last_error)]
}

fn say_rest(report: &Report) {
    let told = &report.told;
    let state = if report.is_running { "at work" } else { "not at work" };
    let (waiting, spooled) = (ByteSize(report.bytes_waiting), ByteSize(report.bytes_spooled));
    say!("catat: the shipper is {state}; {waiting} of files and {spooled} of other inputs wait");
    if report.n_elsewhere > 0 {
        let (files, were) = (counted(report.n_elsewhere, "known file"), verb_for(report.n_elsewhere, "was", "were"));
        say!("  {files} {were} renamed or deleted");
    }
    if told.refused > 0 {
        let is_one = told.refused == 1;
        let what = if is_one { "event or batch was refused and is" } else { "events or batches were refused and are" };
        say!("  {} {what} in dead-letter", told.refused);
    }
    if told.given_up.bytes > 0 {
        let (lines, bytes) = (told.given_up.lines, counted(told.given_up.bytes, "byte"));
        let were = verb_for(lines, "was", "were");
        say!("  {} of deleted files {were} abandoned, {bytes}", counted(lines, "line"));
    }
    if let Some(error) = &told.last_error {
        say!("  delivery fails: {}", crate::output::harmless(error, false));
    }
}
