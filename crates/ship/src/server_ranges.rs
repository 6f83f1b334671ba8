//! Ranges of a file that the server holds, and the question for them, as they are on the wire.

use serde::{Deserialize, Serialize};

/// A question what the server holds of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldQuestion {
    /// The shipper that asks.
    #[serde(skip)]
    pub source: String,
    /// Name of its host.
    pub host: String,
    /// The group that the file's events go to.
    pub group: String,
    /// Where the file is.
    pub path: String,
    /// Bytes that it has.
    pub size: u64,
    /// Hashes of ranges that the server named.
    pub claims: Vec<Claim>,
}

/// What a range holds here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The range, as the server called it.
    pub id: String,
    /// The hash of its content.
    pub hash: String,
}

/// A range of a file that the server holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRange {
    /// What the server calls it.
    pub id: String,
    /// Offset of its first byte.
    pub begin: u64,
    /// Offset after its last byte.
    pub end: u64,
    /// Whether the hash of its content is known.
    pub comparable: bool,
    /// Whether a claim contains its hash.
    #[serde(default)]
    pub held: bool,
    /// What its shipper called the file; only where a claim is right.
    #[serde(default)]
    pub file: String,
    /// Where that was.
    #[serde(default)]
    pub path: String,
    /// When the server last received a part of it, nanoseconds since the Unix epoch.
    #[serde(default)]
    pub last_seen_ns: i64,
    /// Whether that shipper is up.
    #[serde(default)]
    pub shipping: bool,
}
