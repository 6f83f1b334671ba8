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
pub(crate) mod node;
pub(crate) mod object;
mod reconcile;

use std::fmt;
use std::sync::Arc;

use database::postgres::PostgresOptions;
use database::url::DatabaseUrl;
use database::{DatabaseError, Schema};
use types::ScanError;

pub(crate) use self::heartbeat::{follow, run as run_heartbeat};
pub use self::node::{FleetOptions, NodeStatus};

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

    /// Returns this node's number and the nodes, as they were a few seconds ago at most: while the database is away, they
    /// are what they were.
    fn nodes(&self) -> (u64, Arc<Vec<NodeStatus>>);

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
