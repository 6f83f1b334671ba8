//! Spans: traces as trees, searches for traces, the service map, and the APIs of Tempo, Jaeger, Zipkin and X-Ray.
//!
//! A span is an event whose `@type` is `span`; this crate stores none. It runs plans through the door, within the caller's scope,
//! and builds traces from their rows: repeated spans are dropped; missing parents, cycles and clocks that differ are named. All
//! it holds is a cache of slices of the service map, in memory and in a file that may be removed at any time.

mod candidates;
mod clock_skew;
mod critical_path;
mod density;
mod dependencies;
mod far_events;
mod inside;
mod jaeger;
mod map;
mod native;
mod node;
mod otlp;
mod plans;
mod problem;
mod read;
mod reading;
mod search;
mod service_graph;
mod shares;
mod span;
mod state;
mod tempo;
mod times;
mod trace_events;
mod tree;
mod values;
mod warning;
mod xray;
mod zipkin;

use door::{ErrorFormat, Role};

use self::jaeger::JaegerFormat;
use self::state::Routes;
use self::tempo::TextFormat;

pub use self::map::calls::count_calls_of;
pub use self::map::upkeep::follow_spans;
pub use self::service_graph::count_calls;
pub use self::state::TracesState;

/// Returns the routes of this crate.
pub fn routes() -> Routes {
    let table = Routes::default()
        .get("/api/v1/traces/{id}", Role::Read, native::trace::get)
        .get("/api/v1/service-map", Role::Read, native::map::get)
        .post("/api/v1/traces/density", Role::Read, native::density::post)
        .post("/api/v1/traces/search", Role::Read, native::search::post);
    xray::add(zipkin::add(jaeger::add(tempo::add(table))))
}

/// Returns the error format of the API that a path belongs to; `None` for the native API.
pub fn format_of(path: &str) -> Option<Box<dyn ErrorFormat>> {
    if path.starts_with(jaeger::PREFIX) {
        return Some(Box::new(JaegerFormat));
    }
    let is_plain = path.starts_with(tempo::PREFIX) || path.starts_with(zipkin::PREFIX);
    is_plain.then(|| Box::new(TextFormat) as Box<dyn ErrorFormat>)
}
