//! `catat lookups`: tables that queries look up (`lookup`).

use std::io::{Read, Write};

use reqwest::Method;

use crate::arguments::{LookupCommand, Lookups};
use crate::client::{Server, broken_off, path_of};
use crate::failure::{Failure, Result, of_output};
use crate::output::{print_list, print_rows};

/// Columns of a list of tables.
const COLUMNS: &str = "name columns rows bytes";

/// Bytes to read of a file: slightly more than the limit of a table, so that the server reports the excess.
const FILE_BYTES_MAX: u64 = plan::CSV_BYTES_MAX as u64 + 1;

pub(crate) fn lookups(options: Lookups) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    match &options.command {
        None | Some(LookupCommand::List) => {
            let answer = server.get("/api/v1/lookups")?;
            print_list(&options.client.printing, COLUMNS, &answer["lookups"])
        }
        Some(LookupCommand::Show { name }) => {
            let answer = server.send(server.request(Method::GET, &path_of("lookups", name)), "")?;
            let text = answer.text().map_err(broken_off)?;
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
            let request =
                server.request(Method::PUT, &path_of("lookups", name)).header("Content-Type", "text/csv").body(text);
            print_rows(&options.client.printing, COLUMNS, &[server.ask(request, "")?])
        }
        Some(LookupCommand::Delete { name }) => server.delete(&path_of("lookups", name), name),
    }
}
