//! `catat lookups`: tables that queries look up (`lookup`).

use std::io::{BufWriter, IsTerminal, Read, Write};

use reqwest::Method;
use serde_json::Value;

use super::groups::encoded;
use crate::arguments::{Format, LookupCommand, Lookups};
use crate::client::Server;
use crate::failure::{Failure, of_output};
use crate::output::{Column, Printer, is_coloured};

/// Columns of a list of tables.
const COLUMNS: [&str; 4] = ["name", "columns", "rows", "bytes"];

/// Bytes of a file that are read: a little more than a table may have, so that the server says what is wrong.
const FILE_BYTES_MAX: u64 = query::CSV_BYTES_MAX as u64 + 1;

pub(crate) fn lookups(options: Lookups) -> Result<(), Failure> {
    let server = Server::new(&options.remote)?;
    match &options.command {
        None => {
            let answer = server.send(server.request(Method::GET, "/api/v1/lookups"), "")?;
            print(&options, of_json(answer)?["lookups"].as_array().map_or(&[], Vec::as_slice))
        }
        Some(LookupCommand::Show { name }) => {
            let answer = server.send(server.request(Method::GET, &path(name)), "")?;
            let text = answer.text().map_err(|error| broken(&error))?;
            std::io::stdout().write_all(text.as_bytes()).map_err(of_output)
        }
        Some(LookupCommand::Put { name, file }) => {
            let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", file.display()));
            let source: Box<dyn Read> = match file.as_os_str() == "-" {
                true => Box::new(std::io::stdin()),
                false => Box::new(std::fs::File::open(file).map_err(failed)?),
            };
            let mut text = Vec::new();
            source.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
            let request = server.request(Method::PUT, &path(name)).header("Content-Type", "text/csv").body(text);
            print(&options, &[of_json(server.send(request, "")?)?])
        }
        Some(LookupCommand::Delete { name }) => {
            server.send(server.request(Method::DELETE, &path(name)), "")?;
            eprintln!("catat: {name} is deleted");
            Ok(())
        }
    }
}

fn of_json(answer: reqwest::blocking::Response) -> Result<Value, Failure> {
    answer.json().map_err(|error| broken(&error))
}

fn broken(error: &reqwest::Error) -> Failure {
    Failure::unreachable(format!("the answer broke off: {error}"))
}

fn path(name: &str) -> String {
    format!("/api/v1/lookups/{}", encoded(name))
}

fn print(options: &Lookups, tables: &[Value]) -> Result<(), Failure> {
    let is_terminal = std::io::stdout().is_terminal();
    let format = options.printing.output.unwrap_or(if is_terminal { Format::Table } else { Format::Ndjson });
    let mut printer = Printer::new(BufWriter::new(std::io::stdout()), format, is_coloured(options.printing.color));
    printer.start(COLUMNS.map(|name| Column { name: name.into() }).to_vec()).map_err(of_output)?;
    for table in tables {
        printer.row(COLUMNS.map(|name| table[name].to_string()).to_vec()).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)
}
