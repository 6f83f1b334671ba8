//! The native API's own state: saved views, the language reference, and what other families tell it about themselves.

use std::sync::OnceLock;

use cause::CallCounts;
use door::exposition::Page;
use door::{FamilyServer, QueryRun, Result, SavedFilter, Server};
use execute::PartialReason;
use incident::{Incidents, Issues};
use types::{GroupPattern, TimeRange};

use crate::dashboards::Dashboards;
use crate::reference::Reference;
use crate::unknown_fields::UnknownFieldCache;
use crate::views::Views;

/// Writes what a protocol family counts onto the page of metrics. Blocks.
pub type MetricsWriter = Box<dyn Fn(&Server, &mut Page) + Send + Sync>;

/// A number of the listeners of a door: its name, whether it only grows, what it means, its value.
pub type DoorNumber = (&'static str, bool, &'static str, u64);

/// Returns the numbers of doors, by their names.
pub type CountsOfDoors = Box<dyn Fn() -> Vec<(&'static str, Vec<DoorNumber>)> + Send + Sync>;

/// Lists the filters that clients of other protocols saved. Blocks.
pub type ListFilters = Box<dyn Fn(&Server) -> Result<Vec<SavedFilter>> + Send + Sync>;

/// Counts the calls between services in two ranges, of the spans in some groups; why some may be missing is the second part.
pub type CountCallsOf =
    Box<dyn Fn(&QueryRun<'_>, [TimeRange; 2], &[GroupPattern]) -> (Vec<CallCounts>, Vec<PartialReason>) + Send + Sync>;

/// What other protocol families tell about themselves.
pub struct FamilyMetrics {
    /// Numbers of the listeners of other protocols, by the name of the door.
    pub doors: CountsOfDoors,
    /// Writers of metrics, in the order of the page.
    pub writers: Vec<MetricsWriter>,
    /// Filters that need events.
    pub filters: ListFilters,
    /// What the spans of traces tell of calls.
    pub calls: CountCallsOf,
}

/// The state of the native API.
pub struct Api {
    /// Saved views.
    pub(crate) views: Views,
    /// Dashboards.
    pub(crate) dashboards: Dashboards,
    /// Warnings about unknown fields of the questions asked last.
    pub(crate) unknown_fields: UnknownFieldCache,
    /// Issues, or why they are not counted.
    pub issues: Result<Issues, String>,
    /// Incidents.
    pub(crate) incidents: Incidents,
    /// What other families count.
    pub families: FamilyMetrics,
    reference: OnceLock<Reference>,
}

/// A request of the native API, and its routes.
pub(crate) type Call = door::Call<Api>;
pub(crate) type Routes = door::Routes<Api>;

/// The server as a client of the native API sees it.
pub(crate) type Shared = FamilyServer<Api>;

impl Api {
    /// Returns the state at the start of a server; `families` is what other families tell about themselves.
    pub fn start(server: &Server, families: FamilyMetrics) -> Self {
        let (views, unknown_fields) = (Views::default(), UnknownFieldCache::default());
        let app = &server.app;
        let dashboards = Dashboards::new(app.dashboards_dir.clone());
        let issues = Issues::start(server.whole_store().clone(), app.clock.clone(), app.alerts.clone());
        let issues = issues.map_err(|error| error.to_string());
        if let Err(error) = &issues {
            tracing::error!(error, "issues are not counted");
        }
        let incidents = Incidents::default();
        Self { views, dashboards, unknown_fields, issues, incidents, families, reference: OnceLock::new() }
    }

    /// Returns the language reference, rendered when it is first wanted.
    pub(crate) fn reference(&self) -> &Reference {
        self.reference.get_or_init(Reference::new)
    }
}
