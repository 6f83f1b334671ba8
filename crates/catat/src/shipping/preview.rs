//! `catat ship --dry-run`: what would be sent.

use serde_json::{Map, Value, json};
use ship::{Preview, PreviewedEvent};
use types::{ByteSize, counted};

use crate::arguments::Printing;
use crate::failure::{Failure, Result, of_output};
use crate::output::{Column, printer_of};

const COLUMNS: [&str; 6] = ["file", "offset", "group", "stream", "fields", "line"];

/// Prints the first events of each file, and how much more there is.
pub(super) fn print(options: ship::Options, printing: &Printing) -> Result<()> {
    let preview = Preview::new(options).map_err(|error| Failure::other(error.to_string()))?;
    let mut printer = printer_of(printing)?;
    let columns = COLUMNS.map(|name| Column::named(name.to_owned())).to_vec();
    printer.start(columns).map_err(of_output)?;
    for event in &preview.events {
        printer.row(cells(event)).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)?;
    let (events, files) = (counted(preview.events.len(), "event"), counted(preview.n_files, "file"));
    say!("catat: {events} shown of {files}; {} would be sent", ByteSize(preview.n_bytes));
    for name in &preview.not_run {
        say!("catat: the input \"{name}\" was not run; only its remaining files are shown");
    }
    Ok(())
}

fn cells(event: &PreviewedEvent) -> Vec<String> {
    let fields: Map<String, Value> = event.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let cells = [
        json!(event.path.to_string_lossy()),
        json!(event.offset),
        json!(event.group.as_str()),
        json!(event.stream),
        Value::Object(fields),
        json!(event.line),
    ];
    cells.map(|cell| cell.to_string()).to_vec()
}
