//! `catat fleet`: lists the nodes of a fleet.

use reqwest::Method;
use serde_json::Value;

use crate::arguments::{Fleet, FleetCommand};
use crate::client::Server;
use crate::failure::Failure;
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
    let FleetCommand::Status = options.command;
    let server = Server::new(&options.remote)?;
    let answer = server.send(server.request(Method::GET, "/api/v1/fleet"), "")?;
    let broken = |error: reqwest::Error| Failure::unreachable(format!("the answer broke off: {error}"));
    let answer: Value = answer.json().map_err(broken)?;
    print_rows(&options.printing, &NODE_COLUMNS, answer["nodes"].as_array().map_or(&[][..], Vec::as_slice))
}
