//! `catat ship`: follows files here, sends them to a server elsewhere.

mod discovery;
mod preview;
mod status;
mod usual;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ship::{Backlog, DefinedInput, FollowOptions, Options};
use types::{GroupName, SecretUrl};

use crate::arguments::{Ship, ShipCommand};
use crate::config::{Flags, Layers, ShipConfig, all_errors};
use crate::failure::{Failure, Result};
use crate::service_manager;

pub(crate) use discovery::{bytes_to_read, print_discovery};
pub(crate) use usual::print_usual_notes;

/// The default server.
const USUAL_URL: &str = "http://127.0.0.1:22828";

/// Ships until told to stop.
pub(crate) fn ship(options: Ship) -> Result<()> {
    crate::logging::start();
    crate::privacy::keep_memory();
    let config = read_config(&options)?;
    let state_dir = options.state_dir.clone().unwrap_or_else(|| config.state_dir.clone());
    if let Some(ShipCommand::Status) = options.command {
        return status::print(&state_dir, &options.printing);
    }
    if options.dry_run {
        return preview::print(options_of(&options, &config, &state_dir)?, &options.printing);
    }
    let urls = server_urls(&options, &config);
    let shown = urls.iter().map(|url| SecretUrl(url).to_string()).collect::<Vec<_>>().join(", ");
    let key = options.key.clone().map_or_else(|| config.key(), |key| Ok(Some(key))).map_err(Failure::usage)?;
    let http = ship::HttpOptions { urls, key, ca_file: config.ca_file.clone(), identity: config.identity.clone() };
    let server = ship::HttpDeliver::new(http).map_err(|error| Failure::usage(error.to_string()))?;
    let mut shipped = options_of(&options, &config, &state_dir)?;
    shipped.follow.gone_bytes = config.gone_bytes;
    let (shipper, discovery) =
        ship::Shipper::start(shipped, Arc::new(server)).map_err(|error| Failure::other(error.to_string()))?;
    say!("catat ships to {shown}");
    print_discovery(&discovery);
    if options.paths.is_empty() && config.inputs().is_empty() {
        print_usual_notes();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::other(error.to_string()))?;
    service_manager::ready(&format!("ships to {shown}"));
    runtime.block_on(async {
        tokio::select! {
            () = service_manager::live() => {}
            () = service_manager::stop_signal() => {}
        }
    });
    shipper.stop();
    Ok(())
}

fn options_of(options: &Ship, config: &ShipConfig, state_dir: &Path) -> Result<Options> {
    ship_options(state_dir, &options.paths, config.inputs(), options.group.as_deref(), Backlog::ALL)
}

/// Returns what to ship: the PATHs of `up` and `ship`, else the inputs of the configuration, else the logs of this machine.
pub(crate) fn ship_options(
    state_dir: &Path,
    paths: &[PathBuf],
    inputs: Vec<DefinedInput>,
    group: Option<&str>,
    backlog: Backlog,
) -> Result<Options> {
    let is_usual = paths.is_empty() && inputs.is_empty();
    let inputs = if is_usual { usual::usual_inputs() } else { inputs };
    let has_paths = !paths.is_empty();
    let mut options = Options::from(FollowOptions::new(paths.to_vec(), state_dir.to_owned()));
    options.follow.excluded.push(state_dir.to_owned());
    options.follow.backlog = backlog;
    if !has_paths {
        options.follow.inputs.clear();
        options.add(inputs);
    }
    if let Some(name) = group {
        let problem = format!("--group {name}: a group name is 1–512 of A-Z a-z 0-9 . _ / # -");
        let group = GroupName::new(name).ok_or_else(|| Failure::usage(problem))?;
        let of_inputs = options.inputs.iter_mut().map(|input| &mut input.file);
        options.follow.inputs.iter_mut().chain(of_inputs).for_each(|input| input.group = Some(group.clone()));
    }
    Ok(options)
}

fn read_config(options: &Ship) -> Result<ShipConfig> {
    let flags = Flags { config: options.config.clone(), ..Flags::default() };
    let layers = Layers::read(&flags, &std::env::vars().collect::<Vec<_>>()).map_err(all_errors)?;
    ShipConfig::of_layers(&layers).map_err(all_errors)
}

/// Returns the servers to send to, the preferred first.
fn server_urls(options: &Ship, config: &ShipConfig) -> Vec<String> {
    match &options.url {
        Some(urls) => urls.split(',').map(|url| url.trim().to_owned()).collect(),
        None if config.urls.is_empty() => vec![USUAL_URL.to_owned()],
        None => config.urls.clone(),
    }
}
