//! What a node learns of the others, and what none of them needs any more.

use std::collections::HashMap;

use database::postgres::{Database, Failure};
use database::{Result, signed};

use super::LEASE_S;
use super::changes::{CatalogNews, changes as changes_since};
use super::members::{UPKEEP, replaced};
use super::objects::{ObjectRow, object_row};
use crate::catalog::postgres::cells::{get, number};
use crate::fleet::node::NodeStatus;

/// What a node learns of the others.
pub(crate) struct News {
    /// How often anything but objects had changed.
    pub(crate) changes: u64,
    /// All events below are in segments.
    pub(crate) flushed: u64,
    /// Objects that it does not have.
    pub(crate) objects: Vec<ObjectRow>,
    /// The catalog, if it has changed.
    pub(crate) catalog: Option<CatalogNews>,
}

/// Reads the objects after number `known_object`, the changes after number `known_change` and the deletions that are
/// not among `known_deletions`, all as of one instant.
pub(crate) fn news(
    database: &mut Database,
    known_object: u64,
    known_change: Option<u64>,
    known_deletions: &[u64],
) -> Result<News> {
    database.read(|session| {
        let (mut changes, mut flushed) = (0, 0);
        for row in session.query("SELECT key, value FROM meta WHERE key IN ('changes', 'flushed')", &[])? {
            match get::<&str>(&row, 0)? {
                "changes" => changes = number(&row, 1)?,
                _ => flushed = number(&row, 1)?,
            }
        }
        let newer =
            "SELECT number, epoch, place, bytes, end_sequence, records FROM objects WHERE number > $1 ORDER BY number";
        let rows = session.query(newer, &[&signed(known_object)])?;
        let mut objects = rows.iter().map(object_row).collect::<Result<Vec<_>, Failure>>()?;
        // Some are listed only for whoever asks what became of them.
        objects.retain(|object| object.end_sequence > flushed);
        let is_new = known_change != Some(changes);
        let catalog = is_new.then(|| changes_since(session, known_change, changes, known_deletions)).transpose()?;
        Ok(News { changes, flushed, objects, catalog })
    })
}

/// Returns names of objects that no snapshot on any node can name; none unless this node does upkeep.
pub(crate) fn removable(database: &mut Database, epoch: u64, n_max: i64) -> Result<Vec<String>> {
    let epoch = signed(epoch);
    database.read(|session| {
        let select = "SELECT file FROM doomed WHERE place = 1 AND change > 0 AND change <=
                (SELECT min(changes) FROM nodes WHERE renewed > now() - make_interval(secs => $1))
            AND EXISTS (SELECT 1 FROM leases WHERE name = $2 AND epoch = $3 AND until > now())
            ORDER BY change LIMIT $4";
        let rows = session.query(select, &[&LEASE_S, &UPKEEP, &epoch, &n_max])?;
        rows.iter().map(|row| get(row, 0)).collect()
    })
}

/// Forgets objects that are gone.
pub(crate) fn forget_removed(database: &mut Database, names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    database.transact(|session| {
        session.execute("DELETE FROM doomed WHERE place = 1 AND file = ANY($1)", &[&names]).map(|_| ())
    })
}

/// Lists the nodes that were heard of lately.
pub(crate) fn nodes(database: &mut Database) -> Result<Vec<NodeStatus>> {
    database.read(|session| {
        let mut leases: HashMap<i64, Vec<String>> = HashMap::new();
        for row in session.query("SELECT epoch, name FROM leases WHERE until > now()", &[])? {
            leases.entry(get(&row, 0)?).or_default().push(get(&row, 1)?);
        }
        // A node of an earlier version does not say how many changes it knows, but from which one on it still reads.
        let select = concat!(
            "SELECT epoch, name, address, roles, zone, extract(epoch FROM now() - started)::float8,
            extract(epoch FROM now() - renewed)::float8, name IN (SELECT name FROM draining), drained,
            greatest(coalesce((SELECT value FROM meta WHERE key = 'changes'), 0) - coalesce(known, changes), 0),
            series OR ",
            replaced!(),
            " FROM nodes ORDER BY name, epoch"
        );
        let mut nodes = Vec::new();
        for row in session.query(select, &[])? {
            let epoch: i64 = get(&row, 0)?;
            nodes.push(NodeStatus {
                epoch: epoch.cast_unsigned(),
                name: get(&row, 1)?,
                address: get(&row, 2)?,
                roles: get(&row, 3)?,
                zone: get(&row, 4)?,
                joined_s: get(&row, 5)?,
                silent_s: get(&row, 6)?,
                leases: leases.remove(&epoch).unwrap_or_default(),
                is_draining: get(&row, 7)?,
                is_drained: get(&row, 8)?,
                changes_behind: number(&row, 9)?,
                reads_series: get(&row, 10)?,
            });
        }
        Ok(nodes)
    })
}
