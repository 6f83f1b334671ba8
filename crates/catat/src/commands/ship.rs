//! `catat ship`: follows files here, sends them to a server elsewhere.

use std::path::PathBuf;
use std::sync::Arc;

use ship::Backlog;

use crate::arguments::Ship;
use crate::failure::Failure;

/// Ships until told to stop.
pub(crate) fn ship(options: Ship) -> Result<(), Failure> {
    crate::logging::start();
    crate::privacy::keep_memory();
    let state_dir = options.state_dir.clone().unwrap_or_else(default_state_dir);
    let urls = options.remote.url.split(',').map(|url| url.trim().to_owned()).collect();
    let http = ship::HttpOptions { urls, key: options.remote.key.clone(), ca_file: None };
    let server = ship::HttpDeliver::new(http).map_err(|error| Failure::usage(error.to_string()))?;
    let follow = crate::in_process::follow_options(&state_dir, &options.paths, options.group.as_deref(), Backlog::ALL)?;
    let (shipper, discovery) =
        ship::Shipper::start(follow, Arc::new(server)).map_err(|error| Failure::other(error.to_string()))?;
    eprintln!("catat ships to {}", options.remote.url);
    super::up::print_discovery(&discovery);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::other(error.to_string()))?;
    runtime.block_on(crate::serving::stop_signal());
    shipper.stop();
    Ok(())
}

fn default_state_dir() -> PathBuf {
    let layers = crate::config::Layers::read(&Default::default(), &[]).ok();
    let dir = layers.and_then(|layers| {
        let (_, dir) = layers.all().find(|(setting, _)| (setting.section, setting.key) == ("storage", "dir"))?;
        Some(PathBuf::from(&dir.value))
    });
    dir.unwrap_or_else(|| PathBuf::from("catat")).join("ship")
}
