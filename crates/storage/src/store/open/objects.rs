//! Segments in the object store that the catalog has lost.
//!
//! An object is put only for a segment that the catalog lists, and the catalog forgets it only when it is removed. So
//! one that it neither lists nor has noted to be removed was lost with the catalog. No one looks for them but a start
//! that finds no catalog, and a repair.

use std::collections::HashSet;

use super::opening::StoreOpening;
use super::scope::{FIRST_SEQUENCE, Scope};
use super::segments::{Orphan, id_of};
use crate::OpenError;
use crate::catalog::{ObsoleteFile, SegmentRow};
use crate::state::StoredSegment;
use crate::tier::{Place, Tier};

impl StoreOpening {
    /// Reports whether the catalog was created again though the store is not new.
    pub(super) fn has_lost_catalog(&self, rows: &[SegmentRow]) -> Result<bool, OpenError> {
        let is_fresh = rows.is_empty() && self.marks.next_sequence == FIRST_SEQUENCE && self.marks.wal_made == 0;
        Ok(is_fresh && !self.is_new()?)
    }

    /// Opens objects that the catalog does not know. The caller decides which of them are no longer in use.
    pub(super) fn unlisted_objects(
        &mut self,
        rows: &[SegmentRow],
        doomed: &[ObsoleteFile],
        on_disk: &[String],
    ) -> Result<Vec<Orphan>, OpenError> {
        let is_sought = self.scope == Scope::Repair || self.has_lost_catalog(rows)?;
        let Some(remote) = self.files.remote.clone().filter(|_| is_sought) else { return Ok(Vec::new()) };
        let found = match remote.objects.segments() {
            Ok(found) => found,
            Err(error) => {
                let next = "segments there may be missing; stop the server and run `catat verify --repair`";
                self.report("catalog", 0, format!("{error}; {next}"));
                return Ok(Vec::new());
            }
        };
        let listed = rows.iter().map(|row| row.id).chain(on_disk.iter().filter_map(|file| id_of(file)));
        let mut known: HashSet<u128> = listed.collect();
        let mut unlisted = Vec::new();
        for (name, n_bytes) in found {
            let Some(id) = id_of(&name).filter(|id| !known.contains(id)) else { continue };
            if doomed.iter().any(|doomed| doomed.place == Place::Remote && doomed.file == name) {
                continue;
            }
            match self.files.open_remote(&name, id, n_bytes) {
                Ok(segment) if segment.meta.segment == id => {
                    known.insert(id);
                    let (tier, place) = (Tier::Cold, Place::Remote);
                    unlisted.push(Orphan::of(StoredSegment { segment, file: name, n_bytes, tier, place }));
                }
                Ok(segment) => self.report(&segment.name, 0, "the object is not the segment that its name says"),
                Err(error) => self.report(&error.file, error.offset, error.problem),
            }
        }
        Ok(unlisted)
    }
}
