//! Runs queries of this API on a blocking thread, with access to the state of the API.

use std::ops::Deref;

use door::{Outcome, Reply};

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

/// Returns the step of a query that can be seen and cancelled.
pub(super) fn query(
    server: &Shared,
    text: &str,
    work: impl FnOnce(&SearchRun<'_>) -> Outcome + Send + 'static,
) -> Outcome {
    let of_work = server.clone();
    Ok(Reply::query(server, text, move |reading| work(&SearchRun { reading, server: &of_work })))
}
