//! What can be typed after `catat check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::printing::Color;
use super::server::Server;

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) sample: Sample,
}

/// Lines to try.
#[derive(Debug, Args)]
pub(crate) struct Sample {
    /// Show what the lines of this file would become, and why; nothing is stored; `-` is standard input
    #[arg(long = "sample", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The group that the lines would be sent to (default: default)
    #[arg(long, value_name = "GROUP", requires = "file")]
    pub(crate) group: Option<String>,
    /// How many lines are read at most (default: 1,000)
    #[arg(long, value_name = "N", requires = "file")]
    pub(crate) lines: Option<usize>,
    /// Read the lines as those of this program: a name of the manual's page Programs, or of a file of your own
    #[arg(long, value_name = "NAME", requires = "file")]
    pub(crate) format: Option<String>,
    /// How to print what they become (default: text)
    #[arg(short, long, value_name = "FORMAT", requires = "file")]
    pub(crate) output: Option<SampleFormat>,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// How events that were tried are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SampleFormat {
    /// Aligned, with a summary
    #[default]
    Text,
    /// One JSON document: events and summary
    Json,
    /// One JSON object per event
    Ndjson,
}
