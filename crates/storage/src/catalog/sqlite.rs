//! The catalog in a SQLite file of the data directory.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use types::{GroupName, Timestamp};

use super::{Catalog, Contents, Deletion, FlushRecord, HighWaterMarks, ObsoleteFile, RunRow, SegmentRow};
use crate::batch_ids::ValidEntries;
use crate::groups::Groups;
use crate::positions::{FileKey, Positions, Ranges};
use crate::retention::RetiredRuns;
use crate::tier::{Place, Tier};
use database::sqlite::Database;
use database::{Result, Schema, signed, unsigned};

pub(super) const SCHEMA: Schema = Schema { steps: &[VERSION_1, VERSION_2, VERSION_3], identity_since: 3 };

/// The version of the tables.
pub(crate) const VERSION: u64 = SCHEMA.steps.len() as u64;

const VERSION_1: &str = include_str!("sqlite/1.sql");

const VERSION_2: &str = "ALTER TABLE runs ADD COLUMN retired INTEGER;";

const VERSION_3: &str = include_str!("sqlite/3.sql");

/// The open catalog.
pub(crate) struct SqliteCatalog {
    database: Database,
}

impl SqliteCatalog {
    /// Opens the catalog of `store`, making it if there is none. `first_sequence` is what a new one starts with.
    pub(crate) fn open(path: &Path, store: [u8; 16], first_sequence: u64) -> Result<Self> {
        let mut database = Database::open(path, store, &SCHEMA)?;
        database.with(|connection| {
            let insert = "INSERT OR IGNORE INTO meta VALUES ('next_sequence', ?)";
            connection.execute(insert, [signed(first_sequence)])
        })?;
        Ok(Self { database })
    }
}

impl Catalog for SqliteCatalog {
    fn load(&mut self) -> Result<Contents> {
        self.database.with(|connection| {
            let (groups, deleted) = groups(connection)?;
            Ok(Contents {
                marks: marks(connection)?,
                groups,
                deleted,
                segments: segments(connection)?,
                positions: positions(connection)?,
                batch_files: batch_files(connection)?,
                doomed: doomed(connection)?,
                retired: retired(connection)?,
                deletions: deletions(connection)?,
            })
        })
    }

    fn marks(&mut self) -> Result<HighWaterMarks> {
        self.database.with(|connection| marks(connection))
    }

    fn has_segment(&mut self, id: u128) -> Result<bool> {
        self.database.with(|connection| has_segment(connection, id))
    }

    fn commit_flush(&mut self, record: &FlushRecord<'_>) -> Result<()> {
        self.database.transact(|transaction| {
            put_marks(transaction, &record.marks)?;
            for segment in record.segments {
                // Where the answer to the first time was lost.
                if !has_segment(transaction, segment.id)? {
                    put_segments(transaction, std::slice::from_ref(segment))?;
                }
            }
            for (id, name, streams) in &record.groups {
                // A group that was deleted since stays deleted.
                put_group(transaction, *id, name)?;
                put_streams(transaction, *id, streams.iter())?;
            }
            merge_positions(transaction, record.positions)?;
            put_batch_files(transaction, record.batch_files)
        })
    }

    fn fill(&mut self, contents: &Contents) -> Result<()> {
        self.database.transact(|transaction| {
            put_marks(transaction, &contents.marks)?;
            put_segments(transaction, &contents.segments)?;
            for (name, group) in contents.groups.iter() {
                put_group(transaction, group.id, name)?;
                put_streams(transaction, group.id, group.streams.iter())?;
            }
            for id in &contents.deleted {
                transaction.execute("INSERT INTO groups VALUES (?, '', 1)", [id])?;
            }
            merge_positions(transaction, &contents.positions)?;
            put_batch_files(transaction, &contents.batch_files)?;
            for ObsoleteFile { file, place } in &contents.doomed {
                transaction.execute("INSERT INTO doomed VALUES (?, ?)", params![file, *place as u8])?;
            }
            for (run, since) in &contents.retired {
                retire(transaction, &[*run], Some(*since))?;
            }
            contents.deletions.iter().try_for_each(|deletion| put_deletion(transaction, deletion))
        })
    }

    fn commit_compaction(&mut self, removed: &[u128], added: &[SegmentRow]) -> Result<bool> {
        self.database.transact(|transaction| {
            removed.iter().try_for_each(|id| doom(transaction, *id))?;
            put_segments(transaction, added)
        })?;
        Ok(true)
    }

    fn doom_file(&mut self, doomed: &ObsoleteFile) -> Result<()> {
        self.database.transact(|transaction| {
            let insert = "INSERT OR IGNORE INTO doomed VALUES (?, ?)";
            transaction.execute(insert, params![doomed.file, doomed.place as u8]).map(|_| ())
        })
    }

    fn move_segment(&mut self, id: u128, file: &str, n_bytes: u64, place: Place) -> Result<()> {
        self.database.transact(|transaction| {
            doom_file(transaction, id)?;
            let update = "UPDATE segments SET file = ?, bytes = ?, place = ? WHERE id = ?";
            transaction.execute(update, params![file, signed(n_bytes), place as u8, id.to_be_bytes()])?;
            let lives = "DELETE FROM doomed WHERE file = ? AND place = ?";
            transaction.execute(lives, params![file, place as u8]).map(|_| ())
        })
    }

    fn retire_runs(&mut self, runs: &[(u128, u32)], since: Option<i64>) -> Result<()> {
        if runs.is_empty() {
            return Ok(());
        }
        self.database.transact(|transaction| retire(transaction, runs, since))
    }

    fn adopt(
        &mut self,
        marks: &HighWaterMarks,
        segments: &[SegmentRow],
        replaced: &[u128],
        groups: &[(u32, GroupName)],
    ) -> Result<()> {
        self.database.transact(|transaction| {
            put_marks(transaction, marks)?;
            replaced.iter().try_for_each(|id| remove_segment(transaction, *id))?;
            put_segments(transaction, segments)?;
            groups.iter().try_for_each(|(id, name)| put_group(transaction, *id, name))
        })
    }

    fn delete_group(&mut self, id: u32, name: &GroupName) -> Result<()> {
        self.database.transact(|transaction| {
            let insert = "INSERT INTO groups VALUES (?1, ?2, 1) ON CONFLICT(id) DO UPDATE SET deleted = 1";
            transaction.execute(insert, params![id, name.as_str()])?;
            transaction.execute("DELETE FROM streams WHERE group_id = ?", [id]).map(|_| ())
        })
    }

    fn put_deletion(&mut self, deletion: &Deletion, _receipt: &str) -> Result<()> {
        self.database.transact(|transaction| put_deletion(transaction, deletion))
    }

    fn forget_deletions(&mut self, ids: &[u64]) -> Result<()> {
        self.database.transact(|transaction| {
            let mut delete = transaction.prepare_cached("DELETE FROM deletions WHERE id = ?")?;
            ids.iter().try_for_each(|id| delete.execute([signed(*id)]).map(|_| ()))
        })
    }

    fn doom(&mut self, segments: &[u128]) -> Result<()> {
        self.database.transact(|transaction| segments.iter().try_for_each(|id| doom(transaction, *id)))
    }

    fn forget_doomed(&mut self, doomed: &ObsoleteFile) -> Result<()> {
        self.database.transact(|transaction| {
            let delete = "DELETE FROM doomed WHERE file = ? AND place = ?";
            transaction.execute(delete, params![doomed.file, doomed.place as u8]).map(|_| ())
        })
    }

    fn renew(&mut self) -> Result<()> {
        // The lock on the data directory keeps everyone else away.
        Ok(())
    }
}

/// Collects what is made of the rows of a query.
fn all<T, C: FromIterator<T>>(
    connection: &Connection,
    query: &str,
    make: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<C> {
    connection.prepare(query)?.query_map([], make)?.collect()
}

fn each(
    connection: &Connection,
    query: &str,
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

fn marks(connection: &Connection) -> rusqlite::Result<HighWaterMarks> {
    let value = |key: &str| {
        let value = "SELECT value FROM meta WHERE key = ?";
        connection.query_row(value, [key], |row| row.get::<_, i64>(0)).optional()
    };
    Ok(HighWaterMarks {
        wal_released: unsigned(value("wal_released")?.unwrap_or(1)),
        wal_made: unsigned(value("wal_made")?.unwrap_or(0)),
        next_sequence: unsigned(value("next_sequence")?.unwrap_or(1)),
        next_group: u32::try_from(value("next_group")?.unwrap_or(1)).unwrap_or(u32::MAX),
    })
}

fn has_segment(connection: &Connection, id: u128) -> rusqlite::Result<bool> {
    let found = connection.query_row("SELECT 1 FROM segments WHERE id = ?", [id.to_be_bytes()], |_| Ok(()));
    found.optional().map(|found| found.is_some())
}

/// Groups, and the numbers of deleted ones.
fn groups(connection: &Connection) -> rusqlite::Result<(Groups, Vec<u32>)> {
    let (mut groups, mut deleted) = (Groups::default(), Vec::new());
    each(connection, "SELECT id, name, deleted FROM groups", |row| {
        let (id, name): (u32, String) = (row.get(0)?, row.get(1)?);
        match GroupName::new(&name) {
            Some(name) if !row.get::<_, bool>(2)? => groups.add(&name, id, []),
            _ => deleted.push(id),
        }
        Ok(())
    })?;
    let streams = "SELECT s.group_id, g.name, s.name FROM streams s JOIN groups g ON g.id = s.group_id";
    each(connection, streams, |row| {
        let (id, name, stream): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some(name) = GroupName::new(&name).filter(|_| groups.has_id(id)) {
            groups.add(&name, id, [stream.into()]);
        }
        Ok(())
    })?;
    Ok((groups, deleted))
}

fn segments(connection: &Connection) -> rusqlite::Result<Vec<SegmentRow>> {
    let select = "SELECT id, file, bytes, tier, place FROM segments ORDER BY id";
    let mut segments: Vec<SegmentRow> = all(connection, select, |row| {
        Ok(SegmentRow {
            id: u128::from_be_bytes(row.get(0)?),
            file: row.get(1)?,
            n_bytes: unsigned(row.get(2)?),
            tier: Tier::from_number(row.get(3)?),
            place: Place::from_number(row.get(4)?),
            runs: Vec::new(),
        })
    })?;
    each(connection, "SELECT segment, group_id, n_events, first, last FROM runs ORDER BY segment", |row| {
        let id = u128::from_be_bytes(row.get(0)?);
        let (first, last) = (Timestamp(row.get(3)?), Timestamp(row.get(4)?));
        if let Ok(at) = segments.binary_search_by_key(&id, |segment| segment.id) {
            let run = RunRow { group_id: row.get(1)?, n_events: unsigned(row.get(2)?), first, last };
            segments[at].runs.push(run);
        }
        Ok(())
    })?;
    Ok(segments)
}

fn positions(connection: &Connection) -> rusqlite::Result<Positions> {
    let mut positions = Positions::default();
    each(connection, "SELECT source, file, generation, start, end FROM positions", |row| {
        let key = FileKey { source: row.get(0)?, file: row.get(1)?, generation: unsigned(row.get(2)?) };
        positions.insert(key, unsigned(row.get(3)?)..unsigned(row.get(4)?));
        Ok(())
    })?;
    Ok(positions)
}

fn batch_files(connection: &Connection) -> rusqlite::Result<ValidEntries> {
    all(connection, "SELECT hour, n_entries FROM batch_files", |row| Ok((row.get(0)?, unsigned(row.get(1)?))))
}

fn doomed(connection: &Connection) -> rusqlite::Result<Vec<ObsoleteFile>> {
    all(connection, "SELECT file, place FROM doomed", |row| {
        Ok(ObsoleteFile { file: row.get(0)?, place: Place::from_number(row.get(1)?) })
    })
}

fn retired(connection: &Connection) -> rusqlite::Result<RetiredRuns> {
    all(connection, "SELECT segment, group_id, retired FROM runs WHERE retired IS NOT NULL", |row| {
        Ok(((u128::from_be_bytes(row.get(0)?), row.get(1)?), row.get(2)?))
    })
}

fn deletions(connection: &Connection) -> rusqlite::Result<Vec<Deletion>> {
    all(connection, "SELECT id, group_id, n_events, created_ns, sequences FROM deletions", |row| {
        Ok(Deletion {
            id: unsigned(row.get(0)?),
            group_id: row.get(1)?,
            n_events: unsigned(row.get(2)?),
            created: Timestamp(row.get(3)?),
            sequences: row.get(4)?,
        })
    })
}

fn put_marks(transaction: &Transaction<'_>, marks: &HighWaterMarks) -> rusqlite::Result<()> {
    let HighWaterMarks { wal_released, wal_made, next_sequence, next_group } = *marks;
    let marks = [
        ("wal_released", wal_released),
        ("wal_made", wal_made),
        ("next_sequence", next_sequence),
        ("next_group", next_group.into()),
    ];
    for (key, value) in marks {
        transaction.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", params![key, signed(value)])?;
    }
    Ok(())
}

fn put_group(transaction: &Transaction<'_>, id: u32, name: &GroupName) -> rusqlite::Result<()> {
    let insert = "INSERT OR IGNORE INTO groups(id, name) VALUES (?, ?)";
    transaction.execute(insert, params![id, name.as_str()]).map(|_| ())
}

fn put_streams<'a>(
    transaction: &Transaction<'_>,
    group_id: u32,
    streams: impl Iterator<Item = &'a Arc<str>>,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO streams VALUES (?, ?)")?;
    for stream in streams {
        insert.execute(params![group_id, &**stream])?;
    }
    Ok(())
}

fn put_batch_files(transaction: &Transaction<'_>, batch_files: &ValidEntries) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM batch_files", [])?;
    for (hour, n_entries) in batch_files {
        transaction.execute("INSERT INTO batch_files VALUES (?, ?)", params![hour, signed(*n_entries)])?;
    }
    Ok(())
}

fn put_deletion(transaction: &Transaction<'_>, deletion: &Deletion) -> rusqlite::Result<()> {
    let Deletion { id, group_id, n_events, created, sequences } = deletion;
    let row = params![signed(*id), group_id, signed(*n_events), created.0, sequences];
    transaction.execute("INSERT OR REPLACE INTO deletions VALUES (?, ?, ?, ?, ?)", row).map(|_| ())
}

fn retire(transaction: &Transaction<'_>, runs: &[(u128, u32)], since: Option<i64>) -> rusqlite::Result<()> {
    let update = "UPDATE runs SET retired = ? WHERE segment = ? AND group_id = ?";
    let mut update = transaction.prepare_cached(update)?;
    for (segment, group_id) in runs {
        update.execute(params![since, segment.to_be_bytes(), group_id])?;
    }
    Ok(())
}

/// Remembers that the file of a segment must go.
fn doom_file(transaction: &Transaction<'_>, id: u128) -> rusqlite::Result<()> {
    let insert = "INSERT OR IGNORE INTO doomed SELECT file, place FROM segments WHERE id = ?";
    transaction.execute(insert, [id.to_be_bytes()]).map(|_| ())
}

fn doom(transaction: &Transaction<'_>, id: u128) -> rusqlite::Result<()> {
    doom_file(transaction, id)?;
    remove_segment(transaction, id)
}

fn remove_segment(transaction: &Transaction<'_>, id: u128) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM runs WHERE segment = ?", [id.to_be_bytes()])?;
    transaction.execute("DELETE FROM segments WHERE id = ?", [id.to_be_bytes()])?;
    Ok(())
}

fn put_segments(transaction: &Transaction<'_>, segments: &[SegmentRow]) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached("INSERT INTO runs VALUES (?, ?, ?, ?, ?, NULL)")?;
    for segment in segments {
        let SegmentRow { id, file, n_bytes, tier, place, runs } = segment;
        let id = id.to_be_bytes();
        let row = params![id, file, signed(*n_bytes), *tier as u8, *place as u8];
        transaction.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?)", row)?;
        for run in runs {
            insert.execute(params![id, run.group_id, signed(run.n_events), run.first.0, run.last.0])?;
        }
    }
    Ok(())
}

fn merge_positions(transaction: &Transaction<'_>, positions: &Positions) -> rusqlite::Result<()> {
    positions.iter().try_for_each(|(key, ranges)| merge_position(transaction, key, ranges))
}

/// Adds accepted ranges of a file to those in the catalog.
fn merge_position(transaction: &Transaction<'_>, key: &FileKey, ranges: &Ranges) -> rusqlite::Result<()> {
    let generation = signed(key.generation);
    let of_file = params![key.source, key.file, generation];
    let mut merged = ranges.clone();
    let select = "SELECT start, end FROM positions WHERE source = ? AND file = ? AND generation = ?";
    let mut select = transaction.prepare_cached(select)?;
    let mut rows = select.query(of_file)?;
    while let Some(row) = rows.next()? {
        merged.insert(unsigned(row.get(0)?)..unsigned(row.get(1)?));
    }
    transaction.execute("DELETE FROM positions WHERE source = ? AND file = ? AND generation = ?", of_file)?;
    let mut insert = transaction.prepare_cached("INSERT INTO positions VALUES (?, ?, ?, ?, ?)")?;
    for range in merged.iter() {
        insert.execute(params![key.source, key.file, generation, signed(range.start), signed(range.end)])?;
    }
    Ok(())
}
