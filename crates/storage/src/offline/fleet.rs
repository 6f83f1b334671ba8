//! Work on the store of a fleet from outside, while its nodes run or not: check it, copy it out, bring a copy back.
//!
//! All of the catalog and the control store is read as of one instant, and until the work is done upkeep removes nothing
//! that is named there. A copy is the directory of a machine of its own: segments as files, what is in no segment yet
//! in a log.

pub(super) mod export;
pub(super) mod restore;
pub(super) mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use database::postgres::Database;
use database::url::DatabaseUrl;
use types::ScanError;

use crate::catalog::postgres::PostgresCatalog;
use crate::catalog::postgres::fleet::objects::{ObjectRow, RecordRow};
use crate::catalog::postgres::fleet::visit::{self, FleetContents};
use crate::control::postgres::PostgresControl;
use crate::fleet::{known_identity, object};
use crate::signal::Signal;
use crate::wal::record::{Header, decode_body};
use crate::{ObjectStoreOptions, OpenError};
use files::objects::Objects;

/// How often a visit is renewed: several times before it is forgotten.
const RENEW: Duration = Duration::from_secs(2);

/// What a fleet has at one instant, none of which is removed while this lives.
struct Visit {
    store: [u8; 16],
    objects: Arc<Objects>,
    contents: FleetContents,
    kept: Arc<VisitLease>,
    thread: Option<JoinHandle<()>>,
}

/// The lease of a visit: while it is renewed, the fleet removes nothing that the visit reads.
#[derive(Default)]
struct VisitLease {
    signal: Signal,
    change: AtomicU64,
    is_lost: AtomicBool,
}

impl VisitLease {
    fn run(&self, database: &mut Database, epoch: i64) {
        while self.signal.pause(RENEW) {
            match visit::stay(database, epoch, self.change.load(Ordering::Relaxed)) {
                Ok(true) => {}
                Ok(false) => self.is_lost.store(true, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "the fleet's database does not answer"),
            }
        }
        // A row that stays is forgotten by itself.
        let _ = visit::leave(database, epoch);
    }
}

impl Visit {
    /// Reads what the fleet of a database has, for a purpose that the list of nodes shows.
    fn begin(url: &DatabaseUrl, bucket: &ObjectStoreOptions, purpose: &str) -> Result<Self, OpenError> {
        let store = known_identity(url)?;
        let host = rustix::system::uname();
        let name = format!("{purpose} on {}", host.nodename().to_string_lossy());
        let objects = Objects::new(bucket, &store, Arc::default());
        let objects = Arc::new(objects.map_err(OpenError::ObjectStore)?);
        // It must be there, and of a version that is known.
        drop(PostgresControl::open_for_reading(url, store)?);
        let mut database = PostgresCatalog::visit(url, store)?;
        let epoch = visit::enter(&mut database, &name, purpose)?;
        let contents = visit::read(&mut database, store).inspect_err(|_| drop(visit::leave(&mut database, epoch)))?;
        let kept = Arc::new(VisitLease { change: AtomicU64::new(contents.changes), ..VisitLease::default() });
        let of_thread = kept.clone();
        let thread = std::thread::spawn(move || of_thread.run(&mut database, epoch));
        Ok(Self { store, objects, contents, kept, thread: Some(thread) })
    }

    /// Reports whether something may have been removed meanwhile, as the database did not answer for too long.
    fn is_lost(&self) -> bool {
        self.kept.is_lost.load(Ordering::Relaxed)
    }

    /// Reads an object of events that are in no segment yet, and checks all of it; returns it with its accepted
    /// records, each with the range of its body.
    fn read_object(&self, row: &ObjectRow) -> Result<CheckedObject, ScanError> {
        let name = row.name();
        let file = self.objects.url_of(&name);
        let damaged = |offset: u64, problem: String| ScanError { file: file.clone(), offset, problem };
        let bytes = self.objects.read(&name, 0..row.n_bytes).map_err(|error| damaged(0, error.to_string()))?;
        let bodies = object::bodies(&bytes).map_err(|(offset, problem)| damaged(offset, problem.into()))?;
        let mut records = Vec::with_capacity(row.records.len());
        for RecordRow { index, first_sequence, accepted, group_ids } in &row.records {
            let body = bodies.get(*index as usize).ok_or_else(|| damaged(0, "a delivery is missing".into()))?;
            let header = Header {
                commit_offset: 0,
                first_sequence: *first_sequence,
                ingestion_time: *accepted,
                group_ids: group_ids.clone(),
                body_bytes: body.len(),
                body_hash: xxhash_rust::xxh3::xxh3_64(body),
            };
            let contents = decode_body(&header, body).map_err(|damage| damaged(0, damage.0.into()))?;
            let n_events = contents.parts.iter().map(|part| part.batch.len() as u64).sum();
            records.push(CheckedRecord { header, body: body.to_vec(), n_events });
        }
        Ok(records)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.kept.signal.stop();
        // A thread that panicked has nothing more to do.
        self.thread.take().map(JoinHandle::join);
    }
}

/// An accepted delivery of an object.
struct CheckedRecord {
    header: Header,
    body: Vec<u8>,
    n_events: u64,
}

/// The accepted deliveries of an object.
type CheckedObject = Vec<CheckedRecord>;
