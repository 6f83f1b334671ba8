//! Reads request bodies without trusting their senders: capped in bytes, in all and together, and in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use storage::Buffers;
use tokio::time::timeout;
use tokio_stream::StreamExt;

use crate::problem::{Problem, Result};

/// Bytes that all bodies under way may hold together: a few of the largest that are allowed.
const TOGETHER_BYTES_MAX: usize = 256 << 20;

/// What of that is for small bodies alone, and how large those may be: a few large ones do not keep everybody else out.
const SMALL_TOGETHER_BYTES: usize = 64 << 20;
const SMALL_BYTES_MAX: usize = 1 << 20;

/// Bytes of a body for which room is made at once where its sender says how long it is. Beyond it the body has to
/// come first: room that nobody fills is not to add up.
const ROOM_AT_ONCE_MAX: usize = 8 << 20;

/// How long a sender may pause within a body.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How long a body may take in all: a while, and a second for each so many bytes. Who sends more slowly holds a place
/// that others could use.
const TIME_MAX: Duration = Duration::from_secs(60);
const BYTES_PER_SECOND_MIN: usize = 1 << 10;

/// How much of the rest of a body that is too large is still taken, and for how long. Who sends without end hears within
/// two seconds that it is too much.
const DRAIN_BYTES_MAX: usize = 64 << 20;
const DRAIN_TIME_MAX: Duration = Duration::from_millis(1500);

/// What all bodies under way hold together, and room for the next ones.
#[derive(Clone, Debug, Default)]
pub struct BodyBudget {
    n_bytes: Arc<AtomicUsize>,
    buffers: Arc<Buffers>,
}

/// What one body holds of the budget; given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    n_bytes: usize,
    budget: BodyBudget,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.n_bytes.fetch_sub(self.n_bytes, Ordering::Relaxed);
    }
}

impl Share {
    /// Says how much is held now; refused where all bodies would hold too much with it.
    pub fn resize(&mut self, n_bytes: usize) -> Result<()> {
        let Some(more) = n_bytes.checked_sub(self.n_bytes) else {
            self.budget.n_bytes.fetch_sub(self.n_bytes - n_bytes, Ordering::Relaxed);
            self.n_bytes = n_bytes;
            return Ok(());
        };
        let before = self.budget.n_bytes.fetch_add(more, Ordering::Relaxed);
        self.n_bytes = n_bytes;
        let is_small = n_bytes <= SMALL_BYTES_MAX;
        let together_max = if is_small { TOGETHER_BYTES_MAX } else { TOGETHER_BYTES_MAX - SMALL_TOGETHER_BYTES };
        if more > 0 && before.saturating_add(more) > together_max {
            return Err(Problem::busy("too many request bodies are under way"));
        }
        Ok(())
    }
}

/// A body in memory; its share of the budget is given back when it is dropped.
#[derive(Debug)]
pub struct RequestBody {
    bytes: Vec<u8>,
    share: Share,
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.share.budget.buffers.give(std::mem::take(&mut self.bytes));
    }
}

impl RequestBody {
    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads JSON. Errors have only the place: the text of one may quote a value, which may be a password.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        self.json_or(|error| {
            let message = format!("the body is not what is wanted here, at column {}", error.column());
            Problem::bad_request("bad-body", message).hint("the fields are listed in /api/openapi.json")
        })
    }

    /// Reads JSON; `bad` says what is wrong with it, and may quote it where it holds no secret.
    pub fn json_or<T: DeserializeOwned>(&self, bad: impl FnOnce(serde_json::Error) -> Problem) -> Result<T> {
        serde_json::from_slice(&self.bytes).map_err(bad)
    }

    fn push(&mut self, chunk: &[u8]) -> Result<()> {
        self.share.resize(self.share.n_bytes.saturating_add(chunk.len()))?;
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

impl BodyBudget {
    /// Returns a share for a body that is not kept in memory as a whole.
    pub fn share(&self) -> Share {
        Share { n_bytes: 0, budget: self.clone() }
    }

    /// Reads `body` whole, at most `bytes_max` of it.
    pub async fn read(&self, body: Body, bytes_max: usize) -> Result<RequestBody> {
        let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        // Growing step by step would touch a third more memory and copy the body once more.
        let bytes = self.buffers.take(declared.min(bytes_max).min(ROOM_AT_ONCE_MAX));
        let mut received = RequestBody { bytes, share: self.share() };
        let too_large = || {
            let message = format!("the request body is larger than {bytes_max} bytes");
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", message);
            problem.hint("send smaller batches, or raise [limits] max_body_bytes")
        };
        let is_declared_too_large = body.size_hint().lower() > bytes_max as u64;
        let mut chunks = body.into_data_stream();
        if is_declared_too_large {
            drain(&mut chunks).await;
            return Err(too_large());
        }
        let began = Instant::now();
        loop {
            let patience = patience(received.bytes.len(), began.elapsed());
            let next = timeout(patience, chunks.next()).await;
            let chunk = match next {
                Ok(None) => return Ok(received),
                Ok(Some(Ok(chunk))) => chunk,
                Ok(Some(Err(_))) => {
                    return Err(Problem::bad_request("incomplete-body", "request body is incomplete"));
                }
                Err(_) => {
                    let message = "the request body came too slowly";
                    return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", message));
                }
            };
            let n_bytes = received.bytes.len();
            if n_bytes.saturating_add(chunk.len()) > bytes_max {
                drop(received);
                drain(&mut chunks).await;
                return Err(too_large());
            }
            if n_bytes + chunk.len() > received.bytes.capacity() {
                // Fourfold, but not beyond the limit: what all smaller buffers had, which the allocator gives back a
                // moment later, is a third of the body instead of all of it once more.
                let more = n_bytes.saturating_mul(3).min(bytes_max - n_bytes);
                received.bytes.reserve_exact(more.max(chunk.len()));
            }
            if let Err(busy) = received.push(&chunk) {
                // Its room is for others while the rest passes by.
                drop(received);
                drain(&mut chunks).await;
                return Err(busy);
            }
        }
    }
}

/// Returns how long to wait for more of a body, from the bytes received and the time taken.
fn patience(n_bytes: usize, elapsed: Duration) -> Duration {
    let in_all = TIME_MAX + Duration::from_secs((n_bytes / BYTES_PER_SECOND_MIN) as u64);
    in_all.saturating_sub(elapsed).min(PAUSE_MAX)
}

/// Reads and drops what a sender still has to say, within bounds: a connection closed on unread bytes is reset,
/// and the reset can overtake the answer that says why.
pub async fn drain(chunks: &mut BodyDataStream) {
    let mut n_bytes = 0usize;
    let rest = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            n_bytes = n_bytes.saturating_add(chunk.len());
            if n_bytes > DRAIN_BYTES_MAX {
                break;
            }
        }
    };
    let _ = timeout(DRAIN_TIME_MAX, rest).await;
}

#[cfg(test)]
mod tests;
