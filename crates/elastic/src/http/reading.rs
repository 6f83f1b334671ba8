//! Runs queries of this API on a blocking thread, with access to the state of the API.

use std::ops::Deref;

use door::problem::Problem;

use super::state::Shared;

/// A query while it runs.
pub(super) struct Reading<'a> {
    reading: &'a door::reading::Reading<'a>,
    /// The server as the caller of the query sees it.
    pub(super) server: &'a Shared,
}

impl<'a> Deref for Reading<'a> {
    type Target = door::reading::Reading<'a>;

    fn deref(&self) -> &Self::Target {
        self.reading
    }
}

/// Runs `work` on a blocking thread as a query that can be seen and cancelled.
pub(super) async fn read<T, F>(server: &Shared, text: &str, work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce(&Reading<'_>) -> Result<T, Problem> + Send + 'static,
{
    let of_work = server.clone();
    door::reading::read(server, text, move |reading| work(&Reading { reading, server: &of_work })).await
}
