//! State that one node of a fleet writes and all nodes read, such as the state of alert rules. It has tables of its own
//! in the control store: it changes all the time, and is not set by users.
//!
//! ```text
//! states(name, version)                        version: of the last save
//! state_records(state, key, version, body)     version: of the save that wrote the record
//! ```
//!
//! **Fencing.** A save and the check of the lease are one transaction, which locks the row of the lease. If another
//! node takes the lease before, the save is refused; if it takes it afterwards, it reads what was saved. A writer also
//! names the version that it has changed, so it never overwrites what it has not read, even if the answer to its last
//! save was lost.

use database::postgres::{Database, Failure, Session};
use database::{DatabaseProblem, Result, signed, unsigned};

pub(super) const VERSION_3: &str = include_str!("postgres/3.sql");

/// The changes of a state since a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateNews {
    /// The current version.
    pub version: u64,
    /// The keys of all records, each with its text if that was written since.
    pub records: Vec<(String, Option<String>)>,
}

/// A change to a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateChange<'a> {
    /// The version that is changed; 0 if the state was never saved.
    pub version: u64,
    /// Records to write: keys and texts. Keys have at most 64 bytes.
    pub put: Vec<(&'a str, &'a str)>,
    /// Keys of records to remove.
    pub removed: Vec<&'a str>,
}

/// The nodes of a fleet that may exchange a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentWriter {
    /// Every node.
    AnyNode,
    /// The node with the lease `alerts`.
    Holder,
}

/// The condition of a write: a node holds a lease.
#[derive(Clone, Copy)]
pub(crate) struct Fence {
    /// The name of the lease.
    pub(crate) lease: &'static str,
    /// The epoch of the node that writes.
    pub(crate) epoch: u64,
}

/// The states in PostgreSQL.
pub(crate) struct States {
    database: Database,
    /// The schema of the catalog, which has the table of leases.
    catalog: String,
}

impl States {
    pub(crate) fn new(database: Database, store: [u8; 16]) -> Self {
        Self { database, catalog: format!("catat_{:032x}_catalog", u128::from_be_bytes(store)) }
    }

    /// Returns the changes of a state since a version; `None` if there are none.
    pub(crate) fn news(&mut self, state: &str, since: u64) -> Result<Option<StateNews>> {
        self.database.read(|session| {
            let version = version_of(session, state, VERSION_OF)?;
            if version == since {
                return Ok(None);
            }
            let select = "SELECT key, CASE WHEN version > $2 THEN body END FROM state_records WHERE state = $1";
            let rows = session.query(select, &[&state, &signed(since)])?;
            let records = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
            Ok(Some(StateNews { version, records: records.collect::<Result<_, Failure>>()? }))
        })
    }

    /// Changes a state and returns its new version. An empty change leaves the version as it is.
    ///
    /// Errors: refused if the node does not hold the lease, or if the state has another version.
    pub(crate) fn save(&mut self, state: &str, change: &StateChange<'_>, by: Fence) -> Result<u64> {
        let catalog = &self.catalog;
        self.database.transact(|session| {
            check_fence(session, catalog, by)?;
            if version_of(session, state, LOCKED_VERSION_OF)? != change.version {
                return Err(refused("another node has changed this state"));
            }
            let StateChange { version, put, removed } = change;
            if put.is_empty() && removed.is_empty() {
                return Ok(*version);
            }
            let version = version + 1;
            let count =
                "INSERT INTO states VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = excluded.version";
            session.execute(count, &[&state, &signed(version)])?;
            let (keys, texts): (Vec<&str>, Vec<&str>) = put.iter().copied().unzip();
            let write = "INSERT INTO state_records
                SELECT $1, new.key, $2, new.body FROM unnest($3::text[], $4::text[]) AS new(key, body)
                ON CONFLICT (state, key) DO UPDATE SET version = excluded.version, body = excluded.body";
            session.execute(write, &[&state, &signed(version), &keys, &texts])?;
            let remove = "DELETE FROM state_records WHERE state = $1 AND key = ANY($2)";
            session.execute(remove, &[&state, removed])?;
            Ok(version)
        })
    }

    /// Replaces the text `before` of a document with `json`; `false` if the document has another text.
    ///
    /// Errors: refused if there is a fence and the node does not hold its lease.
    pub(crate) fn exchange(
        &mut self,
        (kind, name): (&str, &str),
        (before, json): (&str, &str),
        by: Option<Fence>,
    ) -> Result<bool> {
        let catalog = &self.catalog;
        self.database.transact(|session| {
            by.map_or(Ok(()), |by| check_fence(session, catalog, by))?;
            let put =
                "UPDATE settings SET json = $4, version = version + 1 WHERE kind = $1 AND name = $2 AND json = $3";
            Ok(session.execute(put, &[&kind, &name, &before, &json])? > 0)
        })
    }
}

/// Checks that a node holds a lease, and keeps all others from taking it until the transaction ends.
fn check_fence(session: &Session, tables: &str, by: Fence) -> Result<(), Failure> {
    let held = format!("SELECT 1 FROM {tables}.leases WHERE name = $1 AND epoch = $2 AND until > now() FOR SHARE");
    match session.query(&held, &[&by.lease, &signed(by.epoch)])?.first() {
        Some(_) => Ok(()),
        None => Err(refused("another node holds the lease now")),
    }
}

const VERSION_OF: &str = "SELECT version FROM states WHERE name = $1";

/// Also locks the row until the transaction ends.
const LOCKED_VERSION_OF: &str = "SELECT version FROM states WHERE name = $1 FOR UPDATE";

fn version_of(session: &Session, state: &str, select: &str) -> Result<u64, Failure> {
    let rows = session.query(select, &[&state])?;
    Ok(rows.first().map_or(Ok(0), |row| row.try_get(0).map(unsigned))?)
}

fn refused(problem: &'static str) -> Failure {
    Failure::Problem(DatabaseProblem::Refused(problem))
}
