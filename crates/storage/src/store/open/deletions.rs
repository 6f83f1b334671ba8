//! Deletions of events at a start: what tombstones and catalog say is carried out before anything is shown.
//!
//! Each has the deleted sequences. A deletion that only one of them knows was cut off, or the other one is damaged or
//! was lost; it is completed from the one that is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::GroupName;

use super::opening::StoreOpening;
use crate::deletion::{self, Deletion, DeletionReceipt, Mask, ReceiptError, Removals, Sequences};
use crate::retention::edges_of;
use crate::state::DamagedSegment;
use crate::tier::Place;
use crate::tombstone::events::{self, TombstoneFile};
use crate::{OpenError, catalog};

impl StoreOpening {
    /// Reads tombstones, receipts and what the catalog has, and makes them agree.
    pub(super) fn load_deletions(&mut self, rows: Vec<catalog::Deletion>) -> Result<(), OpenError> {
        self.load_receipts()?;
        let dir = self.dir.join("tombstones");
        let mut rows: BTreeMap<u64, catalog::Deletion> = rows.into_iter().map(|row| (row.id, row)).collect();
        let found = events::read(&dir, &self.store).map_err(OpenError::io(&dir))?;
        for tombstone in found {
            match tombstone {
                TombstoneFile::Newer(file, found) => {
                    return Err(OpenError::NewerFormat { file, found: found.into(), known: events::VERSION.into() });
                }
                TombstoneFile::Damaged(id, problem) => {
                    let file = format!("tombstones/{id:016x}.events");
                    let is_known = rows.contains_key(&id);
                    let then =
                        if is_known { "it is made anew from the catalog" } else { "it was moved to quarantine/" };
                    self.report(&file, 0, format!("{problem}; {then}"));
                    if !is_known {
                        self.quarantine(&file)?;
                    }
                }
                TombstoneFile::Intact(tombstone) => {
                    let (deletion, receipt) = *tombstone;
                    if rows.remove(&deletion.id).is_none() {
                        self.catalog.put_deletion(&deletion.row(&receipt), "")?;
                    }
                    self.take_deletion(deletion, receipt);
                }
            }
        }
        rows.into_values().try_for_each(|row| self.restore_tombstone(row))?;
        Ok(())
    }

    fn load_receipts(&mut self) -> Result<(), OpenError> {
        let dir = self.dir.join("tombstones");
        for (name, receipt) in deletion::read_receipts(&dir).map_err(OpenError::io(&dir))? {
            match receipt {
                Ok(receipt) => drop(self.receipts.insert(receipt.id, receipt)),
                Err(ReceiptError::Newer(found)) => {
                    return Err(OpenError::NewerFormat {
                        file: dir.join(name),
                        found,
                        known: deletion::RECEIPT_FORMAT,
                    });
                }
                Err(ReceiptError::Damaged) => {
                    let file = format!("tombstones/{name}");
                    self.report(&file, 0, "the receipt is damaged; it was moved to quarantine/");
                    self.quarantine(&file)?;
                }
            }
        }
        Ok(())
    }

    fn take_deletion(&mut self, deletion: Deletion, receipt: DeletionReceipt) {
        // A receipt that is there already knows how far the deletion got.
        let receipt = self.receipts.entry(deletion.id).or_insert(receipt);
        receipt.reclaimed = None;
        self.state.deletions.push(Arc::new(deletion));
    }

    /// Writes the tombstone again of a deletion that only the catalog knows.
    fn restore_tombstone(&mut self, row: catalog::Deletion) -> Result<(), OpenError> {
        let catalog::Deletion { id, group_id, n_events, created, sequences } = row;
        let Ok(sequences) = Sequences::decode(&sequences) else {
            self.report("catalog", 0, format!("deletion {id:016x} cannot be read, and there is no tombstone of it"));
            return Ok(());
        };
        let unknown = || GroupName::new("unknown").expect("these letters are a valid name");
        let of_group = self.state.groups.iter().find(|(_, group)| group.id == group_id);
        let name = of_group.map_or_else(unknown, |(name, _)| name.clone());
        let of_row =
            || DeletionReceipt { n_matched: n_events, n_deleted: n_events, ..DeletionReceipt::new(id, name, created) };
        let receipt = self.receipts.get(&id).cloned().unwrap_or_else(of_row);
        let deletion = Deletion { id, group_id, sequences };
        let dir = self.dir.join("tombstones");
        events::write(&dir, &self.store, &deletion, &receipt).map_err(OpenError::io(&dir))?;
        self.take_deletion(deletion, receipt);
        Ok(())
    }

    /// Hides deleted events in segments. A segment of which it cannot be told what is deleted shows nothing at all.
    pub(super) fn hide_deleted(&mut self) {
        if self.state.deletions.is_empty() && self.state.trims.is_empty() {
            return;
        }
        for stored in std::mem::take(&mut self.state.segments) {
            let segment = &stored.segment;
            let runs = || segment.summaries().iter().map(|run| (run.group_id, run.first, run.last)).collect();
            let is_erased = self.state.deletions.iter().any(|one| one.concerns(segment.summaries()));
            let is_trimmed = |run| !edges_of(&self.state.trims, segment.meta, run).is_empty();
            if stored.place == Place::Remote && (is_erased || segment.summaries().iter().any(is_trimmed)) {
                // Which rows they are has to be read, and a start does not wait for others.
                let row = stored.row();
                let error = self.files.not_at_hand(&row);
                self.state.damaged.push(DamagedSegment { error, awaited: Some(row), runs: runs() });
                continue;
            }
            let mut problem = None;
            let removed = Removals { deletions: &self.state.deletions, trims: &self.state.trims };
            for (index, run) in segment.summaries().iter().enumerate() {
                match Mask::of(segment, index, removed) {
                    Ok(None) => {}
                    Ok(Some(mask)) => {
                        self.state.masks.insert((segment.meta.segment, run.group_id), Arc::new(mask));
                    }
                    Err(error) => problem = Some(error),
                }
            }
            match problem {
                None => self.state.segments.push(stored),
                Some(error) => {
                    tracing::error!(file = stored.file, %error, "segment with deleted events cannot be read");
                    self.state.damaged.push(DamagedSegment { error, awaited: None, runs: runs() });
                }
            }
        }
        self.recovery.segments = self.state.segments.len() as u64;
    }

    /// Sees to it that no event to come gets the sequence of a deleted one, also where a catalog was lost and the
    /// events with the highest sequences are gone.
    ///
    /// Before the WAL is replayed, only those are passed that it surely does not hold: what is below `floor`.
    pub(super) fn pass_deleted_sequences(&mut self, floor: u64) {
        let last = self.state.deletions.iter().filter_map(|deletion| deletion.sequences.bounds()).map(|(_, last)| last);
        let after_last = last.max().map_or(0, |last| last.saturating_add(1));
        self.marks.next_sequence = self.marks.next_sequence.max(after_last.min(floor));
    }
}
