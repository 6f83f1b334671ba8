//! Segments at a start: those of the catalog are opened, those on disk that it does not know are judged.

use std::collections::HashSet;
use std::sync::Arc;

use segment::Segment;
use types::GroupName;

use super::opening::StoreOpening;
use super::scope::Scope;
use crate::catalog::{FlushRecord, ObsoleteFile, RunRow, SegmentRow};
use crate::positions::Positions;
use crate::segments::files;
use crate::state::{DamagedSegment, StoredSegment};
use crate::tier::{Place, Tier};
use crate::wal::chain::{Chain, Link};
use crate::{OpenError, batch_ids};

/// A segment on disk that the catalog does not know.
pub(super) struct Orphan {
    stored: StoredSegment,
    first_sequence: u64,
    last_sequence: u64,
}

impl Orphan {
    pub(super) fn of(stored: StoredSegment) -> Self {
        let summaries = stored.segment.summaries();
        let first_sequence = summaries.iter().map(|run| run.first_sequence).min().unwrap_or(0);
        let last_sequence = summaries.iter().map(|run| run.last_sequence).max().unwrap_or(0);
        Self { stored, first_sequence, last_sequence }
    }
}

impl StoreOpening {
    /// Opens all segments, and makes the catalog and the disk agree.
    pub(super) fn open_segments(
        &mut self,
        rows: Vec<SegmentRow>,
        doomed: &[ObsoleteFile],
        chain: &Chain,
    ) -> Result<(), OpenError> {
        let dir = self.dir.join("segments");
        let on_disk = files::list(&dir).map_err(OpenError::io(&dir))?;
        let objects = self.unlisted_objects(&rows, doomed, &on_disk)?;
        let known: HashSet<&str> = rows.iter().map(|row| row.file.as_str()).collect();
        let mut orphans = Vec::new();
        for file in &on_disk {
            if file.ends_with(".tmp") {
                self.remove_unfinished(file)?;
            } else if !known.contains(file.as_str()) {
                orphans.extend(self.open_orphan(file)?);
            }
        }
        let (put_together, orphans): (Vec<Orphan>, Vec<Orphan>) =
            orphans.into_iter().partition(|orphan| !orphan.stored.segment.replaced().is_empty());
        let (mut adopted, replaced) = self.judge_compaction(put_together, &rows, &on_disk)?;
        for row in rows.iter().filter(|row| !replaced.contains(&row.id)) {
            self.open_known(row);
        }
        // Sequence from which on the WAL holds every event.
        let first_of = |link: &Link| link.header.ok().map(|(header, _)| header.first_sequence);
        let floor = chain.links.iter().find_map(first_of).unwrap_or(u64::MAX);
        for orphan in orphans.into_iter().filter(|orphan| !replaced.contains(&orphan.stored.segment.meta.segment)) {
            if orphan.first_sequence >= floor && chain.missing.is_empty() {
                self.remove_unfinished(&orphan.stored.file)?;
            } else if orphan.first_sequence >= self.marks.next_sequence {
                adopted.push(orphan);
            } else {
                self.report(&orphan.stored.file, 0, "the segment is not in the catalog; it was moved to quarantine/");
                self.quarantine(&orphan.stored.file)?;
            }
        }
        self.add_objects(&mut adopted, objects, &replaced);
        if !adopted.is_empty() {
            self.adopt(adopted, &replaced, chain)?;
        }
        self.recovery.segments = self.state.segments.len() as u64;
        Ok(())
    }

    /// Takes objects among those that are adopted, but for segments that others stand for.
    fn add_objects(&self, adopted: &mut Vec<Orphan>, objects: Vec<Orphan>, replaced: &HashSet<u128>) {
        let orphans = adopted.iter().chain(&objects).map(|orphan| &orphan.stored);
        let all = self.state.segments.iter().map(|stored| &**stored).chain(orphans);
        let mut stands_for: HashSet<u128> = all.flat_map(|stored| stored.segment.replaced().iter().copied()).collect();
        stands_for.extend(replaced);
        adopted.extend(objects.into_iter().filter(|object| !stands_for.contains(&object.stored.segment.meta.segment)));
    }

    /// Judges segments that were put together from others. Where the others are all there, the transaction never
    /// happened; where they are not, the catalog has lost it. Returns the segments to take back, and which ones
    /// they stand for.
    fn judge_compaction(
        &mut self,
        orphans: Vec<Orphan>,
        rows: &[SegmentRow],
        on_disk: &[String],
    ) -> Result<(Vec<Orphan>, HashSet<u128>), OpenError> {
        let ids: HashSet<u128> = on_disk.iter().filter_map(|file| id_of(file)).collect();
        let (mut adopted, mut replaced) = (Vec::new(), HashSet::new());
        for orphan in orphans {
            let stands_for = orphan.stored.segment.replaced();
            let is_listed = rows.iter().any(|row| stands_for.contains(&row.id));
            let are_there = self.are_there(stands_for, &ids, rows);
            if are_there == Some(true) {
                self.remove_unfinished(&orphan.stored.file)?;
            } else if are_there.is_none() {
                let file = &orphan.stored.file;
                tracing::warn!(file, "whether this segment is needed is decided when the object store answers");
            } else if is_listed || orphan.first_sequence >= self.marks.next_sequence {
                replaced.extend(stands_for.iter().copied());
                adopted.push(orphan);
            } else {
                self.report(&orphan.stored.file, 0, "the segment is not in the catalog; it was moved to quarantine/");
                self.quarantine(&orphan.stored.file)?;
            }
        }
        // One that another one stands for in turn is not needed.
        adopted.retain(|orphan: &Orphan| !replaced.contains(&orphan.stored.segment.meta.segment));
        for file in on_disk.iter().filter(|file| id_of(file).is_some_and(|id| replaced.contains(&id))) {
            match self.scope {
                Scope::Start => self.remove_unfinished(file)?,
                // The next start would not know any more that it was replaced.
                Scope::Repair => self.quarantine(file)?,
            }
        }
        Ok((adopted, replaced))
    }

    /// Reports whether segments are where the catalog says, those in the object store too; `None` if it does not
    /// answer.
    fn are_there(&self, segments: &[u128], on_disk: &HashSet<u128>, rows: &[SegmentRow]) -> Option<bool> {
        for id in segments.iter().filter(|id| !on_disk.contains(id)) {
            let Some(row) = rows.iter().find(|row| row.id == *id && row.place == Place::Remote) else {
                return Some(false);
            };
            match self.files.remote.as_ref()?.objects.n_bytes(&row.file) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(false),
                Err(_) => return None,
            }
        }
        Some(true)
    }

    /// Removes a file that is not needed. A repair leaves that to the next start.
    fn remove_unfinished(&mut self, file: &str) -> Result<(), OpenError> {
        if self.scope == Scope::Repair {
            return Ok(());
        }
        let path = self.dir.join(file);
        std::fs::remove_file(&path).map_err(OpenError::io(&path))?;
        self.recovery.unfinished_removed += 1;
        Ok(())
    }

    fn open_known(&mut self, row: &SegmentRow) {
        let runs = row.runs.iter().map(|run| (run.group_id, run.first, run.last)).collect();
        if !self.files.is_at_hand(row) {
            // A start does not wait for others.
            let error = self.files.not_at_hand(row);
            self.state.damaged.push(DamagedSegment { error, awaited: Some(row.clone()), runs });
            return;
        }
        match self.files.open_listed(row) {
            Ok(stored) => self.state.segments.push(Arc::new(stored)),
            Err(error) => {
                tracing::error!(file = row.file, %error, "segment cannot be read; answers that need it are partial");
                self.state.damaged.push(DamagedSegment { error, awaited: None, runs });
            }
        }
    }

    /// Opens a segment that the catalog does not know; `None` if it cannot be read and was quarantined.
    fn open_orphan(&mut self, file: &str) -> Result<Option<Orphan>, OpenError> {
        let path = self.dir.join(file);
        let segment = match self.files.open_local(file) {
            Ok(segment) => segment,
            Err(error) => {
                self.report(file, error.offset, format!("{}; it was moved to quarantine/", error.problem));
                self.quarantine(file)?;
                return Ok(None);
            }
        };
        let n_bytes = std::fs::metadata(&path).map_err(OpenError::io(&path))?.len();
        let (tier, place) = (Tier::default(), Place::Local);
        let stored = StoredSegment { segment, file: file.to_owned(), n_bytes, tier, place };
        Ok(Some(Orphan::of(stored)))
    }

    /// Takes segments back whose transaction the catalog lost, with the source positions that they tell of and the
    /// batch ids that went with them. The WAL no longer has their events.
    fn adopt(&mut self, orphans: Vec<Orphan>, replaced: &HashSet<u128>, chain: &Chain) -> Result<(), OpenError> {
        let mut rows = Vec::new();
        let mut groups: Vec<(u32, GroupName)> = Vec::new();
        let segments: Vec<_> = orphans.iter().map(|orphan| orphan.stored.segment.clone()).collect();
        self.take_identities_back(&segments)?;
        for Orphan { stored, last_sequence, .. } in orphans {
            let summaries = stored.segment.summaries();
            let id = stored.segment.meta.segment;
            let runs = summaries.iter().map(RunRow::from).collect();
            let StoredSegment { ref file, n_bytes, tier, place, .. } = stored;
            rows.push(SegmentRow { id, file: file.clone(), n_bytes, tier, place, runs });
            for run in summaries.iter().filter(|run| !self.deleted.contains(&run.group_id)) {
                groups.push((run.group_id, run.group.clone()));
                self.state.groups.add(&run.group, run.group_id, []);
                self.marks.next_group = self.marks.next_group.max(run.group_id.saturating_add(1));
            }
            self.marks.next_sequence = self.marks.next_sequence.max(last_sequence.saturating_add(1));
            tracing::warn!(file = stored.file, "segment was not in the catalog and is restored to it");
            self.state.segments.push(Arc::new(stored));
        }
        self.recovery.segments_adopted = rows.len() as u64;
        self.report("catalog", 0, format!("it had lost {} segments, which were restored", rows.len()));
        let first_file = chain.links.first().and_then(|link| link.header.ok());
        if let Some((header, _)) = first_file {
            self.pass_deleted_sequences(header.first_sequence);
        }
        if let Some((header, _)) = first_file
            && header.first_sequence <= self.marks.next_sequence
        {
            // What came before the first WAL file is in these segments, or was deleted: a flush had released the files
            // before it.
            self.marks.wal_released = self.marks.wal_released.max(header.number);
            self.marks.wal_made = self.marks.wal_made.max(header.number);
        }
        let replaced: Vec<u128> = replaced.iter().copied().collect();
        Ok(self.catalog.adopt(&self.marks, &rows, &replaced, &groups)?)
    }

    /// Brings source positions and batch ids of segments back into the catalog.
    fn take_identities_back(&mut self, segments: &[Arc<Segment>]) -> Result<(), OpenError> {
        let mut positions = Positions::default();
        for segment in segments {
            match segment.positions(Positions::decode) {
                Ok(found) => positions.merge(&found),
                Err(error) => {
                    let problem = format!("{}; bytes of files that came with it may be stored again", error.problem);
                    self.report(&error.file, error.offset, problem);
                }
            }
        }
        let wal_dir = self.dir.join("wal");
        let intact = batch_ids::intact(&wal_dir, &self.store).map_err(OpenError::io(&wal_dir))?;
        for (hour, n_entries) in intact {
            let known = self.batch_files.entry(hour).or_default();
            *known = n_entries.max(*known);
        }
        let (ids, _) = batch_ids::read(&wal_dir, &self.store, &self.batch_files, self.now);
        self.state.ids = ids;
        self.state.positions.merge(&positions);
        let (marks, batch_files) = (self.catalog.marks()?, &self.batch_files);
        let record = FlushRecord {
            marks,
            segments: &[],
            groups: Vec::new(),
            positions: &positions,
            batch_files,
            flushed_before: 0,
        };
        Ok(self.catalog.commit_flush(&record)?)
    }
}

/// Returns the id in the name of a segment file.
pub(super) fn id_of(file: &str) -> Option<u128> {
    let name = file.rsplit('/').next()?.strip_suffix(".seg")?;
    // One that came back from the object store has a second number.
    let id = name.split_once('-').map_or(name, |(id, _)| id);
    u128::from_str_radix(id, 16).ok()
}
