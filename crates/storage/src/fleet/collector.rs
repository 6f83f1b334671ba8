//! The writer thread of a node: collects deliveries of all groups and senders, makes one object of them, has it listed,
//! and answers.
//!
//! An object is in the bucket before the catalog names it, and what the catalog has committed is accepted: durable
//! without this node, and once. Until then nothing is answered but a refusal. An answer that was lost is found out: a
//! name that is taken by reading what has it, a commit by looking for the object.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use database::postgres::Database;
use types::Timestamp;

use super::follower::{Follower, OwnDelivery};
use super::{FleetOptions, object};
use crate::catalog::postgres::fleet::members::UNLISTED_MAX;
use crate::catalog::postgres::fleet::objects::{CommittedObject, Offer, object_name};
use crate::deletion::{Deletion, DeletionReceipt};
use crate::segments::Segments;
use crate::writer::Writer;
use crate::writer::queue::{Answer, CloseReason, Request, Rotation, WriterCommand};
use crate::{AppendError, StoreError};

/// How long it is tried to store deliveries before their senders are asked to come again; and once it was in vain. A
/// sender that waits for the delivery before its own has an answer within five seconds.
const PATIENCE: Duration = Duration::from_secs(3);
const PATIENCE_AFTER: Duration = Duration::from_secs(1);

/// What may not answer.
const BUCKET: &str = "the bucket";
const DATABASE: &str = "the database";

/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// What senders are asked to wait who could not be served.
const RETRY_AFTER_S: u64 = 2;

/// What the writer thread of a node owns.
pub(crate) struct Collector {
    pub(crate) segments: Arc<Segments>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) follower: Arc<Follower>,
    pub(crate) database: Database,
    pub(crate) options: FleetOptions,
    /// The epoch in which places are used, the next place, and how many before it are not listed.
    pub(crate) places: Places,
    /// What did not answer the last time, if anything.
    pub(crate) away: Option<&'static str>,
}

/// Where a node puts its objects: each place of an epoch is used once.
#[derive(Default)]
pub(crate) struct Places {
    epoch: u64,
    next: u64,
    n_unlisted: i64,
}

impl Places {
    fn take(&mut self, epoch: u64) -> u64 {
        if self.epoch != epoch {
            *self = Self { epoch, ..Self::default() };
        }
        self.next += 1;
        self.n_unlisted += 1;
        self.next - 1
    }
}

/// A delivery on its way.
type Waiting = (Box<Request>, Answer);

impl Collector {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let writer = self.writer.clone();
        let _ending = writer.closing();
        let mut began: Option<Instant> = None;
        while writer.queue.wait() {
            // Senders that come alone do not wait for others; all together make few objects a second.
            if let Some(began) = began {
                writer.queue.wait_for_more(began + self.options.linger, self.options.object_bytes);
            }
            self.follower.is_collecting.store(true, Ordering::Release);
            let requests = self.take();
            if !requests.is_empty() {
                began = Some(Instant::now());
                self.commit(requests);
            }
            self.follower.is_collecting.store(false, Ordering::Release);
            while let Some(command) = writer.queue.next_if(|work| !matches!(work, WriterCommand::Append(..))) {
                match command {
                    WriterCommand::Rotate(answer) => drop(answer.send(self.rotate())),
                    WriterCommand::Delete(group, answer) => drop(answer.send(self.delete(&group))),
                    WriterCommand::Erase(erasure, receipt, answer) => {
                        drop(answer.send(self.erase(&erasure.deletion, &receipt)));
                    }
                    WriterCommand::Append(..) => {}
                }
            }
        }
    }

    /// Takes deliveries for one object.
    fn take(&self) -> Vec<Waiting> {
        let (mut taken, mut n_bytes) = (Vec::new(), 0);
        while n_bytes < self.options.object_bytes {
            let next = self.writer.queue.next_if(|work| matches!(work, WriterCommand::Append(..)));
            let Some(WriterCommand::Append(request, answer)) = next else { break };
            n_bytes += request.body.bytes.len() + object::DELIVERY_BYTES;
            taken.push((request, answer));
        }
        taken
    }

    fn commit(&mut self, requests: Vec<Waiting>) {
        let bytes = object::encode(requests.iter().map(|(request, _)| &request.body));
        let n_bytes = bytes.len() as u64;
        let offers: Vec<Offer> = requests.iter().map(|(request, _)| offer(request)).collect();
        let accepted = self.segments.options.clock.now();
        let until = Instant::now() + if self.away.is_some() { PATIENCE_AFTER } else { PATIENCE };
        let done = loop {
            // Nothing is put that could not be listed.
            if self.away == Some(DATABASE) && self.database.read(|session| session.query("SELECT 1", &[])).is_err() {
                break Err(self.is_away(DATABASE));
            }
            // An epoch that has ended since leaves an object that nobody names; upkeep removes it.
            let epoch = self.follower.member.epoch();
            let place = self.places.take(epoch);
            if self.places.n_unlisted >= UNLISTED_MAX {
                // What is left of those that could not be listed goes, before there is more than anybody looks for.
                break self.list((epoch, place, 0), accepted, &[], until).and(Err(self.is_away(DATABASE)));
            }
            let done = self.put(&object_name(epoch, place), &bytes, until).and_then(|()| {
                self.follower.objects_written.fetch_add(1, Ordering::Relaxed);
                self.list((epoch, place, n_bytes), accepted, &offers, until)
            });
            match done {
                Err(AppendError::Away { .. }) if epoch != self.follower.member.epoch() && Instant::now() < until => {}
                done => break done,
            }
        };
        match done {
            Ok(committed) => {
                self.away = None;
                self.answer(requests, committed);
            }
            Err(error) => {
                for (_, answer) in requests {
                    self.segments.counters.batches_refused.add(1);
                    answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Puts an object under a name that no one has used.
    fn put(&mut self, name: &str, bytes: &[u8], until: Instant) -> Result<(), AppendError> {
        let segments = self.segments.clone();
        let Some(remote) = &segments.files.remote else { return Err(self.is_away(BUCKET)) };
        loop {
            match remote.objects.put_new(name, bytes) {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() >= until || self.is_closing() => {
                    tracing::warn!(%error, name, "events cannot be put into the bucket; senders are asked to wait");
                    return Err(self.is_away(BUCKET));
                }
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }

    /// Has an object listed. Where the database does not answer, no one knows whether it is: it is asked again for some
    /// time. Senders who come again after that find out by their batch ids.
    fn list(
        &mut self,
        (epoch, place, n_bytes): (u64, u64, u64),
        accepted: Timestamp,
        offers: &[Offer],
        until: Instant,
    ) -> Result<CommittedObject, AppendError> {
        let mut is_reported = false;
        loop {
            let member = self.follower.member.clone();
            let committed = member.commit_object(&mut self.database, (epoch, place, n_bytes), accepted, offers);
            match committed {
                Ok(committed) => {
                    self.places.n_unlisted = 0;
                    return Ok(committed);
                }
                // Found out in a transaction: it is not listed, and cannot be any more.
                Err(error) if error.is_refused() => return Err(refused()),
                Err(error) if self.is_closing() => {
                    tracing::warn!(%error, "whether the last events were accepted is not known; senders ask again");
                    return Err(AppendError::ShuttingDown);
                }
                Err(error) if Instant::now() >= until => {
                    tracing::warn!(%error, "events cannot be listed in the catalog; senders are asked to wait");
                    return Err(self.is_away(DATABASE));
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_reported, true) {
                        tracing::warn!(%error, "events wait for the catalog");
                    }
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Notes that something does not answer, and says so.
    fn is_away(&mut self, what: &'static str) -> AppendError {
        self.away = Some(what);
        AppendError::Away { what, retry_after_s: RETRY_AFTER_S }
    }

    fn is_closing(&self) -> bool {
        matches!(self.writer.queue.closed(), Some(CloseReason::ShuttingDown | CloseReason::Poisoned(_)))
    }

    fn answer(&self, requests: Vec<Waiting>, committed: CommittedObject) {
        let counters = &self.segments.counters;
        let CommittedObject { verdicts, row } = committed;
        let mut own = Vec::with_capacity(requests.len());
        let mut answers = Vec::with_capacity(requests.len());
        for ((request, answer), result) in requests.into_iter().zip(verdicts) {
            match &result {
                Ok(receipt) if receipt.duplicate => counters.batches_duplicate.add(1),
                Ok(receipt) => {
                    counters.batches_accepted.add(1);
                    counters.events_accepted.add(receipt.n_events);
                    counters.bytes_accepted.add(request.raw_bytes);
                }
                Err(_) => counters.batches_refused.add(1),
            }
            let Request { position, parts, .. } = *request;
            own.push(OwnDelivery { position, parts });
            answers.push((answer, result));
        }
        if let Some(row) = row {
            self.follower.keep_own(row.number, own);
        }
        answers.into_iter().for_each(|(answer, result)| answer.send(result));
    }

    /// Begins a flush: what every node has up to now.
    fn rotate(&self) -> Result<Option<Rotation>, StoreError> {
        let rotated = self.follower.hold(|next_sequence| {
            let mut state = self.segments.state_mut();
            // A flush also releases objects whose events are all deleted.
            if state.active.is_empty() && state.objects.is_empty() {
                return None;
            }
            let generation = Arc::new(std::mem::take(&mut state.active));
            state.flushing = Some(generation.clone());
            let flushed = self.segments.followed.flushed();
            Some(Rotation { generation, wal_released: 0, next_sequence, next_group: 0, flushed })
        });
        rotated.map_err(StoreError::Unreadable)
    }

    /// Records a deletion of events, then applies it here as every node does. If the database does not answer, it is
    /// unknown whether the deletion is recorded, so each step is retried for some time.
    fn erase(&self, deletion: &Deletion, receipt: &DeletionReceipt) -> Result<(), StoreError> {
        let until = Instant::now() + PATIENCE;
        let retry = |work: &dyn Fn() -> Result<(), StoreError>| {
            loop {
                match work() {
                    Err(StoreError::Catalog(error)) if error.is_refused() => return Err(error.into()),
                    Err(_) if Instant::now() < until && !self.is_closing() => std::thread::sleep(PAUSE),
                    done => return done,
                }
            }
        };
        let (row, text) = (deletion.row(receipt), receipt.text());
        self.segments.check("erase.catalog")?;
        retry(&|| Ok(self.segments.catalog().put_deletion(&row, &text)?))?;
        self.segments.check("erase.publish")?;
        retry(&|| self.segments.catch_up().map_err(StoreError::Unreadable))
    }

    fn delete(&self, name: &types::GroupName) -> Result<bool, StoreError> {
        self.segments.catch_up().map_err(StoreError::Unreadable)?;
        let Some(id) = self.segments.state().groups.id_of(name) else { return Ok(false) };
        self.segments.catalog().delete_group(id, name)?;
        self.segments.catch_up().map_err(StoreError::Unreadable)?;
        Ok(true)
    }
}

/// The epoch has ended: under the next one it may be tried again.
fn refused() -> AppendError {
    AppendError::Away { what: DATABASE, retry_after_s: RETRY_AFTER_S }
}

fn offer(request: &Request) -> Offer {
    Offer {
        key: request.key,
        position: request.position.clone(),
        groups: request.parts.iter().map(|part| part.group.clone()).collect(),
        n_events: request.n_events,
    }
}
