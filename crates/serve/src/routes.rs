//! The native routes, one file each.

pub(crate) mod alerts;
pub(crate) mod complete;
pub(crate) mod context;
pub(crate) mod deletions;
pub(crate) mod fields;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod histogram;
pub(crate) mod ingest;
pub(crate) mod keys;
pub(crate) mod language;
pub(crate) mod lookups;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod patterns;
pub(crate) mod pipelines;
pub(crate) mod queries;
pub(crate) mod query;
pub(crate) mod session;
pub(crate) mod sources;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod time;
pub(crate) mod upkeep;
pub(crate) mod users;
pub(crate) mod views;
