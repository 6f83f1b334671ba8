//! Applies the deletions of events that any node of the fleet has recorded, before a query is answered.

use std::sync::Arc;

use types::ScanError;

use super::reconcile::unreadable;
use crate::catalog;
use crate::deletion::{Deletion, DeletionReceipt, Sequences, forget_oldest};
use crate::segments::Segments;
use crate::state::deletions::Erasure;
use crate::writer::Writer;

impl Segments {
    /// Applies deletions that this node does not know yet, before anything else that was read with them is shown. The
    /// caller makes sure that neither upkeep nor anything else changes hot events or segments meanwhile.
    ///
    /// # Errors
    /// If the sequences of a deletion cannot be read; its events may be shown until they can.
    pub(super) fn take_deletions(&self, rows: &[catalog::Deletion], writer: &Writer) -> Result<(), ScanError> {
        for row in rows {
            let catalog::Deletion { id, group_id, .. } = *row;
            if self.state().deletions.iter().any(|known| known.id == id) {
                continue;
            }
            let sequences = Sequences::decode(&row.sequences).map_err(|damage| {
                let problem = format!("deletion {id:016x} cannot be read ({}); its events may be shown", damage.0);
                ScanError { file: "catalog".into(), offset: 0, problem }
            })?;
            let deletion = Arc::new(Deletion { id, group_id, sequences });
            let hidden = self.hide(&deletion);
            if !hidden.unreadable.is_empty() {
                let mut state = self.state_mut();
                for (stored, error) in &hidden.unreadable {
                    // Without its mask, no event of the segment is shown.
                    tracing::warn!(file = stored.file, %error, "segment with deleted events hidden until it is readable");
                    state.segments.retain(|known| !Arc::ptr_eq(known, stored));
                    state.damaged.push(unreadable(&stored.row(), error.clone()));
                }
                drop(state);
                self.followed.note_removed(hidden.unreadable.into_iter().map(|(stored, _)| stored));
            }
            writer.apply_erasure(Erasure { deletion, masks: hidden.masks });
        }
        if !rows.is_empty() {
            self.signals.compaction.ring();
        }
        Ok(())
    }

    /// Takes over new and changed receipts.
    pub(super) fn take_receipts(&self, texts: &[String]) {
        let mut receipts = self.receipts();
        for text in texts {
            match DeletionReceipt::parse(text) {
                Ok(receipt) => drop(receipts.insert(receipt.id, receipt)),
                Err(error) => tracing::error!(?error, "a receipt of a deletion in the catalog cannot be read"),
            }
        }
        forget_oldest(&mut receipts);
    }
}
