//! What can be typed after `catat`.

mod check;
mod groups;
mod keys;
mod lookups;
mod manual;
mod rules;
mod selftest;
mod send;
mod sources;
mod users;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use types::Secret;

pub(crate) use check::{Check, Sample, SampleFormat};
pub(crate) use groups::{DeleteEvents, GroupCommand, Groups, SetGroup};
pub(crate) use keys::{KeyCommand, Keys};
pub(crate) use lookups::{LookupCommand, Lookups};
pub(crate) use manual::{Completions, Man};
pub(crate) use rules::{RuleCommand, Rules};
pub(crate) use selftest::{Selftest, SelftestCommand, SelftestTail};
pub(crate) use send::{Compression, InputFormat, Send};
pub(crate) use sources::{SourceCommand, Sources};
pub(crate) use users::{UserCommand, Users};

/// Environment variables of several commands.
const ENVIRONMENT: &str = "Environment:
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
    /// Show events as they are accepted
    Tail(Tail),
    /// Send lines from standard input or files
    Send(Send),
    /// List, limit and delete log groups, and delete events
    Groups(Groups),
    /// List, upload and delete the tables of `lookup`
    Lookups(Lookups),
    /// List, check, test and backtest alert rules
    Rules(Rules),
    /// List shippers: state, lag and gaps
    Sources(Sources),
    /// List, create, rotate and revoke keys
    Keys(Keys),
    /// List, create and delete users of the page
    Users(Users),
    /// Check configuration and rules, or show what sample lines become; starts nothing
    Check(Check),
    /// Verify every stored byte; a server may be running
    Verify(Verify),
    /// Back up a store; a server may be running
    Backup(Backup),
    /// Restore a backup into a new data directory
    Restore(Restore),
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
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting as TOML, with its origin
    Show(Server),
}

/// Settings of a server.
#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory (default: /var/lib/catat for root, else in the XDG data directory)
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address and port to serve on (default: 127.0.0.1:22828)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Serve without keys on an address that other machines can reach
    #[arg(long)]
    pub(crate) insecure_allow_anonymous: bool,
}

/// The data directory of a command.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataDir {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory (default: /var/lib/catat for root, else in the XDG data directory)
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
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

/// The server to talk to; also accepted after a subcommand.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// Address of the server
    #[arg(long, env = "CATAT_URL", value_name = "URL", default_value = "http://127.0.0.1:22828", global = true)]
    pub(crate) url: String,
    /// Key for the server
    #[arg(long, env = "CATAT_KEY", value_name = "KEY", hide_env_values = true, global = true)]
    pub(crate) key: Option<Secret>,
    /// Data directory of a server on this machine, to find its address and admin key
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
}

/// The time zone in which times are read and printed.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Zone {
    /// Time zone of --from and --to, of bins of a day or longer, and of printed times (default: TZ or this machine's; formats
    /// for programs have UTC)
    #[arg(long, value_name = "ZONE", conflicts_with = "utc", global = true)]
    pub(crate) tz: Option<String>,
    /// The same as --tz UTC
    #[arg(long, global = true)]
    pub(crate) utc: bool,
}

/// How lists are printed.
#[derive(Debug, Args)]
pub(crate) struct Printing {
    /// Output format (default: table on a terminal, NDJSON in a pipe)
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub(crate) output: Option<Format>,
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) zone: Zone,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns
    Table,
    /// One readable line per event
    Lines,
    /// One JSON array
    Json,
    /// One JSON object per line
    Ndjson,
    /// Comma-separated values with a header; formulas get an apostrophe
    Csv,
    /// The same without the apostrophes
    CsvRaw,
    /// Tab-separated values with a header; tabs, line ends and backslashes are escaped, formulas get an apostrophe
    Tsv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Files to query instead of a server (plain, .gz, .zst); `-` is standard input
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["group"])]
    pub(crate) file: Vec<PathBuf>,
    /// A table for `lookup` in a query over files: its name and a CSV file; may be repeated
    #[arg(long, value_name = "NAME=FILE")]
    pub(crate) lookup: Vec<String>,
    /// Whether the command line names a server; then standard input is not read.
    #[arg(skip)]
    pub(crate) names_server: bool,
    /// Groups to query; `*` matches any characters (default: all)
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// How far back, such as 15m or 1h30m (default: 1h; all of it for files)
    #[arg(long, value_name = "DURATION", conflicts_with = "from", allow_hyphen_values = true)]
    pub(crate) since: Option<String>,
    /// Start: RFC 3339, `now-2h`, `now/d`, or seconds since 1970
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// End, inclusive
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) zone: Zone,
    /// Maximum number of rows; 0 for all (default: 1,000 on a terminal, all in a pipe)
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Output format (default: table or lines on a terminal, NDJSON in a pipe)
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// `insights`, `logql`, `lucene`, `kql` or `filter-pattern` (CloudWatch)
    #[arg(long, value_name = "LANGUAGE", default_value = "insights")]
    pub(crate) language: String,
    /// Print how the query was run instead of its rows; for files, print its plan without running it
    #[arg(long)]
    pub(crate) explain: bool,
    /// Exit with code 1 if nothing matches
    #[arg(long)]
    pub(crate) exit_on_empty: bool,
    /// The query, such as 'filter @level >= "error" | stats count(*) by @log'
    #[arg(default_value = "")]
    pub(crate) query: String,
}

impl Query {
    /// Takes the last path of `--file` as the query if it is no file.
    pub(crate) fn take_query_from_files(&mut self) {
        if self.query.is_empty()
            && self.file.len() > 1
            && let Some(last) = self.file.pop_if(|last| !last.exists() && last.as_os_str() != "-")
        {
            self.query = last.to_string_lossy().into_owned();
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Groups to follow; `*` matches any characters (default: all)
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    #[command(flatten)]
    pub(crate) zone: Zone,
    /// First show the last N events that match
    #[arg(short = 'n', long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub(crate) lines: u64,
    /// Stop after N events, those of --lines included
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Stop after this time, such as 30s
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    /// Output format: lines or ndjson (default: lines on a terminal, NDJSON in a pipe)
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Which events, such as 'filter @level >= "warn"'
    #[arg(default_value = "")]
    pub(crate) query: String,
}
