//! Senders of logs that have a protocol of their own and ask nothing: OpenTelemetry (OTLP over HTTP and gRPC), Splunk's
//! event collector, the systemd journal's upload, and syslog.
//!
//! Each protocol has its reading of requests (`decode`) and its form of answers here, and nowhere else. Nothing is
//! answered, or taken from a syslog connection, as stored before it is durable.

pub mod grpc;
pub mod journal;
pub mod otlp;
pub mod splunk;
mod status;
pub mod syslog;

use std::sync::Arc;

use door::server::Server;
use door::table::Table;

/// Returns the routes of these protocols.
pub fn routes() -> Table<Arc<Server>> {
    splunk::add(otlp::add(journal::add(Table::default())))
}
