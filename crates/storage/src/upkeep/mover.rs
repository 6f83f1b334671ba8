//! Segments on their way to the object store and back, and what continues with it in the background.
//!
//! The order makes it safe to stop anywhere: the catalog takes note of the new name as one that must go → the file is
//! put and read back whole (`objects`) → one catalog transaction says that the segment lies there from now on, that
//! the new name stays and that the old file must go → later snapshots read the new place → the old file is removed
//! once no one reads it. Whatever is left by an end in between is listed in the catalog and removed after the next
//! start; no one has to look through the bucket, and a copy of a store never removes what the store itself relies on.
//!
//! One thread waits for the object store where no one else should: it removes objects, opens segments that a start
//! could not open without asking, and asks whether the object store answers again after it did not.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use segment::{Segment, SegmentEnd};
use types::{Hold, ScanError};

use crate::catalog::{ObsoleteFile, SegmentRow};
use crate::segments::Segments;
use crate::segments::files::partition_name;
use crate::state::{DamagedSegment, State, StoredSegment};
use crate::tier::{ColdPlace, Place, Tier};
use crate::{ObjectStoreStatus, StoreError};
use files::remote_source::RemoteFiles;

/// How often is looked for what is left to do.
const TICK: Duration = Duration::from_secs(15);

/// How many segments are opened at the same time: each is a request or two.
const OPENED_AT_ONCE: usize = 8;

/// Runs the thread that waits for the object store; it is not started without one.
pub(crate) fn run(mover: &Mover) {
    let segments = &*mover.segments;
    let Some(remote) = &segments.files.remote else { return };
    mover.forget_strangers(remote);
    loop {
        if remote.objects.unreachable().is_some() {
            remote.objects.probe();
        }
        mover.open_awaited();
        segments.remove_doomed_at(Place::Remote);
        segments.remove_doomed_at(Place::Local);
        if !segments.signals.objects.wait(TICK) {
            return;
        }
    }
}

/// A file that a segment is moved to.
struct NewFile {
    doomed: ObsoleteFile,
    segment: Arc<Segment>,
}

/// Moves segments between the data directory and the object store.
pub(crate) struct Mover {
    segments: Arc<Segments>,
    /// Held while cold segments are moved.
    moving: Mutex<()>,
}

impl Mover {
    pub(crate) fn new(segments: Arc<Segments>) -> Self {
        Self { segments, moving: Mutex::default() }
    }

    /// Moves cold segments to where they are to lie. What cannot be moved stays and is tried again later.
    pub(crate) fn move_cold(&self) {
        let is_remote = self.segments.options.retention.tiers.cold_place == ColdPlace::ObjectStore;
        let Some(remote) = self.segments.files.remote.as_ref().filter(|_| is_remote) else { return };
        // Whoever moves them already does it for all.
        let Ok(_moving) = self.moving.try_lock() else { return };
        let is_meant = |stored: &&Arc<StoredSegment>| stored.tier == Tier::Cold && stored.place == Place::Local;
        let cold: Vec<Arc<StoredSegment>> = self.segments.state().segments.iter().filter(is_meant).cloned().collect();
        for stored in cold {
            if remote.objects.unreachable().is_some() || self.segments.signals.compaction.is_stopped() {
                return;
            }
            if let Err(error) = self.move_segment_to(&stored, Place::Remote) {
                tracing::warn!(%error, "a cold segment stays in the data directory until the next try");
            }
        }
    }

    /// Moves the file of a segment. Snapshots continue with what they have; `Ok` also where the segment is gone.
    pub(crate) fn move_segment_to(&self, stored: &Arc<StoredSegment>, place: Place) -> Result<(), StoreError> {
        let failed = |source| StoreError::Move { file: stored.file.clone(), source };
        if stored.place == place {
            return Ok(());
        }
        let none = || io::Error::new(io::ErrorKind::NotConnected, "no object store is set");
        let remote = self.segments.files.remote.as_ref().ok_or_else(none).map_err(failed)?;
        self.segments.options.faults.check("move.start").map_err(failed)?;
        let doomed = ObsoleteFile { file: new_name(stored).map_err(failed)?, place };
        self.segments.catalog().doom_file(&doomed)?;
        let made = match place {
            Place::Remote => self.upload(stored, remote, &doomed.file),
            Place::Local => self.download(stored, remote, &doomed.file),
        };
        let segment = match made {
            Ok(segment) => segment,
            Err(error) => {
                self.give_up_move(doomed);
                return Err(error);
            }
        };
        self.commit_move(stored, NewFile { doomed, segment })
    }

    fn upload(
        &self,
        stored: &StoredSegment,
        remote: &Arc<RemoteFiles>,
        name: &str,
    ) -> Result<Arc<Segment>, StoreError> {
        let failed = |source| StoreError::Move { file: stored.file.clone(), source };
        // Damage must be found while a copy of the lost data may still exist.
        stored.segment.verify()?;
        let path = self.segments.files.path(&stored.file);
        let mut upload = None;
        let put = remote.objects.put_file(name, &path, |begun| {
            let doomed = ObsoleteFile { file: begun.to_owned(), place: Place::Remote };
            self.segments.catalog().doom_file(&doomed).map_err(io::Error::other)?;
            upload = Some(doomed);
            Ok(())
        });
        if let Some(upload) = upload {
            match &put {
                Ok(_) => self.segments.catalog().forget_doomed(&upload)?,
                Err(_) => self.segments.files.doom_file(upload),
            }
        }
        let n_bytes = put.map_err(failed)?;
        let local = self.segments.files.pool.open(&path).map_err(failed)?;
        let end = SegmentEnd::read(&local).map_err(failed)?.without_sections();
        let id = stored.segment.meta.segment;
        remote.cache.keep_end(id, end.from, &end.bytes);
        Ok(self.segments.files.open_remote(name, id, n_bytes)?)
    }

    fn download(&self, stored: &StoredSegment, remote: &RemoteFiles, file: &str) -> Result<Arc<Segment>, StoreError> {
        let path = self.segments.files.path(file);
        let copied =
            self.segments.write_segment_file(&path, |to| remote.objects.copy_into(&stored.file, stored.n_bytes, to));
        copied.map_err(|source| StoreError::Move { file: stored.file.clone(), source })?;
        let segment = self.segments.files.open_local(file)?;
        segment.verify()?;
        Ok(segment)
    }

    /// Sees to it that what a failed move has made goes.
    fn give_up_move(&self, doomed: ObsoleteFile) {
        if !self.segments.options.faults.has_crashed() {
            self.segments.files.doom_file(doomed);
            self.segments.remove_doomed();
        }
    }

    fn commit_move(&self, stored: &Arc<StoredSegment>, new: NewFile) -> Result<(), StoreError> {
        let NewFile { doomed, segment } = new;
        let upkeep = self.segments.replacement();
        let is_stored = |known: &Arc<StoredSegment>| Arc::ptr_eq(known, stored);
        if !self.segments.state().segments.iter().any(is_stored) {
            // It was compacted or retired meanwhile.
            drop(segment);
            self.give_up_move(doomed);
            return Ok(());
        }
        let committed = self.segments.check("move.commit").and_then(|()| {
            let id = stored.segment.meta.segment;
            // Where the answer is lost no one knows which file must go. The catalog does, and the next start asks it.
            Ok(self.segments.catalog().move_segment(id, &doomed.file, stored.n_bytes, doomed.place)?)
        });
        committed?;
        let is_crashed = self.segments.check("move.publish").is_err();
        let ObsoleteFile { file, place } = doomed;
        let moved = Arc::new(StoredSegment { segment, file, place, n_bytes: stored.n_bytes, tier: stored.tier });
        let mut state = self.segments.state_mut();
        state.segments.iter_mut().filter(|known| is_stored(known)).for_each(|known| *known = moved.clone());
        drop(state);
        drop(upkeep);
        if !is_crashed {
            self.segments.files.doom([stored.clone()]);
            self.segments.remove_doomed();
        }
        Ok(())
    }

    /// Opens segments that a start could not open without asking the object store.
    fn open_awaited(&self) {
        let awaited = self.segments.state().damaged.iter().filter_map(|damaged| damaged.awaited.clone()).collect();
        let awaited: Mutex<Vec<SegmentRow>> = Mutex::new(awaited);
        let next = || awaited.hold().pop();
        std::thread::scope(|scope| {
            for _ in 0..OPENED_AT_ONCE {
                scope.spawn(|| {
                    while let Some(row) = next() {
                        let opened = self.segments.files.open_listed(&row);
                        self.take_awaited(&row, opened);
                    }
                });
            }
        });
    }

    /// Shows a segment that was awaited. While it was opened, a node of a fleet that read the catalog may have shown it, or seen
    /// that another has replaced it: it is not awaited then, and showing it would count its events twice.
    pub(crate) fn take_awaited(&self, row: &SegmentRow, opened: Result<StoredSegment, ScanError>) {
        let is_row = |damaged: &DamagedSegment| damaged.awaited.as_ref().is_some_and(|awaited| awaited.id == row.id);
        // No deletion comes between the look at what is deleted of it and the moment at which it is shown.
        let _upkeep = self.segments.replacement();
        if !self.segments.state().damaged.iter().any(is_row) {
            return;
        }
        let opened = opened.map(Arc::new).and_then(|stored| {
            let masks = self.segments.masks_of(std::iter::once(&stored))?;
            Ok((stored, masks))
        });
        let mut state = self.segments.state_mut();
        match opened {
            Ok((stored, masks)) => {
                state.damaged.retain(|damaged| !is_row(damaged));
                state.masks.extend(masks);
                state.segments.push(stored);
            }
            Err(error) => {
                state.damaged.iter_mut().filter(|damaged| is_row(damaged)).for_each(|damaged| {
                    damaged.error = error.clone();
                });
            }
        }
    }

    /// Returns what there is to say of the object store.
    pub(crate) fn object_store_status(&self, state: &State) -> Option<ObjectStoreStatus> {
        let remote = self.segments.files.remote.as_ref()?;
        let (traffic, cache) = (remote.objects.traffic(), remote.cache.used());
        let objects = || state.segments.iter().filter(|stored| stored.place == Place::Remote);
        Some(ObjectStoreStatus {
            url: remote.objects.url.to_owned(),
            unreachable: remote.objects.unreachable(),
            segments: objects().count() as u64,
            segment_bytes: objects().map(|stored| stored.n_bytes).sum(),
            objects_to_remove: self.segments.files.n_doomed_objects() as u64,
            requests: traffic.requests,
            requests_failed: traffic.failures,
            bytes_read: traffic.bytes_read,
            bytes_written: traffic.bytes_written,
            cache_bytes: cache.n_bytes,
            cache_hits: cache.hits,
            cache_misses: cache.misses,
        })
    }

    /// Removes copies of segments that are not in the object store any more.
    fn forget_strangers(&self, remote: &RemoteFiles) {
        let state = self.segments.state();
        let open = state.segments.iter().filter(|stored| stored.place == Place::Remote);
        let open = open.map(|stored| stored.segment.meta.segment);
        let awaited = state.damaged.iter().filter_map(|damaged| damaged.awaited.as_ref().map(|row| row.id));
        let known: HashSet<u128> = open.chain(awaited).collect();
        drop(state);
        remote.cache.keep_ends_of(&|id| known.contains(&id));
    }
}

/// Returns a name that no one has used for the file of a segment.
fn new_name(stored: &StoredSegment) -> io::Result<String> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let meta = stored.segment.meta;
    let (partition, number) = (partition_name(meta.partition), u32::from_be_bytes(random));
    Ok(format!("segments/{partition}/{:032x}-{number:08x}.seg", meta.segment))
}
