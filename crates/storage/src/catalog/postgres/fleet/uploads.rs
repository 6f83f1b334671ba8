//! Which segments a node is putting together, and which objects it is uploading.
//!
//! Any node that does upkeep puts segments together; those that it has taken no other node begins with, for as long as the
//! node's lease holds. Its transaction is refused where anything has changed that the node did not know when it looked
//! the last time: what it has written may hold what was deleted since.
//!
//! The name of an object is listed among the doomed ones before the upload begins, with the epoch of the node and change 0,
//! and no more once a segment has it. What a node uploaded that is no more, or has given up, is removed like everything
//! else that no one reads.

use database::postgres::{Failure, Session};

use super::{LEASE_S, refused};
use crate::catalog::postgres::cells::{number, segment_id};
use crate::catalog::postgres::rows::ids_of;
use crate::catalog::{ObsoleteFile, SegmentRow};

pub(in crate::catalog) const VERSION_7: &str = "
    CREATE TABLE taken_segments(id bytea PRIMARY KEY, epoch bigint NOT NULL);
    ALTER TABLE doomed ADD COLUMN epoch bigint;
";

/// Why segments are not listed whose objects may be gone.
const GIVEN_UP: &str = "what this node had uploaded was given up when its lease ended, or upkeep changed hands";

/// Takes segments for a node instead of those that it had taken; returns those that are gone or that another has.
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

/// Reports whether a node knows everything that has changed, and makes sure that it still has what it had taken.
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
    if n_taken == ids.len() as u64 { Ok(true) } else { Err(refused("another node puts these segments together")) }
}

/// Lists an object that is about to be uploaded, or an upload in parts that has begun.
pub(in crate::catalog) fn put_upload(
    session: &Session,
    epoch: Option<i64>,
    file: &ObsoleteFile,
) -> Result<(), Failure> {
    let insert = "INSERT INTO doomed(file, place, epoch) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    session.execute(insert, &[&file.file, &(file.place as i16), &epoch]).map(|_| ())
}

/// Lets objects live that this node has uploaded. One whose name is no longer kept for it may be gone.
pub(in crate::catalog) fn keep_uploads(session: &Session, segments: &[SegmentRow]) -> Result<(), Failure> {
    let files: Vec<&str> = segments.iter().map(|segment| segment.file.as_str()).collect();
    let keep = "DELETE FROM doomed WHERE place = 1 AND change = 0 AND file = ANY($1)";
    if session.execute(keep, &[&files])? != files.len() as u64 {
        return Err(refused(GIVEN_UP));
    }
    // Uploads in parts that it took are over.
    give_up(session, &files)
}

/// Gives objects of these names, and uploads of them in parts, to be removed.
pub(in crate::catalog) fn give_up(session: &Session, files: &[&str]) -> Result<(), Failure> {
    let change = "UPDATE doomed SET change = (SELECT coalesce(max(value), 0) FROM meta WHERE key = 'changes')
        WHERE place = 1 AND change = 0 AND split_part(file, '?', 1) = ANY($1)";
    session.execute(change, &[&files]).map(|_| ())
}

/// The same for what no node uploads any more; `has_changed_hands`: and for what nodes of an earlier version upload, which do
/// not say that it is theirs, and do upkeep.
pub(super) fn give_up_unowned(session: &Session, has_changed_hands: bool) -> Result<(), Failure> {
    let change = "UPDATE doomed SET change = (SELECT coalesce(max(value), 0) FROM meta WHERE key = 'changes')
        WHERE place = 1 AND change = 0 AND CASE WHEN epoch IS NULL THEN $1
            ELSE NOT EXISTS (SELECT 1 FROM nodes
                WHERE nodes.epoch = doomed.epoch AND renewed > now() - make_interval(secs => $2)) END";
    session.execute(change, &[&has_changed_hands, &LEASE_S]).map(|_| ())
}
