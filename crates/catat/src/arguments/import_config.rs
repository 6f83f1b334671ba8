//! What can be typed after `catat import-config`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::remote::Remote;

#[derive(Debug, Args)]
pub(crate) struct ImportConfig {
    /// Configuration, rules, alarms or saved searches of another system
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Whose it is (default: told by what is in it)
    #[arg(long, value_name = "SYSTEM")]
    pub(crate) of: Option<Origin>,
    /// Have the server make the alarms and saved searches
    #[arg(long)]
    pub(crate) apply: bool,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Systems whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Origin {
    /// YAML
    Promtail,
    /// Grafana Alloy
    Alloy,
    /// YAML
    Filebeat,
    /// YAML, or the classic form
    FluentBit,
    /// TOML, YAML or JSON
    Vector,
    /// JSON
    CloudwatchAgent,
    /// Both forms
    Rsyslog,
    /// YAML of Loki's ruler, or of Kubernetes
    LokiRules,
    /// A rule in YAML
    Elastalert,
    /// What aws cloudwatch describe-alarms and aws logs describe-metric-filters print
    CloudwatchAlarms,
    /// Exported saved objects
    Kibana,
}
