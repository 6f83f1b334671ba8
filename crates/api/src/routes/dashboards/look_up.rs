//! One dashboard by its name, as it exists for the caller.

use dashboard::derive::Subject;
use types::{Locale, TimeRange};

use super::derived;
use crate::dashboards::DashboardView;
use crate::state::Shared;
use door::Result;

/// Finds a dashboard; one that is derived follows from what `range` has, else the last day, and is in a language.
pub(crate) async fn find(
    server: &Shared,
    name: String,
    version: Option<u64>,
    (range, locale): (Option<TimeRange>, Locale),
) -> Result<DashboardView> {
    if let Some(subject) = Subject::parse(&name) {
        return derived::find(server, name, subject, (range, locale)).await;
    }
    let of_thread = server.clone();
    let work = move || {
        let (settings, caller) = (of_thread.settings(), &of_thread.caller);
        of_thread.state.dashboards.get(settings, caller, (&name, version), of_thread.now())
    };
    server.lookups.run(work).await?
}
