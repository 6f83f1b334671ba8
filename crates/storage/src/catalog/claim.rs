//! Keeping the claim on a catalog that several servers could write to: its owner says now and then that it is alive,
//! learns that it was replaced, and notices when the catalog goes away and comes back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::flush::Bell;
use crate::store::{Closed, Shared};
use crate::{DatabaseError, DatabaseProblem};

/// How often the claim is renewed. Several times within the time after which another server may take over.
const RENEW: Duration = Duration::from_secs(5);

/// How often a catalog that is away is asked for.
const RETRY: Duration = Duration::from_millis(500);

/// What is known of the catalog from outside.
#[derive(Default)]
pub(crate) struct Claim {
    pub(crate) bell: Bell,
    problem: Mutex<Option<String>>,
}

impl Claim {
    /// Why the catalog cannot be used now.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how the catalog is; `true` where that changed.
    fn note(&self, error: Option<&DatabaseError>) -> bool {
        let mut problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = problem.is_some() != error.is_some();
        *problem = error.map(ToString::to_string);
        has_changed
    }
}

/// The thread that keeps the claim.
pub(crate) fn run(shared: &Shared) {
    let mut pause = RENEW;
    while shared.claim.bell.pause(pause) {
        let renewed = shared.catalog().renew();
        let has_changed = shared.claim.note(renewed.as_ref().err());
        pause = RENEW;
        match renewed {
            Ok(()) if has_changed => {
                tracing::info!("catalog can be used again");
                shared.bell.ring();
            }
            Ok(()) => {}
            Err(error) if matches!(error.problem, DatabaseProblem::Replaced { .. }) => {
                tracing::error!(%error, "this server takes no events any more");
                shared.queue.close(Closed::Poisoned(error.to_string()));
                return;
            }
            Err(error) => {
                if has_changed {
                    tracing::error!(%error, "catalog cannot be used; events are kept in the wal meanwhile");
                }
                pause = RETRY;
            }
        }
    }
}
