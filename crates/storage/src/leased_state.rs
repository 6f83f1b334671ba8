//! State that the nodes of a fleet share, as the node with the lease `alerts` saves it.

use std::sync::Arc;

use database::DatabaseError;

use crate::control::states::{StateChange, StateNews};
use crate::fleet::Follow;

/// A state by its name: records, each a text under a key, which all nodes read and one writes.
pub struct LeasedState {
    follower: Arc<dyn Follow>,
    name: &'static str,
}

impl LeasedState {
    pub(crate) fn new(follower: Arc<dyn Follow>, name: &'static str) -> Self {
        Self { follower, name }
    }

    /// Reports whether this node may save it, as far as it knows.
    pub fn is_held(&self) -> bool {
        self.follower.has_alerts()
    }

    /// Returns what became of it since a version; `None` if nothing did. Version 0 is that of a state that was never saved.
    ///
    /// # Errors
    /// If the control store does not answer.
    pub fn news(&self, since: u64) -> Result<Option<StateNews>, DatabaseError> {
        self.follower.state_news(self.name, since)
    }

    /// Saves a change, and returns the version after it. A change of nothing finds out whether this node may save.
    ///
    /// # Errors
    /// [`DatabaseError::is_refused`] if another node has the lease or has saved meanwhile: nothing was changed. After any
    /// other error it is unknown whether it was saved.
    pub fn save(&self, change: &StateChange<'_>) -> Result<u64, DatabaseError> {
        self.follower.save_state(self.name, change)
    }
}
