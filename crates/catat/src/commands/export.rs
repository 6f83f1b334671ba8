//! `catat export`: events with all their fields, as files to keep or to take elsewhere.
//!
//! ```text
//! DIR/export.json                     what is exported: query, groups, range, as of when; parts and how many events each has
//! DIR/20261120T060000Z.ndjson.zst     a part: the events of a span of time, oldest first
//! DIR/parts.ndjson                    a line for each part that is whole: events, bytes, SHA-256
//! DIR/SHA256SUMS                      the checksums for `sha256sum -c`, once all parts are there
//! ```
//!
//! Events that are accepted after it began are left out, so that the counts of the plan stay those of the parts. A part has its
//! name only once it is whole and on disk, and its line after that: what is interrupted is gone on with where it stood.

mod file;
mod parts;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use types::{ByteSize, counted};

use self::file::{Found, write_part};
use self::parts::{Part, Plan};
use crate::arguments::ExportEvents;
use crate::client::Server;
use crate::failure::Failure;
use crate::progress::{StatusLine, span};

const PLAN: &str = "export.json";
const PARTS: &str = "parts.ndjson";
const CHECKSUMS: &str = "SHA256SUMS";

/// How often a part is asked for before the export ends.
const ATTEMPTS: u32 = 4;

/// A part that is whole.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Written {
    file: String,
    #[serde(flatten)]
    found: Found,
}

pub(crate) fn export(options: &ExportEvents) -> Result<(), Failure> {
    let server = Server::new(&options.remote)?;
    let dir = &options.dir;
    std::fs::create_dir_all(dir).map_err(|error| at(dir, &error))?;
    let plan = plan_of(&server, options)?;
    let mut written = written_parts(dir)?;
    let n_events: u64 = plan.parts.iter().map(|part| part.events).sum();
    let n_before: u64 = written.values().map(|part| part.found.events).sum();
    if n_before > 0 {
        say!("catat: {n_before} of {} are there already", counted(n_events, "event"));
    }
    let line = StatusLine::new();
    let mut n_new = 0;
    for part in &plan.parts {
        let name = plan.file_name(part);
        if let Some(before) = written.get(&name)
            && std::fs::metadata(dir.join(&name)).is_ok_and(|file| file.len() == before.found.bytes)
        {
            continue;
        }
        line.show(|elapsed| progress(n_before + n_new, n_events, n_new, elapsed.as_secs_f64()));
        let found = whole_part(&server, &plan, part, &dir.join(&name))?;
        n_new += found.events;
        let one = Written { file: name.clone(), found };
        append(&dir.join(PARTS), &one)?;
        written.insert(name, one);
    }
    line.clear();
    conclude(&server, &plan, dir, &written)
}

fn progress(n_done: u64, n_events: u64, n_new: u64, seconds: f64) -> String {
    let left = n_events.saturating_sub(n_done) as f64 * seconds / n_new as f64;
    let left = if n_new > 0 { format!(", {} left", span(left)) } else { String::new() };
    format!("{n_done} of {} exported{left}", counted(n_events, "event"))
}

/// Reads the plan of the export that was begun in the directory, or makes one.
fn plan_of(server: &Server, options: &ExportEvents) -> Result<Plan, Failure> {
    let path = options.dir.join(PLAN);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let plan: Plan = serde_json::from_slice(&bytes).map_err(|error| at(&path, &error))?;
            if plan.asked != parts::asked(options) {
                let message = format!("{} holds another export, of {}", options.dir.display(), plan.asked);
                return Err(Failure::usage(message).with("Name another directory, or give the same options."));
            }
            Ok(plan)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut entries = std::fs::read_dir(&options.dir).map_err(|error| at(&options.dir, &error))?;
            if entries.next().is_some() {
                return Err(Failure::usage(format!("{} is not empty, and no export", options.dir.display())));
            }
            let plan = Plan::new(server, options)?;
            let text = serde_json::to_string_pretty(&plan).map_err(|error| at(&path, &error))?;
            storage::write_whole(&path, text.as_bytes()).map_err(|error| at(&path, &error))?;
            Ok(plan)
        }
        Err(error) => Err(at(&path, &error)),
    }
}

/// The parts that are whole, by name. A line that was cut off is none.
fn written_parts(dir: &Path) -> Result<BTreeMap<String, Written>, Failure> {
    let path = dir.join(PARTS);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(at(&path, &error)),
    };
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Written>(line).ok());
    Ok(lines.map(|part| (part.file.clone(), part)).collect())
}

/// Appends a line, durably. It begins with a line end, since the one before may have been cut off.
fn append(path: &Path, part: &Written) -> Result<(), Failure> {
    let line = serde_json::to_string(part).map_err(|error| at(path, &error))?;
    let appended = std::fs::OpenOptions::new().create(true).append(true).open(path).and_then(|mut file| {
        file.write_all(format!("\n{line}\n").as_bytes())?;
        file.sync_all()
    });
    appended.map_err(|error| at(path, &error))
}

/// Writes a part until it has as many events as the server counts. That may be fewer than at first: events are deleted, and
/// reach their age.
fn whole_part(server: &Server, plan: &Plan, part: &Part, path: &Path) -> Result<Found, Failure> {
    let mut expected = part.events;
    for attempt in 1.. {
        let found = match write_part(server, plan, part, path) {
            Ok(found) if found.events == expected => return Ok(found),
            Ok(found) => Ok(found),
            Err(failure) if failure.is_temporary() && attempt < ATTEMPTS => Err(failure),
            Err(failure) => return Err(failure.with("Run the same command to go on from here.")),
        };
        expected = plan.count(server, part)?;
        match found {
            Ok(found) if found.events == expected => return Ok(found),
            Ok(found) if attempt >= ATTEMPTS => {
                let (n, name) = (found.events, path.display());
                return Err(Failure::partial(format!("{name}: the server gave {n} of {}", counted(expected, "event"))));
            }
            _ => std::thread::sleep(std::time::Duration::from_secs(u64::from(attempt))),
        }
    }
    unreachable!("the last attempt returns")
}

/// Compares what was written with what there is, and says what became of it.
fn conclude(server: &Server, plan: &Plan, dir: &Path, written: &BTreeMap<String, Written>) -> Result<(), Failure> {
    let parts: Vec<&Written> = plan.parts.iter().filter_map(|part| written.get(&plan.file_name(part))).collect();
    let sums: String = parts.iter().map(|part| format!("{}  {}\n", part.found.sha256, part.file)).collect();
    let path = dir.join(CHECKSUMS);
    storage::write_whole(&path, sums.as_bytes()).map_err(|error| at(&path, &error))?;
    let n_events: u64 = parts.iter().map(|part| part.found.events).sum();
    let n_bytes: u64 = parts.iter().map(|part| part.found.bytes).sum();
    let n_now = plan.count_all(server)?;
    let files = counted(parts.len(), "file");
    say!("catat: {} in {files} of {}, {}", counted(n_events, "event"), dir.display(), ByteSize(n_bytes));
    match n_now.cmp(&n_events) {
        std::cmp::Ordering::Equal => {
            say!("catat: the server counts as many; check the files with sha256sum -c {CHECKSUMS}")
        }
        std::cmp::Ordering::Less => {
            say!("catat: the server has {n_now} of them now: the others were deleted or reached their age")
        }
        std::cmp::Ordering::Greater => {
            let message = format!("the server counts {} accepted before the export began", counted(n_now, "event"));
            return Err(Failure::partial(message).with("ExportEvents them into another directory."));
        }
    }
    Ok(())
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::other(format!("{}: {error}", path.display()))
}
