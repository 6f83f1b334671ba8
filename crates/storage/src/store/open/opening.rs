//! A store that is being opened: what was found so far, and what is wrong with it.

use std::collections::HashSet;
use std::path::PathBuf;

use types::{ScanError, Timestamp};

use super::databases::open_catalog;
use super::directory::set_aside;
use super::scope::Scope;
use crate::batch_ids::{self, ValidEntries};
use crate::catalog::{Catalog, Contents, HighWaterMarks, ObsoleteFile};
use crate::deletion::Receipts;
use crate::segments::files::SegmentFiles;
use crate::state::State;
use crate::tier::Place;
use crate::{OpenError, Options, Recovery, tombstone};

/// A store that is being opened.
pub(super) struct StoreOpening {
    pub(super) scope: Scope,
    pub(super) dir: PathBuf,
    pub(super) store: [u8; 16],
    pub(super) files: SegmentFiles,
    pub(super) now: Timestamp,
    pub(super) catalog: Box<dyn Catalog>,
    pub(super) state: State,
    pub(super) deleted: HashSet<u32>,
    pub(super) marks: HighWaterMarks,
    /// How far the batch-id files are valid.
    pub(super) batch_files: ValidEntries,
    pub(super) recovery: Recovery,
    pub(super) receipts: Receipts,
}

impl StoreOpening {
    /// Opens the catalog and loads its content.
    pub(super) fn begin(
        options: &Options,
        store: [u8; 16],
        now: Timestamp,
        scope: Scope,
    ) -> Result<(Self, Contents), OpenError> {
        let dir = &options.dir;
        let url = options.databases.catalog.as_ref();
        let (catalog, mut contents, damaged_catalog) = open_catalog(dir, store, url, scope)?;
        let (ids, damaged) = batch_ids::read(&dir.join("wal"), &store, &contents.batch_files, now);
        let state = State {
            groups: std::mem::take(&mut contents.groups),
            ids,
            positions: std::mem::take(&mut contents.positions),
            retired: std::mem::take(&mut contents.retired),
            ..State::default()
        };
        let damaged = damaged_catalog.into_iter().chain(damaged).collect();
        let opening = Self {
            scope,
            dir: dir.clone(),
            store,
            files: SegmentFiles::new(options, store).map_err(OpenError::ObjectStore)?,
            now,
            catalog,
            state,
            deleted: contents.deleted.iter().copied().collect(),
            marks: contents.marks,
            batch_files: std::mem::take(&mut contents.batch_files),
            recovery: Recovery { damaged, ..Recovery::default() },
            receipts: Receipts::new(),
        };
        Ok((opening, contents))
    }

    /// Reports whether no start has come so far that it could take events: the WAL is begun last.
    pub(super) fn is_new(&self) -> Result<bool, OpenError> {
        let dir = self.dir.join("wal");
        let has_wal = self.marks.wal_made > 0 || !crate::wal::list(&dir).map_err(OpenError::io(&dir))?.is_empty();
        Ok(!has_wal && self.marks.wal_released <= 1)
    }

    pub(super) fn report(&mut self, file: &str, offset: u64, problem: impl Into<String>) {
        let damage = ScanError { file: file.to_owned(), offset, problem: problem.into() };
        tracing::error!(file, offset, problem = damage.problem, "file is damaged");
        self.recovery.damaged.push(damage);
    }

    /// Moves a file out of the way, keeping it.
    pub(super) fn quarantine(&self, file: &str) -> Result<(), OpenError> {
        set_aside(&self.dir, file)
    }

    /// Brings deletions into the catalog that were cut off before they got there.
    pub(super) fn finish_deletions(&mut self) -> Result<(), OpenError> {
        let dir = self.dir.join("tombstones");
        let (groups, damaged) = tombstone::read(&dir).map_err(OpenError::io(&dir))?;
        for file in damaged {
            self.report(&file, 0, "the checksum does not fit");
        }
        for (id, name) in groups {
            if !self.deleted.insert(id) {
                continue;
            }
            let known = self.state.groups.iter().find(|(_, group)| group.id == id).map(|(name, _)| name.clone());
            if let Some(name) = known.or(name) {
                self.catalog.delete_group(id, &name)?;
                if self.state.groups.id_of(&name) == Some(id) {
                    self.state.groups.remove(&name);
                }
            }
        }
        self.marks.next_group =
            self.deleted.iter().map(|id| id.saturating_add(1)).fold(self.marks.next_group, u32::max);
        Ok(())
    }

    /// Removes files of segments that are in no snapshot any more. The catalog forgets them afterwards, when no one
    /// waits for it; what cannot be removed now is tried again then.
    pub(super) fn remove_doomed(&mut self, doomed: &[ObsoleteFile]) {
        for doomed in doomed {
            if doomed.place == Place::Local {
                let removed = std::fs::remove_file(self.dir.join(&doomed.file));
                let failed = removed.err().filter(|error| error.kind() != std::io::ErrorKind::NotFound);
                if let Some(error) = failed {
                    tracing::warn!(file = doomed.file, %error, "file of a deleted segment cannot be removed");
                }
            }
            self.files.doom_file(doomed.clone());
        }
    }
}
