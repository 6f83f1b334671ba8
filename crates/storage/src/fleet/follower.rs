//! Keeps the state of a node as new as the catalog.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use database::postgres::Database;
use database::{DatabaseError, Result};
use types::{Batch, GroupName, Hold, Numbers, ScanError};

use super::node::NodeStatus;
use super::{FleetLoad, FleetStatus, Follow, object};
use crate::SourcePosition;
use crate::catalog::postgres::fleet::members::{ALERTS, Membership};
use crate::catalog::postgres::fleet::news::{self, News};
use crate::catalog::postgres::fleet::objects::{ObjectRow, RecordRow};
use crate::catalog::postgres::fleet::usage;
use crate::control::states::{DocumentWriter, Fence, StateChange, StateNews, States};
use crate::feed::AcceptedBatch;
use crate::positions::FileKey;
use crate::segments::Segments;
use crate::wal::record::{Header, decode_body};
use crate::writer::queue::RequestPart;
use crate::writer::{Acceptance, Writer};

/// A delivery that this node has written itself: its events need not be read back.
pub(crate) struct OwnDelivery {
    pub(crate) position: Option<SourcePosition>,
    pub(crate) parts: Vec<RequestPart>,
}

/// How far a node has come.
struct Progress {
    database: Database,
    /// Number of the last object that it has.
    object: u64,
    /// How many changes of the catalog it knows.
    change: Option<u64>,
}

/// Events of one delivery, as they are shown.
struct Arrival {
    position: Option<SourcePosition>,
    parts: Vec<(GroupName, u32, u64, Batch)>,
}

/// Follows the catalog.
pub(crate) struct Follower {
    segments: Arc<Segments>,
    writer: Arc<Writer>,
    pub(crate) member: Arc<Membership>,
    progress: Mutex<Progress>,
    states: Mutex<States>,
    own: Mutex<BTreeMap<u64, Vec<OwnDelivery>>>,
    /// The nodes, as the last heartbeat found them.
    nodes: Mutex<Arc<Vec<NodeStatus>>>,
    pub(super) objects_written: AtomicU64,
    /// Whether the collector is between taking deliveries and answering them.
    pub(super) is_collecting: AtomicBool,
}

impl Follower {
    pub(crate) fn new(
        segments: Arc<Segments>,
        writer: Arc<Writer>,
        member: Arc<Membership>,
        (database, states): (Database, States),
    ) -> Self {
        let progress = Mutex::new(Progress { database, object: 0, change: None });
        Self {
            segments,
            writer,
            member,
            progress,
            states: Mutex::new(states),
            own: Mutex::default(),
            nodes: Mutex::default(),
            objects_written: AtomicU64::new(0),
            is_collecting: AtomicBool::new(false),
        }
    }

    /// Returns the condition of writes that only the holder of the lease `alerts` may make.
    fn fence(&self) -> Fence {
        Fence { lease: ALERTS, epoch: self.member.epoch() }
    }

    /// Takes the events of an object that this node has written.
    pub(super) fn keep_own(&self, number: u64, deliveries: Vec<OwnDelivery>) {
        self.own.hold().insert(number, deliveries);
    }

    /// Says how many requests have stored something, and whether there is work left.
    pub(super) fn note_work(&self) {
        let puts = self.segments.files.remote.as_ref().map_or(0, |remote| remote.objects.traffic().puts);
        // In this order: what is in the queue no more is with the collector.
        let is_idle = self.writer.queue.is_idle() && !self.is_collecting.load(Ordering::Acquire);
        self.member.note_work(puts, is_idle);
    }

    /// Learns who the other nodes are.
    pub(crate) fn meet(&self, database: &mut Database) -> Result<()> {
        let nodes = Arc::new(news::nodes(database)?);
        self.writer.write_series(nodes.iter().all(|node| node.reads_series));
        *self.nodes.hold() = nodes;
        Ok(())
    }

    /// Does work while nothing else changes the state, after catching up.
    pub(crate) fn hold<T>(&self, work: impl FnOnce(u64) -> T) -> Result<T, ScanError> {
        let mut progress = self.progress.hold();
        let next_sequence = self.follow(&mut progress)?;
        Ok(work(next_sequence))
    }

    /// Brings the state up to date; returns the sequence below which it has all events.
    fn follow(&self, progress: &mut Progress) -> Result<u64, ScanError> {
        // What this node's own upkeep commits it shows itself, before the catalog is asked again.
        let _upkeep = self.segments.replacement();
        let known: Vec<u64> = self.segments.state().deletions.iter().map(|deletion| deletion.id).collect();
        let news = news::news(&mut progress.database, progress.object, progress.change, &known);
        let news = news.map_err(|error| self.unknown(&error))?;
        let News { changes, flushed, objects, catalog } = news;
        let next_sequence = catalog.as_ref().map_or(0, |catalog| catalog.contents.marks.next_sequence);
        // First, so that deleted events are never shown, not even if an object cannot be read.
        let deletions = catalog.as_ref().map_or(&[][..], |catalog| &catalog.contents.deletions);
        self.segments.take_deletions(deletions, &self.writer)?;
        for row in &objects {
            // In one order on all nodes; an object that cannot be read now is asked for again.
            let arrivals = self.read(row)?;
            self.show(row, arrivals);
            progress.object = row.number;
        }
        // What is shown needs no keeping, also where it was read back because it came too early.
        self.own.hold().retain(|number, _| *number > progress.object);
        if let Some(catalog) = catalog {
            self.segments.reconcile(catalog, flushed);
            progress.change = Some(changes);
            self.segments.followed.change.store(changes, Ordering::Relaxed);
        }
        let known = progress.change.unwrap_or(0);
        self.member.note_changes(self.segments.oldest_change(known), known);
        let end = self.segments.applied_end();
        end.fetch_max(objects.last().map_or(next_sequence, |row| row.end_sequence), Ordering::Relaxed);
        Ok(end.load(Ordering::Relaxed))
    }

    /// Returns what answers may lack while the database is away.
    fn unknown(&self, error: &DatabaseError) -> ScanError {
        let problem = format!(
            "{error}; events that were accepted since its last answer may be missing, deleted ones may be shown"
        );
        ScanError { file: "catalog".into(), offset: 0, problem }
    }

    /// Returns the events of an object, from memory where this node has written it.
    fn read(&self, row: &ObjectRow) -> Result<Vec<Arrival>, ScanError> {
        let own = self.own.hold().remove(&row.number);
        if let Some(mut own) = own {
            let arrival = |record: &RecordRow| {
                let delivery = own.get_mut(record.index as usize)?;
                let parts = std::mem::take(&mut delivery.parts).into_iter().zip(&record.group_ids);
                let mut sequence = record.first_sequence;
                let parts = parts.map(|(RequestPart { group, raw_bytes, mut batch }, id)| {
                    batch.sequences.add(sequence);
                    batch.ingestion_times = Numbers::same(record.accepted.0, batch.len());
                    sequence += batch.len() as u64;
                    (group, *id, raw_bytes, batch)
                });
                Some(Arrival { parts: parts.collect(), position: delivery.position.take() })
            };
            return Ok(row.records.iter().filter_map(arrival).collect());
        }
        let name = row.name();
        let damaged = |offset: u64, problem: String| ScanError { file: name.clone(), offset, problem };
        let Some(remote) = &self.segments.files.remote else {
            return Err(damaged(0, "no object store is set".into()));
        };
        let bytes = remote.objects.read(&name, 0..row.n_bytes).map_err(|error| damaged(0, error.to_string()))?;
        let bodies = object::bodies(&bytes).map_err(|(offset, problem)| damaged(offset, problem.into()))?;
        let arrival = |record: &RecordRow| {
            let body = bodies.get(record.index as usize).ok_or_else(|| damaged(0, "a delivery is missing".into()))?;
            let header = Header {
                commit_offset: 0,
                first_sequence: record.first_sequence,
                ingestion_time: record.accepted,
                group_ids: record.group_ids.clone(),
                body_bytes: body.len(),
                body_hash: 0,
            };
            let contents = decode_body(&header, body).map_err(|damage| damaged(0, damage.0.into()))?;
            let parts = contents.parts.into_iter();
            let parts = parts.map(|part| (part.group, part.group_id, part.raw_bytes, part.batch)).collect();
            Ok(Arrival { parts, position: contents.position })
        };
        row.records.iter().map(arrival).collect()
    }

    /// Makes the events of an object hot events.
    fn show(&self, row: &ObjectRow, arrivals: Vec<Arrival>) {
        let age = self.segments.steady_now();
        let state = self.segments.state();
        let (mut acceptance, mut accepted, mut positions) = (Acceptance::default(), Vec::new(), Vec::new());
        for Arrival { position, parts } in arrivals {
            positions.extend(position);
            for (group, group_id, raw_bytes, batch) in parts {
                let n_before = batch.len().max(1);
                let batch = Arc::new(state.without_deleted(group_id, batch));
                if batch.is_empty() {
                    continue;
                }
                let raw_bytes = (u128::from(raw_bytes) * batch.len() as u128 / n_before as u128) as u64;
                acceptance.add(&state, &group, group_id, raw_bytes, batch.clone());
                accepted.push(AcceptedBatch { group, group_id, batch });
            }
        }
        drop(state);
        let prepared = acceptance.prepare();
        let mut state = self.segments.state_mut();
        prepared.apply(&mut state);
        state.active.since.get_or_insert(age);
        state.objects.insert(row.number, (row.end_sequence, row.n_bytes));
        for position in positions {
            state.positions.insert(FileKey::of(&position), position.range);
        }
        drop(state);
        accepted.into_iter().for_each(|batch| self.writer.feed.publish(&Arc::new(batch)));
        if self.segments.is_flush_due(age) {
            self.segments.signals.flush.ring();
        }
    }
}

impl Follow for Follower {
    fn catch_up(&self) -> Result<(), ScanError> {
        self.follow(&mut self.progress.hold()).map(|_| ())
    }

    fn is_in_charge(&self) -> bool {
        self.member.is_in_charge()
    }

    fn may_compact(&self) -> bool {
        self.member.does_upkeep() && !self.is_draining()
    }

    fn has_alerts(&self) -> bool {
        self.member.has_alerts()
    }

    fn state_news(&self, state: &str, since: u64) -> Result<Option<StateNews>> {
        self.states.hold().news(state, since)
    }

    fn save_state(&self, state: &str, change: &StateChange<'_>) -> Result<u64> {
        self.states.hold().save(state, change, self.fence())
    }

    fn exchange(&self, document: (&str, &str), texts: (&str, &str), by: DocumentWriter) -> Result<bool> {
        let fence = (by == DocumentWriter::Holder).then(|| self.fence());
        self.states.hold().exchange(document, texts, fence)
    }

    fn nodes(&self) -> (u64, Arc<Vec<NodeStatus>>) {
        let nodes = self.nodes.hold().clone();
        (self.member.epoch(), nodes)
    }

    fn load(&self) -> FleetLoad {
        let state = self.segments.state();
        let (objects, object_bytes) =
            state.objects.values().fold((0, 0), |(n, sum), (_, n_bytes)| (n + 1, sum + n_bytes));
        FleetLoad { objects, object_bytes, objects_written: self.objects_written.load(Ordering::Relaxed) }
    }

    fn status(&self) -> Result<FleetStatus> {
        let (nodes, usage) = {
            let database = &mut self.progress.hold().database;
            (news::nodes(database)?, usage::usage(database)?)
        };
        let puts_per_day = usage.puts as f64 / usage.measured_s.max(1.0) * 86_400.0;
        Ok(FleetStatus {
            nodes,
            epoch: self.member.epoch(),
            load: self.load(),
            puts_per_day,
            puts_measured_s: usage.measured_s,
            bytes_stored: usage.n_bytes,
        })
    }

    fn drain(&self, node: &str, is_ordered: bool) -> Result<bool> {
        usage::drain(&mut self.progress.hold().database, node, is_ordered)
    }

    fn is_draining(&self) -> bool {
        self.member.drain.is_ordered()
    }

    fn refuses_events(&self) -> bool {
        self.member.drain.refuses_events()
    }
}
