//! `catat lookups`: tables that queries look up (`lookup`).

use std::io::{Read, Write};

use reqwest::Method;
use serde_json::Value;
use types::percent_encoded;

use crate::arguments::{LookupCommand, Lookups};
use crate::client::Server;
use crate::failure::{Failure, of_output};
use crate::output::print_rows;

/// Columns of a list of tables.
const COLUMNS: [(&str, &str); 4] = [("name", "/name"), ("columns", "/columns"), ("rows", "/rows"), ("bytes", "/bytes")];

/// Bytes to read of a file: slightly more than the limit of a table, so that the server reports the excess.
const FILE_BYTES_MAX: u64 = plan::CSV_BYTES_MAX as u64 + 1;

pub(crate) fn lookups(options: Lookups) -> Result<(), Failure> {
    let server = Server::new(&options.remote)?;
    match &options.command {
        None | Some(LookupCommand::List) => {
            let answer = server.send(server.request(Method::GET, "/api/v1/lookups"), "")?;
            print_rows(&options.printing, &COLUMNS, of_json(answer)?["lookups"].as_array().map_or(&[], Vec::as_slice))
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
            print_rows(&options.printing, &COLUMNS, &[of_json(server.send(request, "")?)?])
        }
        Some(LookupCommand::Delete { name }) => {
            server.send(server.request(Method::DELETE, &path(name)), "")?;
            say!("catat: {name} deleted");
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
    format!("/api/v1/lookups/{}", percent_encoded(name))
}
