//! What is known of the databases of a store from outside: whether they can be used now.

use std::sync::Mutex;

use crate::signal::Signal;
use database::DatabaseError;
use types::Hold;

/// What is known of the catalog from outside.
#[derive(Default)]
pub(crate) struct Claim {
    pub(crate) signal: Signal,
    problem: Mutex<Option<String>>,
    control_problem: Mutex<Option<String>>,
}

impl Claim {
    /// Returns why the catalog cannot be used now.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.hold().clone()
    }

    /// Returns why the control store cannot be used now.
    pub(crate) fn control_problem(&self) -> Option<String> {
        self.control_problem.hold().clone()
    }

    /// Notes how the catalog is; `true` if that changed.
    pub(crate) fn note(&self, error: Option<&DatabaseError>) -> bool {
        note(&self.problem, error)
    }

    /// Notes how the control store is, and logs where that changed.
    pub(crate) fn note_control(&self, error: Option<&DatabaseError>) {
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
    let mut problem = problem.hold();
    let has_changed = problem.is_some() != error.is_some();
    *problem = error.map(ToString::to_string);
    has_changed
}
