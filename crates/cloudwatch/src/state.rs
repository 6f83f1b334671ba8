//! What clients of CloudWatch have created and started on this server.

use std::sync::{Arc, OnceLock};

use storage::StoreError;
use types::GroupName;

use super::group_registry::GroupRegistry;
use super::kept_dashboards::KeepDashboards;
use super::metric_filters::counters::{self, MetricFilters};
use super::query_registry::QueryRegistry;
use super::subscriptions::registry::Subscriptions;
use door::exposition::Page;
use door::{FamilyServer, Problem, Result, Server};

/// The state of this API.
pub struct CloudWatchState {
    /// Groups and streams.
    pub(super) groups: GroupRegistry,
    pub(super) queries: QueryRegistry,
    pub(super) metric_filters: MetricFilters,
    /// Subscription filters.
    pub subscriptions: Subscriptions,
    dashboards: OnceLock<Box<dyn KeepDashboards>>,
}

/// The routes of this API.
pub(crate) type Routes = door::Routes<CloudWatchState>;

/// The server as a client of this API sees it.
pub(crate) type Shared = FamilyServer<CloudWatchState>;

impl CloudWatchState {
    /// Creates the state and starts all filters where they stopped. Blocks.
    pub fn start(server: &Server) -> Arc<Self> {
        let app = &server.app;
        let state = Arc::new(Self {
            groups: GroupRegistry::default(),
            queries: QueryRegistry::new(app.limits.queries_memory_bytes / 8),
            metric_filters: MetricFilters::start(server),
            subscriptions: Subscriptions::start(server.whole_store(), &app.clock, &server.closing, app.alerts.reach()),
            dashboards: OnceLock::new(),
        });
        let of_groups = state.clone();
        server.add_group_holder(move |server, group| of_groups.forget(server, group));
        state
    }

    /// Says where dashboards are kept, once.
    pub fn keep_dashboards(&self, kept: Box<dyn KeepDashboards>) {
        // A second place would be one too many: the first stays.
        let _ = self.dashboards.set(kept);
    }

    /// Returns where dashboards are kept.
    pub(super) fn dashboards(&self) -> Result<&dyn KeepDashboards> {
        self.dashboards.get().map(|kept| &**kept).ok_or_else(|| Problem::busy("the server is starting"))
    }

    /// Writes the counters of all filters to the metrics page. Blocks.
    pub fn write_metrics(&self, server: &Server, page: &mut Page) {
        counters::write(server, page);
        self.subscriptions.write(page);
    }

    /// Deletes what clients have created for a group that is deleted: its record and its filters.
    ///
    /// Returns `false` if no client has created the group.
    pub(super) fn forget(&self, server: &Server, name: &GroupName) -> Result<bool, StoreError> {
        self.metric_filters.forget(server, name)?;
        self.subscriptions.forget(name)?;
        self.groups.forget(server.whole_store(), name)
    }
}
