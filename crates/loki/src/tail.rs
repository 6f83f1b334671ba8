//! `tail`: sends the newest lines over a websocket, then lines as they are accepted.
//!
//! Frames: `{"streams":[{"stream":{labels},"values":[["ns","line"]]}],"dropped_entries":[{"timestamp":"ns","labels":{}}]}`,
//! with dropped entries if a client is too slow. A tail has a bounded queue in the store and a bounded queue to its socket,
//! like a native one. The number of lost lines is the label `dropped_lines` of one entry, since their times are unknown.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use execute::{Answer, Tail};
use language::logql;
use language::logql::{LogQuery, Query};
use plan::Operator;
use serde_json::json;
use storage::{FeedItem, Subscription};
use tokio::sync::mpsc;
use types::{BatchRun, TimeRange, Timestamp, Value};

use super::{lines, times};
use crate::state::Call;
use door::socket::SocketRequest;
use door::{Outcome, Problem, Reply, Scope, Shared};

/// Default and limit of the number of earlier lines.
const LINES_DEFAULT: usize = 100;
const LINES_MAX: usize = 5_000;

/// Limit on the time that lines are delayed so that late ones can be sorted in, as in Loki.
const DELAY_S_MAX: u64 = 5;

/// Limit on the bytes of delayed lines; beyond it they are sent earlier.
const HELD_BYTES_MAX: usize = 4 << 20;

/// Limit on the batches of one tail that wait in the store, with at most two megabytes each, mostly far less.
const BATCHES_WAITING_MAX: usize = 256;

/// Limit on the frames that wait for the socket, with about [`FRAME_BYTES`] each.
const FRAMES_WAITING_MAX: usize = 16;
const FRAME_BYTES: usize = 32 << 10;

/// How often a quiet tail checks whether its client is gone, the server closes, or delayed lines must be sent.
const LOOK: Duration = Duration::from_millis(100);

type Row = Vec<Option<Value>>;

pub(crate) fn get(Call { server, parameters, mut parts, .. }: Call) -> Outcome {
    let text = parameters.get("query").unwrap_or_default();
    let Query::Log(log) = logql::parse(text)? else {
        return Err(Problem::bad_request("not-tailable", "only log queries can be tailed, not metric queries"));
    };
    let tail = Tail::new(&lines::tail_plan(&log), Tz::UTC)?;
    let delay_s: u64 = parameters.number("delay_for")?.unwrap_or(0);
    if delay_s > DELAY_S_MAX {
        return Err(Problem::bad_parameter(format!("delay_for can't be greater than {DELAY_S_MAX}")));
    }
    let limit = parameters.number("limit")?.unwrap_or(LINES_DEFAULT).min(LINES_MAX);
    let now = server.now();
    let from = times::instant_of(&parameters, "start")?.unwrap_or(Timestamp(now.0.saturating_sub(Timestamp::HOUR)));
    let range = TimeRange { from, to: Timestamp(now.0.saturating_add(1)) };
    let asked = SocketRequest::of(&mut parts)?;
    let permit = server.tails.try_enter()?;
    // No line is missed from here on; a line that is found and then fed again is recognised by its id.
    let subscription = server.subscribe(log.sources.clone(), BATCHES_WAITING_MAX);
    let (delay, of_tail): (_, Shared) = (Duration::from_secs(delay_s), (*server).clone());
    let follow = move |before: Option<Answer>| {
        let (sender, texts) = mpsc::channel(FRAMES_WAITING_MAX);
        let response = asked.speak(of_tail.clone(), texts);
        tokio::task::spawn_blocking(move || {
            let follower = Follower { server: of_tail, tail, delay, sender, held: LineBuffer::default() };
            // The client is gone.
            let _ = follower.run(&subscription, before);
            drop(permit);
        });
        Ok(Reply::Whole(response))
    };
    if limit == 0 || range.from >= range.to {
        return follow(None);
    }
    // The newest stored lines, newest first.
    let mut operators = log.operators.clone();
    operators.push(Operator::Limit(limit as u64));
    let plan = lines::tail_plan(&LogQuery { operators, ..log });
    Ok(Reply::query(&server, text, move |reading| {
        let scope = Scope { groups: plan.sources.clone(), ..times::scope(now) };
        follow(Some(reading.execute(&plan, &scope, range)?))
    }))
}

/// One tail on its thread.
struct Follower {
    server: Shared,
    tail: Tail,
    delay: Duration,
    sender: mpsc::Sender<String>,
    held: LineBuffer,
}

/// Lines that are not sent yet, and the number of lost ones.
#[derive(Default)]
struct LineBuffer {
    rows: Vec<Row>,
    n_bytes: usize,
    n_lost: u64,
    /// The arrival of the first line.
    since: Option<Instant>,
}

impl LineBuffer {
    fn add(&mut self, row: Row) {
        self.n_bytes += bytes_of(&row);
        self.rows.push(row);
        self.since.get_or_insert_with(Instant::now);
    }

    fn is_due(&self, delay: Duration) -> bool {
        self.n_lost > 0 || self.n_bytes > HELD_BYTES_MAX || self.since.is_some_and(|since| since.elapsed() >= delay)
    }
}

/// The client is gone.
struct ClientGone;

impl Follower {
    fn run(mut self, subscription: &Subscription, before: Option<Answer>) -> Result<(), ClientGone> {
        let mut seen: HashSet<String> = HashSet::new();
        if let Some(mut answer) = before {
            seen = answer.ids.take().into_iter().flatten().collect();
            answer.rows.reverse();
            self.send_rows(&answer.rows, None)?;
        }
        loop {
            match subscription.receive(LOOK) {
                // The audit log is not tailed.
                FeedItem::Batch(accepted) if accepted.group.as_str() == ingest::AUDIT_GROUP => {}
                FeedItem::Batch(accepted) => {
                    let run = BatchRun::new(accepted.group.clone(), accepted.group_id, accepted.batch.clone());
                    // An unreadable batch has no lines.
                    let found = self.tail.rows(Arc::new(run), self.server.now()).unwrap_or_default();
                    let new = found.ids.iter().zip(found.rows).filter(|(id, _)| !seen.remove(*id));
                    new.for_each(|(_, row)| self.held.add(row));
                }
                FeedItem::Lagged(n_events) => self.held.n_lost += n_events,
                FeedItem::Closed => return self.send_held(),
                FeedItem::Idle => {}
            }
            if *self.server.closing.borrow() || self.sender.is_closed() || self.server.has_ended() {
                return Ok(());
            }
            if self.held.is_due(self.delay) {
                self.send_held()?;
            }
        }
    }

    /// Sends delayed lines in order of time.
    fn send_held(&mut self) -> Result<(), ClientGone> {
        let mut held = std::mem::take(&mut self.held);
        held.rows.sort_by_key(|row| lines::time_of(row));
        let lost = (held.n_lost > 0).then(|| {
            let at = self.server.now().0.to_string();
            json!([{"timestamp": at, "labels": {"dropped_lines": held.n_lost.to_string()}}]).to_string()
        });
        self.send_rows(&held.rows, lost)
    }

    /// Sends rows in frames, the first of which contains the lost lines.
    fn send_rows(&self, rows: &[Row], mut lost: Option<String>) -> Result<(), ClientGone> {
        let (mut n_bytes, mut from) = (0, 0);
        for (at, row) in rows.iter().enumerate() {
            n_bytes += bytes_of(row);
            if n_bytes >= FRAME_BYTES || at + 1 == rows.len() {
                self.send(&rows[from..=at], lost.take())?;
                (n_bytes, from) = (0, at + 1);
            }
        }
        if lost.is_some() { self.send(&[], lost) } else { Ok(()) }
    }

    /// Waits while the connection is slow: the store's queue fills up meanwhile and counts lost lines.
    fn send(&self, rows: &[Row], lost: Option<String>) -> Result<(), ClientGone> {
        let lost = lost.map(|lost| format!(",\"dropped_entries\":{lost}")).unwrap_or_default();
        let frame = format!("{{\"streams\":[{}]{lost}}}", lines::tail_streams(rows));
        self.sender.blocking_send(frame).map_err(|_| ClientGone)
    }
}

/// Estimates the memory of a row.
fn bytes_of(row: &Row) -> usize {
    let bytes = |value: &Value| match value {
        Value::String(text) => text.len(),
        _ => 0,
    };
    row.len() * size_of::<Option<Value>>() + row.iter().flatten().map(bytes).sum::<usize>()
}
