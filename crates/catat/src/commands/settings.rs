//! The configuration as a command's flags choose it.

use crate::arguments::{DataDir, Server};
use crate::config::{Config, Flags, Layers, all_errors};
use crate::failure::Result;

fn flags_of(options: &Server) -> Flags {
    Flags { config: options.config.clone(), data_dir: options.data_dir.clone(), listen: options.listen.clone() }
}

/// Reads all layers of the configuration for a command that takes a server's flags.
pub(super) fn read_layers(options: &Server) -> Result<Layers> {
    Layers::read(&flags_of(options), &std::env::vars().collect::<Vec<_>>()).map_err(all_errors)
}

/// Reads all layers as far as they can be read.
pub(super) fn known_layers(options: &Server) -> Layers {
    Layers::read_all(&flags_of(options), &std::env::vars().collect::<Vec<_>>()).0
}

/// Reads and validates the configuration.
pub(super) fn read_config(options: &Server) -> Result<Config> {
    let config = Config::read(&flags_of(options), &std::env::vars().collect::<Vec<_>>()).map_err(all_errors)?;
    if config.promql_experimental {
        promql::enable_experimental();
    }
    Ok(config)
}

/// Returns the configuration for the directory that was named.
pub(super) fn config(options: &DataDir) -> Result<Config> {
    let server = Server {
        config: options.config.clone(),
        data_dir: options.data_dir.clone(),
        listen: None,
        insecure_allow_anonymous: false,
    };
    read_config(&server)
}
