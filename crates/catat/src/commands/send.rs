//! `catat send`: lines of files or standard input to a server, for jobs that come and go.
//!
//! ```text
//! lines (a thread of its own) ─► batches: by size or age, cut between events ─► delivery: until acknowledged
//! ```
//!
//! Every batch has an id, so that one which is sent again is stored once. What is read ahead is bounded: a server that
//! does not answer makes the job wait that writes.

pub(super) mod batches;
mod delivery;
pub(super) mod lines;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use types::{counted, parse_duration_ns, verb_for};

use self::batches::Batches;
use self::delivery::{Delivery, Outcome};
use self::lines::Reading;
use crate::arguments::Send;
use crate::client::Server;
use crate::failure::{Failure, Result};
use crate::progress::Progress;

/// Lines that were not accepted and are named; further ones are counted.
const NAMED_MAX: u64 = 20;

/// Sends all lines and reports the outcome.
pub(crate) fn send(options: Send) -> Result<()> {
    let retry_for_ns =
        parse_duration_ns(&options.retry_for).map_err(|error| Failure::usage(format!("--retry-for: {error}")))?;
    let delivery =
        Delivery::new(Server::new(&options.remote)?, &options, checked_fields(&options.field)?, retry_for_ns)?;
    let Reading { names, lines, n_bytes, n_read } = lines::read(&options.files)?;
    let progress = (Progress::new(n_bytes), n_read);
    let mut report = Report { names, outcome: Outcome::default(), n_named: 0, is_quiet: options.quiet, progress };
    let mut batches = Batches::new(lines, options.format);
    let done = report.send_all(&mut batches, delivery);
    report.finish(done)
}

/// `NAME=VALUE`, as the server takes it.
fn checked_fields(fields: &[String]) -> Result<Vec<String>> {
    let is_wrong = |field: &&String| field.split_once('=').is_none_or(|(name, _)| name.is_empty());
    match fields.iter().find(is_wrong) {
        Some(field) => Err(Failure::usage(format!("--field {field}: write NAME=VALUE"))),
        None => Ok(fields.to_vec()),
    }
}

/// The outcome of the lines so far.
struct Report {
    /// Names of the inputs.
    names: Vec<String>,
    outcome: Outcome,
    n_named: u64,
    is_quiet: bool,
    /// How far the inputs are read.
    progress: (Progress, Arc<AtomicU64>),
}

impl Report {
    fn send_all(&mut self, batches: &mut Batches, mut delivery: Delivery) -> Result<()> {
        loop {
            let read = batches.next().map_err(|(input, error)| {
                Failure::other(format!("{}: {error}", self.names.get(input).map_or("input", String::as_str)))
            });
            let Some(batch) = read? else { return Ok(()) };
            let (input, mut outcome) = (batch.input, Outcome::default());
            let done = delivery.deliver(batch, &mut outcome);
            let (progress, n_read) = &self.progress;
            if done.is_err() || !outcome.rejected.is_empty() {
                progress.line.clear();
            } else if !self.is_quiet {
                progress.show(n_read.load(Relaxed));
            }
            self.add(input, outcome);
            done.map_err(|(first, failure)| {
                failure.with(&format!("line {first} of {} and all later lines are not stored", self.name(input)))
            })?;
        }
    }

    fn name(&self, input: usize) -> &str {
        self.names.get(input).map_or("the input", String::as_str)
    }

    fn add(&mut self, input: usize, outcome: Outcome) {
        for (line, error) in &outcome.rejected {
            if self.n_named < NAMED_MAX {
                say!("catat: {}, line {line}: {error}", self.name(input));
            }
            self.n_named += 1;
        }
        self.outcome.accepted += outcome.accepted;
        self.outcome.n_rejected += outcome.n_rejected;
    }

    fn finish(self, done: Result<()>) -> Result<()> {
        let Outcome { accepted, n_rejected, .. } = self.outcome;
        self.progress.0.line.clear();
        if self.n_named > NAMED_MAX {
            say!("catat: … and {} more", self.n_named - NAMED_MAX);
        }
        match done {
            Err(failure) => {
                let were = verb_for(accepted, "was", "were");
                Err(failure.with(&format!("{} {were} accepted before", counted(accepted, "event"))))
            }
            Ok(()) if n_rejected > 0 => {
                let (events, lines) = (counted(accepted, "event"), counted(n_rejected, "line"));
                Err(Failure::partial(format!("{events} accepted, {lines} rejected")))
            }
            Ok(()) => {
                if !self.is_quiet {
                    say!("catat: {} accepted", counted(accepted, "event"));
                }
                Ok(())
            }
        }
    }
}
