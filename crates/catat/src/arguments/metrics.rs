//! What can be typed after `catat metrics`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Metrics {
    #[command(subcommand)]
    pub(crate) command: MetricsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// Run scripts in Prometheus' test language: samples to load, PromQL, and the answers expected
    Test {
        /// The scripts
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Allow functions that Prometheus calls experimental
        #[arg(long)]
        experimental: bool,
    },
}
