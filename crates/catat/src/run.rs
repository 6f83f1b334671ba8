//! `catat`: every command.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::arguments::{Arguments, Command};
use crate::failure::Result;
use crate::process::{exit_code, prepare};
use crate::{commands, completion, help, shipping, version};

/// The query language, which `catat help query` shows.
const LANGUAGE_REFERENCE: &str = include_str!("../../../grammar/README.md");

/// Everything that can be typed.
fn command() -> clap::Command {
    let command = Arguments::command().version(version::SHORT).long_version(version::LONG.as_str());
    help::by_jobs(help::with_examples(command))
}

/// Runs `catat` with the arguments of this process.
pub fn run() -> ExitCode {
    exit_code(prepare().and_then(|()| run_command()))
}

fn run_command() -> Result<()> {
    // A shell asks what may be typed; then nothing else happens.
    clap_complete::CompleteEnv::with_factory(|| completion::with_server(command())).complete();
    let asks_reference = std::env::args().skip(1).take(2).eq(["help", "query"]);
    let mut parser = command();
    if asks_reference {
        parser = parser.mut_subcommand("query", |query| query.after_long_help(LANGUAGE_REFERENCE));
    }
    let matches = parser.get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match arguments.command {
        Command::Up(options) => commands::up(options),
        Command::Serve(options) => commands::serve(options),
        Command::Ship(options) => shipping::ship(options),
        Command::Query(options) => commands::query(options),
        Command::Differs(options) => commands::differs(options),
        Command::Suggestions(options) => commands::suggestions(options),
        Command::Onset(options) => commands::onset(options),
        Command::Tail(options) => commands::tail(options),
        Command::Send(options) => commands::send(options),
        Command::Import(options) => commands::import(&options),
        Command::ImportConfig(options) => commands::import_config(&options),
        Command::Pull(options) => commands::pull(&options),
        Command::Export(options) => commands::export(&options),
        Command::Tables(options) => commands::tables(&options),
        Command::Mark(options) => commands::mark(options),
        Command::Groups(options) => commands::groups(options),
        Command::Lookups(options) => commands::lookups(options),
        Command::Dashboards(options) => commands::dashboards(options),
        Command::Reports(options) => commands::reports(options),
        Command::Metrics(options) => commands::metrics(options),
        Command::Rules(options) => commands::rules(options),
        Command::Issues(options) => commands::issues(options),
        Command::Mcp(options) => commands::mcp(options),
        Command::Sources(options) => commands::sources(options),
        Command::ExplainLine(options) => commands::explain_line(options),
        Command::Fleet(options) => commands::fleet(options),
        Command::Keys(options) => commands::keys(options),
        Command::Users(options) => commands::users(options),
        Command::Check(options) => commands::check(options),
        Command::Doctor(options) => commands::doctor(options),
        Command::SupportBundle(options) => commands::support_bundle(&options),
        Command::Verify(options) => commands::verify(options),
        Command::Backup(options) => commands::backup(options),
        Command::Upgrade(options) => commands::upgrade(&options),
        Command::Restore(options) => commands::restore(options),
        Command::Unlock(options) => commands::unlock(options),
        Command::Promote(options) => commands::promote(options),
        Command::Selftest(options) => commands::selftest(options),
        Command::Config { command } => commands::config(command),
        Command::Completions(options) => commands::completions(&options),
        Command::Man(options) => commands::man(&options, command()),
        Command::Licenses => commands::licenses(),
    }
}
