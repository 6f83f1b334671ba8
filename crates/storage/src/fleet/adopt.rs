//! Moves the store of one machine into a fleet that has none yet.
//!
//! Its events go into segments, its segments into the bucket under their names, each compared with what is read back; then one
//! transaction makes the catalog, and one the control store, and from then on the fleet has the store's UUID and all
//! that it held. Until then the directory is what it was, and the move may be begun again: what is in the bucket
//! already is compared and not sent again. Afterwards its `STORE` file has another name, so that nobody starts it.

use std::path::Path;

use database::url::DatabaseUrl;

use super::identity_of;
use crate::catalog::postgres::PostgresCatalog;
use crate::catalog::sqlite::SqliteCatalog;
use crate::catalog::{Catalog, Contents, HighWaterMarks};
use crate::control::ControlStore;
use crate::control::postgres::PostgresControl;
use crate::control::sqlite::SqliteControl;
use crate::lock::{self, Lock};
use crate::tier::Place;
use crate::{ObjectStoreOptions, OpenError, Options, Store, StoreError, batch_ids};
use files::disk;
use files::objects::Objects;

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdoptReport {
    /// Segments.
    pub segments: u64,
    /// Their events.
    pub events: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Segments that an earlier try had moved, or that were in the bucket all along.
    pub known: u64,
}

/// Why a store was not moved. It is what it was.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// It cannot be opened, or the fleet cannot.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its last events cannot be written, or what is damaged cannot be moved.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not in a state that can be moved.
    #[error("{0}")]
    NotReady(String),
}

impl From<database::DatabaseError> for AdoptError {
    fn from(error: database::DatabaseError) -> Self {
        Self::Open(error.into())
    }
}

/// Moves the store in a directory into the fleet of a database and a bucket; `moved` is told each segment's name. No
/// server may run on the directory, and no node of the fleet.
pub fn adopt(
    dir: &Path,
    url: &DatabaseUrl,
    bucket: &ObjectStoreOptions,
    mut moved: impl FnMut(&str),
) -> Result<AdoptReport, AdoptError> {
    let not_ready = |problem: &str| AdoptError::NotReady(problem.to_owned());
    let options = || Options { object_store: Some(bucket.clone()), ..Options::new(dir) };
    let clock = options().clock;
    let (store, recovery) = Store::open(options())?;
    if let Some(damage) = recovery.damaged.first() {
        return Err(AdoptError::NotReady(format!("{damage}; repair the store first (catat verify --repair)")));
    }
    store.flush()?;
    // The fleet completes those that are under way.
    let receipts: Vec<_> = store.deletions().iter().map(|receipt| (receipt.id, receipt.text())).collect();
    store.close()?;
    drop(store);
    let uuid = lock::store_in(dir)?;
    let _lock = Lock::take(dir)?;
    types::ensure!(identity_of(url, Some(uuid))? == uuid, not_ready("the fleet of this database has another store"));
    let mut local = SqliteCatalog::open(&dir.join("catalog.sqlite"), uuid, 1)?;
    let mut contents = local.load()?;
    let mut catalog = PostgresCatalog::shared(url, uuid)?;
    types::ensure!(catalog.load()?.is_empty(), not_ready("the fleet of this database has events already"));
    let objects = Objects::new(bucket, &uuid, options().faults).map_err(OpenError::ObjectStore)?;
    let mut report = AdoptReport::default();
    for row in &mut contents.segments {
        report.segments += 1;
        report.events += row.runs.iter().map(|run| run.n_events).sum::<u64>();
        report.bytes += row.n_bytes;
        if row.place == Place::Remote {
            report.known += 1;
            continue;
        }
        let path = dir.join(&row.file);
        let failed = |source| StoreError::Move { file: row.file.clone(), source };
        if objects.holds(&row.file, &path).map_err(failed)? {
            report.known += 1;
        } else {
            objects.put_file(&row.file, &path, |_| Ok(())).map_err(failed)?;
        }
        moved(&row.file);
        row.place = Place::Remote;
    }
    let (ids, damaged) = batch_ids::read(&dir.join("wal"), &uuid, &contents.batch_files, clock.now());
    if let Some(damage) = damaged.first() {
        return Err(AdoptError::NotReady(damage.to_string()));
    }
    let mut control = PostgresControl::open(url, uuid, false)?;
    let documents = SqliteControl::open(&dir.join("control.sqlite"), uuid)?.load()?;
    if control.load()?.is_empty() {
        control.fill(&documents)?;
    }
    let HighWaterMarks { next_sequence, .. } = contents.marks;
    let contents = Contents { doomed: Vec::new(), batch_files: Default::default(), ..contents };
    catalog.take_over(&contents, ids.iter(), &receipts, next_sequence)?;
    drop(local);
    let (from, to) = (dir.join("STORE"), dir.join("STORE.moved"));
    std::fs::rename(&from, to).and_then(|()| disk::sync_directory(dir)).map_err(OpenError::io(&from))?;
    Ok(report)
}
