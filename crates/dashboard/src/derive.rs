//! Dashboards that nobody has to make: of a group, a service or a host, from what its events and samples are.
//!
//! ```text
//! facts (fields, names of metrics) ─► candidates: panels, each with the condition that an event must meet for it to show anything
//!                                        conditions ─► looked for by the caller ─► facts.found ─► the dashboard
//! ```
//!
//! Promises: a panel is on the dashboard only if an event meets its condition, so that none is empty; the same facts give the
//! same dashboard; what [`derive`] returns passes [`crate::check`]. Reads no event itself.

mod access;
mod board;
mod facts;
mod flows;
mod general;
mod indonesian;
mod insights;
mod kinds;
mod kubernetes;
mod lambda;
mod node;
mod own;
mod postgres;
mod samples;
mod spans;
mod sshd;
mod systemd;

pub use self::access::{RequestFields, request_fields};
pub use self::facts::{EventFacts, Facts, FieldFacts, Part, SampleFacts, Subject};
pub use self::indonesian::in_language;
pub use self::kinds::{conditions, derive};

#[cfg(test)]
mod tests;
