//! The native API, the page and the language reference.
//!
//! Handlers decode, call one function of another crate, encode. State of the native API alone is in [`Api`]; the
//! other protocol families add their parts of `/metrics` and `/api/v1/status` through [`FamilyMetrics`].

mod alert_calls;
mod answer;
mod ask;
mod dashboards;
mod docs;
mod embedded;
mod foreign_boards;
mod json;
mod json_body;
mod links;
mod locale;
mod markdown;
mod page;
mod reference;
mod reports;
mod routes;
mod state;
mod subject;
mod unknown_fields;
mod unknown_groups;
mod views;

use std::sync::{Arc, Weak};

use axum::http::HeaderMap;
use axum::response::Response;
use door::{Routes, Server};

pub use docs::{LICENSES, page_at as docs_page};
pub use foreign_boards::ForeignBoard;
pub use page::{asset, index};
pub use state::{Api, CountCallsOf, CountsOfDoors, DoorNumber, FamilyMetrics, ListFilters, MetricsWriter};

/// Starts the native API of a server.
pub fn start(server: &Arc<Server>, families: FamilyMetrics) -> Arc<Api> {
    let api = Arc::new(Api::start(server, families));
    routes::metrics::publish(server, &api);
    alert_calls::publish(server, &api);
    api
}

/// Sends reports when they are due, until the server ends.
pub async fn send_reports(server: Weak<Server>, api: Weak<Api>) {
    reports::follow(server, api).await;
}

/// Returns the native routes.
pub fn routes() -> Routes<Api> {
    routes::table()
}

/// Returns the language reference as a page.
pub fn reference_page(api: &Api, headers: &HeaderMap) -> Response {
    page::reference(api.reference(), headers)
}
