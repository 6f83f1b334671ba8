//! `/api/v1/tail`: events as they are accepted, as server-sent events.
//!
//! A tail has a bounded queue in the store and a bounded queue to its connection: a client that does not keep up
//! is told how many events it missed, and holds up nobody. `Last-Event-ID` takes up after that event; it goes by
//! the order of acceptance, so that events with old times are not missed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use execute::{Tail, TailRows};
use language::ParseOptions;
use storage::{FeedItem, Subscription};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use types::{BatchRun, EventId, GroupPattern, Run, TimeRange, Value, ensure};

use crate::ask;
use crate::state::{Call, Shared};
use door::{Outcome, Reply, write_value};

/// Names of the parameters.
const PARAMETERS: [&str; 5] = ["query", "groups", "group", "language", "time_zone"];

/// Batches that wait in the store for one tail; at most two megabytes each, mostly far less.
const BATCHES_WAITING_MAX: usize = 256;

/// Pieces that wait for the connection, of about [`PIECE_BYTES`] each.
const PIECES_WAITING_MAX: usize = 16;
const PIECE_BYTES: usize = 32 << 10;

/// How long a silent stream stays without a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How often a quiet tail looks whether its client or the server has gone.
const LOOK: Duration = Duration::from_millis(250);

/// Most events that a client that comes back is given again, and their most bytes: what it can be expected to show.
const RESUMED_MAX: usize = 10_000;
const RESUMED_BYTES_MAX: usize = 32 << 20;

pub(crate) fn get(Call { server, parameters, parts, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let time_zone = ask::time_zone(parameters.get("time_zone"))?;
    let options = ParseOptions { now: server.now(), time_zone };
    let mut plan = ask::parse_tail(parameters.get("query").unwrap_or_default(), parameters.get("language"), &options)?;
    let groups = if plan.sources.is_empty() { parameters.groups() } else { plan.sources.clone() };
    Ok(Reply::look_up(&server.clone(), move || {
        let table_of = |name: &str| server.tables.get(server.settings(), &server.caller.scope, name);
        execute::fetch_tables(&mut plan, &table_of)?;
        let tail = Tail::new(&plan, time_zone)?;
        let last = parts.headers.get("last-event-id").and_then(|id| EventId::decode(id.to_str().ok()?));

        // Nobody may wait for a place here.
        let permit = server.tails.try_enter()?;
        let (sender, receiver) = mpsc::channel(PIECES_WAITING_MAX);
        let follower = Follower { server, tail, groups, sender, last_sent: Instant::now() };
        tokio::task::spawn_blocking(move || {
            follower.run(last);
            drop(permit);
        });
        let body = Body::from_stream(ReceiverStream::new(receiver).map(Ok::<Bytes, std::convert::Infallible>));
        Ok(Reply::content("text/event-stream", body).not_stored())
    }))
}

/// One tail on its thread.
struct Follower {
    server: Shared,
    tail: Tail,
    groups: Vec<GroupPattern>,
    sender: mpsc::Sender<Bytes>,
    last_sent: Instant,
}

/// One event found.
struct Row {
    id: EventId,
    values: Vec<Option<Value>>,
}

/// The client has gone.
struct Gone;

/// Events that a client missed, by their sequences: the last ones that fit.
#[derive(Default)]
struct MissedEvents {
    events: BTreeMap<u64, String>,
    n_bytes: usize,
    n_dropped: u64,
}

impl MissedEvents {
    fn add(&mut self, sequence: u64, text: String) {
        self.n_bytes += text.len();
        self.events.insert(sequence, text);
        while self.events.len() > RESUMED_MAX || self.n_bytes > RESUMED_BYTES_MAX {
            let Some((_, oldest)) = self.events.pop_first() else { return };
            self.n_bytes -= oldest.len();
            self.n_dropped += 1;
        }
    }
}

impl Follower {
    fn run(mut self, last: Option<EventId>) {
        let subscription = self.server.subscribe(self.groups.clone(), BATCHES_WAITING_MAX);
        // The first bytes let the client know that it is connected, before anything happens.
        let begun = self.send("retry: 2000\n: live\n\n".to_owned());
        let resumed = begun.and_then(|()| last.map_or(Ok(0), |last| self.resume(last.sequence)));
        // Nothing is left to do for a client that has gone.
        if let Ok(seen) = resumed {
            let _ = self.follow(&subscription, seen);
        }
    }

    /// Returns the events accepted after `sequence`, and the last sequence among them.
    fn resume(&mut self, sequence: u64) -> Result<u64, Gone> {
        let snapshot = self.server.snapshot(&self.groups, TimeRange::ALL);
        let mut missed = MissedEvents::default();
        for run in snapshot.runs.into_iter().filter(|run| run.last_sequence() > sequence) {
            ensure!(!self.sender.is_closed(), Gone);
            let columns = self.tail.columns();
            let mut take = |found| {
                for row in rows_after(found, sequence) {
                    let mut text = String::new();
                    write_event(&columns, &row, &mut text);
                    missed.add(row.id.sequence, text);
                }
            };
            // A run that is damaged has nothing more.
            let _ = self.tail.rows_by_block(run, self.server.now(), &mut take);
        }
        if missed.n_dropped > 0 {
            self.send(dropped(missed.n_dropped))?;
        }
        let last = missed.events.last_key_value().map_or(0, |(sequence, _)| *sequence);
        for text in missed.events.into_values() {
            self.send(text)?;
        }
        Ok(last)
    }

    /// Returns events as they are accepted, but for those up to the sequence `seen`.
    fn follow(&mut self, subscription: &Subscription, seen: u64) -> Result<(), Gone> {
        loop {
            match subscription.receive(LOOK) {
                // What the server itself did is no live news.
                FeedItem::Batch(accepted) if accepted.group.as_str() == ingest::AUDIT_GROUP => {}
                FeedItem::Batch(accepted) => {
                    let run = BatchRun::new(accepted.group.clone(), accepted.group_id, accepted.batch.clone());
                    self.send_rows(&self.rows(Arc::new(run), seen))?;
                }
                FeedItem::Lagged(n_events) => self.send(dropped(n_events))?,
                FeedItem::Closed => return Ok(()),
                FeedItem::Idle => {}
            }
            if *self.server.closing.borrow() || self.sender.is_closed() || self.server.has_ended() {
                return Ok(());
            }
            if self.last_sent.elapsed() >= HEARTBEAT {
                self.send(": heartbeat\n\n".to_owned())?;
            }
        }
    }

    /// Returns the events of a run for this tail after the sequence `seen`; none of a damaged run.
    fn rows(&self, run: Arc<dyn Run>, seen: u64) -> Vec<Row> {
        rows_after(self.tail.rows(run, self.server.now()).unwrap_or_default(), seen).collect()
    }

    fn send_rows(&mut self, rows: &[Row]) -> Result<(), Gone> {
        let mut piece = String::new();
        for row in rows {
            write_event(&self.tail.columns(), row, &mut piece);
            if piece.len() >= PIECE_BYTES {
                self.send(std::mem::take(&mut piece))?;
            }
        }
        if piece.is_empty() { Ok(()) } else { self.send(piece) }
    }

    /// Waits while the connection is behind: the store's queue fills up meanwhile and counts what is lost.
    fn send(&mut self, piece: String) -> Result<(), Gone> {
        self.last_sent = Instant::now();
        self.sender.blocking_send(Bytes::from(piece)).map_err(|_| Gone)
    }
}

/// Returns the rows beyond the sequence `seen`.
fn rows_after(found: TailRows, seen: u64) -> impl Iterator<Item = Row> {
    let ids = found.ids.into_iter().map(|id| EventId::decode(&id));
    let rows = ids.zip(found.rows).filter_map(|(id, values)| Some(Row { id: id?, values }));
    rows.filter(move |row| row.id.sequence > seen)
}

fn dropped(n_events: u64) -> String {
    format!("event: dropped\ndata: {{\"count\":{n_events}}}\n\n")
}

/// One event: JSON has no line breaks of its own, so one `data:` line holds it.
fn write_event(columns: &[&str], row: &Row, out: &mut String) {
    out.push_str("id: ");
    out.push_str(&row.id.encode());
    out.push_str("\nevent: event\ndata: {");
    let mut is_first = true;
    for (name, value) in columns.iter().zip(&row.values).filter(|(_, value)| value.is_some()) {
        out.push_str(if is_first { "" } else { "," });
        is_first = false;
        write_value(Some(&Value::text(*name)), out);
        out.push(':');
        write_value(value.as_ref(), out);
    }
    out.push_str("}\n\n");
}
