//! Deletions of events on a node: those that any node has had recorded are carried out here before a question is answered.

use std::sync::Arc;

use types::ScanError;

use super::reconcile::unreadable;
use crate::catalog;
use crate::deletion::{Deletion, DeletionReceipt, Sequences, forget_oldest};
use crate::segments::Segments;
use crate::state::deletions::Erasure;
use crate::writer::Writer;

impl Segments {
    /// Carries out deletions that are new here, before anything else that came with them is shown. The caller keeps
    /// upkeep, and everyone who changes hot events, from changing anything meanwhile.
    ///
    /// # Errors
    /// If the sequences of one cannot be read; what it deletes may be shown until they can.
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
                    // Of which it cannot be told what is deleted, nothing is shown.
                    tracing::warn!(file = stored.file, %error, "segment with deleted events cannot be read now");
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

    /// Takes over receipts that are new or have changed.
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
