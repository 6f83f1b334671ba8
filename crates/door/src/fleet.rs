//! The other nodes of the fleet: parts of queries that they work out, requests that are handed to them, and what they alone
//! were told.
//!
//! What nodes say to each other is authenticated with a secret that all have (`[fleet] secret_file`): an HMAC-SHA-256
//! over what is said. The secret itself is never sent. Without one, a node works alone.

mod ask;
mod forward;
mod link;
mod peers;

pub use self::ask::not_a_node;
pub(crate) use self::forward::{forward, receive};
pub use self::link::{FleetLink, NodeListener, SCRAPES_PATH, SOURCES_PATH};
pub(crate) use self::peers::QueryPeers;
pub use self::peers::{ANSWER, FAILED, Home, UNDER_WAY};

#[cfg(test)]
mod tests;
