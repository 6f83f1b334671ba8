//! What every expression of a query may ask for.

use std::sync::atomic::AtomicU64;

use chrono_tz::Tz;
use types::Timestamp;

use crate::budget::Budget;
use crate::expressions::elements::PreparedElements;
use crate::expressions::partners::PartnersOfPlan;
use crate::expressions::warnings::Warnings;

/// What every expression of a query may ask for.
#[derive(Debug)]
pub struct Environment<'a> {
    /// The zone that calendar functions work in.
    pub time_zone: Tz,
    /// When the query started.
    pub now: Timestamp,
    /// What the query may use.
    pub budget: Budget<'a>,
    /// Elements of long lists.
    pub prepared: PreparedElements<'a>,
    /// Indexes of tables that rows are looked up in.
    pub partners: PartnersOfPlan,
    /// What the author of the query should know.
    pub warnings: Warnings,
    /// Events that an index ruled out.
    pub events_skipped: AtomicU64,
}
