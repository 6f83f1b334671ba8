//! The door: what every protocol that is spoken over HTTP needs and none of them owns.
//!
//! Connections and TLS, access (keys, users, sessions), admission of requests and queries, bodies and parameters,
//! problems and their statuses, the audit log, the server as one caller sees it, and the running of queries. A protocol
//! family (`api`, `loki`, `elastic`, `cloudwatch`, `otel`) is built on it and adds its routes with its own state.
//!
//! Knows no route, no format of a foreign protocol and no state of one. Stores nothing itself, and reads no clock but the
//! store's. All blocking work runs on bounded threads behind a [`work::Gate`].

pub mod access;
pub mod answer;
pub mod archives;
pub mod audit;
mod audit_log;
pub mod body;
pub mod call;
pub mod connection_slots;
pub mod deletion;
pub mod exposition;
pub mod finding;
pub mod fleet;
pub mod format;
pub mod guard;
pub mod headers;
pub mod health;
pub mod intake_gates;
pub mod listen;
pub mod logql;
mod noted_request;
pub mod opaque;
pub mod own_samples;
pub mod parameters;
pub mod problem;
pub mod protection;
pub mod queries;
pub mod query_admission;
pub mod query_run;
mod saved_filter;
pub mod scoped_store;
pub mod server;
pub mod socket;
pub mod spans;
pub mod table;
pub mod tables;
pub mod tls;
pub mod traffic;
pub mod users;
pub mod work;

pub use access::{Caller, Role, covers};
pub use answer::{PIECE_BYTES, duration_text, reason_json, stats_json, warning_json, write_value};
pub use body::RequestBody;
pub use call::{Call, Outcome, Reply};
pub use connection_slots::ConnectionSlots;
pub use deletion::EventDeletion;
pub use format::ErrorFormat;
pub use intake_gates::Packing;
pub use opaque::Opaque;
pub use parameters::Parameters;
pub use problem::{Problem, Result, random, to_json};
pub use queries::{RunningQuery, Ticket};
pub use query_run::{QueryRun, Scope, Takers};
pub use saved_filter::SavedFilter;
pub use server::{App, FamilyServer, Server, Shared};
pub use table::{DeliveryMark, Entry, Routes, Table};
