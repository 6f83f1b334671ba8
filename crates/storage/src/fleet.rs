//! A store whose state is one bucket and one PostgreSQL, on any number of nodes.
//!
//! Nothing is on a node's disk that is not elsewhere. Accepted events are objects, which the catalog lists in the order
//! of their acceptance ([`collector`]), until upkeep has put them into segments, which are objects as well. Every node
//! has the whole state in memory and keeps it current by what the catalog says ([`follower`]): the objects since the
//! last one that it has, and, where anything else has changed, the catalog itself. A question asks that first, so that
//! whatever was acknowledged anywhere before is in the answer.

pub(crate) mod adopt;
pub(crate) mod collector;
pub(crate) mod drain;
mod erasure;
pub(crate) mod followed;
pub(crate) mod follower;
mod heartbeat;
pub(crate) mod node;
pub(crate) mod object;
mod reconcile;

use std::fmt;
use std::sync::Arc;

use database::postgres::{Failure, PostgresOptions, Session};
use database::url::DatabaseUrl;
use database::{DatabaseError, DatabaseProblem, Result, Schema};
use types::ScanError;

pub(crate) use self::heartbeat::{follow, run as run_heartbeat};
pub use self::node::{FleetOptions, NodeStatus};
use crate::control::states::{DocumentWriter, StateChange, StateNews};

/// A fleet, as one of its nodes sees it.
#[derive(Clone, Debug)]
pub struct FleetStatus {
    /// The nodes, by name.
    pub nodes: Vec<NodeStatus>,
    /// This node's number.
    pub epoch: u64,
    /// What waits, and what this node has done.
    pub load: FleetLoad,
    /// Requests of all nodes that store something in the bucket, as many in a day as in the time over which they were
    /// measured.
    pub puts_per_day: f64,
    /// Seconds over which they were measured, a day at most.
    pub puts_measured_s: f64,
    /// Bytes of all segments and objects.
    pub bytes_stored: u64,
}

/// What waits in a fleet, and what a node of it has done.
#[derive(Clone, Copy, Debug)]
pub struct FleetLoad {
    /// Objects that are in no segment yet.
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

    /// Reports whether this node merges segments, as all nodes with the role `upkeep` do.
    fn may_compact(&self) -> bool;

    /// Reports whether this node holds the lease `alerts`, as far as it knows; each save checks it again.
    fn has_alerts(&self) -> bool;

    /// Returns the changes of a state since a version; `None` if there are none.
    fn state_news(&self, state: &str, since: u64) -> Result<Option<StateNews>>;

    /// Changes a state and returns its new version. Refused if this node does not hold the lease `alerts`.
    fn save_state(&self, state: &str, change: &StateChange<'_>) -> Result<u64>;

    /// Replaces the first of `texts` in a document, named by kind and name, with the second; `false` if the document
    /// has another text. Refused if this node may not write as `by`.
    fn exchange(&self, document: (&str, &str), texts: (&str, &str), by: DocumentWriter) -> Result<bool>;

    /// Returns this node's number and the nodes, as they were a few seconds ago at most: while the database is away, they
    /// are what they were.
    fn nodes(&self) -> (u64, Arc<Vec<NodeStatus>>);

    /// Returns what waits, and what this node has done. Asks nobody.
    fn load(&self) -> FleetLoad;

    /// Orders that a node takes no new work, or that it does again; `false` if no node has this name.
    fn drain(&self, node: &str, is_ordered: bool) -> Result<bool>;

    /// Reports whether this node is to take no new work.
    fn is_draining(&self) -> bool;

    /// Reports whether it is so for long enough that events are refused.
    fn refuses_events(&self) -> bool;

    /// Returns the fleet.
    fn status(&self) -> Result<FleetStatus>;
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

/// Returns the UUID of the store of a fleet that there is.
pub(crate) fn known_identity(url: &DatabaseUrl) -> Result<[u8; 16], DatabaseError> {
    let options =
        PostgresOptions { url, store: [0; 16], kind: "fleet", schema: &IDENTITY, holder: None, must_exist: true };
    let none = |problem| match problem {
        DatabaseProblem::Missing { .. } => DatabaseProblem::Failed("there is no fleet in it".into()),
        problem => problem,
    };
    let read = options.open_for_reading().and_then(|mut database| database.transact(read_identity));
    read.map_err(|error| DatabaseError { problem: none(error.problem), ..error })
}

/// Reads what gives a fleet its identity.
fn read_identity(session: &Session) -> Result<[u8; 16], Failure> {
    let rows = session.query("SELECT store FROM fleet", &[])?;
    let store: &[u8] = rows.first().map_or(Ok(&[][..]), |row| row.try_get(0))?;
    let problem = || DatabaseProblem::Failed("table fleet holds no identity".into());
    store.try_into().map_err(|_| Failure::Problem(problem()))
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
        random.map_err(|error| Failure::Problem(DatabaseProblem::Failed(error.to_string())))?;
        session.execute("INSERT INTO fleet(store) VALUES ($1) ON CONFLICT DO NOTHING", &[&fresh.as_slice()])?;
        read_identity(session)
    })
}
