//! Reading all that a fleet has as of one instant, and keeping what that names while it is read.
//!
//! Whoever does so has a row among the nodes: upkeep removes nothing that a row which is renewed may still name.

use database::postgres::{Database, Failure, Session};
use database::{Result, signed};
use tokio_postgres::Row;
use types::Timestamp;

use super::LEASE_S;
use super::erasures::receipts;
use super::members::enlist;
use super::objects::{ObjectRow, object_row};
use crate::BatchKey;
use crate::batch_ids::KnownBatch;
use crate::catalog::Contents;
use crate::catalog::postgres::cells::{get, misshapen, number};
use crate::catalog::postgres::contents::contents;
use crate::control::Document;

/// All that a fleet has.
pub(crate) struct FleetContents {
    /// How often anything but objects had changed.
    pub(crate) changes: u64,
    pub(crate) contents: Contents,
    /// Objects of events that are in no segment, in the order of their acceptance.
    pub(crate) objects: Vec<ObjectRow>,
    pub(crate) batches: Vec<KnownBatch>,
    /// Texts of the receipts of deletions.
    pub(crate) receipts: Vec<String>,
    /// What people have set.
    pub(crate) documents: Vec<Document>,
    /// How many nodes were alive.
    pub(crate) n_nodes: u64,
}

/// Gets a row for a visitor, whose purpose (`backup`, `export`, `verify`) stands where nodes have roles; its number is returned. From then on nothing that is listed is removed.
pub(crate) fn enter(database: &mut Database, name: &str, purpose: &str) -> Result<i64> {
    database.transact(|session| enlist(session, [name, "", purpose, ""]))
}

/// Keeps what a visitor reads as of a change; `false` if it was not kept all the time.
pub(crate) fn stay(database: &mut Database, epoch: i64, change: u64) -> Result<bool> {
    database.transact(|session| {
        let renew = "UPDATE nodes SET renewed = now(), changes = $2, known = $2
            WHERE epoch = $1 AND renewed > now() - make_interval(secs => $3)";
        Ok(session.execute(renew, &[&epoch, &signed(change), &LEASE_S])? > 0)
    })
}

/// Lets go of what a visitor has read.
pub(crate) fn leave(database: &mut Database, epoch: i64) -> Result<()> {
    database.transact(|session| session.execute("DELETE FROM nodes WHERE epoch = $1", &[&epoch]).map(|_| ()))
}

/// Reads all that the fleet of `store` has, catalog and control store as of one instant.
pub(crate) fn read(database: &mut Database, store: [u8; 16]) -> Result<FleetContents> {
    let tables = format!("catat_{:032x}_control", u128::from_be_bytes(store));
    database.read(|session| {
        let mark = |key: &str| {
            let rows = session.query("SELECT value FROM meta WHERE key = $1", &[&key])?;
            rows.first().map_or(Ok(0), |row| number(row, 0))
        };
        let (changes, flushed) = (mark("changes")?, mark("flushed")?);
        let waiting = "SELECT number, epoch, place, bytes, end_sequence, records FROM objects
            WHERE end_sequence > $1 ORDER BY number";
        let objects = session.query(waiting, &[&signed(flushed)])?;
        let documents = format!("SELECT kind, name, json, version FROM {tables}.settings ORDER BY kind, name");
        let document = |row: &Row| {
            Ok(Document { kind: get(row, 0)?, name: get(row, 1)?, json: get(row, 2)?, version: get(row, 3)? })
        };
        let alive = "SELECT count(*) FROM nodes
            WHERE renewed > now() - make_interval(secs => $1) AND roles NOT IN ('backup', 'export', 'verify')";
        Ok(FleetContents {
            changes,
            contents: contents(session)?,
            objects: objects.iter().map(object_row).collect::<Result<_, Failure>>()?,
            batches: batches(session)?,
            receipts: receipts(session, None)?,
            documents: session.query(&documents, &[])?.iter().map(document).collect::<Result<_, Failure>>()?,
            n_nodes: session.query(alive, &[&LEASE_S])?.first().map_or(Ok(0), |row| number(row, 0))?,
        })
    })
}

fn batches(session: &Session) -> Result<Vec<KnownBatch>, Failure> {
    let select = "SELECT id, digest, (extract(epoch FROM accepted) * 1000000)::bigint, first_sequence, n_events
        FROM batches ORDER BY accepted";
    let batch = |row: &Row| {
        let hash = |at| <[u8; 16]>::try_from(get::<&[u8]>(row, at)?).map_err(|_| misshapen("a batch id"));
        let accepted = Timestamp(get::<i64>(row, 2)?.saturating_mul(1000));
        let key = BatchKey { id: hash(0)?, digest: hash(1)? };
        Ok(KnownBatch { key, accepted, first_sequence: number(row, 3)?, n_events: number(row, 4)? })
    };
    session.query(select, &[])?.iter().map(batch).collect()
}
