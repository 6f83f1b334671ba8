//! What can be typed after `catat`.

mod check;
mod dashboards;
mod differs;
mod doctor;
mod explain_line;
mod export;
mod fleet;
mod groups;
mod import;
mod import_config;
mod issues;
mod keys;
mod lookups;
mod manual;
mod mark;
mod mcp;
mod metrics;
mod onset;
mod printing;
mod query;
mod remote;
mod reports;
mod rules;
mod selftest;
mod send;
mod server;
mod sources;
mod suggestions;
mod support_bundle;
mod tail;
mod upgrade;
mod users;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use types::Secret;

pub(crate) use check::{Check, Sample, SampleFormat};
pub(crate) use dashboards::{DashboardCommand, DashboardFormat, Dashboards, Export, ExportFormat};
pub(crate) use differs::{BaselineName, Differs};
pub(crate) use doctor::Doctor;
pub(crate) use explain_line::ExplainLine;
pub(crate) use export::{ExportEvents, ExportedForm};
pub(crate) use fleet::{Drain, Fleet, FleetCommand};
pub(crate) use groups::{DeleteEvents, GroupCommand, Groups, SetGroup};
pub(crate) use import::{
    FromArchive, FromCloudWatch, FromElasticsearch, FromLoki, FromVictoriaLogs, Import, ImportOptions, ImportSource,
    Pull, PullBegin, Sasl,
};
pub(crate) use import_config::{ImportConfig, Origin};
pub(crate) use issues::{IssueCommand, Issues, SetIssue};
pub(crate) use keys::{KeyCommand, Keys};
pub(crate) use lookups::{LookupCommand, Lookups};
pub(crate) use manual::{Completions, Man};
pub(crate) use mark::Mark;
pub(crate) use mcp::Mcp;
pub(crate) use metrics::{Metrics, MetricsCommand};
pub(crate) use onset::Onset;
pub(crate) use printing::{Color, Format, Printing, Zone};
pub(crate) use query::Query;
pub(crate) use remote::{ClientOptions, DEFAULT_URL, Remote};
pub(crate) use reports::{PutReport, ReportCommand, Reports};
pub(crate) use rules::{RuleCommand, Rules};
pub(crate) use selftest::{Selftest, SelftestCommand, SelftestTail};
pub(crate) use send::{Compression, InputFormat, Send};
pub(crate) use server::{DataDir, Server};
pub(crate) use sources::{SourceCommand, Sources};
pub(crate) use suggestions::Suggestions;
pub(crate) use support_bundle::SupportBundle;
pub(crate) use tail::Tail;
pub(crate) use upgrade::Upgrade;
pub(crate) use users::{UserCommand, Users};

/// Environment variables of several commands.
pub(crate) const ENVIRONMENT: &str = "Environment:
  CATAT_URL, CATAT_KEY     the server to talk to, and the key for it
  CATAT_CONFIG             the configuration file; CATAT_SECTION__KEY sets one of its settings
  CATAT_LOG                how much up, serve and ship log to standard error: error, warn (default), info, debug,
                           or by part, such as warn,ship=info
  TZ                       the time zone in which times are read and printed
  SSL_CERT_FILE            certificates of authorities to trust besides those of this machine";

/// Collect, store, search and alert on logs
#[derive(Debug, Parser)]
#[command(name = "catat", about, max_term_width = 100, after_help = ENVIRONMENT)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Follow log files on this machine and serve them: page, API, alerts
    Up(Up),
    /// Serve without following files
    Serve(Server),
    /// Follow log files and send them to a server elsewhere
    Ship(Ship),
    /// Query a server, or files without one
    Query(Query),
    /// Show which values a selection of events has more or less often than others
    Differs(Differs),
    /// Show when events, their share, a percentile or patterns began to be more or less, and what else began then
    Onset(Onset),
    /// Show events as they are accepted
    Tail(Tail),
    /// Send lines from standard input or files
    Send(Send),
    /// Bring along history, of Elasticsearch, Loki, VictoriaLogs, CloudWatch or files: resumable, each event once, compared at the end
    Import(Import),
    /// Send objects of a bucket as they come, listed or told of by a queue, each once
    Pull(Pull),
    /// Make inputs of the configuration of Promtail, Filebeat, Fluent Bit, Vector or the CloudWatch agent
    ImportConfig(ImportConfig),
    /// Write events with all their fields into files: NDJSON or CSV, resumable, with checksums
    Export(ExportEvents),
    /// List the tables that other engines read, and how current they are
    Tables(ClientOptions),
    /// Mark a deploy, a migration or a flag, so that incidents are compared with it
    Mark(Mark),
    /// List, limit and delete log groups, and delete events
    Groups(Groups),
    /// List, upload and delete the tables of `lookup`
    Lookups(Lookups),
    /// Dashboards: list, pull into files, push, import from Grafana and CloudWatch
    Dashboards(Dashboards),
    /// Dashboards and the ledger by e-mail: list, make, send and delete reports
    Reports(Reports),
    /// Test PromQL
    Metrics(Metrics),
    /// List, check, test and backtest alert rules
    Rules(Rules),
    /// Suggest pipelines for a group: noise to drop, fields to extract, secrets to mask; make one of them
    Suggestions(Suggestions),
    /// List issues, and decide what is to be done about them
    Issues(Issues),
    /// Let an agent speak to a server, over standard input and output
    Mcp(Mcp),
    /// List shippers: state, lag and gaps
    Sources(Sources),
    /// Follow one line from its file to an answer, and show where it ended
    ExplainLine(ExplainLine),
    /// List and drain the nodes of a fleet; move a store into it or out of it
    Fleet(Fleet),
    /// List, create, rotate and revoke keys
    Keys(Keys),
    /// List, create and delete users of the page
    Users(Users),
    /// Check configuration and rules, or show what sample lines become; starts nothing
    Check(Check),
    /// Say what is wrong with this machine, the settings and the store, and what to do
    Doctor(Doctor),
    /// Write what somebody needs who is to help: findings, settings, status, metrics, log; no secrets, no events
    SupportBundle(SupportBundle),
    /// Verify every stored byte; a server may be running
    Verify(Verify),
    /// Back up a store; a server may be running
    Backup(Backup),
    /// Restore a backup into a new data directory
    Restore(Restore),
    /// Check before an upgrade whether this version answers on a store as the one before does
    Upgrade(Upgrade),
    /// Continue without a lost control store: no keys, users or retention settings
    Unlock(DataDir),
    /// Make a restored copy the original, so that it sends notifications
    Promote(DataDir),
    /// Test on this machine whether catat keeps its promises
    Selftest(Selftest),
    /// Show the configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print a script that completes commands and options in a shell
    Completions(Completions),
    /// Print manual pages for `man`
    Man(Man),
    /// Print the licences of catat and of everything from outside that is in it
    Licenses,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting as TOML, with its origin
    Show(Server),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) store: DataDir,
    /// First rebuild a lost catalog from the segments; no server may be running
    #[arg(long)]
    pub(crate) repair: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) store: DataDir,
    /// Directory to write to, new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) store: DataDir,
    /// Directory that `catat backup` wrote
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// Replace the original store, which no longer runs: send notifications at once
    #[arg(long)]
    pub(crate) original: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Read existing files completely, not only the last 30 days and 1 GiB
    #[arg(long)]
    pub(crate) all: bool,
    /// Put everything into this group instead of one group per file
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Files, directories, quoted patterns (default: the inputs of the configuration, else text files under /var/log)
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShipCommand {
    /// Show the state of the shipper on a state directory, running or not
    Status,
}

#[derive(Debug, Args)]
pub(crate) struct Ship {
    #[command(subcommand)]
    pub(crate) command: Option<ShipCommand>,
    /// Configuration file
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Address of the server, or several separated by commas (default: ship.url, else http://127.0.0.1:22828)
    #[arg(long, env = "CATAT_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Key for the server (default: that in ship.key_file)
    #[arg(long, env = "CATAT_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) key: Option<Secret>,
    /// Directory for checkpoints (default: ship.state_dir, else `ship` in the server's data directory)
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Show the first events of each file; send and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
    /// Put everything into this group instead of one group per file
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Files, directories, quoted patterns (default: the inputs of the configuration, else text files under /var/log)
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}
