//! One function per command.

mod check;
mod data_dir;
mod formats;
mod groups;
mod keys;
mod lookups;
mod manual;
mod query;
mod rules;
mod selftest;
mod send;
mod ship;
mod sources;
mod store;
mod tail;
mod up;
mod users;

pub(crate) use check::rules_dir;
pub(crate) use check::{check, config};
pub(crate) use formats::check_formats;
pub(crate) use groups::groups;
pub(crate) use keys::keys;
pub(crate) use lookups::lookups;
pub(crate) use manual::{completions, man};
pub(crate) use query::{Ending, Note, PROGRESS_AFTER, Shown, from_of, query, row_limit};
pub(crate) use rules::rules;
pub(crate) use selftest::selftest;
pub(crate) use send::send;
pub(crate) use ship::ship;
pub(crate) use sources::sources;
pub(crate) use store::{backup, promote, restore, unlock, verify};
pub(crate) use tail::tail;
pub(crate) use up::{serve, up};
pub(crate) use users::users;

use crate::arguments::Server;
use crate::config::{Config, ConfigError, Flags, Layers};
use crate::failure::Failure;

fn flags_of(options: &Server) -> Flags {
    Flags { config: options.config.clone(), data_dir: options.data_dir.clone(), listen: options.listen.clone() }
}

/// Reads all layers of the configuration for a command that takes a server's flags.
fn read_layers(options: &Server) -> Result<Layers, Failure> {
    Layers::read(&flags_of(options), &std::env::vars().collect::<Vec<_>>()).map_err(all_errors)
}

/// Reads all layers as far as they can be read.
fn known_layers(options: &Server) -> Layers {
    Layers::read_all(&flags_of(options), &std::env::vars().collect::<Vec<_>>()).0
}

fn read_config(options: &Server) -> Result<Config, Failure> {
    Config::read(&flags_of(options), &std::env::vars().collect::<Vec<_>>()).map_err(all_errors)
}

fn all_errors(errors: Vec<ConfigError>) -> Failure {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Failure::usage(lines.join("\ncatat: "))
}
