//! A node of a fleet: what it is told to be, and what the others know of it.

use std::time::Duration;

use database::url::DatabaseUrl;

/// What makes a server a node of a fleet.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// The catalog and the control store of the fleet.
    pub database: DatabaseUrl,
    /// What the node is called.
    pub node: String,
    /// Where other nodes reach it.
    pub address: String,
    /// What it does: `ingest`, `query`, `upkeep`, `alert`, `page`.
    pub roles: Vec<String>,
    /// Where it runs.
    pub zone: String,
    /// Shortest time between two objects.
    pub linger: Duration,
    /// Bytes at which an object is written before that.
    pub object_bytes: usize,
}

impl FleetOptions {
    /// Reports whether the node has a role.
    pub fn does(&self, role: &str) -> bool {
        self.roles.iter().any(|known| known == role)
    }
}

/// A node of a fleet, as the catalog knows it.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    /// A number that no other process has had.
    pub epoch: u64,
    /// What it is called.
    pub name: String,
    /// Where others reach it.
    pub address: String,
    /// What it does, with commas between.
    pub roles: String,
    /// Where it runs.
    pub zone: String,
    /// Seconds since it joined.
    pub joined_s: f64,
    /// Seconds since it was last heard of.
    pub silent_s: f64,
    /// What only one node may do, and this one does.
    pub leases: Vec<String>,
    /// Whether it is to take no new work.
    pub is_draining: bool,
    /// Whether it has none any more.
    pub is_drained: bool,
    /// Changes of the catalog that it did not know when it was last heard of.
    pub changes_behind: u64,
    /// Whether it reads objects with samples by their series, or a later node has its name.
    pub reads_series: bool,
}

impl NodeStatus {
    /// Reports whether the node has a role.
    pub fn does(&self, role: &str) -> bool {
        self.roles.split(',').any(|known| known == role)
    }
}
