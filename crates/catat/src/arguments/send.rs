//! What can be typed after `catat send`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Remote;

#[derive(Debug, Args)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The group that the lines go to
    #[arg(long, value_name = "GROUP", default_value = "default")]
    pub(crate) group: String,
    /// The stream within the group (default: this host's name)
    #[arg(long, value_name = "STREAM")]
    pub(crate) stream: Option<String>,
    /// A field that every event gets, such as job=backup; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) field: Vec<String>,
    /// What the lines are
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) format: InputFormat,
    /// How bodies are packed on their way
    #[arg(long, value_name = "HOW", default_value = "zstd")]
    pub(crate) compression: Compression,
    /// How long a server is waited for that does not answer or has no room
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(crate) retry_for: String,
    /// Say only what was not accepted
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Files to send instead of standard input (plain, .gz, .zst); `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// What lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// JSON objects are records, where the first line is one; anything else is text
    Auto,
    /// Every line is a record
    Ndjson,
    /// Lines as programs print them; some belong to the line before
    Text,
}

/// How bodies are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    Zstd,
    Gzip,
    None,
}
