//! Where the dashboards of clients are kept: this API does not know the native one, which has them.

use door::{Result, Shared};
use types::Timestamp;

/// Where dashboards are kept. All of it blocks.
pub trait KeepDashboards: Send + Sync {
    /// Creates or replaces the dashboard with a name. Returns the widgets that were not imported completely: the index of each
    /// and the reason.
    ///
    /// # Errors
    /// If the body is none, or the name belongs to somebody else; so for the other functions.
    fn put(&self, server: &Shared, name: &str, body: &str) -> Result<Vec<(usize, String)>>;

    /// Returns a body as it was put; none if there is none for the caller.
    fn body(&self, server: &Shared, name: &str) -> Result<Option<String>>;

    /// Returns the dashboards with a body that exist for the caller, by name.
    fn list(&self, server: &Shared) -> Result<Vec<KeptDashboard>>;

    /// Takes a dashboard away.
    fn remove(&self, server: &Shared, name: &str) -> Result<()>;
}

/// A dashboard with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDashboard {
    /// Its name.
    pub name: String,
    /// Bytes of its body.
    pub bytes: usize,
    /// When it was changed.
    pub changed: Timestamp,
}
