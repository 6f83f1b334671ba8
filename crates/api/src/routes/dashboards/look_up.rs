//! One dashboard by its name, as it exists for the caller.

use dashboard::derive::Subject;
use types::{Locale, TimeRange};

use super::derived;
use crate::dashboards::DashboardView;
use crate::state::Shared;
use door::{HandlerServer, Problem};

/// Finds a dashboard; one that is derived follows from what `range` has, else the last day, and is in a language.
pub(crate) async fn find(
    server: &Shared,
    name: String,
    version: Option<u64>,
    (range, locale): (Option<TimeRange>, Locale),
) -> Result<DashboardView, Problem> {
    if let Some(subject) = Subject::parse(&name) {
        return derived::find(server, name, subject, (range, locale)).await;
    }
    let work = move |server: &Shared| {
        let (settings, caller) = (server.settings(), &server.caller);
        server.state.dashboards.get(settings, caller, (&name, version), server.now())
    };
    server.look_up(work).await?
}
