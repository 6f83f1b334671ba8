//! Runs queries of this API on a blocking thread, with access to the state of the API.

use std::ops::Deref;

use door::problem::Problem;

use super::state::Shared;

/// A query while it runs.
pub(super) struct SearchRun<'a> {
    reading: &'a door::query_run::QueryRun<'a>,
    /// The server as the caller of the query sees it.
    pub(super) server: &'a Shared,
}

impl<'a> Deref for SearchRun<'a> {
    type Target = door::query_run::QueryRun<'a>;

    fn deref(&self) -> &Self::Target {
        self.reading
    }
}

/// Runs `work` on a blocking thread as a query that can be seen and cancelled.
pub(super) async fn read<T, F>(server: &Shared, text: &str, work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce(&SearchRun<'_>) -> Result<T, Problem> + Send + 'static,
{
    let of_work = server.clone();
    door::query_run::read(server, text, move |reading| work(&SearchRun { reading, server: &of_work })).await
}
