//! `catat upgrade --check`: what this executable would answer on a store, beside what the running version answers.
//!
//! ```text
//! DIR/data      a snapshot of the store, which shares segments with it, opened by this executable
//! DIR/against   another one, opened by the executable to compare with, where no server runs on the store
//! ```

mod questions;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use types::{ByteSize, Timestamp, counted, verb_for};

use self::questions::{Comparison, Question, questions};
use super::child::{Child, empty_directory};
use super::doctor::server_on;
use super::settings::config;
use super::{fleet, store};
use crate::arguments::{DataDir, Upgrade};
use crate::client::{Server, broken_off};
use crate::failure::{Failure, Result, of_output};
use crate::output::{Column, printer_of};
use crate::progress::StatusLine;

/// Longest time until a server has opened a store.
const STARTING: Duration = Duration::from_secs(1800);

const COLUMNS: [&str; 4] = ["kind", "name", "result", "detail"];

/// A version of catat that answers.
struct Version {
    /// What it says it is.
    name: String,
    server: Server,
}

pub(crate) fn upgrade(options: &Upgrade) -> Result<()> {
    let chosen = DataDir { config: options.config.clone(), data_dir: options.store.clone() };
    let config = config(&chosen)?;
    if fleet::is_named(&chosen, &config) {
        return Err(Failure::usage("a fleet is upgraded node by node; see docs/fleet.md, Upgrades"));
    }
    let dir = &config.data_dir;
    crate::formats::check_formats(dir)?;
    let scratch = Scratch::new(options.dir.clone(), dir)?;
    let until = storage::Clock::system().now().whole_seconds();
    let of_store = store::options_of(&config);
    let mut old_child;
    let old = match (running(dir), &options.against) {
        (Ok(running), None) => Some(running),
        (Ok(_), Some(_)) => {
            return Err(Failure::usage(format!("a server runs on {}; leave --against out", dir.display())));
        }
        (Err(_), Some(executable)) => {
            storage::snapshot(&of_store, &scratch.dir.join("against")).map_err(of_snapshot)?;
            old_child = Child::server(&scratch.dir, "against", Some(executable))?;
            Some(opened(&mut old_child, &scratch.dir.join("against"))?)
        }
        (Err(_), None) => None,
    };
    let n_before = old.as_ref().map(|old| n_events(old, until)).transpose()?;
    let report = storage::snapshot(&of_store, &scratch.dir.join("data")).map_err(of_snapshot)?;
    let mut child = Child::server(&scratch.dir, "data", None)?;
    let began = Instant::now();
    let new = opened(&mut child, &scratch.dir.join("data"))?;
    say!(
        "catat {} opened a snapshot of {} ({}, {}) in {:.1} s",
        new.name,
        dir.display(),
        counted(report.segments, "segment"),
        ByteSize(report.bytes),
        began.elapsed().as_secs_f64()
    );
    let found = compare(old.as_ref(), &new, until)?;
    print(&found, options)?;
    child.stop()?;
    let n_after = old.as_ref().map(|old| n_events(old, until)).transpose()?;
    conclude(&found, old.as_ref(), &new, n_before.zip(n_after))
}

fn of_snapshot(error: storage::BackupError) -> Failure {
    Failure::usage(error.to_string())
}

/// Returns the server that runs on a data directory, and what it says it is.
fn running(dir: &Path) -> Result<Version> {
    let server = server_on(dir)?;
    let status = server.get("/api/v1/status")?;
    Ok(Version { name: status["version"].as_str().unwrap_or("?").to_owned(), server })
}

/// Waits until a new process has opened its data directory. One that answers and is not ready says why.
fn opened(child: &mut Child, dir: &Path) -> Result<Version> {
    let line = StatusLine::new();
    let version = child.wait_for(STARTING, |waited| {
        line.show(|_| format!("the snapshot is being opened, {} s", waited.as_secs()));
        running(dir).ok()
    })?;
    line.clear();
    let ready = version.server.attempt(version.server.request(Method::GET, "/-/ready"))?;
    if ready.status().is_success() {
        return Ok(version);
    }
    let answer: Value = ready.json().map_err(broken_off)?;
    let reasons: Vec<&str> = answer["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Err(Failure::other(format!("catat {} opened a snapshot and is not ready: {}", version.name, reasons.join("; "))))
}

/// Returns the number of events before an instant.
fn n_events(version: &Version, until: Timestamp) -> Result<u64> {
    let answer = Question::count_of_all(until).ask(&version.server)?;
    let count: Value = serde_json::from_str(answer.unwrap_or_default().trim()).unwrap_or_default();
    Ok(count["n"].as_u64().unwrap_or(0))
}

/// Asks both versions every question; where there is one alone, it is asked.
fn compare(old: Option<&Version>, new: &Version, until: Timestamp) -> Result<Vec<(Question, Comparison)>> {
    let line = StatusLine::new();
    let asked = questions(&old.unwrap_or(new).server, until)?;
    let n_all = asked.len();
    let mut found = Vec::with_capacity(n_all);
    for question in asked {
        line.show(|_| format!("{} of {n_all} asked: {} {}", found.len(), question.kind, question.name));
        let of_old = old.map(|old| question.ask(&old.server)).transpose()?;
        let comparison = Comparison::of(of_old, question.ask(&new.server)?);
        found.push((question, comparison));
    }
    line.clear();
    Ok(found)
}

fn print(found: &[(Question, Comparison)], options: &Upgrade) -> Result<()> {
    let mut printer = printer_of(&options.printing)?;
    printer.start(COLUMNS.map(Column::named).to_vec()).map_err(of_output)?;
    for (question, comparison) in found {
        let cells = [json!(question.kind), json!(question.name), json!(comparison.name()), json!(comparison.detail())];
        printer.row(cells.map(|cell| cell.to_string()).to_vec()).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)
}

/// Says what follows; a difference is a failure.
fn conclude(
    found: &[(Question, Comparison)],
    old: Option<&Version>,
    new: &Version,
    counts: Option<(u64, u64)>,
) -> Result<()> {
    let count = |is: fn(&Comparison) -> bool| found.iter().filter(|(_, comparison)| is(comparison)).count() as u64;
    let (n_differ, n_refused) = (count(Comparison::is_difference), count(|one| matches!(one, Comparison::Refused(_))));
    let questions = counted(found.len() as u64, "question");
    let Some(old) = old else {
        let next = "start the server, or name the executable before with --against, to have answers compared";
        say!("catat: {} alone was asked {questions} and refused {n_refused}; {next}", new.name);
        return if n_differ == 0 { Ok(()) } else { Err(Failure::other("")) };
    };
    if let Some((before, after)) = counts.filter(|(before, after)| before != after) {
        let moved = format!("{before} events became {after}");
        say!("catat: the store changed meanwhile ({moved} in the range that was asked); this may be what differs");
    }
    let n_empty = count(|one| matches!(one, Comparison::Equal(0)));
    let equal = found.len() as u64 - n_differ - n_refused;
    let (both, were) = (format!("{} and {}", old.name, new.name), verb_for(n_refused, "was", "were"));
    say!(
        "catat: {both} were asked {questions}: {equal} equal ({n_empty} without a row), {n_differ} different, {n_refused} {were} refused by both"
    );
    if n_differ == 0 { Ok(()) } else { Err(Failure::other(format!("{n_differ} of {questions} differ"))) }
}

/// The directory of the snapshots, removed at the end.
struct Scratch {
    dir: PathBuf,
}

impl Scratch {
    fn new(named: Option<PathBuf>, store: &Path) -> Result<Self> {
        let dir = named.clone().unwrap_or_else(|| store.join("upgrade-check"));
        // What a check left that was interrupted.
        if named.is_none() && dir.exists() {
            let failed = |error: std::io::Error| {
                Failure::usage(format!("{}: {error}; choose another with --dir", dir.display()))
            };
            std::fs::remove_dir_all(&dir).map_err(failed)?;
        }
        Ok(Self { dir: empty_directory(&dir)? })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // One that could not be removed does no harm; the next check removes it.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
