//! What operators do with rows: groups and aggregates, patterns, joins, and everything that works on a table.

pub(crate) mod aggregate;
pub(crate) mod aggregation;
pub(crate) mod autoregress;
pub(crate) mod compare;
pub(crate) mod feed;
pub(crate) mod fill;
pub(crate) mod group;
pub(crate) mod join;
pub(crate) mod minutes;
pub(crate) mod outlier;
pub(crate) mod patterns;
pub(crate) mod pipeline;
pub(crate) mod progress;
pub(crate) mod rank;
pub(crate) mod score;
pub(crate) mod sessionize;
pub(crate) mod table;
pub(crate) mod table_operators;
pub(crate) mod totals;
pub(crate) mod unnest;
