//! A consumer of Kafka: a member of a consumer group that reads the messages of its partitions.
//!
//! ```text
//! join     topics → coordinator → the partitions of this member → their committed offsets
//! poll     heartbeat; a Fetch to each leader → messages that are committed, in their order
//! stored   the caller has them → the next poll begins behind them
//! commit   offsets → coordinator
//! ```
//!
//! Nothing is lost when a member dies, since offsets are committed after the caller has stored the messages; what comes again then the
//! caller knows by its offsets. The protocol is <https://kafka.apache.org/protocol>, from version 0.11 of brokers on.
//!
//! Blocks the thread that calls it, and keeps no other.

mod address;
mod assignment;
mod connection;
mod consumer;
mod error;
mod records;
mod request;
mod scram;

pub use self::address::Address;
pub use self::connection::{Access, Login, Mechanism};
pub use self::consumer::{Begin, Consumer, Fetched, Options};
pub use self::error::Error;
pub use self::records::Message;

#[cfg(test)]
mod tests;
