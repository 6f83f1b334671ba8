//! `catat fleet`: lists and drains the nodes of a fleet, moves a store into it and out of it. `catat verify`, `catat backup`
//! and `catat restore` of a fleet.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use reqwest::Method;

use super::settings::config;
use crate::arguments::{DataDir, Drain, Fleet, FleetCommand, Format};
use crate::client::Server;
use crate::config::Config;
use crate::failure::{Failure, Result, of_output};
use crate::output::{format_of, print_list};
use types::{ByteSize, counted, ensure, percent_encoded, verb_for};

/// Columns of a list of nodes.
const NODE_COLUMNS: &str = "node address roles leases draining drained behind:/changes_behind zone silent_s epoch";

pub(crate) fn fleet(options: Fleet) -> Result<()> {
    match &options.command {
        FleetCommand::Status => status(&options),
        FleetCommand::Drain(order) => drain(&options, order),
        FleetCommand::Adopt(of_store) => adopt(of_store),
        FleetCommand::Export(of_store) => export(of_store),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}

/// Returns the database and the bucket of the fleet that the configuration names.
fn place(config: &Config) -> Result<(&storage::DatabaseUrl, &storage::ObjectStoreOptions)> {
    match (&config.store.fleet, &config.store.object_store) {
        (Some(fleet), Some(bucket)) => Ok((&fleet.database, bucket)),
        _ => Err(Failure::usage("set [fleet] database and [storage] object_store: they say which fleet".to_owned())),
    }
}

/// Reports whether a command is about the fleet that the configuration names: no directory is named instead.
pub(super) fn is_named(options: &DataDir, config: &Config) -> bool {
    options.data_dir.is_none() && config.store.fleet.is_some()
}

/// Moves the store of a data directory into the fleet that the configuration names.
fn adopt(of_store: &DataDir) -> Result<()> {
    let config = config(of_store)?;
    let (database, bucket) = place(&config)?;
    crate::formats::check_formats(&config.data_dir)?;
    let moved = storage::adopt(&config.data_dir, database, bucket, |file| say!("catat: moved {file}"));
    print_adopted(moved.map_err(failed)?)
}

fn print_adopted(report: storage::AdoptReport) -> Result<()> {
    let storage::AdoptReport { segments, events, bytes, known } = report;
    let (belong, bytes) = (verb_for(events, "belongs", "belong"), ByteSize(bytes));
    let (events, segments) = (counted(events, "event"), counted(segments, "segment"));
    let known = already_there(known);
    writeln!(std::io::stdout(), "{events} in {segments} ({bytes}) {belong} to the fleet now; {known}")
        .map_err(of_output)
}

fn already_there(n_segments: impl Display + Copy) -> String {
    format!("{} {} there already", counted(n_segments, "segment"), verb_for(n_segments, "was", "were"))
}

/// Copies the fleet that the configuration names into a data directory.
fn export(of_store: &DataDir) -> Result<()> {
    ensure!(of_store.data_dir.is_some(), Failure::usage("name the new data directory: --data-dir DIR".to_owned()));
    let config = config(of_store)?;
    copy(&config, &config.data_dir, false)
}

/// Copies the fleet that the configuration names into a directory, as a backup.
pub(super) fn backup(config: &Config, to: &Path) -> Result<()> {
    copy(config, to, true)
}

fn copy(config: &Config, to: &Path, is_copy: bool) -> Result<()> {
    let (database, bucket) = place(config)?;
    let copied = storage::export(to, database, bucket, is_copy, |file| say!("catat: copied {file}"));
    let storage::ExportReport { segments, bytes, events, known, nodes } = copied.map_err(failed)?;
    let (mut out, dir, bytes) = (std::io::stdout().lock(), to.display(), ByteSize(bytes));
    let (events, segments) = (counted(events, "event"), counted(segments, "segment"));
    writeln!(out, "{events} copied to {dir}: {segments}, {bytes}; {}", already_there(known)).map_err(of_output)?;
    if is_copy || nodes == 0 {
        return Ok(());
    }
    let what = "it is a copy and sends no notifications, and lacks what is accepted from now on";
    writeln!(out, "the fleet is running (nodes: {nodes}): {what}; to leave the fleet, stop its nodes and export again")
        .map_err(of_output)
}

/// Checks what the catalog of the fleet lists; returns what the report is about, and the report.
pub(super) fn verify(config: &Config) -> Result<(String, storage::VerifyReport)> {
    let (database, bucket) = place(config)?;
    let report = storage::verify_fleet(database, bucket).map_err(failed)?;
    Ok((bucket.url.clone(), report))
}

/// Brings a backup into the fleet that the configuration names.
pub(super) fn restore(config: &Config, from: &Path) -> Result<()> {
    let (database, bucket) = place(config)?;
    let scratch = config.data_dir.join("restore");
    let moved = storage::restore_fleet(from, &scratch, database, bucket, |file| say!("catat: moved {file}"));
    print_adopted(moved.map_err(failed)?)
}

fn drain(options: &Fleet, order: &Drain) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    let method = if order.undo { Method::DELETE } else { Method::POST };
    let path = format!("/api/v1/fleet/nodes/{}/drain", percent_encoded(&order.node));
    server.send(server.request(method, &path), "")?;
    let node = &order.node;
    if order.undo {
        return writeln!(std::io::stdout(), "{node} takes new work again").map_err(of_output);
    }
    let next = "stop it once `catat fleet status` says that it is drained";
    writeln!(std::io::stdout(), "{node} takes no new work; {next}, or continue with --undo").map_err(of_output)
}

fn status(options: &Fleet) -> Result<()> {
    let server = Server::new(&options.client.remote)?;
    let answer = server.get("/api/v1/fleet")?;
    print_list(&options.client.printing, NODE_COLUMNS, &answer["nodes"])?;
    if format_of(&options.client.printing) != Format::Table {
        return Ok(());
    }
    let number = |name: &str| answer[name].as_f64().unwrap_or(0.0);
    let bytes = |name: &str| ByteSize(answer[name].as_u64().unwrap_or(0));
    let n_waiting = &answer["objects_waiting"];
    let (objects, wait) = (counted(n_waiting, "object"), verb_for(n_waiting, "waits", "wait"));
    let waiting = format!("{objects} ({}) {wait}", bytes("object_bytes_waiting"));
    let puts = format!("{:.0} PUTs a day (measured over {:.0} s)", number("puts_per_day"), number("puts_measured_s"));
    let (stored, cost) = (bytes("bytes_stored"), number("cost_per_day_usd"));
    writeln!(std::io::stdout(), "{waiting}; {stored} stored; {puts}; ${cost:.2} a day at list prices")
        .map_err(of_output)
}
