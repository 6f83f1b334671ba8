//! What a query is run with, what it may use, what is kept of it, and what it answers.

pub(crate) mod answer;
pub(crate) mod cache;
pub(crate) mod cache_entries;
pub(crate) mod candidate;
pub(crate) mod error;
pub(crate) mod item;
pub(crate) mod parameters;
pub(crate) mod part;
pub(crate) mod peers;
pub(crate) mod spilling;
