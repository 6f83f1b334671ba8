//! Everything that the tables of the catalog have.

use std::collections::HashMap;

use database::postgres::{Failure, Session};
use database::signed;
use tokio_postgres::Row;
use types::{GroupName, Timestamp};

use super::cells::{get, group_id, number, place, position, segment_id, text};
use crate::batch_ids::ValidEntries;
use crate::catalog::{Contents, Deletion, HighWaterMarks, ObsoleteFile, RunRow, SegmentRow};
use crate::groups::Groups;
use crate::positions::Positions;
use crate::retention::RetiredRuns;
use crate::tier::Tier;

pub(in crate::catalog) fn contents(session: &Session) -> Result<Contents, Failure> {
    let (groups, deleted) = groups(session)?;
    Ok(Contents {
        marks: marks(session)?,
        groups,
        deleted,
        segments: segments(session, None)?,
        positions: positions(session)?,
        batch_files: batch_files(session)?,
        doomed: doomed(session)?,
        retired: retired(session)?,
        deletions: deletions(session, &[])?,
    })
}

pub(in crate::catalog) fn marks(session: &Session) -> Result<HighWaterMarks, Failure> {
    let rows = session.query("SELECT key, value FROM meta", &[])?;
    let mut values = HashMap::new();
    for row in &rows {
        values.insert(get::<String>(row, 0)?, number(row, 1)?);
    }
    let value = |key: &str, default| values.get(key).copied().unwrap_or(default);
    Ok(HighWaterMarks {
        wal_released: value("wal_released", 1),
        wal_made: value("wal_made", 0),
        next_sequence: value("next_sequence", 1),
        next_group: u32::try_from(value("next_group", 1)).unwrap_or(u32::MAX),
    })
}

pub(in crate::catalog) fn groups(session: &Session) -> Result<(Groups, Vec<u32>), Failure> {
    let (mut groups, mut deleted) = (Groups::default(), Vec::new());
    for row in session.query("SELECT id, name, deleted FROM groups", &[])? {
        match GroupName::new(get(&row, 1)?) {
            Some(name) if !get::<bool>(&row, 2)? => groups.add(&name, group_id(&row, 0)?, []),
            _ => deleted.push(group_id(&row, 0)?),
        }
    }
    let streams = "SELECT s.group_id, g.name, s.name FROM streams s JOIN groups g ON g.id = s.group_id";
    for row in session.query(streams, &[])? {
        let id = group_id(&row, 0)?;
        if let Some(name) = GroupName::new(get(&row, 1)?).filter(|_| groups.has_id(id)) {
            groups.add(&name, id, [text(&row, 2)?.into()]);
        }
    }
    Ok((groups, deleted))
}

/// Returns the segments, or those of them that are named.
pub(in crate::catalog) fn segments(session: &Session, only: Option<&[[u8; 16]]>) -> Result<Vec<SegmentRow>, Failure> {
    let only: Option<Vec<&[u8]>> = only.map(|ids| ids.iter().map(<[u8; 16]>::as_slice).collect());
    let mut segments: Vec<SegmentRow> = Vec::new();
    let select = "SELECT id, file, bytes, tier, place FROM segments
        WHERE $1::bytea[] IS NULL OR id = ANY($1) ORDER BY id";
    for row in session.query(select, &[&only])? {
        segments.push(SegmentRow {
            id: segment_id(&row, 0)?,
            file: get(&row, 1)?,
            n_bytes: number(&row, 2)?,
            tier: Tier::from_number(u8::try_from(get::<i16>(&row, 3)?).unwrap_or(0)),
            place: place(&row, 4)?,
            runs: Vec::new(),
        });
    }
    let runs = "SELECT segment, group_id, n_events, first, last FROM runs
        WHERE $1::bytea[] IS NULL OR segment = ANY($1) ORDER BY segment, group_id";
    for row in session.query(runs, &[&only])? {
        let id = segment_id(&row, 0)?;
        let (first, last) = (Timestamp(get(&row, 3)?), Timestamp(get(&row, 4)?));
        if let Ok(at) = segments.binary_search_by_key(&id, |segment| segment.id) {
            let (group_id, n_events) = (group_id(&row, 1)?, number(&row, 2)?);
            segments[at].runs.push(RunRow { group_id, n_events, first, last });
        }
    }
    Ok(segments)
}

pub(in crate::catalog) fn positions(session: &Session) -> Result<Positions, Failure> {
    let mut positions = Positions::default();
    for row in session.query(r#"SELECT source, file, generation, start, "end" FROM positions"#, &[])? {
        let (key, range) = position(&row)?;
        positions.insert(key, range);
    }
    Ok(positions)
}

pub(in crate::catalog) fn batch_files(session: &Session) -> Result<ValidEntries, Failure> {
    let rows = session.query("SELECT hour, n_entries FROM batch_files", &[])?;
    rows.iter().map(|row| Ok((get(row, 0)?, number(row, 1)?))).collect()
}

pub(in crate::catalog) fn doomed(session: &Session) -> Result<Vec<ObsoleteFile>, Failure> {
    let rows = session.query("SELECT file, place FROM doomed", &[])?;
    rows.iter().map(|row| Ok(ObsoleteFile { file: get(row, 0)?, place: place(row, 1)? })).collect()
}

pub(in crate::catalog) fn retired(session: &Session) -> Result<RetiredRuns, Failure> {
    let rows = session.query("SELECT segment, group_id, retired FROM runs WHERE retired IS NOT NULL", &[])?;
    rows.iter().map(|row| Ok(((segment_id(row, 0)?, group_id(row, 1)?), get(row, 2)?))).collect()
}

/// Returns the deletions, except those that are `known`.
pub(in crate::catalog) fn deletions(session: &Session, known: &[u64]) -> Result<Vec<Deletion>, Failure> {
    let known: Vec<i64> = known.iter().map(|id| signed(*id)).collect();
    let select = "SELECT id, group_id, n_events, created_ns, sequences FROM deletions WHERE id <> ALL($1)";
    let rows = session.query(select, &[&known])?;
    let deletion = |row: &Row| {
        let (created, sequences) = (Timestamp(get(row, 3)?), get(row, 4)?);
        Ok(Deletion { id: number(row, 0)?, group_id: group_id(row, 1)?, n_events: number(row, 2)?, created, sequences })
    };
    rows.iter().map(deletion).collect()
}
