//! Dashboards of CloudWatch's clients among those of the native API.

use std::sync::Arc;

use api::Api;
use cloudwatch::{KeepDashboards, KeptDashboard};
use door::{Result, Shared};

/// The dashboards of the native API.
pub(crate) struct NativeBoards(pub(crate) Arc<Api>);

impl KeepDashboards for NativeBoards {
    fn put(&self, server: &Shared, name: &str, body: &str) -> Result<Vec<(usize, String)>> {
        self.0.put_foreign_board(server, name, body)
    }

    fn body(&self, server: &Shared, name: &str) -> Result<Option<String>> {
        self.0.foreign_body(server, name)
    }

    fn list(&self, server: &Shared) -> Result<Vec<KeptDashboard>> {
        let kept = |board: api::ForeignBoard| {
            let api::ForeignBoard { name, bytes, changed } = board;
            KeptDashboard { name, bytes, changed }
        };
        Ok(self.0.foreign_boards(server)?.into_iter().map(kept).collect())
    }

    fn remove(&self, server: &Shared, name: &str) -> Result<()> {
        self.0.remove_foreign_board(server, name)
    }
}
