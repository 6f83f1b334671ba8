//! Spans: traces as trees, searches for traces, the service map, and the APIs of Tempo, Jaeger and Zipkin.
//!
//! A span is an event whose `@type` is `span`; this crate stores none. It asks plans through the door, within the caller's
//! scope, and makes of their rows what a trace is: repeated spans are dropped, missing parents, cycles and clocks that differ are
//! named. All it holds is what a service map has read of ranges of time that are over.

mod clock_skew;
mod critical_path;
mod map;
mod native;
mod plans;
mod problem;
mod read;
mod search;
mod span;
mod times;
mod tree;
mod values;

use door::access::Role;
use door::server::FamilyState;
use door::table::Table;

/// What the routes share.
#[derive(Debug, Default)]
pub struct TracesState {
    slices: map::cache::SliceCache,
}

/// Returns the routes of this crate.
pub fn routes() -> Table<FamilyState<TracesState>> {
    Table::default()
        .get("/api/v1/traces/{id}", Role::Read, native::trace::get)
        .get("/api/v1/service-map", Role::Read, native::map::get)
        .post("/api/v1/traces/search", Role::Read, native::search::post)
}
