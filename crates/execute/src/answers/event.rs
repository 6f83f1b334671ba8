//! An event that stands for a pattern.

use std::sync::Arc;

use types::Timestamp;

/// An event that is shown.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: Arc<str>,
    /// Its time.
    pub time: Timestamp,
    /// Its text.
    pub text: Arc<str>,
}
