//! Deletes the events of a group that a query chose, in the order that `deletion` describes.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use sha2::{Digest, Sha256};
use types::{GroupName, Timestamp, ensure};

use crate::deletion::{DELETION_BYTES_MAX, Deletion, DeletionOrder, DeletionReceipt, Sequences};
use crate::segments::Segments;
use crate::state::deletions::Erasure;
use crate::upkeep::flush::Flusher;
use crate::writer::Writer;
use crate::writer::queue::WriterCommand;
use crate::{StoreError, tombstone};

/// Deletions whose events are not gone yet. Each is looked at for every run of its group that is written or opened.
const PENDING_MAX: usize = 1000;

/// Longest text of a receipt, in bytes; more is cut.
const TEXT_BYTES_MAX: usize = 512;

/// Deletes events.
pub(crate) struct Eraser {
    segments: Arc<Segments>,
    writer: Arc<Writer>,
    flusher: Arc<Flusher>,
}

impl Eraser {
    pub(crate) fn new(segments: Arc<Segments>, writer: Arc<Writer>, flusher: Arc<Flusher>) -> Self {
        Self { segments, writer, flusher }
    }

    /// Deletes events of a group. Returns once that is durable and no later snapshot has them.
    pub(crate) fn erase_events(
        &self,
        group: &GroupName,
        sequences: Sequences,
        order: &DeletionOrder,
    ) -> Result<DeletionReceipt, StoreError> {
        ensure!(sequences.n_bytes() <= DELETION_BYTES_MAX, StoreError::TooManyEvents { bytes_max: DELETION_BYTES_MAX });
        self.segments.catch_up().map_err(StoreError::Unreadable)?;
        let is_shared = self.segments.follower().is_some();
        // No flush and nothing that takes segments out of the list runs meanwhile, so the masks fit the segments that
        // snapshots see. In a fleet, each node works them out again when it reads the deletion.
        let flusher = (!is_shared).then(|| self.flusher.hold());
        let upkeep = self.segments.replacement();
        let (deletion, mut receipt) = self.new_deletion(group, sequences, order)?;
        let hidden = self.segments.hide(&deletion);
        if let Some((_, error)) = hidden.unreadable.into_iter().next() {
            return Err(error.into());
        }
        receipt.n_deleted = hidden.n_events + self.segments.state().hot_events_of(&deletion);
        if receipt.n_deleted == 0 {
            receipt.reclaimed = Some(receipt.created);
            return Ok(receipt);
        }
        let erasure = Erasure { deletion, masks: hidden.masks };
        if is_shared {
            // The writer thread records the deletion and applies it as every node does.
            drop((upkeep, flusher));
            self.publish_erasure(erasure, &receipt)?;
        } else {
            let recorded = self.record_erasure(&erasure, &receipt);
            if let Err(error) = recorded.and_then(|()| self.publish_erasure(erasure, &receipt)) {
                if !self.segments.options.faults.has_crashed() {
                    self.segments.forget_deletion(receipt.id);
                }
                return Err(error);
            }
            self.segments.receipts().insert(receipt.id, receipt.clone());
            drop((upkeep, flusher));
        }
        tracing::info!(%group, id = receipt.id, n_events = receipt.n_deleted, "events deleted");
        self.segments.check("erase.end")?;
        self.segments.reap();
        self.segments.signals.compaction.ring();
        Ok(self.segments.receipts().get(&receipt.id).cloned().unwrap_or(receipt))
    }

    fn new_deletion(
        &self,
        group: &GroupName,
        sequences: Sequences,
        order: &DeletionOrder,
    ) -> Result<(Arc<Deletion>, DeletionReceipt), StoreError> {
        let state = self.segments.state();
        let group_id = state.groups.id_of(group).ok_or_else(|| StoreError::NoGroup(group.clone()))?;
        ensure!(state.deletions.len() < PENDING_MAX, StoreError::TooManyDeletions { pending_max: PENDING_MAX });
        drop(state);
        let created = self.segments.options.clock.now();
        let id = new_id(created).map_err(StoreError::io(&self.segments.tombstone_dir()))?;
        let receipt = DeletionReceipt {
            range: order.range,
            requested_by: cut(&order.requested_by),
            reason: cut(&order.reason),
            query_digest: digest(id, &order.query),
            n_matched: sequences.len(),
            ..DeletionReceipt::new(id, group.clone(), created)
        };
        Ok((Arc::new(Deletion { id, group_id, sequences }), receipt))
    }

    /// Makes a deletion durable: where it outlives the catalog, and in the catalog.
    fn record_erasure(&self, erasure: &Erasure, receipt: &DeletionReceipt) -> Result<(), StoreError> {
        let dir = self.segments.tombstone_dir();
        self.segments.check("erase.tombstone")?;
        let written = tombstone::events::write(&dir, &self.segments.store, &erasure.deletion, receipt);
        written.map_err(StoreError::io(&dir))?;
        self.segments.check("erase.catalog")?;
        self.segments.catalog().put_deletion(&erasure.deletion.row(receipt), "")?;
        self.segments.check("erase.publish")
    }

    /// Lets the writer thread, the only one that changes hot events, put everything in place.
    fn publish_erasure(&self, erasure: Erasure, receipt: &DeletionReceipt) -> Result<(), StoreError> {
        let (answer, answered) = sync_channel(1);
        let (erasure, receipt) = (Box::new(erasure), Box::new(receipt.clone()));
        self.writer.queue.push_command(WriterCommand::Erase(erasure, receipt, answer))?;
        answered.recv().unwrap_or_else(|_| Err(self.writer.why_closed().into()))
    }
}

/// Returns numbers that rise with time.
fn new_id(now: Timestamp) -> std::io::Result<u64> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(std::io::Error::other)?;
    let ms = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
    Ok(ms << 20 | u64::from_le_bytes(random) >> 44)
}

fn digest(id: u64, query: &str) -> [u8; 32] {
    Sha256::digest(format!("{id:016x}\n{query}")).into()
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests;
