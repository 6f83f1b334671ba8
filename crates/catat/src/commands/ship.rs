//! `catat ship`: follows files here, sends them to a server elsewhere.

mod preview;
mod status;

use std::path::Path;
use std::sync::Arc;

use ship::Backlog;
use types::SecretUrl;

use super::settings::all_errors;
use crate::arguments::{Ship, ShipCommand};
use crate::config::{Flags, Layers, ShipConfig};
use crate::failure::Failure;
use crate::service_manager;

/// The default server.
const USUAL_URL: &str = "http://127.0.0.1:22828";

/// Ships until told to stop.
pub(crate) fn ship(options: Ship) -> Result<(), Failure> {
    crate::logging::start();
    crate::privacy::keep_memory();
    let config = read_config(&options)?;
    let state_dir = options.state_dir.clone().unwrap_or_else(|| config.state_dir.clone());
    if let Some(ShipCommand::Status) = options.command {
        return status::print(&state_dir, &options.printing);
    }
    if options.dry_run {
        return preview::print(ship_options(&options, &config, &state_dir)?, &options.printing);
    }
    let urls = server_urls(&options, &config);
    let shown = urls.iter().map(|url| SecretUrl(url).to_string()).collect::<Vec<_>>().join(", ");
    let key = options.key.clone().map_or_else(|| config.key(), |key| Ok(Some(key))).map_err(Failure::usage)?;
    let http = ship::HttpOptions { urls, key, ca_file: config.ca_file.clone() };
    let server = ship::HttpDeliver::new(http).map_err(|error| Failure::usage(error.to_string()))?;
    let mut shipped = ship_options(&options, &config, &state_dir)?;
    shipped.follow.gone_bytes = config.gone_bytes;
    let (shipper, discovery) =
        ship::Shipper::start(shipped, Arc::new(server)).map_err(|error| Failure::other(error.to_string()))?;
    say!("catat ships to {shown}");
    super::up::print_discovery(&discovery);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::other(error.to_string()))?;
    service_manager::ready(&format!("ships to {shown}"));
    runtime.block_on(async {
        tokio::select! {
            () = service_manager::live() => {}
            () = crate::serving::signals::stop_signal() => {}
        }
    });
    shipper.stop();
    Ok(())
}

fn ship_options(options: &Ship, config: &ShipConfig, state_dir: &Path) -> Result<ship::Options, Failure> {
    let group = options.group.as_deref();
    crate::in_process::ship_options(state_dir, &options.paths, config.inputs(), group, Backlog::ALL)
}

fn read_config(options: &Ship) -> Result<ShipConfig, Failure> {
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
