//! `catat fleet`: lists the nodes of a fleet.

use std::io::Write;

use reqwest::Method;
use serde_json::Value;

use crate::arguments::{DataDir, Fleet, FleetCommand};
use crate::client::Server;
use crate::failure::{Failure, of_output};
use crate::output::print_rows;

/// Columns of a list of nodes, each with its JSON pointer.
const NODE_COLUMNS: [(&str, &str); 7] = [
    ("node", "/node"),
    ("address", "/address"),
    ("roles", "/roles"),
    ("leases", "/leases"),
    ("zone", "/zone"),
    ("silent_s", "/silent_s"),
    ("epoch", "/epoch"),
];

pub(crate) fn fleet(options: Fleet) -> Result<(), Failure> {
    match &options.command {
        FleetCommand::Status => status(&options),
        FleetCommand::Adopt(of_store) => adopt(of_store),
    }
}

/// Moves the store of a data directory into the fleet that the configuration names.
fn adopt(of_store: &DataDir) -> Result<(), Failure> {
    let config = super::store::config(of_store)?;
    let (Some(fleet), Some(bucket)) = (&config.fleet, &config.object_store) else {
        return Err(Failure::usage("set [fleet] database and [storage] object_store: they say which fleet".to_owned()));
    };
    crate::formats::check_formats(&config.data_dir)?;
    let moved = storage::adopt(&config.data_dir, &fleet.database, bucket, |file| say!("catat: moved {file}"));
    let storage::AdoptReport { segments, events, bytes, known } =
        moved.map_err(|error| Failure::usage(error.to_string()))?;
    let mut out = std::io::stdout().lock();
    let bytes = types::ByteSize(bytes);
    writeln!(
        out,
        "{events} events in {segments} segments ({bytes}) belong to the fleet now; {known} segments were there already"
    )
    .map_err(of_output)
}

fn status(options: &Fleet) -> Result<(), Failure> {
    let server = Server::new(&options.remote)?;
    let answer = server.send(server.request(Method::GET, "/api/v1/fleet"), "")?;
    let broken = |error: reqwest::Error| Failure::unreachable(format!("the answer broke off: {error}"));
    let answer: Value = answer.json().map_err(broken)?;
    print_rows(&options.printing, &NODE_COLUMNS, answer["nodes"].as_array().map_or(&[][..], Vec::as_slice))
}
