//! The other nodes of the fleet: parts of queries that they work out, and requests that are handed to them.
//!
//! What nodes say to each other is authenticated with a secret that all have (`[fleet] secret_file`): an HMAC-SHA-256
//! over what is said. The secret itself is never sent. Without one, a node works alone.

mod forward;
mod link;
mod peers;

pub(crate) use self::forward::{forward, receive};
pub use self::link::{FleetLink, NodeListener};
pub(crate) use self::peers::QueryPeers;
pub use self::peers::{ANSWER, FAILED, Home, UNDER_WAY};

#[cfg(test)]
mod tests;
