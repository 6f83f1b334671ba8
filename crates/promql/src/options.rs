//! Settings of an evaluation.

use std::fmt;
use std::sync::Arc;

use crate::error::Stop;

/// Asked often whether to stop.
pub type StopCheck = Arc<dyn Fn() -> Option<Stop> + Send + Sync>;

/// Settings of an evaluation.
#[derive(Clone)]
pub struct Options {
    /// How far back a selector looks for a sample, ms; the default is five minutes.
    pub lookback: i64,
    /// Step of subqueries without one, ms; the default is a minute.
    pub subquery_step: i64,
    /// Most samples in memory, those of selections and of steps; the default is 50 million.
    pub samples_max: usize,
    /// Whether scripts may use functions and aggregations that Prometheus calls experimental; otherwise they are refused.
    pub experimental: bool,
    /// Whether names are removed at the end instead of by each function (experimental in Prometheus).
    pub delayed_name_removal: bool,
    /// Asked often whether to stop.
    pub stop: Option<StopCheck>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lookback: 300_000,
            subquery_step: 60_000,
            samples_max: 50_000_000,
            experimental: false,
            delayed_name_removal: false,
            stop: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("lookback", &self.lookback)
            .field("subquery_step", &self.subquery_step)
            .field("experimental", &self.experimental)
            .field("delayed_name_removal", &self.delayed_name_removal)
            .finish_non_exhaustive()
    }
}
