//! What can be typed after `catat send`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::remote::Remote;

#[derive(Debug, Args)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The group to send to
    #[arg(long, value_name = "GROUP", default_value = "default")]
    pub(crate) group: String,
    /// The stream within the group (default: this host's name)
    #[arg(long, value_name = "STREAM")]
    pub(crate) stream: Option<String>,
    /// A field to add to every event, such as job=backup; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) field: Vec<String>,
    /// Format of the lines
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) format: InputFormat,
    /// Compression of request bodies (default: zstd, none to a server on this machine)
    #[arg(long, value_name = "HOW")]
    pub(crate) compression: Option<Compression>,
    /// How long to retry while the server does not answer or is full
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(crate) retry_for: String,
    /// Report only what was not accepted
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Files to send instead of standard input (plain, .gz, .zst); `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// What lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// JSON objects are records if the first line is one; anything else is text
    Auto,
    /// Every line is a record
    Ndjson,
    /// Plain lines; continuation lines belong to the event before them
    Text,
}

/// How bodies are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    Zstd,
    Gzip,
    None,
}
