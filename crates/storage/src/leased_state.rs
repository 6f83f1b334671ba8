//! State that all nodes of a fleet read and the node with the lease `alerts` writes.

use std::sync::Arc;

use database::Result;

use crate::control::states::{StateChange, StateNews};
use crate::fleet::Follow;

/// A named state, divided into records: texts with keys.
pub struct LeasedState {
    follower: Arc<dyn Follow>,
    name: &'static str,
}

impl LeasedState {
    pub(crate) fn new(follower: Arc<dyn Follow>, name: &'static str) -> Self {
        Self { follower, name }
    }

    /// Reports whether this node may save the state, as far as it knows.
    pub fn is_held(&self) -> bool {
        self.follower.has_alerts()
    }

    /// Returns its changes since a version; `None` if there are none. A state that was never saved has version 0.
    ///
    /// # Errors
    /// If the control store does not answer.
    pub fn news(&self, since: u64) -> Result<Option<StateNews>> {
        self.follower.state_news(self.name, since)
    }

    /// Saves a change and returns the new version. An empty change checks whether this node may save.
    ///
    /// # Errors
    /// [`DatabaseError::is_refused`] if another node has the lease or has saved meanwhile: nothing was changed. After any
    /// other error it is unknown whether it was saved.
    pub fn save(&self, change: &StateChange<'_>) -> Result<u64> {
        self.follower.save_state(self.name, change)
    }
}
