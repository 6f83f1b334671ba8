//! What people keep about errors: issues, incidents, and the ledger of both.
//!
//! ```text
//! accepted batches ─► errors ─► signature (pattern or stack trace) at a place (group, service) ─► issue: counts
//!                                          decisions of people (control store) ─► its state ─► list, notifications
//! incidents (control store): times, items ─► durations, availability ─► ledger, post-mortem
//! ```
//!
//! Promises: an event counts once in one issue, across restarts and nodes; an issue keeps its id for its life; what
//! people decide and what is counted are separate, and neither overwrites the other; memory depends on the number of
//! patterns, not of events.
//!
//! Knows nothing of HTTP routes.

mod author;
#[cfg(test)]
#[path = "../../files/src/objects/fake.rs"]
mod fake_s3;
#[cfg(test)]
#[path = "../../alert/src/fleet_lab.rs"]
mod fleet_lab;
mod incidents;
mod issues;
#[cfg(test)]
#[path = "../../database/src/postgres/testing.rs"]
mod postgres_server;

pub use author::{Author, ChangeError};
pub use incidents::{
    Incident, IncidentChange, IncidentItem, Incidents, ItemKind, Ledger, LedgerRow, Month, NewItem, Objectives, ledger,
    ledger_csv, ledger_html, post_mortem,
};
pub use issues::{
    Decision, DecisionChange, ErrorEvent, HostView, IssueFilter, IssueState, IssueView, Issues, IssuesError,
    RestartView, Until, UntilView, VersionView,
};

#[cfg(test)]
use storage::ObjectStoreOptions;
