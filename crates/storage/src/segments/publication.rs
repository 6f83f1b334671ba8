//! Writes segments to their place, and removes those of which nothing is left.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use segment::{SegmentEnd, SegmentFile, SegmentMeta};

use super::files::{NewSegment, partition_name};
use crate::StoreError;
use crate::catalog::{ObsoleteFile, RunRow, SegmentRow};
use crate::segments::Segments;
use crate::state::StoredSegment;
use crate::tier::{Place, Tier};
use files::disk;

impl Segments {
    /// Returns the identity of a segment that is about to be written.
    pub(crate) fn new_segment(&self, partition: i64) -> Result<SegmentMeta, StoreError> {
        let segment = self.new_segment_id().map_err(StoreError::io(&self.options.dir))?;
        Ok(SegmentMeta { store: self.store, segment, partition })
    }

    /// Writes a finished segment to its place and opens it.
    pub(crate) fn keep_segment(
        &self,
        meta: &SegmentMeta,
        written: SegmentFile,
        tier: Tier,
    ) -> Result<NewSegment, StoreError> {
        let SegmentFile { bytes, runs } = written;
        let id = meta.segment;
        let file = format!("segments/{}/{id:032x}.seg", partition_name(meta.partition));
        let path = self.options.dir.join(&file);
        let kept = self.write_segment_file(&path, |file| (&*file).write_all(&bytes)).map_err(StoreError::io(&path));
        let segment = match kept.and_then(|()| Ok(self.files.open_local(&file)?)) {
            Ok(segment) => segment,
            Err(error) => {
                // What has its name already and is in no list would be damage to the next start.
                if !self.options.faults.has_crashed() {
                    let _ = std::fs::remove_file(&path);
                }
                return Err(error);
            }
        };
        let n_bytes = bytes.len() as u64;
        let place = Place::Local;
        let runs = runs.iter().map(RunRow::from).collect();
        let row = SegmentRow { id, file: file.clone(), n_bytes, tier, place, runs };
        let new = NewSegment { stored: Arc::new(StoredSegment { segment, file, n_bytes, tier, place }), row };
        if self.options.fleet.is_some() { self.hand_over(new) } else { Ok(new) }
    }

    /// Makes a new segment an object that all nodes read. The catalog knows its name before there is anything under it.
    fn hand_over(&self, new: NewSegment) -> Result<NewSegment, StoreError> {
        let NewSegment { stored, row } = new;
        let failed = |source| StoreError::Move { file: row.file.clone(), source };
        let none = || io::Error::new(io::ErrorKind::NotConnected, "no object store is set");
        let remote = self.files.remote.as_ref().ok_or_else(none).map_err(failed)?;
        let path = self.options.dir.join(&row.file);
        let doomed = ObsoleteFile { file: row.file.clone(), place: Place::Remote };
        self.catalog().doom_file(&doomed)?;
        let put = remote.objects.put_file(&row.file, &path, |begun| {
            let doomed = ObsoleteFile { file: begun.to_owned(), place: Place::Remote };
            self.catalog().doom_file(&doomed).map_err(io::Error::other)
        });
        put.map_err(failed)?;
        let local = self.files.pool.open(&path).map_err(failed)?;
        let end = SegmentEnd::read(&local).map_err(failed)?.without_sections();
        remote.cache.keep_end(row.id, end.from, &end.bytes);
        let segment = self.files.open_remote(&row.file, row.id, row.n_bytes)?;
        drop(stored);
        std::fs::remove_file(&path).map_err(failed)?;
        let row = SegmentRow { place: Place::Remote, ..row };
        let SegmentRow { ref file, n_bytes, tier, place, .. } = row;
        Ok(NewSegment { stored: Arc::new(StoredSegment { segment, file: file.clone(), n_bytes, tier, place }), row })
    }

    /// Returns numbers that rise with time and that no one has used.
    fn new_segment_id(&self) -> io::Result<u128> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let ms = u128::try_from(self.options.clock.now().0 / 1_000_000).unwrap_or(0);
        Ok(ms << 80 | u128::from_be_bytes(random) >> 48)
    }

    /// Writes a segment file with what `fill` writes into it; whole or not at all, and durably.
    pub(crate) fn write_segment_file(&self, path: &Path, fill: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        let faults = &self.options.faults;
        let Some(dir) = path.parent() else { return Err(io::ErrorKind::InvalidInput.into()) };
        disk::create_directory_synced(dir)?;
        let unpublished = path.with_extension("tmp");
        let file = disk::create_file(&unpublished)?;
        let written = faults.check("segment.write").and_then(|()| fill(&file));
        let synced = written.and_then(|()| faults.check("segment.sync")).and_then(|()| file.sync_all());
        let renamed = synced.and_then(|()| faults.check("segment.rename"));
        if let Err(error) = renamed.and_then(|()| std::fs::rename(&unpublished, path)) {
            if !faults.has_crashed() {
                let _ = std::fs::remove_file(&unpublished);
            }
            return Err(error);
        }
        faults.check("segment.sync_directory")?;
        disk::sync_directory(dir)
    }

    /// Removes new segments that will not be listed. Files that cannot be removed now are removed at the next start,
    /// objects of a fleet after this node has left.
    pub(crate) fn remove_segments(&self, written: &[NewSegment]) {
        let (objects, files): (Vec<_>, Vec<_>) = written.iter().partition(|new| new.stored.place == Place::Remote);
        for new in files {
            let _ = std::fs::remove_file(self.options.dir.join(&new.stored.file));
        }
        let objects: Vec<&str> = objects.iter().map(|new| &*new.stored.file).collect();
        if !objects.is_empty()
            && let Err(error) = self.catalog().give_up_files(&objects)
        {
            tracing::debug!(%error, "objects that are not needed stay for now");
        }
    }

    /// Removes segments of which nothing is left.
    pub(crate) fn reap(&self) {
        if !self.is_in_charge() {
            // Whoever does upkeep removes them.
            return;
        }
        let upkeep = self.replacement();
        let dead = self.state().dead_segments();
        if !dead.is_empty() {
            let ids: Vec<u128> = dead.iter().map(|stored| stored.segment.meta.segment).collect();
            let doomed = self.catalog().doom(&ids);
            match doomed {
                Ok(()) => {
                    let mut state = self.state_mut();
                    state.remove_segments(&dead);
                    let erased = state.take_masks(&dead);
                    drop(state);
                    self.note_rewritten(&dead, &erased);
                    self.files.doom(dead);
                }
                Err(error) => tracing::warn!(%error, "empty segments not removed; retrying later"),
            }
        }
        drop(upkeep);
        self.remove_doomed();
    }

    /// Removes doomed files that no one reads any more. Objects are removed by a thread that may wait for it.
    pub(crate) fn remove_doomed(&self) {
        self.remove_doomed_at(Place::Local);
        if self.files.n_doomed_objects() > 0 {
            self.signals.objects.ring();
        }
    }

    /// Removes doomed files of one place, and finishes deletions that waited for that. What stays is removed later, or
    /// after the next start.
    pub(crate) fn remove_doomed_at(&self, place: Place) {
        if self.options.fleet.is_some() {
            // Other nodes may read them: they go when no one does.
            self.followed.note_removed(self.files.take_unshared());
            return;
        }
        for doomed in self.files.take_released(place) {
            let file = &*doomed.doomed.file;
            match self.files.remove(&doomed) {
                Ok(()) => {
                    if let Err(error) = self.catalog().forget_doomed(&doomed.doomed) {
                        tracing::warn!(file, %error, "catalog cannot forget a removed file; the next start tries again");
                    }
                }
                Err(error) => {
                    tracing::warn!(file, %error, "file of a segment cannot be removed; retrying later");
                    self.files.doomed().push(doomed);
                }
            }
            if place == Place::Remote {
                self.files.objects_being_removed.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.settle_deletions();
    }
}
