//! Targets, whose pages are scraped: as a shipper reports them, and a server shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A target that is scraped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActiveTarget {
    /// The name of its job.
    pub pool: String,
    /// Labels before relabelling.
    pub discovered: BTreeMap<String, String>,
    /// The labels of its series.
    pub labels: BTreeMap<String, String>,
    /// Where its page is.
    pub url: String,
    /// How often it is fetched, such as `15s`.
    pub interval: String,
    /// How long its answer is waited for.
    pub timeout: String,
    /// How the last scrape ended.
    pub health: TargetHealth,
    /// Why the last scrape failed; empty if it did not.
    pub last_error: String,
    /// When the last scrape began, in ms since the epoch.
    pub last_scrape_ms: Option<i64>,
    /// How long it took.
    pub last_duration_ns: u64,
}

/// How the last scrape of a target ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetHealth {
    /// It worked.
    Up,
    /// It failed.
    Down,
    /// It was not scraped yet, or its shipper is silent.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A target that relabelling drops.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DroppedTarget {
    /// The name of its job.
    pub pool: String,
    /// Labels before relabelling.
    pub discovered: BTreeMap<String, String>,
}
