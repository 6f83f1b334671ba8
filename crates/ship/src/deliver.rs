//! How a batch gets to a server: one trait, and what may come back.

use std::time::Duration;

use crate::{FileBatch, HeldQuestion, HeldRange, SourceReport};

/// A server, reached over the network or in the same process.
pub trait Deliver: Send + Sync {
    /// Hands over `batch` and returns when it is durable. Blocks.
    ///
    /// May be called from several threads, never with two batches of one file at once. The same batch comes again
    /// after [`DeliverError::Retry`].
    fn deliver(&self, batch: &FileBatch) -> Result<DeliveryReceipt, DeliverError>;

    /// Asks what the server holds of a file that an earlier shipper may have brought. A server that does not know knows
    /// of nothing. Blocks.
    fn held(&self, _question: &HeldQuestion) -> Result<Vec<HeldRange>, DeliverError> {
        Ok(Vec::new())
    }

    /// Reports the state of the shipper. Nothing depends on its arrival: it is sent again. Blocks for seconds at most.
    fn report(&self, _report: &SourceReport) -> Result<(), DeliverError> {
        Ok(())
    }
}

/// The server's answer for a batch that it stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReceipt {
    /// Whether it had all of it before.
    pub duplicate: bool,
    /// Up to where the server has the file without a gap, if known.
    pub high_water: Option<u64>,
    /// Events of it that the server refused, as ranges of bytes of the file; they are not stored.
    pub refused: Vec<(u64, u64)>,
    /// Why it refused the first of them.
    pub refusal: Option<String>,
    /// Exemplars of it that the server left out.
    pub exemplars_left_out: u64,
}

/// Why a batch is not with the server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// It may work later.
    #[error("{reason}")]
    Retry {
        /// How long the server asks to wait, if it does.
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// It will never work with this batch.
    #[error("refused: {0}")]
    Refused(String),
    /// It may work in smaller pieces.
    #[error("refused: {0}")]
    TooLarge(String),
}

/// First wait after a failure.
const WAIT_MS_FIRST: u64 = 100;

/// Longest wait of our own choice; a server may ask for more.
const WAIT_MS_MAX: u64 = 30_000;

/// Longest wait that a server may ask for: beyond it a `Retry-After` is taken for a mistake.
const WAIT_ASKED_MAX: Duration = Duration::from_secs(300);

/// Returns how long to wait before attempt `n_failed + 1`: twice as long each time, and a random part of it, so that a
/// thousand shippers do not come back in the same instant (full jitter). Never less than the server asked for.
pub fn wait_before_retry(n_failed: u32, asked: Option<Duration>, random: u64) -> Duration {
    let ceiling = WAIT_MS_FIRST.saturating_mul(1 << n_failed.saturating_sub(1).min(16)).min(WAIT_MS_MAX);
    let own = Duration::from_millis(WAIT_MS_FIRST / 2 + random % ceiling);
    asked.map_or(own, |asked| asked.min(WAIT_ASKED_MAX) + own.min(Duration::from_secs(1)))
}

#[cfg(test)]
mod tests;
