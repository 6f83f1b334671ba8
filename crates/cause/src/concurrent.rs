//! Something that began about when something else did.

use types::Timestamp;

types::named! {
    /// What began.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum ConcurrentKind {
        /// Somebody, or a script, said so.
        Mark = "mark",
        /// A program, unit or machine started.
        Restart = "restart",
        /// A pattern of messages that is new, or comes far more often.
        Pattern = "pattern",
        /// A source stopped sending.
        Silence = "silence",
        /// A source still sends, with times that have passed.
        Clock = "clock",
    }
}

/// Something that began about when something else did.
#[derive(Clone, Debug, PartialEq)]
pub struct Concurrent {
    /// What it is.
    pub kind: ConcurrentKind,
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub what: String,
    /// A query for its events.
    pub query: Option<String>,
    /// Events of a pattern since then, and as long before.
    pub n_events: [u64; 2],
    /// Service, host and group of a restart, values of the fields of a mark: what it is about.
    pub about: Vec<(String, String)>,
}
