//! Keeping the claim on a catalog that several servers could write to: its owner says now and then that it is alive,
//! learns that it was replaced, and notices when the catalog goes away and comes back.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::flush::Bell;
use crate::store::{Closed, Shared};
use crate::{DatabaseError, DatabaseProblem};

/// How often the claim is renewed. Several times within the time after which another server may take over.
const RENEW: Duration = Duration::from_secs(2);

/// How often a catalog that is away is asked for.
const RETRY: Duration = Duration::from_millis(500);

/// What is known of the catalog from outside.
#[derive(Default)]
pub(crate) struct Claim {
    pub(crate) bell: Bell,
    problem: Mutex<Option<String>>,
    control_problem: Mutex<Option<String>>,
}

impl Claim {
    /// Why the catalog cannot be used now.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the control store cannot be used now.
    pub(crate) fn control_problem(&self) -> Option<String> {
        self.control_problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how the catalog is; `true` where that changed.
    fn note(&self, error: Option<&DatabaseError>) -> bool {
        note(&self.problem, error)
    }

    /// Notes how the control store is, and logs where that changed.
    fn note_control(&self, error: Option<&DatabaseError>) {
        match (note(&self.control_problem, error), error) {
            (true, Some(error)) => {
                tracing::error!(%error, "control store cannot be used; settings cannot be changed meanwhile");
            }
            (true, None) => tracing::warn!("control store can be used again"),
            (false, _) => {}
        }
    }
}

fn note(problem: &Mutex<Option<String>>, error: Option<&DatabaseError>) -> bool {
    let mut problem = problem.lock().unwrap_or_else(PoisonError::into_inner);
    let has_changed = problem.is_some() != error.is_some();
    *problem = error.map(ToString::to_string);
    has_changed
}

/// The thread that keeps the claim, and asks for the control store.
pub(crate) fn run(shared: &Shared) {
    let mut pause = RENEW;
    while shared.claim.bell.pause(pause) {
        let renewed = shared.catalog().renew();
        if let Err(error) = &renewed
            && matches!(error.problem, DatabaseProblem::Replaced { .. })
        {
            // Before anybody can read that it was replaced, and before the control store is waited for.
            shared.queue.close(Closed::Poisoned(error.to_string()));
            shared.claim.note(Some(error));
            tracing::error!(%error, "this server takes no events any more");
            return;
        }
        let has_changed = shared.claim.note(renewed.as_ref().err());
        let control = shared.control().check();
        shared.claim.note_control(control.as_ref().err());
        pause = if control.is_ok() { RENEW } else { RETRY };
        match renewed {
            Ok(()) if has_changed => {
                tracing::warn!("catalog can be used again");
                shared.bell.ring();
            }
            Ok(()) => {}
            Err(error) => {
                if has_changed {
                    tracing::error!(%error, "catalog cannot be used; events are kept in the wal meanwhile");
                }
                pause = RETRY;
            }
        }
    }
}
