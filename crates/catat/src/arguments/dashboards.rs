//! What can be typed after `catat dashboards`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::remote::Commands;

pub(crate) type Dashboards = Commands<DashboardCommand>;

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
    /// Write a dashboard with its data into one file of HTML, or the data of a panel as CSV
    Export(Export),
    /// Delete a dashboard
    Delete {
        /// Its name in addresses
        name: String,
    },
}

/// What is exported, and how.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The dashboard's name in addresses
    pub(crate) name: String,
    /// The file; absent: standard output
    pub(crate) file: Option<PathBuf>,
    /// The format
    #[arg(long, default_value = "html")]
    pub(crate) format: ExportFormat,
    /// The panel, for CSV
    #[arg(long, required_if_eq("format", "csv"))]
    pub(crate) panel: Option<String>,
    /// Begin of the range; absent: the dashboard's
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// End of the range; absent: the dashboard's
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// The language of HTML, en or id
    #[arg(long)]
    pub(crate) lang: Option<String>,
    /// A variable's value, NAME=VALUE; repeated for several
    #[arg(long)]
    pub(crate) var: Vec<String>,
}

/// What a dashboard is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// The whole dashboard
    Html,
    /// The rows of one panel
    Csv,
}

/// Whose dashboard a file is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DashboardFormat {
    /// Grafana
    Grafana,
    /// CloudWatch
    Cloudwatch,
}
