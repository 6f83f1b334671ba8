//! Suggests pipelines for a group: noise that can be dropped or sampled, fields that can be extracted, secrets that should
//! be masked, groups that should be split.
//!
//! ```text
//! events ─► Profile (counts of texts, with samples) ─► candidates ─► a dry run of each over all events ─► what is worth it
//!                                                                                   Selection ─► is it used?
//! ```
//!
//! A candidate is a definition of a pipeline. How many events and bytes it concerns is counted by running it over the stored
//! events, which `ingest` does; here it is decided what is tried, what is worth showing ([`is_worth`]), and whether a query
//! may need the events that a pipeline takes away ([`Selection::may_be_used_by`]). That decision errs to one side: where it
//! cannot be told, the query needs them.
//!
//! This crate knows no route, no clock and no rule. It reads events only through [`types::Run`].

mod judge;
mod language;
mod profile;
mod selection;
mod template;

pub use judge::{Candidate, Kind, Outcome, Reason, Totals, candidates, is_worth, tiny};
pub use profile::Profile;
pub use selection::Selection;
