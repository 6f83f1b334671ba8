//! `catat doctor`: what is wrong with this machine, the settings and the store, and what to do.
//!
//! A server that runs on the data directory is asked, since it knows its own process, its store and its senders. Without one
//! this process looks itself. Either way the same checks judge, and nothing is changed but for a file that is written for a
//! moment to measure syncs.

mod backup_mark;
mod checks;
mod facts;

use std::fs::{File, TryLockError};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use serve::{Examine, Finding, Severity};

use super::settings::known_layers;
use crate::arguments::{Doctor, Format, Remote, Server};
use crate::client;
use crate::failure::{Failure, Result, of_output};
use crate::output::{harmless, is_coloured, level_colour, print_rows};
use crate::shipping::ship_options;

pub(super) use backup_mark::note_backup;
pub(super) use facts::Shipped;

/// The longest examination waits for name servers.
pub(super) const SERVER_PATIENCE: Duration = Duration::from_secs(60);

const COLUMNS: &str = "severity check message advice";

/// What a server found.
#[derive(Deserialize)]
struct Answer {
    findings: Vec<Finding>,
}

pub(crate) fn doctor(options: Doctor) -> Result<()> {
    let findings = findings(&options.server);
    let n = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
    if matches!(options.printing.output.unwrap_or(Format::Lines), Format::Table | Format::Lines) {
        print(&findings, is_coloured(options.printing.color)).map_err(of_output)?;
    } else {
        let rows: Vec<_> = findings.iter().map(|finding| json!(finding)).collect();
        print_rows(&options.printing, COLUMNS, &rows)?;
    }
    let [problems, warnings] = [(Severity::Problem, "problem"), (Severity::Warning, "warning")]
        .map(|(severity, noun)| types::counted(n(severity), noun));
    say!("catat: {problems}, {warnings}");
    let is_ill = n(Severity::Problem) > 0 || options.strict && n(Severity::Warning) > 0;
    // Everything was said already.
    if is_ill { Err(Failure::other("")) } else { Ok(()) }
}

fn print(findings: &[Finding], is_coloured: bool) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for finding in findings {
        let (name, level) = match finding.severity {
            Severity::Problem => ("problem", "error"),
            Severity::Warning => ("warning", "warn"),
            Severity::Note => ("note", "debug"),
            Severity::Ok => ("ok", "info"),
        };
        let [colour, plain] = if is_coloured { [level_colour(level), "\u{1b}[0m"] } else { ["", ""] };
        let message = harmless(&finding.message, false);
        writeln!(out, "{colour}{name:<8}{plain} {:<13} {message}", finding.check)?;
        if !finding.advice.is_empty() {
            writeln!(out, "{:<22} → {}", "", harmless(&finding.advice, false))?;
        }
    }
    out.flush()
}

/// Returns all findings, the worst first.
pub(super) fn findings(options: &Server) -> Vec<Finding> {
    let dir = PathBuf::from(known_layers(options).value("storage", "dir").unwrap_or_default());
    let mut findings = match ask_server(&dir) {
        Ok(findings) => findings,
        Err(of_server) => {
            let usual = |config: &crate::config::Config| {
                let state_dir = &config.ship.state_dir;
                Some(ship_options(state_dir, &[], config.ship.inputs(), None, ship::Backlog::default()))
            };
            let mut findings = examine(options, false, &usual);
            findings.push(of_server);
            findings
        }
    };
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn examine(options: &Server, is_serving: bool, shipped: &Shipped) -> Vec<Finding> {
    checks::judge(&facts::Facts::gather(options, is_serving, shipped))
}

/// Returns what examines the machine from within a server.
pub(super) fn of_server(options: Server, shipped: Box<Shipped>) -> Examine {
    Arc::new(move || {
        // On a thread of its own: some checks wait for answers in a way that the server's threads must not.
        let work = || examine(&options, true, &*shipped);
        std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|_| {
            let message = "the examination ended early; the log has the reason";
            vec![Finding::new(Severity::Problem, "settings", message, "please report it")]
        })
    })
}

/// Returns the server that runs on a data directory.
pub(super) fn server_on(dir: &Path) -> Result<client::Server> {
    let remote = Remote { url: "http://127.0.0.1:22828".to_owned(), key: None, data_dir: Some(dir.to_owned()) };
    client::Server::new(&remote)
}

/// Asks the server that runs on a data directory for its findings; returns a finding about the server if it has none.
fn ask_server(dir: &Path) -> Result<Vec<Finding>, Finding> {
    let asked = server_on(dir).and_then(|server| {
        let request = server.request(Method::GET, "/api/v1/doctor").timeout(SERVER_PATIENCE);
        server.ask::<Answer>(request, "").map(|answer| answer.findings)
    });
    let name = dir.display();
    asked.map_err(|failure| match is_locked(&dir.join("LOCK")) {
        Ok(true) => {
            let why = failure.message.replace('\n', "; ");
            let message = format!("a server has {name} open and cannot be asked: {why}");
            Finding::new(Severity::Problem, "server", message, "look at its log: `journalctl -u catat`")
        }
        Ok(false) => {
            let message = format!("no server runs on {name}; its events, sources and groups were not looked at");
            Finding::new(Severity::Note, "server", message, "`catat up` or `catat serve` starts one")
        }
        Err(error) => {
            let message = format!("whether a server runs on {name} is not known: {error}");
            Finding::new(
                Severity::Warning,
                "server",
                message,
                "run this as the user that the server runs as, or as root",
            )
        }
    })
}

/// Reports whether a process holds a lock.
fn is_locked(path: &Path) -> std::io::Result<bool> {
    match File::open(path) {
        Ok(file) => Ok(matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
