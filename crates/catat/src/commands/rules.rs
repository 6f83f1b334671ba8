//! `catat rules`: what is watched, whether rules are right, and whether they fire when they should.

mod files;
mod packs;
mod test;

use std::io::Write;
use std::path::Path;

use alert::{RuleSet, rewrite_templates};
use reqwest::Method;
use serde_json::{Value, json};

use super::settings::read_config;
use crate::arguments::{ClientOptions, Printing, Remote, RuleCommand, Rules};
use crate::client::Server;
use crate::failure::{Failure, Result, of_output};
use crate::output::{print_list, print_rows};
use files::{failure_of, read_text, rules_of};
use types::counted;

/// Columns of a list of rules.
const COLUMNS: &str = "name state firing:/n_firing interval why file";

/// Columns of alerts of the past.
const PAST_COLUMNS: &str = "rule:/labels/alertname starts_at ends_at peak_value labels";

pub(crate) fn rules(options: Rules) -> Result<()> {
    let Rules { client: ClientOptions { remote, printing }, command } = options;
    match command.unwrap_or(RuleCommand::List) {
        RuleCommand::List => list(&remote, &printing),
        RuleCommand::Packs => packs::list(),
        RuleCommand::Pack { name } => packs::print(&name),
        RuleCommand::Test { files } => test::test(&files),
        RuleCommand::Check { server, path } => {
            // What is wrong with a configuration that names another directory is for `catat check` to say.
            let config = read_config(&server);
            check(&path.map_or_else(|| config.map(|config| config.rules_dir), Ok)?)
        }
        RuleCommand::Convert { files } => files.iter().try_for_each(|file| convert(file)),
        RuleCommand::Backtest { file, from, to } => backtest(&remote, &printing, &file, (&from, &to)),
    }
}

fn list(remote: &Remote, printing: &Printing) -> Result<()> {
    let server = Server::new(remote)?;
    let answer = server.get("/api/v1/rules")?;
    print_list(printing, COLUMNS, &answer["rules"])
}

/// Says how many rules there are, or all that is wrong with them.
fn check(path: &Path) -> Result<()> {
    let mut book = RuleSet::default();
    if path.is_dir() {
        book = RuleSet::load_dir(path).map_err(|errors| failure_of(&errors))?;
    } else {
        book.is_in_force = true;
        book.add(&path.display().to_string(), &read_text(path)?).map_err(|errors| failure_of(&errors))?;
    }
    for warning in &book.warnings {
        say!("catat: warning: {warning}");
    }
    let (rules, channels) = (counted(book.rules.len(), "rule"), counted(book.channels.len(), "channel"));
    let metrics = match book.metrics.len() + book.recordings.len() + book.series.len() {
        0 => String::new(),
        n => format!(", {}", counted(n, "metric")),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}: {rules}, {channels}{metrics}", path.display()).map_err(of_output)
}

/// Rewrites the templates of a file.
fn convert(path: &Path) -> Result<()> {
    let (name, text) = (path.display().to_string(), read_text(path)?);
    let (new, n_templates) = rewrite_templates(&name, &text).map_err(|errors| failure_of(&errors))?;
    if new != text {
        std::fs::write(path, new).map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}: {} rewritten", counted(n_templates, "template")).map_err(of_output)
}

fn backtest(remote: &Remote, printing: &Printing, file: &Path, range: (&str, &str)) -> Result<()> {
    let (text, server) = (read_text(file)?, Server::new(remote)?);
    let (mut alerts, mut partial) = (Vec::new(), Vec::new());
    for rule in rules_of(file)? {
        let asked = json!({"text": text, "name": rule.name, "from": range.0, "to": range.1});
        let request = server.request(Method::POST, "/api/v1/rules/backtest").json(&asked);
        let found: Value = server.ask(request, &rule.query)?;
        alerts.extend(found["alerts"].as_array().cloned().unwrap_or_default());
        let (turns, step) = (counted(&found["evaluations"], "evaluation"), found["step"].as_str().unwrap_or_default());
        let alerts = counted(found["alerts"].as_array().map_or(0, Vec::len), "alert");
        say!("{}: {alerts}, {turns}, {step} apart", rule.name);
        for reason in found["partial_reasons"].as_array().into_iter().flatten() {
            partial.push(format!("{}: {}", rule.name, reason["message"].as_str().unwrap_or_default()));
        }
    }
    print_rows(printing, PAST_COLUMNS, &alerts)?;
    if partial.is_empty() { Ok(()) } else { Err(Failure::partial(partial.join("\ncatat: "))) }
}
