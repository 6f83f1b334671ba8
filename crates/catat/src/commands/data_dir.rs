//! Commands on a data directory: the server that runs on it is asked, and where none does the store is opened.

use std::path::Path;
use std::sync::Arc;

use storage::{OpenError, Store};

use super::settings::config;
use super::store;
use crate::arguments::{DataDir, Remote};
use crate::client::Server;
use crate::failure::{Failure, Result};

/// Returns the server that runs on a data directory, with its admin key where none was given.
pub(super) fn server_of(dir: &Path, remote: &Remote) -> Result<Server> {
    Server::new(&Remote { data_dir: Some(dir.to_owned()), ..remote.clone() })
}

/// Does something with the store of a data directory; nothing where a server has it open. A directory without a store
/// gets one where `may_make`.
pub(super) fn with_store<T>(
    dir: &Path,
    may_make: bool,
    work: impl FnOnce(&Arc<Store>) -> Result<T>,
) -> Result<Option<T>> {
    let config = config(&DataDir { config: None, data_dir: Some(dir.to_owned()) })?;
    if !may_make && config.store.fleet.is_none() && !dir.join("STORE").exists() {
        return Err(Failure::usage(format!("{}: no store in this directory", dir.display())));
    }
    crate::formats::check_formats(dir)?;
    crate::serving::data_dir::make_data_dir(dir)?;
    let mut options = store::options_of(&config);
    // A node without roles: it sees what all nodes see, and does nothing by itself.
    options.fleet = config.store.fleet.map(|fleet| storage::FleetOptions { roles: Vec::new(), ..fleet });
    let store = match Store::open(options) {
        Ok((store, _)) => store,
        Err(OpenError::Locked { .. }) => return Ok(None),
        Err(error) => return Err(Failure::usage(error.to_string())),
    };
    let done = work(&store);
    store.close().map_err(|error| Failure::other(error.to_string()))?;
    done.map(Some)
}
