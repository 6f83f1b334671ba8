//! The segments that a node is merging, and the objects that it is uploading.
//!
//! Any node with the role `upkeep` merges segments. It takes them first, and no other node merges them as long as its
//! lease holds. The transaction that replaces them is refused if the catalog has changed since the node last read it:
//! the new segments may hold events that were deleted meanwhile.
//!
//! The name of an object is in `doomed` before its upload begins, with the epoch of the node and change 0, until a
//! segment is listed with it. Objects that a node has given up, and those of a node that has left, are removed like
//! everything else that no one reads.

use database::postgres::{Failure, Session};

use super::{LEASE_S, refused};
use crate::catalog::postgres::cells::{number, segment_id};
use crate::catalog::postgres::rows::ids_of;
use crate::catalog::{ObsoleteFile, SegmentRow};

pub(in crate::catalog) const VERSION_7: &str = include_str!("7.sql");

/// The error if the objects of new segments may have been removed.
const GIVEN_UP: &str =
    "new segments may have been removed, since the lease of this node has ended or upkeep has changed hands";

/// Takes segments for a node, which gives back those that it had taken before. If some are gone or taken by another
/// node, takes none and returns those.
pub(in crate::catalog) fn take_segments(session: &Session, epoch: i64, ids: &[u128]) -> Result<Vec<u128>, Failure> {
    let forget = "DELETE FROM taken_segments AS taken WHERE epoch = $1 OR NOT EXISTS (SELECT 1 FROM nodes
        WHERE nodes.epoch = taken.epoch AND renewed > now() - make_interval(secs => $2))";
    session.execute(forget, &[&epoch, &LEASE_S])?;
    let listed = ids_of(ids);
    let away = "SELECT id FROM unnest($1::bytea[]) AS wanted(id)
        WHERE id IN (SELECT id FROM taken_segments) OR id NOT IN (SELECT id FROM segments WHERE id = ANY($1))";
    let away = session.query(away, &[&listed])?;
    if away.is_empty() {
        session.execute("INSERT INTO taken_segments SELECT unnest($1::bytea[]), $2", &[&listed, &epoch])?;
    }
    away.iter().map(|row| segment_id(row, 0)).collect()
}

/// Reports whether a node knows the latest change; if it does, gives back the segments that it is about to replace.
///
/// Errors: refused if the node does not have all of them any more.
pub(in crate::catalog) fn may_replace(
    session: &Session,
    epoch: i64,
    known: u64,
    ids: &[u128],
) -> Result<bool, Failure> {
    let rows = session.query("SELECT coalesce(max(value), 0) FROM meta WHERE key = 'changes'", &[])?;
    if rows.first().map_or(Ok(0), |row| number(row, 0))? != known {
        return Ok(false);
    }
    let give_back = "DELETE FROM taken_segments WHERE epoch = $1 AND id = ANY($2)";
    let n_taken = session.execute(give_back, &[&epoch, &ids_of(ids)])?;
    if n_taken == ids.len() as u64 { Ok(true) } else { Err(refused("another node may have taken these segments")) }
}

/// Records an object that is about to be uploaded, or an upload in parts that has begun.
pub(in crate::catalog) fn put_upload(
    session: &Session,
    epoch: Option<i64>,
    file: &ObsoleteFile,
) -> Result<(), Failure> {
    let insert = "INSERT INTO doomed(file, place, epoch) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    session.execute(insert, &[&file.file, &(file.place as i16), &epoch]).map(|_| ())
}

/// Keeps the objects of new segments from being removed.
///
/// Errors: refused if some are not recorded any more, since they may have been removed.
pub(in crate::catalog) fn keep_uploads(session: &Session, segments: &[SegmentRow]) -> Result<(), Failure> {
    let files: Vec<&str> = segments.iter().map(|segment| segment.file.as_str()).collect();
    let keep = "DELETE FROM doomed WHERE place = 1 AND change = 0 AND file = ANY($1)";
    types::ensure!(session.execute(keep, &[&files])? == files.len() as u64, refused(GIVEN_UP));
    // The uploads in parts of these objects are complete.
    give_up(session, &files)
}

/// Releases objects, and uploads of them in parts, for removal.
pub(in crate::catalog) fn give_up(session: &Session, files: &[&str]) -> Result<(), Failure> {
    let change = "UPDATE doomed SET change = (SELECT coalesce(max(value), 0) FROM meta WHERE key = 'changes')
        WHERE place = 1 AND change = 0 AND split_part(file, '?', 1) = ANY($1)";
    let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
    session.later(change, vec![Box::new(files)]);
    Ok(())
}

/// Releases for removal the objects of nodes that have left. Nodes of an earlier version record no epoch: their objects
/// are released when upkeep `has_changed_hands`.
pub(super) fn give_up_unowned(session: &Session, has_changed_hands: bool) {
    let change = "UPDATE doomed SET change = (SELECT coalesce(max(value), 0) FROM meta WHERE key = 'changes')
        WHERE place = 1 AND change = 0 AND CASE WHEN epoch IS NULL THEN $1
            ELSE NOT EXISTS (SELECT 1 FROM nodes
                WHERE nodes.epoch = doomed.epoch AND renewed > now() - make_interval(secs => $2)) END";
    session.later(change, vec![Box::new(has_changed_hands), Box::new(LEASE_S)]);
}
