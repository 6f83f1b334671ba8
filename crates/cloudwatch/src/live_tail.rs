//! `StartLiveTail`: events as they are accepted, once a second, as a stream of Amazon's messages.
//!
//! A session has a bounded queue in the store and a bounded queue to its connection. Events beyond the limit of a second,
//! and events lost because the client is slow, are left out, and the update is marked as sampled.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono_tz::Tz;
use execute::Tail;
use plan::Operator;
use serde_json::{Value as Json, json};
use storage::{FeedItem, Subscription};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use types::{BatchRun, EventId, GroupName, GroupPattern, Value};

use super::answer::{CloudWatchProblem, Result, random_id};
use super::event_stream::{CONTENT_TYPE, event, exception};
use super::input::{Input, group_of};
use super::patterns::{is_one_of, plan_of, starts_with_any};
use super::request::{OperationRequest, must_exist};
use super::results::text_of;
use super::state::Shared;
use super::time::milliseconds;
use door::Problem;

/// Groups of a session, and streams or prefixes of streams.
const GROUPS_MAX: usize = 10;
const STREAMS_MAX: usize = 100;

/// Events of one update, as Amazon has it.
const EVENTS_MAX: usize = 500;

/// Updates that wait for the connection, and batches that wait in the store.
const UPDATES_WAITING_MAX: usize = 10;
const BATCHES_WAITING_MAX: usize = 256;

/// How often a session tells what came, how often it looks whether that is due, and how long it lasts.
const UPDATE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(100);
const SESSION_MAX: Duration = Duration::from_secs(3 * 3600);

/// A session on its thread.
struct Session {
    server: Shared,
    tail: Tail,
    groups: Vec<GroupName>,
    sender: mpsc::Sender<Bytes>,
    started: Instant,
}

/// What one update tells. Of more events than it has room for, those are kept that stand at even distances: every one at
/// first, then every second, fourth and so on.
#[derive(Default)]
struct Update {
    events: Vec<Json>,
    n_seen: usize,
    /// The number of times that every second event of the sample was dropped.
    n_thinned: u32,
    is_sampled: bool,
}

/// The client has gone.
struct ClientGone;

impl OperationRequest {
    /// Blocks.
    pub(super) fn live_tail(&self, input: &Input) -> Result<Response> {
        let names = input.texts("logGroupIdentifiers")?.unwrap_or_default();
        if !(1..=GROUPS_MAX).contains(&names.len()) {
            return Err(CloudWatchProblem::parameter(format!("logGroupIdentifiers has 1 to {GROUPS_MAX} members.")));
        }
        let groups = names.iter().map(|name| group_of(name, "logGroupIdentifiers")).collect::<Result<Vec<_>, _>>()?;
        groups.iter().try_for_each(|group| self.reach(group))?;
        let tail = tail_of(input, groups.len())?;
        groups.iter().try_for_each(|name| must_exist(&self.server, name))?;
        let start = json!({
            "requestId": random_id()?, "sessionId": random_id()?,
            "logGroupIdentifiers": names, "logStreamNames": input.texts("logStreamNames")?.unwrap_or_default(),
            "logStreamNamePrefixes": input.texts("logStreamNamePrefixes")?.unwrap_or_default(),
            "logEventFilterPattern": input.text("logEventFilterPattern")?.unwrap_or_default(),
        });
        // Nobody may wait for a place here.
        let full = |problem: Problem| CloudWatchProblem::new("LimitExceededException", problem.sentence());
        let permit = self.server.tails.try_enter().map_err(full)?;
        let (sender, receiver) = mpsc::channel(UPDATES_WAITING_MAX);
        let session = Session { server: self.server.clone(), tail, groups, sender, started: Instant::now() };
        // From here on nothing is missed, also before the client has read a byte.
        let subscription = session.subscribe();
        tokio::task::spawn_blocking(move || {
            // The client is gone.
            let _ = session.run(&subscription, &start);
            drop(permit);
        });
        let body = Body::from_stream(ReceiverStream::new(receiver).map(Ok::<Bytes, Infallible>));
        let mut response = body.into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        Ok(response)
    }
}

/// Returns the events that a session is about.
fn tail_of(input: &Input, n_groups: usize) -> Result<Tail> {
    let mut plan = plan_of(input.text("logEventFilterPattern")?.unwrap_or_default())?;
    let (streams, prefixes) = (input.texts("logStreamNames")?, input.texts("logStreamNamePrefixes")?);
    if streams.is_some() && prefixes.is_some() {
        let message = "logStreamNames and logStreamNamePrefixes must not be given together.";
        return Err(CloudWatchProblem::parameter(message));
    }
    if let Some(names) = streams.as_ref().or(prefixes.as_ref()) {
        if n_groups != 1 || !(1..=STREAMS_MAX).contains(&names.len()) {
            let message = format!("1 to {STREAMS_MAX} streams can be named, of one log group.");
            return Err(CloudWatchProblem::parameter(message));
        }
        let condition = if streams.is_some() { is_one_of(names) } else { starts_with_any(names) };
        plan.edit(|operators| operators.insert(0, Operator::Filter(condition)));
    }
    Tail::new(&plan, Tz::UTC).map_err(|error| CloudWatchProblem::parameter(error.to_string()))
}

impl Session {
    fn subscribe(&self) -> Subscription {
        let groups = self.groups.iter().map(|name| GroupPattern::new(name.as_str())).collect();
        self.server.subscribe(groups, BATCHES_WAITING_MAX)
    }

    fn run(&self, subscription: &Subscription, start: &Json) -> Result<(), ClientGone> {
        self.send(event("initial-response", "{}"))?;
        self.send(event("sessionStart", &start.to_string()))?;
        let (mut update, mut last) = (Update::default(), Instant::now());
        loop {
            match subscription.receive(LOOK) {
                // What the server itself did is no live news.
                FeedItem::Batch(accepted) if accepted.group.as_str() == ingest::AUDIT_GROUP => {}
                FeedItem::Batch(accepted) => {
                    let run = BatchRun::new(accepted.group.clone(), accepted.group_id, accepted.batch.clone());
                    // A batch that cannot be read has nothing.
                    let found = self.tail.rows(Arc::new(run), self.server.now()).unwrap_or_default();
                    update.add(&accepted.group, &self.tail.columns(), found);
                }
                FeedItem::Lagged(_) => update.is_sampled = true,
                FeedItem::Closed => return Ok(()),
                FeedItem::Idle => {}
            }
            if *self.server.closing.borrow() || self.sender.is_closed() || self.server.has_ended() {
                return Ok(());
            }
            if last.elapsed() >= UPDATE {
                self.send(std::mem::take(&mut update).message())?;
                last = Instant::now();
            }
            if self.started.elapsed() >= SESSION_MAX {
                let reason = json!({"message": "Session timed out after three hours."});
                return self.send(exception("SessionTimeoutException", &reason.to_string()));
            }
        }
    }

    /// Waits while the connection is slow: the store's queue fills up meanwhile and counts lost events.
    fn send(&self, message: Vec<u8>) -> Result<(), ClientGone> {
        self.sender.blocking_send(Bytes::from(message)).map_err(|_| ClientGone)
    }
}

impl Update {
    fn add(&mut self, group: &GroupName, columns: &[&str], found: execute::TailRows) {
        for (id, row) in found.ids.iter().zip(found.rows) {
            if !self.takes_next() {
                continue;
            }
            let mut cells: HashMap<&str, Value> =
                columns.iter().copied().zip(row).filter_map(|(name, value)| Some((name, value?))).collect();
            let mut text = |name: &str| cells.remove(name).map(|value| text_of(&value)).unwrap_or_default();
            let (message, stream) = (text("@message"), text("@logStream"));
            let arrived = match cells.get("@ingestionTime") {
                Some(Value::Timestamp(time)) => milliseconds(*time),
                _ => 0,
            };
            let time = EventId::decode(id).map_or(0, |id| milliseconds(id.timestamp));
            self.events.push(json!({
                "logGroupIdentifier": format!("000000000000:{group}"), "logStreamName": stream, "message": message,
                "timestamp": time, "ingestionTime": arrived,
            }));
        }
    }

    /// Reports whether the next event belongs to the sample.
    fn takes_next(&mut self) -> bool {
        if self.events.len() >= 2 * EVENTS_MAX {
            let mut is_kept = false;
            self.events.retain(|_| {
                is_kept = !is_kept;
                is_kept
            });
            self.n_thinned += 1;
        }
        let at = self.n_seen;
        self.n_seen += 1;
        at.trailing_zeros() >= self.n_thinned
    }

    fn message(mut self) -> Vec<u8> {
        let n_kept = self.events.len();
        if n_kept > EVENTS_MAX {
            let picked = (0..EVENTS_MAX).map(|at| self.events[at * n_kept / EVENTS_MAX].take());
            self.events = picked.collect();
        }
        self.is_sampled |= self.n_seen > EVENTS_MAX;
        let update = json!({"sessionMetadata": {"sampled": self.is_sampled}, "sessionResults": self.events});
        event("sessionUpdate", &update.to_string())
    }
}

#[cfg(test)]
mod tests;
