//! One function per command.

mod check;
mod data_dir;
mod fleet;
mod groups;
mod keys;
mod lookups;
mod manual;
mod metrics;
mod query;
mod rules;
mod selftest;
mod send;
mod settings;
mod ship;
mod sources;
mod store;
mod tail;
mod up;
mod users;

pub(crate) use check::{check, config};
pub(crate) use fleet::fleet;
pub(crate) use groups::groups;
pub(crate) use keys::keys;
pub(crate) use lookups::lookups;
pub(crate) use manual::{completions, man};
pub(crate) use metrics::metrics;
pub(crate) use query::query;
pub(crate) use rules::rules;
pub(crate) use selftest::selftest;
pub(crate) use send::send;
pub(crate) use ship::ship;
pub(crate) use sources::sources;
pub(crate) use store::{backup, promote, restore, unlock, verify};
pub(crate) use tail::tail;
pub(crate) use up::{serve, up};
pub(crate) use users::users;
