//! The executables `catat` and `catat-ship`: arguments, configuration, wiring, signals, order of shutdown.
//!
//! Data goes to standard output, everything else to standard error. Exit codes are a contract (see `failure`).
//!
//! Without the feature `server` only the shipper is compiled, with what it depends on: `catat-ship` as packages have it.

// Arguments, settings and failures of other commands are known to both.
#![cfg_attr(not(feature = "server"), allow(dead_code, unused_imports))]

/// Writes a line to standard error. If its reader has gone, as after `2>&1 | head`, the work continues.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod arguments;
mod config;
mod failure;
mod logging;
mod output;
mod privacy;
mod process;
mod service_manager;
mod shipping;
mod version;
mod zone;

// What `catat ship` does not need.
#[cfg(feature = "server")]
mod answer;
#[cfg(feature = "server")]
mod client;
#[cfg(feature = "server")]
mod commands;
#[cfg(feature = "server")]
mod completion;
#[cfg(feature = "server")]
mod event_view;
#[cfg(feature = "server")]
mod formats;
#[cfg(feature = "server")]
mod help;
#[cfg(feature = "server")]
mod in_process;
#[cfg(feature = "server")]
mod links;
#[cfg(feature = "server")]
mod local;
#[cfg(feature = "server")]
mod program_formats;
#[cfg(feature = "server")]
mod progress;
#[cfg(feature = "server")]
mod run;
#[cfg(feature = "server")]
mod serving;

use std::process::ExitCode;

use clap::{Args, FromArgMatches};

use arguments::{ENVIRONMENT, Ship};
use process::{exit_code, prepare};

#[cfg(feature = "server")]
pub use run::run;

// The system allocator keeps the memory of ingest bursts; this one returns it, also while nobody allocates.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The executable with the shipper alone.
const SHIPPER: &str = "catat-ship";

/// Runs `catat-ship`, which is `catat ship` and nothing else.
pub fn run_shipper() -> ExitCode {
    let parser = Ship::augment_args(clap::Command::new(SHIPPER)).version(version::SHORT).max_term_width(100);
    let parser = parser.about("Follow log files and send them to a server elsewhere").after_help(ENVIRONMENT);
    let matches = parser.get_matches();
    let options = Ship::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    exit_code(prepare().and_then(|()| shipping::ship(options)))
}
