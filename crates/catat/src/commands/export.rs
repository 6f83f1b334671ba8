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
use std::path::Path;

use serde::{Deserialize, Serialize};
use types::{ByteSize, counted};

use self::file::{FileSummary, write_part};
use self::parts::Plan;
use super::journal::{Journal, at, plan_of};
use super::spans::Span;
use crate::arguments::ExportEvents;
use crate::client::Server;
use crate::failure::{Failure, Result};
use crate::progress::{StatusLine, events_done};

const PLAN: &str = "export.json";
const PARTS: &str = "parts.ndjson";
const CHECKSUMS: &str = "SHA256SUMS";

/// How often a part is asked for before the export ends.
const ATTEMPTS: u32 = 4;

/// A part that is whole.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct ExportedPart {
    file: String,
    #[serde(flatten)]
    found: FileSummary,
}

pub(crate) fn export(options: &ExportEvents) -> Result<()> {
    let server = Server::new(&options.remote)?;
    let dir = &options.dir;
    let asked = parts::asked(options);
    let plan =
        plan_of(dir, (PLAN, "export"), &server, |plan: &Plan| plan.asked == asked, || Plan::new(&server, options))?;
    let journal = Journal::new(dir, PARTS);
    let parts = journal.read()?.into_iter();
    let mut written: BTreeMap<String, ExportedPart> =
        parts.map(|part: ExportedPart| (part.file.clone(), part)).collect();
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
        line.show(|elapsed| events_done((n_before, n_new, n_events), "exported", elapsed));
        let found = whole_part(&server, &plan, part, &dir.join(&name))?;
        n_new += found.events;
        let one = ExportedPart { file: name.clone(), found };
        journal.append(&one)?;
        written.insert(name, one);
    }
    line.clear();
    conclude(&server, &plan, dir, &written)
}

/// Writes a part until it has as many events as the server counts. That may be fewer than at first: events are deleted, and
/// reach their age.
fn whole_part(server: &Server, plan: &Plan, part: &Span, path: &Path) -> Result<FileSummary> {
    let mut expected = part.events;
    for attempt in 1.. {
        let found = match write_part(server, plan, part, path) {
            Ok(found) if found.events == expected => return Ok(found),
            Ok(found) => Ok(found),
            Err(failure) if failure.is_temporary() && attempt < ATTEMPTS => Err(failure),
            Err(failure) => return Err(failure.with("Run the same command to go on from here.")),
        };
        expected = plan.count(server, part.range())?;
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
fn conclude(server: &Server, plan: &Plan, dir: &Path, written: &BTreeMap<String, ExportedPart>) -> Result<()> {
    let parts: Vec<&ExportedPart> = plan.parts.iter().filter_map(|part| written.get(&plan.file_name(part))).collect();
    let sums: String = parts.iter().map(|part| format!("{}  {}\n", part.found.sha256, part.file)).collect();
    let path = dir.join(CHECKSUMS);
    storage::write_whole(&path, sums.as_bytes()).map_err(|error| at(&path, &error))?;
    let n_events: u64 = parts.iter().map(|part| part.found.events).sum();
    let n_bytes: u64 = parts.iter().map(|part| part.found.bytes).sum();
    let n_now = plan.range().map_or(Ok(0), |range| plan.count(server, range))?;
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
            return Err(Failure::partial(message).with("Export them into another directory."));
        }
    }
    Ok(())
}
