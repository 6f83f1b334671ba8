//! What can be typed after `catat import-config`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct ImportConfig {
    /// Configuration of another shipper
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Whose it is (default: told by its keys)
    #[arg(long, value_name = "SHIPPER")]
    pub(crate) of: Option<Shipper>,
}

/// Shippers whose configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shipper {
    /// YAML
    Promtail,
    /// YAML
    Filebeat,
    /// YAML, or the classic form
    FluentBit,
    /// TOML, YAML or JSON
    Vector,
    /// JSON
    CloudwatchAgent,
}
