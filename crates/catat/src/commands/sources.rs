//! `catat sources`: lists shippers with their state, lag and gaps.

use reqwest::Method;
use serde_json::{Value, json};

use crate::arguments::{SourceCommand, Sources};
use crate::client::Server;
use crate::failure::Result;
use crate::output::{print_rows, say_partial};

/// Columns of a list of shippers.
const SOURCE_COLUMNS: &str = "host state behind:/lag_bytes bytes_per_s:/rate_bytes_per_s \
    never_arrived:/gap_bytes refused:/refused_events last_seen last_error source";

/// Columns of a list of files.
const FILE_COLUMNS: &str = "host path group generation size offset behind:/lag_bytes complete \
    never_arrived:/gaps refused:/refused_events last_error";

pub(crate) fn sources(options: Sources) -> Result<()> {
    let (None | Some(SourceCommand::List)) = options.command;
    let server = Server::new(&options.client.remote)?;
    let wanted = [("host", &options.host), ("state", &options.state)];
    let wanted: Vec<_> = wanted.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
    let answer: Value = server.ask(server.request(Method::GET, "/api/v1/sources").query(&wanted), "")?;
    say_partial("warning", &answer);
    let sources = answer["sources"].as_array().map_or(&[][..], Vec::as_slice);
    if options.files {
        let files: Vec<Value> = sources.iter().flat_map(files_of).collect();
        return print_rows(&options.client.printing, FILE_COLUMNS, &files);
    }
    print_rows(&options.client.printing, SOURCE_COLUMNS, sources)
}

/// Returns the files of a shipper, and before each its earlier generations that are not whole.
fn files_of(source: &Value) -> Vec<Value> {
    let mut rows = Vec::new();
    for file in source["files"].as_array().into_iter().flatten() {
        for generation in file["earlier"].as_array().into_iter().flatten().chain([file]) {
            let mut row = generation.clone();
            for name in ["path", "group"] {
                row[name] = file[name].clone();
            }
            row["host"] = source["host"].clone();
            // Files of the shipper's own have no path.
            if row["path"] == "" {
                row["path"] = file["stream"].clone();
            }
            row["gaps"] = gaps_of(generation);
            rows.push(row);
        }
    }
    rows
}

/// Ranges of bytes as `FROM-TO`, the end excluded.
fn gaps_of(generation: &Value) -> Value {
    let range = |gap: &Value| format!("{}-{}", gap[0], gap[1]);
    let ranges: Vec<String> = generation["gaps"].as_array().into_iter().flatten().map(range).collect();
    json!(ranges.join(" "))
}

#[cfg(test)]
mod tests;
