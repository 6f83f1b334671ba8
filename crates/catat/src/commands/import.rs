//! `catat import`: history of another log system, whole and once.
//!
//! ```text
//! plan: counts of the source by spans of time, at most as many events in each as one of its answers has
//!   per span:  source ─ read ─► pieces ─ store ─► the server's door of the source's own protocol, under the same id each time
//!              ─ acknowledged ─► a line in DIR/done.ndjson, durable before the next span
//! comparison: both sides are asked for counts by hour, in the source's own protocol
//! ```
//!
//! Events go through the door that the source's senders would use, so that they become what later ones become. An id of a piece
//! follows from the import and the span: what is read again after an interruption is stored once.

mod archive;
mod cloudwatch;
mod elasticsearch;
mod loki;
mod side;
mod source;
mod told;
mod victorialogs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{Timestamp, counted, ensure, verb_for};

use self::cloudwatch::CloudWatch;
use self::elasticsearch::Elasticsearch;
use self::loki::Loki;
pub(super) use self::side::Side;
use self::source::{Piece, Source, Stored};
pub(super) use self::told::NAMED_MAX;
use self::told::{compare_hours, none_refused, warn_of_retention};
use self::victorialogs::VictoriaLogs;
use super::journal::{Journal, at, plan_of};
use super::spans::{HOUR, Range, Span, Width, instant, now, spans};
use crate::arguments::{Import, ImportOptions, ImportSource};
use crate::client::Server;
use crate::failure::Failure;
use crate::progress::{StatusLine, events_done};

#[derive(Debug, Deserialize, Serialize)]
struct Plan {
    asked: Value,
    /// Ids of pieces begin with it.
    id: String,
    spans: Vec<Span>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Done {
    #[serde(flatten)]
    span: Span,
    stored: Stored,
}

pub(crate) fn import(options: &Import) -> Result<(), Failure> {
    let server = Server::new(&options.remote)?;
    match &options.source {
        ImportSource::Elasticsearch(from) => {
            let range = range(&server, from.from.as_deref(), &from.options)?;
            let side = Side::of_source(&from.options, &[])?;
            import_from(&Elasticsearch::new(from), &server, &side, (&from.options, range))
        }
        ImportSource::Loki(from) => {
            let range = range(&server, Some(&from.from), &from.options)?;
            let tenant = from.tenant.as_ref().map(|tenant| ("X-Scope-OrgID", tenant.as_str()));
            let side = Side::of_source(&from.options, tenant.as_slice())?;
            import_from(&Loki::new(from), &server, &side, (&from.options, range))
        }
        ImportSource::Victorialogs(from) => {
            let range = range(&server, from.from.as_deref(), &from.options)?;
            let tenant = from.tenant.as_deref().map(|tenant| tenant.split_once(':').unwrap_or((tenant, "0")));
            let tenant = tenant.map(|(account, project)| [("AccountID", account), ("ProjectID", project)]);
            let side = Side::of_source(&from.options, tenant.as_ref().map_or(&[], |headers| &headers[..]))?;
            import_from(&VictoriaLogs::new(from), &server, &side, (&from.options, range))
        }
        ImportSource::Cloudwatch(from) => {
            let range = range(&server, Some(&from.from), &from.options)?;
            let side = Side::of_source(&from.options, &[])?;
            import_from(&CloudWatch::new(from)?, &server, &side, (&from.options, range))
        }
        ImportSource::Archive(from) => archive::import(from, &server),
    }
}

/// The range that is imported; the oldest events are from 1970 on.
fn range(server: &Server, from: Option<&str>, options: &ImportOptions) -> Result<Range, Failure> {
    let from = from.map_or(Ok(Timestamp(0)), |text| instant(server, text))?;
    let to = options.to.as_deref().map_or_else(|| now(server), |text| instant(server, text))?;
    ensure!(from <= to, Failure::usage(format!("the range is empty: from {from} is after {to}")));
    Ok((from, to))
}

fn import_from(
    source: &dyn Source,
    server: &Server,
    from: &Side<'_>,
    (options, range): (&ImportOptions, Range),
) -> Result<(), Failure> {
    let range = source.aligned(range);
    for line in source.about(from, range)? {
        say!("catat: {line}");
    }
    let asked = json!({"source": from.name, "of": source.asked(), "to": options.to});
    let make = || {
        let line = StatusLine::new();
        line.show(|_| "the source counts its events".to_owned());
        let count = |range: Range, width: Width| source.counts(from, range, width);
        let are_near = |first: &Span, last: &Span| last.to.0.saturating_sub(first.from.0) < source.longest();
        let spans = spans(&count, range, source.most(), are_near)?;
        line.clear();
        let id = getrandom::u64().map_err(|error| Failure::other(format!("no random numbers: {error}")))?;
        Ok(Plan { asked: asked.clone(), id: format!("import-{id:016x}"), spans })
    };
    let Some(dir) = options.dir.as_deref().filter(|_| !options.dry_run) else {
        return tell(&make()?, server);
    };
    let plan = plan_of(dir, ("import.json", "import"), server, |plan: &Plan| plan.asked == asked, make)?;
    tell(&plan, server)?;
    if plan.spans.is_empty() {
        // What comes later is asked for, then.
        return std::fs::remove_file(dir.join("import.json")).map_err(|error| at(dir, &error));
    }
    let n_refused = transfer(source, &plan, dir, (from, &Side::of_server(server), options.rate))?;
    compare(source, &plan, from, &Side::of_server(server))?;
    none_refused(n_refused)
}

/// Says how much there is, from when, and what retention would take at once.
fn tell(plan: &Plan, server: &Server) -> Result<(), Failure> {
    let n_events: u64 = plan.spans.iter().map(|span| span.events).sum();
    let Some((first, last)) = plan.spans.first().zip(plan.spans.last()) else {
        say!("catat: the source has no events there");
        return Ok(());
    };
    let [from, to] = [first.from, last.to].map(Timestamp::whole_seconds);
    say!("catat: {} from {from} to {to}, in {}", counted(n_events, "event"), counted(plan.spans.len(), "request"));
    let ends: Vec<(Timestamp, u64)> = plan.spans.iter().map(|span| (span.to, span.events)).collect();
    warn_of_retention(server, &ends)
}

/// Reads and stores what is not done yet; the next span is read while one is stored. Returns how many events were refused.
fn transfer(
    source: &dyn Source,
    plan: &Plan,
    dir: &Path,
    (from, to, rate): (&Side<'_>, &Side<'_>, Option<u64>),
) -> Result<u64, Failure> {
    let journal = Journal::new(dir, "done.ndjson");
    let mut done: Vec<Done> = journal.read()?;
    let n_all: u64 = plan.spans.iter().map(|span| span.events).sum();
    let n_before: u64 = done.iter().map(|done| done.span.events).sum();
    if n_before > 0 {
        say!("catat: {n_before} of {} {} there already", counted(n_all, "event"), verb_for(n_before, "is", "are"));
    }
    let begins: BTreeSet<Timestamp> = done.iter().map(|done| done.span.from).collect();
    let left: Vec<&Span> = plan.spans.iter().filter(|span| !begins.contains(&span.from)).collect();
    let (line, mut n_new) = (StatusLine::new(), 0);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(1);
        scope.spawn(|| read_all(source, from, &left, rate, sender));
        for (span, pieces) in receiver {
            let (mut stored, pieces) = (Stored::default(), pieces?);
            let n_read: u64 = pieces.iter().map(|piece| piece.events).sum();
            if n_read < span.events {
                let missing = counted(span.events - n_read, "event");
                say!("catat: {} to {}: the source gave {missing} fewer than it had counted", span.from, span.to);
            }
            let id = format!("{}-{}", plan.id, span.from.0);
            match store_all(source, to, pieces, (&id, &mut stored)) {
                // It was sent before an interruption, and reads differently now.
                Err(failure) if failure.is_conflict => {
                    let left = source.missing(from, to, span.range())?.ok_or(failure)?;
                    let n_left: u64 = left.iter().map(|piece| piece.events).sum();
                    let n_there = n_read.saturating_sub(n_left);
                    if n_there == 0 {
                        // Some of it is there, as the conflict shows: the two sides say the same in different ways.
                        return Err(Failure::other("the server has these events in a form that the source has not"));
                    }
                    stored = Stored { events: n_there, ..Stored::default() };
                    store_all(source, to, left, (&format!("{id}-after-{n_there}"), &mut stored))?;
                }
                done => done?,
            }
            n_new += span.events;
            let step = Done { span: span.clone(), stored };
            journal.append(&step)?;
            done.push(step);
            line.show(|elapsed| events_done((n_before, n_new, n_all), "imported", elapsed));
        }
        Ok(())
    })
    .map_err(|failure: Failure| failure.with("Run the same command to go on from here."))?;
    line.clear();
    let refused: Vec<&String> = done.iter().flat_map(|done| &done.stored.refused).collect();
    for problem in refused.iter().take(NAMED_MAX) {
        say!("catat: refused: {problem}");
    }
    let n_stored: u64 = done.iter().map(|done| done.stored.events).sum();
    say!("catat: {} stored", counted(n_stored, "event"));
    Ok(done.iter().map(|done| done.stored.n_refused).sum())
}

/// Stores the pieces of a span under ids that begin with `id`.
fn store_all(
    source: &dyn Source,
    to: &Side<'_>,
    pieces: Vec<Piece>,
    (id, stored): (&str, &mut Stored),
) -> Result<(), Failure> {
    for (number, piece) in pieces.into_iter().enumerate() {
        let of_piece = source.store(to, piece, &format!("{id}-{number}"))?;
        stored.events += of_piece.events;
        stored.n_refused += of_piece.n_refused;
        stored.refused.extend(of_piece.refused.into_iter().take(NAMED_MAX));
    }
    Ok(())
}

/// What a span has, or why it cannot be read.
type Read<'s> = (&'s Span, Result<Vec<Piece>, Failure>);

fn read_all<'s>(
    source: &dyn Source,
    from: &Side<'_>,
    spans: &[&'s Span],
    rate: Option<u64>,
    sender: mpsc::SyncSender<Read<'s>>,
) {
    for span in spans {
        let began = Instant::now();
        let pieces = source.read(from, span.range());
        let is_over = pieces.is_err();
        // Who stores has ended with a failure of its own.
        if sender.send((span, pieces)).is_err() || is_over {
            return;
        }
        let least = rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(span.events as f64 / rate as f64));
        std::thread::sleep(least.saturating_sub(began.elapsed()));
    }
}

/// Asks both sides for counts by hour.
fn compare(source: &dyn Source, plan: &Plan, from: &Side<'_>, to: &Side<'_>) -> Result<(), Failure> {
    let Some((first, last)) = plan.spans.first().zip(plan.spans.last()) else { return Ok(()) };
    let range = (first.from, last.to);
    let mut theirs = source.counts(from, range, HOUR)?;
    let ours: BTreeMap<Timestamp, u64> = source.counts(to, range, HOUR)?.into_iter().collect();
    for (hour, n) in theirs.iter_mut().filter(|(hour, n)| ours.get(hour).copied().unwrap_or(0) < *n) {
        let end = Timestamp(hour.0.saturating_add(Timestamp::HOUR));
        let mut n_missing = Some(0);
        for span in plan.spans.iter().filter(|span| span.to > *hour && span.from < end) {
            let within = (span.from.max(*hour), span.to.min(end));
            let missing = source.missing(from, to, within)?.map(|pieces| pieces.iter().map(|piece| piece.events).sum());
            n_missing = n_missing.zip(missing).map(|(n, more): (u64, u64)| n + more);
        }
        // What a source counts may be more than what it gives: Loki counts a line twice that is in memory and in a chunk.
        *n = n_missing.map_or(*n, |n_missing| ours.get(hour).copied().unwrap_or(0) + n_missing);
    }
    compare_hours(&theirs, &ours)
}
