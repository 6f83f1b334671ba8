//! Settings: what there is, where each value came from, and the validated configuration that the rest receives.
//!
//! Precedence: command-line flag, environment (`CATAT_SECTION__KEY`, and the short `CATAT_LISTEN`), file, default.
//! The file is `--config`, else `CATAT_CONFIG`, else the first of `./catat.toml`,
//! `$XDG_CONFIG_HOME/catat/catat.toml`, `/etc/catat/catat.toml` that exists. A value is text until all layers are
//! known; then it is read once, by its kind, and an error names the layer and place that it came from.

#[cfg(feature = "server")]
mod archives;
#[cfg(feature = "server")]
mod bucket;
mod definitions;
mod error;
mod file;
#[cfg(feature = "server")]
pub(crate) mod fleet;
mod layers;
#[cfg(feature = "server")]
pub(crate) mod public_url;
#[cfg(feature = "server")]
mod remote_write;
#[cfg(feature = "server")]
mod server;
mod settings;
mod ship;
#[cfg(feature = "server")]
mod sign_in;
#[cfg(feature = "server")]
mod tables;
mod values;

pub(crate) use error::all_errors;
pub(crate) use layers::{Flags, Layers};
#[cfg(feature = "server")]
pub(crate) use server::{Certificate, Config, Sockets, XRay};
#[cfg(all(test, feature = "server"))]
pub(crate) use settings::{Kind, SETTINGS};
pub(crate) use ship::ShipConfig;

#[cfg(all(test, feature = "server"))]
mod tests;
