//! The way of a request body into the store: decoded, parsed, handed over as one delivery.
//!
//! [`Intake`] knows the wire formats (NDJSON, text, the shipper's lines, Loki's push, Elasticsearch's documents, OTLP logs,
//! Splunk's events, CloudWatch's `PutLogEvents`, the journal's export format) and what foreign doors need to bring
//! their events in; it answers once the store says that the events are durable. Nothing here is queued: a call
//! holds one body, and memory beyond a multiple of the largest body is refused.
//!
//! This crate knows nothing of HTTP: neither statuses nor routes.

mod answer;
mod clocks;
mod cloudwatch;
mod collect;
mod decode;
mod elastic;
mod error;
mod ids;
mod intake;
mod journal;
mod lines;
mod loki;
mod ndjson;
mod otlp;
mod own_groups;
mod pipeline;
mod protobuf;
mod records;
mod sources;
mod splunk;
mod syslog;
mod text;
mod zones;

pub use answer::{IngestAnswer, Rejected};
pub use clocks::{ClockView, Clocks};
pub use cloudwatch::{PutError, PutLogEvents, PutOutcome, check_stream_name};
pub use collect::{Beside, Collector, Refused};
pub use decode::{Encoding, decode, lossy};
pub use elastic::{Action, Check, Item, Items, Outcome, Refusal};
pub use error::{IngestError, OutOfScope};
pub use intake::{Format, IngestRequest, Intake, Sender};
pub use journal::{JournalAnswer, JournalEntries, JournalEntry, JournalFault, JournalReader};
pub use otlp::OtlpForm;
pub use own_groups::{AUDIT_GROUP, OWN_GROUPS};
pub use pipeline::{DryRun, PipelineStatus, Pipelines, Sample};
pub use records::runs_of_records;
pub use sources::{HeldRange, ReportError, SourceState, SourceView, Sources, SourcesView};
pub use splunk::{HecAnswer, HecDefaults, HecFault, HecForm};
pub use syslog::{SyslogChunk, SyslogFramer, SyslogFrames};
