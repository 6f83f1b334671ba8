//! What every expression of a query may ask for.

use std::sync::atomic::AtomicU64;

use chrono_tz::Tz;
use types::Timestamp;

use crate::expressions::elements::PreparedElements;
use crate::expressions::partners::PartnersOfPlan;
use crate::expressions::warnings::Warnings;
use crate::request::budget::Budget;

/// What every expression of a query may ask for.
#[derive(Debug)]
pub(crate) struct Environment<'a> {
    /// The zone that calendar functions work in.
    pub(crate) time_zone: Tz,
    /// When the query started.
    pub(crate) now: Timestamp,
    /// What the query may use.
    pub(crate) budget: Budget<'a>,
    /// Elements of long lists.
    pub(crate) prepared: PreparedElements,
    /// Indexes of tables that rows are looked up in.
    pub(crate) partners: PartnersOfPlan,
    /// What the author of the query should know.
    pub(crate) warnings: Warnings,
    /// Events that an index ruled out.
    pub(crate) events_skipped: AtomicU64,
}
