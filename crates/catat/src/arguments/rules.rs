//! What can be typed after `catat rules`.

use std::path::PathBuf;

use clap::Subcommand;

use super::remote::Commands;
use super::server::Server;

/// What a file of tests looks like.
const TEST_HELP: &str = r#"A file of tests:

  rule_files: [app.yaml]              # in the same directory
  evaluation_interval: 30s            # of rules without their own
  tests:
    - name: an error fires
      events:
        - {at: 10s, "@log": app/a, level: error, message: disk on fire}
        - {at: 1m, repeat: 20, every: 5s, "@log": app/a, message: fine}
      # or `file: events.ndjson`, with its own times after `start: 2026-01-01T00:00:00Z`
      alerts:
        - {at: 30s, alertname: errors, labels: {"@log": app/a}, annotations: {summary: 1 error in app/a}}
        - {at: 10m, alertname: errors, none: true}"#;

pub(crate) type Rules = Commands<RuleCommand>;

#[derive(Debug, Subcommand)]
pub(crate) enum RuleCommand {
    /// List the rules of a server with their states
    List,
    /// List the rule packs that come with catat
    Packs,
    /// Print a rule pack, for a file in the rules directory
    Pack {
        /// The pack
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Test rules: run them over sample events and compare the alerts with those expected
    #[command(after_help = TEST_HELP)]
    Test {
        /// Files of tests
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Find all mistakes in rule files; starts nothing
    Check {
        #[command(flatten)]
        server: Server,
        /// A rule file or a directory of them (default: the rules directory of the configuration)
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
    },
    /// Rewrite templates of Jinja in rule files, {{ value }}, as those of Go, {{ .value }}
    Convert {
        /// Rule files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Show when the rules of a file would have fired over stored events
    Backtest {
        /// A rule file, or a file with one rule
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Start: RFC 3339, or now-7d
        #[arg(long, value_name = "TIME", default_value = "now-1d")]
        from: String,
        /// End
        #[arg(long, value_name = "TIME", default_value = "now")]
        to: String,
    },
}
