//! Why a request was refused as a whole.

use storage::AppendError;
use types::GroupName;

/// What most of a request returns.
pub type Result<T, E = IngestError> = std::result::Result<T, E>;

/// Why nothing of a request was stored, or, for [`IngestError::Store`], why it is not known to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The body is larger than allowed once decompressed.
    #[error("body is larger than {bytes_max} bytes after decompression; send smaller batches")]
    TooLarge {
        /// The most that a body may have.
        bytes_max: usize,
    },
    /// The body unfolds to far more than was sent.
    #[error("body unfolds to more than {ratio_max} times its size; send smaller batches")]
    Bomb {
        /// The most that is allowed.
        ratio_max: usize,
    },
    /// The events would take more memory than a request may hold, though the body is not too large.
    #[error("events of this body need more than {bytes_max} bytes of memory; send smaller batches")]
    TooManyFields {
        /// The most that the events of a request may hold.
        bytes_max: usize,
    },
    /// The request asks for more than one answer can tell.
    #[error("request has more than {actions_max} actions; send smaller batches")]
    TooManyActions {
        /// The most that a request may have.
        actions_max: usize,
    },
    /// The compressed body is damaged or cut off.
    #[error("body is no valid {encoding}: {problem}")]
    BadEncoding {
        /// What it was said to be.
        encoding: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The header of the `lines` format is missing or wrong.
    #[error("header of format lines: {0}")]
    BadHeader(String),
    /// The body of a foreign protocol cannot be read.
    #[error("body is no {what}: {problem}")]
    BadBody {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A push request of Loki's has no stream.
    #[error("error at least one valid stream is required for ingestion")]
    NoStreams,
    /// Another request is about to store the same event.
    #[error("an event of the same id is on its way into the store; send it again in a moment")]
    OnItsWay,
    /// The sender may not write to the group.
    #[error(transparent)]
    OutOfScope(#[from] OutOfScope),
    /// The store did not take the events.
    #[error(transparent)]
    Store(#[from] AppendError),
}

impl IngestError {
    /// Reports whether the store may accept the same delivery later.
    pub fn is_temporary(&self) -> bool {
        use AppendError::{Away, DiskFull, Draining, Locked, Overloaded, Poisoned};
        // A poisoned log accepts nothing until the next start: a retry stores nothing twice, and senders have to wait.
        let Self::Store(problem) = self else { return false };
        matches!(problem, Overloaded { .. } | Away { .. } | Draining { .. } | DiskFull { .. } | Locked(_) | Poisoned(_))
    }
}

/// The sender may not write to this group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this key may not send to the group {0}")]
pub struct OutOfScope(pub GroupName);
