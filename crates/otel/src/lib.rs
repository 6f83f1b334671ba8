//! Protocols of senders that do not query: OpenTelemetry (OTLP over HTTP and gRPC), Zipkin's spans, Splunk's event collector,
//! the upload of the systemd journal, and syslog.
//!
//! This crate parses their requests (`decode`) and writes their answers. Events are acknowledged only when they are durable.

pub mod grpc;
pub mod journal;
pub mod otlp;
pub mod splunk;
mod status;
pub mod syslog;
pub mod zipkin;

use door::table::Routes;

/// Returns the routes of these protocols.
pub fn routes() -> Routes<()> {
    splunk::add(zipkin::add(otlp::add(journal::add(Routes::default()))))
}
