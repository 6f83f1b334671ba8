//! One dashboard by its name, as it exists for the caller.

use dashboard::derive::Subject;
use types::TimeRange;

use super::derived;
use crate::dashboards::DashboardView;
use crate::state::Shared;
use door::problem::Problem;

/// Finds a dashboard; one that is derived follows from what `range` has, else the last day.
pub(crate) async fn find(
    server: &Shared,
    name: String,
    version: Option<u64>,
    range: Option<TimeRange>,
) -> Result<DashboardView, Problem> {
    if let Some(subject) = Subject::parse(&name) {
        return derived::find(server, name, subject, range).await;
    }
    let of_thread = server.clone();
    let work = move || {
        let (settings, caller) = (of_thread.settings(), &of_thread.caller);
        of_thread.state.dashboards.get(settings, caller, (&name, version), of_thread.now())
    };
    server.lookups.run(work).await?
}
