//! Settings of alerting, and why it cannot start.

use std::path::PathBuf;
use std::sync::Arc;
use storage::Clock;
use types::Timestamp;

use crate::calls::CallCounter;

/// How to evaluate and notify.
#[derive(Clone)]
pub struct Options {
    /// Where the state is kept.
    pub dir: PathBuf,
    /// Evaluation interval of rules without one of their own.
    pub interval_ns: i64,
    /// How long alerts are gathered after the first one of a group.
    pub group_wait_ns: i64,
    /// How long resolved alerts are gathered while others of the group fire.
    pub group_interval_ns: i64,
    /// Interval at which a channel is notified again of firing alerts; 0 for never.
    pub repeat_interval_ns: i64,
    /// Whether channels created through the API may point to this machine and private networks.
    pub allow_private_addresses: bool,
    /// Whether channels may run programs.
    pub allow_commands: bool,
    /// Base address of the page, for links.
    pub base_url: String,
    /// The clock.
    pub clock: Clock,
    /// Streams whose clock or time zone is off; rules judge their events by arrival.
    pub clock_offsets: Option<types::ClockOffsets>,
    /// How the calls between services are counted for first looks.
    pub calls: CallCounter,
    /// Cache of partial results, shared with other queries of the store.
    pub cache: Option<Arc<execute::PartialCache>>,
    /// Where samples are stored that rules in PromQL give.
    pub sink: Option<Arc<series::StoreSink>>,
}

impl Options {
    /// Keeps the state in `dir`; everything else as usual.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            interval_ns: 30 * Timestamp::SECOND,
            group_wait_ns: 5 * Timestamp::SECOND,
            group_interval_ns: 5 * Timestamp::MINUTE,
            repeat_interval_ns: 4 * Timestamp::HOUR,
            allow_private_addresses: false,
            allow_commands: false,
            base_url: "http://127.0.0.1:22828".into(),
            clock: Clock::system(),
            clock_offsets: None,
            calls: CallCounter::default(),
            cache: None,
            sink: None,
        }
    }
}

/// Why alerting cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The saved state cannot be used.
    #[error("state of alerts: {0}")]
    State(String),
    /// A thread or the HTTP client cannot be created.
    #[error("alerting: {0}")]
    Start(String),
}
