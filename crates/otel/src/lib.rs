//! Protocols of senders that do not query: OpenTelemetry (OTLP over HTTP and gRPC), Zipkin's spans, Splunk's event collector,
//! Datadog's intake of logs, Sentry's envelopes, Firehose's deliveries, CloudWatch Logs' HTTP endpoints, the upload of the systemd
//! journal, and with sockets of their own syslog, GELF, Fluentd's forward protocol, Lumberjack and lines.
//!
//! This crate parses their requests (`decode`) and writes their answers. Events are acknowledged only when they are durable.

mod bodies;
pub mod datadog;
pub mod endpoints;
pub mod firehose;
mod forward;
mod gelf;
pub mod grpc;
#[cfg(test)]
mod house;
pub mod journal;
mod lines;
mod lumberjack;
pub mod otlp;
pub mod sentry;
pub mod sockets;
pub mod splunk;
mod status;
mod syslog;
pub mod zipkin;

use door::Routes;

/// Returns the routes of these protocols.
pub fn routes() -> Routes<()> {
    gelf::add_routes(datadog::add(endpoints::add(firehose::add(sentry::add(splunk::add(zipkin::add(otlp::add(
        journal::add(Routes::default()),
    ))))))))
}
