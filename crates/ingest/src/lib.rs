//! The way of a request body into the store: decoded, parsed, handed over as one delivery.
//!
//! [`Intake`] knows the native formats (NDJSON, text, the shipper's lines). Foreign protocols bring their events in with a
//! [`Collector`]; for them there are also protobuf and ids of events. It answers once the store
//! says that the events are durable. Nothing here is queued: a call holds one body, and memory beyond a multiple of the
//! largest body is refused.
//!
//! This crate knows nothing of HTTP: neither statuses nor routes.

mod answer;
mod clocks;
mod collector;
pub mod datum;
mod decode;
mod decode_budget;
mod error;
mod event;
pub mod ids;
mod intake;
mod line_context;
mod lines;
mod ndjson;
pub mod otlp_json;
mod own_groups;
mod pipeline;
pub mod protobuf;
mod records;
mod request;
pub mod sample;
mod sender;
pub mod snappy;
mod sources;
pub mod span;
mod text;
mod trace;
mod zones;

pub use answer::{IngestAnswer, RejectedRecord};
pub use clocks::{ClockView, Clocks};
pub use collector::{Collector, RecordRefusal};
pub use decode::{Encoding, decode, lossy};
pub use decode_budget::{DecodeBudget, PAIR_BYTES};
pub use error::{IngestError, OutOfScope, Result};
pub use event::{EventFields, EventMetadata, RawEvent};
pub use intake::Intake;
pub use own_groups::{ALARMS_GROUP, AUDIT_GROUP, OWN_GROUPS};
pub use parse::FieldWriter;
pub use pipeline::{
    DryRun, MadePipeline, MakePipelineError, PipelineStatus, Pipelines, Sample, Trial, TrialCounts, TrialExample,
    TrialOutcome,
};
pub use records::runs_of_records;
pub use request::{Format, IngestRequest};
pub use sender::{GroupNotes, Sender};
pub use sources::{
    FilePlace, FileRangeState, FileRangeView, HeldRange, InputScrapes, ReportError, ReportedScrapes, SourceScrapes,
    SourceState, SourceView, Sources, SourcesView, ToldSources, visible_scrapes,
};
pub use trace::{KeptEvent, TracedEvent, TracedText};
