//! The queue between the sockets and the store, bounded by bytes and chunks.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use parse::Frames;

use super::sink::Chunk;

/// Limit on the bytes of frames that wait to be stored.
const QUEUE_BYTES_MAX: usize = 32 << 20;

/// Bytes that each frame counts for in addition to its own.
const FRAME_COST: usize = 32;

/// Limit on the chunks that wait to be stored.
const QUEUE_CHUNKS_MAX: usize = 4096;

/// Frames that wait to be stored, and their share of the queue.
pub(super) struct QueuedChunk {
    pub(super) chunk: Chunk,
    pub(super) _room: OwnedSemaphorePermit,
}

/// The sending end of the queue.
#[derive(Clone)]
pub(super) struct Queue {
    chunks: mpsc::Sender<QueuedChunk>,
    room: Arc<Semaphore>,
}

impl Queue {
    pub(super) fn new() -> (Self, mpsc::Receiver<QueuedChunk>) {
        let (chunks, receiver) = mpsc::channel(QUEUE_CHUNKS_MAX);
        (Self { chunks, room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)) }, receiver)
    }

    fn cost(frames: &Frames) -> u32 {
        // One that is larger than the whole queue goes through alone; below 4 GiB by the constant.
        (frames.n_bytes() + frames.len() * FRAME_COST).min(QUEUE_BYTES_MAX) as u32
    }

    /// Puts frames into the queue as soon as there is room.
    pub(super) async fn put(&self, chunk: Chunk) {
        let Ok(room) = self.room.clone().acquire_many_owned(Self::cost(&chunk.frames)).await else { return };
        // An error means that the storing end has gone, which it does after all connections.
        let _ = self.chunks.send(QueuedChunk { chunk, _room: room }).await;
    }

    /// Puts frames into the queue if there is room now.
    pub(super) fn try_put(&self, chunk: Chunk) -> bool {
        let Ok(room) = self.room.clone().try_acquire_many_owned(Self::cost(&chunk.frames)) else { return false };
        self.chunks.try_send(QueuedChunk { chunk, _room: room }).is_ok()
    }
}

#[cfg(test)]
mod tests;
