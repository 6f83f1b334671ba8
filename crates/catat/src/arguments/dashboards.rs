//! What can be typed after `catat dashboards`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::printing::Printing;
use super::remote::Remote;

#[derive(Debug, Args)]
pub(crate) struct Dashboards {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    pub(crate) printing: Printing,
    #[command(subcommand)]
    pub(crate) command: Option<DashboardCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DashboardCommand {
    /// List the dashboards
    List,
    /// Print a dashboard as JSON
    Show {
        /// Its name in addresses
        name: String,
    },
    /// Write dashboards into files, NAME.json
    Pull {
        /// The directory
        dir: PathBuf,
        /// Which ones; all if none is named
        names: Vec<String>,
    },
    /// Make dashboards of files, or change them: each file's name without .json is the dashboard's
    Push {
        /// Files, or directories of files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Find mistakes in files, without a server
    Check {
        /// Files, or directories of files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Make a dashboard of one of Grafana or CloudWatch, and say what could not be taken
    Import {
        /// The JSON that they export
        file: PathBuf,
        /// Its name here; absent: the file's
        #[arg(long)]
        name: Option<String>,
        /// Whose it is; absent: what it looks like
        #[arg(long)]
        format: Option<DashboardFormat>,
        /// Only say what would be taken
        #[arg(long)]
        dry_run: bool,
    },
    /// Delete a dashboard
    Delete {
        /// Its name in addresses
        name: String,
    },
}

/// Whose dashboard a file is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DashboardFormat {
    /// Grafana
    Grafana,
    /// CloudWatch
    Cloudwatch,
}
