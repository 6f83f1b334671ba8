//! A store whose state is one bucket and one PostgreSQL, on any number of nodes.
//!
//! Nothing is on a node's disk that is not elsewhere. Accepted events are objects, which the catalog lists in the order
//! of their acceptance ([`collector`]), until upkeep has put them into segments, which are objects as well. Every node
//! has the whole state in memory and keeps it current by what the catalog says ([`follower`]): the objects since the
//! last one that it has, and, where anything else has changed, the catalog itself. A question asks that first, so that
//! whatever was acknowledged anywhere before is in the answer.

pub(crate) mod adopt;
pub(crate) mod collector;
pub(crate) mod followed;
pub(crate) mod follower;
mod heartbeat;
pub(crate) mod object;
mod reconcile;

use std::fmt;
use std::time::Duration;

use database::postgres::PostgresOptions;
use database::url::DatabaseUrl;
use database::{DatabaseError, Schema};
use types::ScanError;

pub(crate) use self::heartbeat::run as run_heartbeat;

/// What makes a server a node of a fleet.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// The catalog and the control store of the fleet.
    pub database: DatabaseUrl,
    /// What the node is called.
    pub node: String,
    /// Where other nodes reach it.
    pub address: String,
    /// What it does, for people to read.
    pub roles: String,
    /// Where it runs.
    pub zone: String,
    /// Whether it turns objects into segments, and segments into better ones.
    pub does_upkeep: bool,
    /// Whether it evaluates rules and tells people; one node at a time does.
    pub does_alerts: bool,
    /// Shortest time between two objects.
    pub linger: Duration,
    /// Bytes at which an object is written before that.
    pub object_bytes: usize,
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
    /// What it does.
    pub roles: String,
    /// Where it runs.
    pub zone: String,
    /// Seconds since it joined.
    pub joined_s: f64,
    /// Seconds since it was last heard of.
    pub silent_s: f64,
    /// What only one node may do, and this one does.
    pub leases: Vec<String>,
}

/// A fleet, as one of its nodes sees it.
#[derive(Clone, Debug)]
pub struct FleetStatus {
    /// The nodes, by name.
    pub nodes: Vec<NodeStatus>,
    /// This node's number.
    pub epoch: u64,
    /// Objects that are in no segment yet, and their bytes.
    pub objects: u64,
    /// Bytes of these objects.
    pub object_bytes: u64,
    /// Objects that this node has written since it started.
    pub objects_written: u64,
}

/// Keeps what a node knows as new as what the catalog knows.
pub(crate) trait Follow: Send + Sync {
    /// Learns of everything that was accepted before the call. The error says what may be missing.
    fn catch_up(&self) -> Result<(), ScanError>;

    /// Reports whether this node is the one that does upkeep.
    fn is_in_charge(&self) -> bool;

    /// Reports whether this node is the one that evaluates rules.
    fn has_alerts(&self) -> bool;

    /// Returns the fleet.
    fn status(&self) -> Result<FleetStatus, DatabaseError>;
}

impl fmt::Debug for dyn Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow")
    }
}

const IDENTITY: Schema = Schema {
    steps: &["CREATE TABLE fleet(one boolean PRIMARY KEY DEFAULT true CHECK (one), store bytea NOT NULL)"],
    identity_since: 0,
};

/// Returns the UUID of the fleet's store, which whoever comes first gives it. There is one fleet in a database.
pub(crate) fn identity(url: &DatabaseUrl) -> Result<[u8; 16], DatabaseError> {
    identity_of(url, None)
}

/// The same, where it is `wanted` if no one has given it one.
pub(crate) fn identity_of(url: &DatabaseUrl, wanted: Option<[u8; 16]>) -> Result<[u8; 16], DatabaseError> {
    let options =
        PostgresOptions { url, store: [0; 16], kind: "fleet", schema: &IDENTITY, holder: None, must_exist: false };
    let mut database = options.open()?;
    let mut fresh = [0; 16];
    let random = getrandom::fill(&mut fresh);
    let fresh = wanted.unwrap_or(fresh);
    database.transact(|session| {
        let problem = |text: String| database::postgres::Failure::Problem(database::DatabaseProblem::Failed(text));
        random.map_err(|error| problem(error.to_string()))?;
        session.execute("INSERT INTO fleet(store) VALUES ($1) ON CONFLICT DO NOTHING", &[&fresh.as_slice()])?;
        let rows = session.query("SELECT store FROM fleet", &[])?;
        let store: &[u8] = rows.first().map_or(Ok(&[][..]), |row| row.try_get(0))?;
        store.try_into().map_err(|_| problem("table fleet holds no identity".into()))
    })
}
