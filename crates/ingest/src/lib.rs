//! The way of a request body into the store: decoded, parsed, handed over as one delivery.
//!
//! [`Intake`] knows the native formats (NDJSON, text, the shipper's lines) and Elasticsearch's documents, and has what
//! foreign protocols need to bring their events in: [`Collector`], protobuf, ids of events. It answers once the store
//! says that the events are durable. Nothing here is queued: a call holds one body, and memory beyond a multiple of the
//! largest body is refused.
//!
//! This crate knows nothing of HTTP: neither statuses nor routes.

mod answer;
mod clocks;
mod collect;
mod decode;
mod elastic;
mod error;
pub mod ids;
mod intake;
mod lines;
mod ndjson;
mod own_groups;
mod pipeline;
pub mod protobuf;
mod records;
mod sources;
mod text;
mod zones;

pub use answer::{IngestAnswer, Rejected};
pub use clocks::{ClockView, Clocks};
pub use collect::{Beside, Collector, Refused};
pub use decode::{Encoding, decode, lossy};
pub use elastic::{Action, Check, Item, Items, Outcome, Refusal};
pub use error::{IngestError, OutOfScope};
pub use intake::{Format, IngestRequest, Intake, Sender};
pub use own_groups::{AUDIT_GROUP, OWN_GROUPS};
pub use pipeline::{DryRun, PipelineStatus, Pipelines, Sample};
pub use records::runs_of_records;
pub use sources::{HeldRange, ReportError, SourceState, SourceView, Sources, SourcesView};
