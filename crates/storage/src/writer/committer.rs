//! The writer thread: the only one that appends to the WAL and decides what is accepted.
//!
//! It takes what is waiting, writes it with one write, syncs once, puts it where snapshots see it, hands it to
//! the feed, and only then answers. Sequences and numbers of groups are given here. After a failed write or
//! sync it refuses everything with the reason, for good.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use types::{GroupName, Numbers, Timestamp};

use super::Writer;
use super::acceptance::{Acceptance, Identity};
use super::queue::{Answer, COMMIT_BYTES_MAX, CloseReason, Request, Rotation, WriterCommand};
use crate::batch_ids::KnownBatch;
use crate::feed::AcceptedBatch;
use crate::positions::FileKey;
use crate::segments::Segments;
use crate::state::State;
use crate::wal::record::Header;
use crate::wal::writer::WriteError;
use crate::{AppendError, Receipt, StoreError, wal};
use files::disk;

/// Deliveries of a group commit from which on the next one waits for more: a few senders do not wait for each other.
const GATHER_FROM: usize = 8;

/// What the writer thread owns.
pub(crate) struct Committer {
    pub(crate) segments: Arc<Segments>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) wal: wal::writer::Writer,
    pub(crate) next_sequence: u64,
    pub(crate) next_group: u32,
    pub(crate) buffer: Vec<u8>,
}

/// Deliveries that are admitted and not yet durable.
#[derive(Default)]
struct StagedDeliveries {
    requests: Vec<(Box<Request>, Answer, u64)>,
    new_groups: HashMap<GroupName, u32>,
}

impl Committer {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let writer = self.writer.clone();
        let _ending = writer.closing();
        let mut n_last = 0;
        while writer.queue.wait() {
            if n_last >= GATHER_FROM {
                writer.queue.gather();
            }
            let requests = self.take_commit();
            n_last = requests.len();
            if !requests.is_empty() {
                self.commit(requests);
            }
            while let Some(command) = writer.queue.next_if(|work| !matches!(work, WriterCommand::Append(..))) {
                match command {
                    // The receiver may have gone away; its work is done all the same.
                    WriterCommand::Rotate(answer) => drop(answer.send(self.rotate())),
                    WriterCommand::Delete(group, answer) => drop(answer.send(self.delete(&group))),
                    WriterCommand::Erase(erasure, _, answer) => {
                        writer.apply_erasure(*erasure);
                        drop(answer.send(Ok(())));
                    }
                    WriterCommand::Append(..) => {}
                }
            }
        }
    }

    /// Takes deliveries for one group commit. It ends before a delivery with the batch id or the file of one
    /// that it has, so that each is judged by what was accepted before it.
    fn take_commit(&self) -> Vec<(Box<Request>, Answer)> {
        let mut taken: Vec<(Box<Request>, Answer)> = Vec::new();
        let (mut ids, mut files, mut bytes) = (HashSet::new(), HashSet::new(), 0usize);
        while bytes < COMMIT_BYTES_MAX {
            let fits = |work: &WriterCommand| match work {
                WriterCommand::Append(request, _) => {
                    let new_id = request.key.is_none_or(|key| !ids.contains(&key.id));
                    new_id && request.position.as_ref().is_none_or(|position| !files.contains(&FileKey::of(position)))
                }
                _ => false,
            };
            let Some(WriterCommand::Append(request, answer)) = self.writer.queue.next_if(fits) else { break };
            ids.extend(request.key.map(|key| key.id));
            files.extend(request.position.as_ref().map(FileKey::of));
            bytes += request.body.bytes.len();
            taken.push((request, answer));
        }
        taken
    }

    fn refuse(&self, answer: Answer, error: AppendError) {
        self.segments.counters.batches_refused.add(1);
        answer.send(Err(error));
    }

    /// Makes deliveries durable and visible, and answers each.
    fn commit(&mut self, requests: Vec<(Box<Request>, Answer)>) {
        let now = self.segments.options.clock.now();
        let age = self.segments.steady_now();
        let mut staged = self.stage(requests, now, age);
        if staged.requests.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.buffer);
        let written = self.check_room(bytes.len()).and_then(|()| {
            let began = Instant::now();
            let appended = self.wal.append(&bytes);
            self.segments.counters.wal_sync.note(began.elapsed());
            appended.map_err(|error| match error {
                WriteError::Full => self.full(0),
                WriteError::Postponed(error) | WriteError::Failed(error) => AppendError::Poisoned(error.to_string()),
            })
        });
        self.recycle(bytes);
        if let Err(error) = written {
            self.fail(staged, &error);
            return;
        }
        self.count(&staged);
        let receipts = self.publish(&mut staged, now, age);
        for ((_, answer, _), receipt) in staged.requests.into_iter().zip(receipts) {
            answer.send(Ok(receipt));
        }
        if self.wal.end() >= self.segments.options.wal_segment_bytes
            && let Err(error) = self.next_file()
        {
            // The old file continues being used; the next commit tries again.
            tracing::warn!(%error, "next wal file cannot be created");
        }
        if self.segments.is_flush_due(age) {
            self.segments.signals.flush.ring();
        }
    }

    /// Goes on in the next WAL file. Where it cannot be made the old one continues being used, unless a sync failed.
    fn next_file(&mut self) -> Result<(), StoreError> {
        self.wal.rotate(self.next_sequence).map_err(|error| match error {
            WriteError::Full => StoreError::io(&self.segments.wal_dir())(std::io::ErrorKind::StorageFull.into()),
            WriteError::Postponed(error) => StoreError::io(&self.segments.wal_dir())(error),
            WriteError::Failed(error) => {
                self.poison(error.to_string());
                StoreError::Poisoned(error.to_string())
            }
        })
    }

    /// Takes nothing any more, for good.
    fn poison(&self, reason: String) {
        tracing::error!(reason, file = self.wal.number(), "wal cannot be written; no more events are accepted");
        self.writer.queue.close(CloseReason::Poisoned(reason));
    }

    fn recycle(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        buffer.shrink_to(COMMIT_BYTES_MAX * 2);
        self.buffer = buffer;
    }

    fn full(&self, free_bytes: u64) -> AppendError {
        AppendError::DiskFull { free_bytes, reserve_bytes: self.segments.options.disk_reserve_bytes }
    }

    /// Refuses what would use the reserve. Where the file system does not say, the write will.
    fn check_room(&self, n_bytes: usize) -> Result<(), AppendError> {
        let Ok(free) = disk::free_bytes(&self.segments.options.dir) else { return Ok(()) };
        let needed = self.segments.options.disk_reserve_bytes.saturating_add(n_bytes as u64);
        self.segments.note_room(free, needed);
        if free < needed { Err(self.full(free)) } else { Ok(()) }
    }

    /// Gives back what was staged and answers with why.
    fn fail(&mut self, staged: StagedDeliveries, error: &AppendError) {
        if let Some((_, _, first_sequence)) = staged.requests.first() {
            self.next_sequence = *first_sequence;
        }
        if let AppendError::Poisoned(reason) = error {
            self.poison(reason.clone());
        }
        for (_, answer, _) in staged.requests {
            self.refuse(answer, error.clone());
        }
    }

    /// Judges each delivery; those that are to be accepted get sequences and stand in the buffer afterwards.
    fn stage(&mut self, requests: Vec<(Box<Request>, Answer)>, now: Timestamp, age: Timestamp) -> StagedDeliveries {
        let segments = self.segments.clone();
        let state = segments.state();
        let mut staged = StagedDeliveries::default();
        let commit_offset = self.wal.end();
        self.buffer.clear();
        for (request, answer) in requests {
            match judge(&state, &request, age) {
                Some(Ok(receipt)) => {
                    segments.counters.batches_duplicate.add(1);
                    answer.send(Ok(receipt));
                    continue;
                }
                Some(Err(error)) => {
                    self.refuse(answer, error);
                    continue;
                }
                None => {}
            }
            let group_ids = request.parts.iter().map(|part| self.group_id(&state, &mut staged, &part.group)).collect();
            let header = Header {
                commit_offset,
                first_sequence: self.next_sequence,
                ingestion_time: now,
                group_ids,
                body_bytes: request.body.bytes.len(),
                body_hash: request.body.hash,
            };
            header.put(self.wal.salt(), &mut self.buffer);
            self.buffer.extend_from_slice(&request.body.bytes);
            let first_sequence = self.next_sequence;
            self.next_sequence += request.n_events;
            staged.requests.push((request, answer, first_sequence));
        }
        staged
    }

    /// Returns the number of a group, a new one where it is new.
    fn group_id(&mut self, state: &State, staged: &mut StagedDeliveries, group: &GroupName) -> u32 {
        if let Some(id) = state.groups.id_of(group) {
            return id;
        }
        // A number that is given and then not used (a full disk) is not given again: gaps cost nothing.
        *staged.new_groups.entry(group.clone()).or_insert_with(|| {
            let id = self.next_group;
            self.next_group = self.next_group.saturating_add(1);
            id
        })
    }

    fn count(&self, staged: &StagedDeliveries) {
        let counters = &self.segments.counters;
        let bytes: usize = staged.requests.iter().map(|(request, ..)| request.body.bytes.len()).sum();
        counters.wal_syncs.add(1);
        counters.wal_bytes_written.add(bytes as u64);
        counters.batches_accepted.add(staged.requests.len() as u64);
        counters.events_accepted.add(staged.requests.iter().map(|(request, ..)| request.n_events).sum());
        counters.bytes_accepted.add(staged.requests.iter().map(|(request, ..)| request.raw_bytes).sum());
    }

    /// Puts durable deliveries where snapshots see them and hands them to the feed.
    fn publish(&self, staged: &mut StagedDeliveries, now: Timestamp, age: Timestamp) -> Vec<Receipt> {
        let state = self.segments.state();
        let (mut acceptance, mut accepted) = (Acceptance::default(), Vec::new());
        for (request, _, first_sequence) in &mut staged.requests {
            let mut sequence = *first_sequence;
            for part in std::mem::take(&mut request.parts) {
                let mut batch = part.batch;
                batch.sequences.add(sequence);
                batch.ingestion_times = Numbers::same(now.0, batch.len());
                sequence += batch.len() as u64;
                let known = state.groups.id_of(&part.group).or_else(|| staged.new_groups.get(&part.group).copied());
                // Staging gave every group a number.
                let Some(group_id) = known else { continue };
                let batch = Arc::new(batch);
                acceptance.add(&state, &part.group, group_id, part.raw_bytes, batch.clone());
                accepted.push(AcceptedBatch { group: part.group, group_id, batch });
            }
        }
        drop(state);
        let prepared = acceptance.prepare();
        let mut state = self.segments.state_mut();
        prepared.apply(&mut state);
        let accept = |(request, _, first_sequence): &(Box<Request>, Answer, u64)| {
            let (key, position) = (request.key, request.position.as_ref());
            let (first_sequence, n_events) = (*first_sequence, request.n_events);
            Identity { key, position, accepted: age, first_sequence, n_events }.apply(&mut state, age)
        };
        let receipts = staged.requests.iter().map(accept).collect();
        drop(state);
        accepted.into_iter().for_each(|batch| self.writer.feed.publish(&Arc::new(batch)));
        receipts
    }

    /// Begins a flush.
    fn rotate(&mut self) -> Result<Option<Rotation>, StoreError> {
        if self.segments.state().active.is_empty() {
            return Ok(None);
        }
        self.next_file()?;
        let mut state = self.segments.state_mut();
        let generation = Arc::new(std::mem::take(&mut state.active));
        state.flushing = Some(generation.clone());
        Ok(Some(Rotation {
            generation,
            wal_released: self.wal.number(),
            next_sequence: self.next_sequence,
            next_group: self.next_group,
            flushed: 0,
        }))
    }

    /// Deletes a group durably.
    fn delete(&mut self, name: &GroupName) -> Result<bool, StoreError> {
        let Some(id) = self.segments.state().groups.id_of(name) else { return Ok(false) };
        self.segments.record_deletion(id, name)?;
        let mut state = self.segments.state_mut();
        state.groups.remove(name);
        state.active.remove_group(id);
        Ok(true)
    }
}

/// Returns what a delivery is answered without being written; `None` if it is to be accepted.
fn judge(state: &State, request: &Request, age: Timestamp) -> Option<Result<Receipt, AppendError>> {
    if let Some(key) = request.key
        && let Some(known) = state.ids.get(&key.id, age)
    {
        let KnownBatch { first_sequence, n_events, .. } = *known;
        let high_water = request.position.as_ref().and_then(|position| state.positions.high_water(position));
        let receipt = Receipt { duplicate: true, first_sequence, n_events, high_water };
        return Some(if known.key.digest == key.digest { Ok(receipt) } else { Err(AppendError::KeyConflict) });
    }
    let position = request.position.as_ref()?;
    state.positions.refuse(position).map(Err)
}
