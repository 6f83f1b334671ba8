//! Delivers the events that a subscription filter matches. Each filter has a thread, so that a receiver that hangs delays
//! no other.
//!
//! The thread reads the store's feed of accepted batches. After a start, or if it is too slow for the feed, it reads the
//! store from its position. Events are posted stream by stream, in order of acceptance, and read and posted again until the
//! receiver accepts them; then the position is saved. Every event arrives at least once; after a crash the last chunk may
//! arrive twice. In a fleet the node with the lease `alerts` delivers, and the position is saved in the control store as
//! long as it has the lease, so that another node continues there. Events that are deleted or retired before they are
//! posted are not delivered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use alert::PostError;
use execute::{Tail, TailRows};
use parse::TEXT_KEYS;
use storage::{FeedItem, Subscription};
use types::{BatchRun, EventId, GroupName, GroupPattern, GroupScope, Level, Run, SYSTEM_FIELDS, Value, is_sent};

use super::filter::Filter;
use super::forms::Form;
use super::message::{Line, Refusal};
use super::pass::{Outcome, Pass, Suspects, refusals_needed};
use super::workers::{Progress, Workers};
use crate::answer::{CloudWatchProblem, Result};
use crate::filters::{last_sequence, runs_after};

/// Limits of a chunk, which is in memory until it is delivered, and may arrive again after a crash.
const CHUNK_EVENTS_MAX: usize = 20_000;
const CHUNK_BYTES_MAX: usize = 16 << 20;

/// Limits of one post.
const POST_EVENTS_MAX: usize = 10_000;
const POST_BYTES_MAX: usize = 1 << 20;

/// Most fields of events that were stored together.
const FIELDS_MAX: usize = 1_000;

/// Limit on the batches that wait in the feed; further ones are read from the store.
const BATCHES_WAITING_MAX: usize = 16;

/// How often a thread checks whether it must end, and how long it gathers events before it posts them.
const LOOK: Duration = Duration::from_millis(100);

/// What errors of the HTTP client say of an answer that takes too long.
const TIMED_OUT: &str = "timed out";

/// The first wait after a failure, and the longest.
const WAIT_MIN: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Positions are saved after a delivery, and after this number of events without a match.
const UNKEPT_MAX: u64 = 100_000;

/// The delivery of one filter.
pub(super) struct Delivery {
    workers: Arc<Workers>,
    filter: Filter,
    group: GroupName,
    tail: Tail,
    progress: Arc<Progress>,
    /// Events after the position that were delivered already, while those of another stream failed.
    done: BTreeSet<u64>,
    /// How long it waits after the next failure.
    wait: Duration,
    /// Whether the receiver refused events of the posts before for good.
    is_refused: bool,
    suspects: Suspects,
    /// Passes in which the receiver refused everything since it took an event.
    n_failed: u32,
    /// Most events of a post, fewer for a receiver that takes too long.
    post_events: usize,
}

/// Matching events of a range of sequences.
#[derive(Default)]
struct Chunk {
    lines: BTreeMap<u64, Line>,
    n_bytes: usize,
    /// Whether later events were left out.
    is_cut: bool,
}

/// The thread must end.
struct StopRequest;

impl Chunk {
    /// Adds events after `sequence` that are not done, and drops the latest ones beyond the limits.
    fn add(&mut self, (found, names): (TailRows, &[Arc<str>]), sequence: u64, done: &BTreeSet<u64>) {
        for (id, row) in found.ids.iter().zip(found.rows) {
            let id = EventId::decode(id).filter(|id| id.sequence > sequence && !done.contains(&id.sequence));
            let Some(id) = id else { continue };
            let mut cells = row.into_iter();
            let mut text = || match cells.next().flatten() {
                Some(Value::String(text)) => text,
                Some(other) => other.to_string().into(),
                None => "".into(),
            };
            let (message, stream, level) = (text(), text(), text());
            let level = Level::parse(&level);
            let is_text = |(name, value): &(Arc<str>, Value)| {
                TEXT_KEYS.contains(&&**name) && matches!(value, Value::String(text) if *text == message)
            };
            let fields = names.iter().zip(cells).filter_map(|(name, cell)| Some((name.clone(), cell?)));
            let fields: Vec<(Arc<str>, Value)> = fields.filter(|field| !is_text(field)).collect();
            let line = Line { id, stream, message, level, fields };
            self.n_bytes += line.n_bytes();
            self.lines.insert(id.sequence, line);
            while self.lines.len() > CHUNK_EVENTS_MAX || self.n_bytes > CHUNK_BYTES_MAX && self.lines.len() > 1 {
                let Some((_, latest)) = self.lines.pop_last() else { break };
                self.n_bytes -= latest.n_bytes();
                self.is_cut = true;
            }
        }
    }

    fn is_full(&self) -> bool {
        self.is_cut || self.lines.len() >= CHUNK_EVENTS_MAX || self.n_bytes >= CHUNK_BYTES_MAX
    }

    /// Returns the events of each post, all of one stream.
    fn posts(&self) -> Vec<Vec<&Line>> {
        let mut streams: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        self.lines.values().for_each(|line| streams.entry(&line.stream).or_default().push(line));
        let mut posts: Vec<Vec<&Line>> = Vec::new();
        for lines in streams.into_values() {
            let (mut post, mut n_bytes) = (Vec::new(), 0);
            for line in lines {
                if !post.is_empty() && (post.len() >= POST_EVENTS_MAX || n_bytes + line.n_bytes() > POST_BYTES_MAX) {
                    posts.push(std::mem::take(&mut post));
                    n_bytes = 0;
                }
                n_bytes += line.n_bytes();
                post.push(line);
            }
            posts.push(post);
        }
        posts
    }
}

impl Delivery {
    /// Returns a delivery that continues at the position of its filter.
    pub(super) fn new(workers: Arc<Workers>, filter: &Filter, progress: Arc<Progress>) -> Result<Self> {
        let group = GroupName::new(&filter.group).ok_or_else(CloudWatchProblem::no_group)?;
        let tail = filter.tail(&[])?;
        let filter = Filter { saved: filter.sequence, ..filter.clone() };
        Ok(Self {
            workers,
            filter,
            group,
            tail,
            progress,
            done: BTreeSet::new(),
            wait: WAIT_MIN,
            is_refused: false,
            suspects: Suspects::default(),
            n_failed: 0,
            post_events: POST_EVENTS_MAX,
        })
    }

    /// Delivers until the thread must end.
    pub(super) fn run(mut self) {
        let groups = vec![GroupPattern::new(self.group.as_str())];
        let subscription = self.workers.store.subscribe_within(groups, GroupScope::All, BATCHES_WAITING_MAX);
        // There is nothing left to do.
        let StopRequest = self.follow(&subscription);
    }

    fn follow(&mut self, subscription: &Subscription) -> StopRequest {
        // Events accepted before the subscription are in the store, later ones in the feed.
        let mut is_behind = true;
        loop {
            if let Err(over) = self.wait_while_copy() {
                return over;
            }
            let done = if is_behind {
                self.deliver_stored().map(|is_left| is_behind = is_left)
            } else {
                self.deliver_fed(subscription).map(|has_lagged| is_behind = has_lagged)
            };
            if let Err(over) = done {
                return over;
            }
        }
    }

    /// Waits while the store is a copy, whose original delivers. The feed loses batches meanwhile; they are read from the
    /// store.
    fn wait_while_copy(&self) -> Result<(), StopRequest> {
        while self.workers.store.copy_taken().is_some() {
            self.rest(LOOK * 10)?;
        }
        Ok(())
    }

    /// Delivers a chunk of events from the store. Returns `true` if more are left.
    fn deliver_stored(&mut self) -> Result<bool, StopRequest> {
        self.go_on()?;
        let position = self.filter.sequence;
        let last = last_sequence(&self.workers.store, &self.filter.group);
        let mut chunk = Chunk::default();
        for run in runs_after(&self.workers.store, &self.filter.group, position) {
            self.go_on()?;
            self.look_into(run, position, &mut chunk);
        }
        // Events accepted between the two snapshots are in the feed, and may come again.
        let end = match chunk.lines.last_key_value() {
            Some((sequence, _)) if chunk.is_cut => *sequence,
            found => found.map_or(0, |(sequence, _)| *sequence).max(last),
        };
        let is_all = !chunk.is_cut;
        Ok(!self.deliver(&chunk, end)? || !is_all)
    }

    /// Delivers what the feed contains within a moment. Returns `true` if batches were lost, or events are left.
    fn deliver_fed(&mut self, subscription: &Subscription) -> Result<bool, StopRequest> {
        let (mut chunk, mut end, mut until) = (Chunk::default(), self.filter.sequence, None);
        loop {
            self.go_on()?;
            match subscription.receive(LOOK) {
                FeedItem::Batch(accepted) => {
                    let run = BatchRun::new(accepted.group.clone(), accepted.group_id, accepted.batch.clone());
                    end = end.max(run.last_sequence());
                    self.look_into(Arc::new(run), self.filter.sequence, &mut chunk);
                    until.get_or_insert_with(|| Instant::now() + LOOK);
                }
                FeedItem::Lagged(_) => return Ok(true),
                FeedItem::Closed => return Err(StopRequest),
                FeedItem::Idle if until.is_some() => break,
                FeedItem::Idle => {}
            }
            if chunk.is_full() || until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
        }
        if chunk.is_cut {
            // The rest is read from the store.
            return Ok(true);
        }
        Ok(!self.deliver(&chunk, end)?)
    }

    fn look_into(&self, run: Arc<dyn Run>, position: u64, chunk: &mut Chunk) {
        let mut names = Vec::new();
        if Form::of(&self.filter.destination).0.has_fields() {
            // The store reports damage itself; the rest is delivered.
            names = run.field_names().unwrap_or_default();
            let is_left = |name: &str| is_sent(name) || matches!(name, "@rest" | "@fieldsDropped");
            names.retain(|name| !SYSTEM_FIELDS.contains(&&**name) && is_left(name));
            names.truncate(FIELDS_MAX);
        }
        let of_fields = if names.is_empty() { None } else { self.filter.tail(&names).ok() };
        let tail = of_fields.as_ref().unwrap_or(&self.tail);
        let mut add = |found| chunk.add((found, &names), position, &self.done);
        let _ = tail.rows_by_block(run, self.workers.clock.now(), &mut add);
    }

    /// Posts a chunk and moves the position to `end`. If the receiver refuses it, waits and returns `false`: the rest is
    /// then read again, so that no event is posted that was deleted meanwhile.
    fn deliver(&mut self, chunk: &Chunk, end: u64) -> Result<bool, StopRequest> {
        if let Err(error) = self.post(chunk)? {
            self.wait_after(&error)?;
            return Ok(false);
        }
        self.suspects.clear();
        let is_far = end.saturating_sub(self.filter.saved) >= UNKEPT_MAX;
        self.filter.sequence = self.filter.sequence.max(end);
        self.done = self.done.split_off(&(self.filter.sequence.saturating_add(1)));
        if !chunk.lines.is_empty() || is_far {
            self.filter.saved = self.filter.sequence;
            // In a fleet, the next node would repeat what is not saved, so nothing more is delivered until it is.
            while !self.workers.save_position(&mut self.filter, &self.progress) && self.workers.is_of_fleet() {
                self.rest(LOOK * 10)?;
            }
        }
        Ok(true)
    }

    /// Posts the events of a chunk; returns why some have to be posted again.
    fn post(&mut self, chunk: &Chunk) -> Result<Result<(), PostError>, StopRequest> {
        let (workers, filter, mut suspects) = (&self.workers, &self.filter, std::mem::take(&mut self.suspects));
        // What was refused comes first: whether it is to blame is seen by those after it.
        let (mut posts, mut others): (Vec<Vec<&Line>>, _) = (Vec::new(), Vec::new());
        for post in chunk.posts() {
            let (of_suspects, rest): (Vec<&Line>, _) =
                post.into_iter().partition(|line| suspects.contains_key(&line.id.sequence));
            posts.extend(of_suspects.into_iter().map(|line| vec![line]));
            others.push(rest);
        }
        posts.append(&mut others);
        let post = |lines: &[&Line]| workers.deliver(filter, lines);
        let may_halve = Form::of(&filter.destination).0.has_fields();
        let mut pass = Pass::new(&post, may_halve, &mut suspects, self.n_failed);
        let mut posted = Ok(());
        'posts: for lines in &posts {
            let mut rest = &lines[..];
            while !rest.is_empty() {
                self.go_on()?;
                self.wait_while_copy()?;
                let (now, later) = rest.split_at(rest.len().min(self.post_events));
                posted = pass.post(now);
                if let Err(error) = &posted {
                    if error.to_string().contains(TIMED_OUT) {
                        self.post_events = (now.len() / 2).max(1);
                    }
                    break 'posts;
                }
                self.post_events = (self.post_events + self.post_events / 4 + 1).min(POST_EVENTS_MAX);
                rest = later;
            }
        }
        let posted = posted.and_then(|()| pass.end());
        let Outcome { done, n_taken, refused } = pass.outcome;
        self.suspects = suspects;
        self.done.extend(done);
        let is_refusal = posted.as_ref().is_err_and(|error| refusals_needed(error).is_some());
        self.n_failed = if n_taken > 0 { 0 } else { self.n_failed.saturating_add(is_refusal.into()) };
        self.settle(n_taken, refused);
        Ok(posted)
    }

    /// Counts what became of events.
    fn settle(&mut self, n_taken: u64, refused: Option<Refusal>) {
        if n_taken == 0 && refused.is_none() {
            return;
        }
        self.wait = WAIT_MIN;
        self.filter.n_events += n_taken;
        self.progress.delivered(n_taken, refused.as_ref().map_or(0, |refused| refused.n));
        // One warning for a row of refusals.
        let was_refused = std::mem::replace(&mut self.is_refused, refused.is_some());
        if let Some(Refusal { n, reason }) = refused.filter(|_| !was_refused) {
            let (group, filter) = (&self.filter.group, &self.filter.name);
            tracing::warn!(group, filter, events = n, reason, "subscription filter left out events that are refused");
        }
    }

    /// Waits after a failure, longer each time.
    fn wait_after(&mut self, error: &PostError) -> Result<(), StopRequest> {
        let asked = if let PostError::Retry { after, .. } = error { *after } else { None };
        if self.progress.failed(error) {
            let (group, filter) = (&self.filter.group, &self.filter.name);
            tracing::warn!(group, filter, %error, "subscription filter cannot deliver; retrying");
        }
        let wait = self.wait;
        self.wait = (wait * 2).min(WAIT_MAX);
        self.rest(wait.max(asked.unwrap_or_default()).min(WAIT_MAX))
    }

    /// Waits, unless the thread must end.
    fn rest(&self, time: Duration) -> Result<(), StopRequest> {
        let until = Instant::now() + time;
        loop {
            self.go_on()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::park_timeout(left.min(LOOK));
        }
    }

    fn go_on(&self) -> Result<(), StopRequest> {
        let is_closing = self.workers.closing.has_changed().is_err() || *self.workers.closing.borrow();
        if is_closing || self.progress.is_over.load(Ordering::Relaxed) || !self.workers.store.has_alerts() {
            Err(StopRequest)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
