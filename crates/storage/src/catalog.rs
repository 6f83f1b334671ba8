//! The catalog: the durable list of segments, groups and source positions, in SQLite.
//!
//! One transaction publishes a flush: its segments, the WAL files that it releases, the source positions and
//! batch-id entries that came with its events. Every transaction is durable when it returns
//! (`synchronous=FULL` with SQLite's own WAL).
//!
//! ```text
//! meta(key, value)                    wal_released: WAL files below this number are in segments
//!                                     next_sequence, next_group: nothing below was left unused
//! groups(id, name, deleted)           streams(group_id, name)
//! segments(id, file, bytes)           runs(segment, group_id, n_events, first, last, retired)
//!                                     retired: since when it is in no snapshot, null: it is
//! positions(source, file, generation, start, end)
//! batch_files(hour, n_entries)        how far the batch-id files are valid
//! doomed(file)                        segments that are in no snapshot any more and whose file must go
//! ```

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use types::{GroupName, Timestamp};

use crate::OpenError;
use crate::batch_ids::ValidEntries;
use crate::groups::Groups;
use crate::positions::{FileKey, Positions, Ranges};
use crate::retention::RetiredRuns;
use crate::segment::RunSummary;

/// Version of the tables, in `PRAGMA user_version`.
const VERSION: i64 = 2;

/// The first SQLite that does not lose pages when a WAL is reset while it is being written.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

const TABLES: &str = "
    CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE groups(id INTEGER PRIMARY KEY, name TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE streams(group_id INTEGER, name TEXT, PRIMARY KEY(group_id, name)) WITHOUT ROWID;
    CREATE TABLE segments(id BLOB PRIMARY KEY, file TEXT NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE runs(segment BLOB, group_id INTEGER, n_events INTEGER NOT NULL, first INTEGER NOT NULL,
        last INTEGER NOT NULL, retired INTEGER, PRIMARY KEY(segment, group_id)) WITHOUT ROWID;
    CREATE TABLE positions(source TEXT, file TEXT, generation INTEGER, start INTEGER, end INTEGER NOT NULL,
        PRIMARY KEY(source, file, generation, start)) WITHOUT ROWID;
    CREATE TABLE batch_files(hour INTEGER PRIMARY KEY, n_entries INTEGER NOT NULL);
    CREATE TABLE doomed(file TEXT PRIMARY KEY) WITHOUT ROWID;
";

/// What brings tables of version 1 to version 2.
const FROM_VERSION_1: &str = "ALTER TABLE runs ADD COLUMN retired INTEGER;";

/// The open catalog.
pub(crate) struct Catalog {
    connection: Connection,
}

/// Numbers that only rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) wal_released: u64,
    pub(crate) next_sequence: u64,
    pub(crate) next_group: u32,
}

/// A segment as the catalog knows it.
#[derive(Clone, Debug)]
pub(crate) struct SegmentRow {
    pub(crate) id: u128,
    pub(crate) file: String,
    pub(crate) n_bytes: u64,
    pub(crate) runs: Vec<RunRow>,
}

/// A run as the catalog knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunRow {
    pub(crate) group_id: u32,
    pub(crate) n_events: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl From<&RunSummary> for RunRow {
    fn from(run: &RunSummary) -> Self {
        Self { group_id: run.group_id, n_events: run.n_events, first: run.first, last: run.last }
    }
}

/// Everything that the catalog holds.
pub(crate) struct Contents {
    pub(crate) marks: Marks,
    pub(crate) groups: Groups,
    /// Numbers of deleted groups.
    pub(crate) deleted: Vec<u32>,
    pub(crate) segments: Vec<SegmentRow>,
    pub(crate) positions: Positions,
    pub(crate) batch_files: ValidEntries,
    pub(crate) doomed: Vec<String>,
    pub(crate) retired: RetiredRuns,
}

/// What one flush changes.
pub(crate) struct FlushRecord<'a> {
    pub(crate) marks: Marks,
    pub(crate) segments: &'a [SegmentRow],
    /// Groups with events in the flush: number, name, streams.
    pub(crate) groups: Vec<(u32, GroupName, Vec<Arc<str>>)>,
    /// Ranges accepted with the flushed events.
    pub(crate) positions: &'a Positions,
    pub(crate) batch_files: &'a ValidEntries,
}

// SQLite's integers are signed: sequences and offsets keep their bits.
fn signed(number: u64) -> i64 {
    number as i64
}

fn unsigned(number: i64) -> u64 {
    number as u64
}

impl Catalog {
    /// Opens the catalog, making it where there is none. `first_sequence` is what a new one starts with.
    pub(crate) fn open(path: &Path, first_sequence: u64) -> Result<Self, OpenError> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(OpenError::Sqlite { found: rusqlite::version().to_owned() });
        }
        let mut connection = Connection::open(path).map_err(OpenError::catalog(path))?;
        let found: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(OpenError::catalog(path))?;
        if found > VERSION {
            let known = unsigned(VERSION);
            return Err(OpenError::NewerFormat { file: path.to_owned(), found: unsigned(found), known });
        }
        let set_up = |connection: &mut Connection| {
            connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
            connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")?;
            if found == 0 {
                let transaction = connection.transaction()?;
                transaction.execute_batch(TABLES)?;
                put_marks(&transaction, &Marks { wal_released: 1, next_sequence: first_sequence, next_group: 1 })?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()?;
            } else if found == 1 {
                let transaction = connection.transaction()?;
                transaction.execute_batch(FROM_VERSION_1)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()?;
            }
            Ok(())
        };
        set_up(&mut connection).map_err(OpenError::catalog(path))?;
        Ok(Self { connection })
    }

    /// Reads everything.
    pub(crate) fn load(&self) -> rusqlite::Result<Contents> {
        let mut groups = Groups::default();
        let mut deleted = Vec::new();
        self.each("SELECT id, name, deleted FROM groups", |row| {
            let (id, name): (u32, String) = (row.get(0)?, row.get(1)?);
            match GroupName::new(&name) {
                Some(name) if !row.get::<_, bool>(2)? => groups.add(&name, id, []),
                _ => deleted.push(id),
            }
            Ok(())
        })?;
        self.each("SELECT s.group_id, g.name, s.name FROM streams s JOIN groups g ON g.id = s.group_id", |row| {
            let (id, name, stream): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Some(name) = GroupName::new(&name).filter(|_| groups.has_id(id)) {
                groups.add(&name, id, [stream.into()]);
            }
            Ok(())
        })?;
        let mut positions = Positions::default();
        self.each("SELECT source, file, generation, start, end FROM positions", |row| {
            let key = FileKey { source: row.get(0)?, file: row.get(1)?, generation: unsigned(row.get(2)?) };
            positions.insert(key, unsigned(row.get(3)?)..unsigned(row.get(4)?));
            Ok(())
        })?;
        let mut batch_files = ValidEntries::new();
        self.each("SELECT hour, n_entries FROM batch_files", |row| {
            batch_files.insert(row.get(0)?, unsigned(row.get(1)?));
            Ok(())
        })?;
        let mut doomed = Vec::new();
        self.each("SELECT file FROM doomed", |row| {
            doomed.push(row.get(0)?);
            Ok(())
        })?;
        let mut retired = RetiredRuns::new();
        self.each("SELECT segment, group_id, retired FROM runs WHERE retired IS NOT NULL", |row| {
            retired.insert((u128::from_be_bytes(row.get(0)?), row.get(1)?), row.get(2)?);
            Ok(())
        })?;
        let (marks, segments) = (self.marks()?, self.segments()?);
        Ok(Contents { marks, groups, deleted, segments, positions, batch_files, doomed, retired })
    }

    fn each(
        &self,
        query: &str,
        mut take: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            take(row)?;
        }
        Ok(())
    }

    fn segments(&self) -> rusqlite::Result<Vec<SegmentRow>> {
        let mut segments: Vec<SegmentRow> = Vec::new();
        self.each("SELECT id, file, bytes FROM segments ORDER BY id", |row| {
            let id = u128::from_be_bytes(row.get(0)?);
            segments.push(SegmentRow { id, file: row.get(1)?, n_bytes: unsigned(row.get(2)?), runs: Vec::new() });
            Ok(())
        })?;
        self.each("SELECT segment, group_id, n_events, first, last FROM runs ORDER BY segment", |row| {
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

    /// The numbers that only rise.
    pub(crate) fn marks(&self) -> rusqlite::Result<Marks> {
        let value = |key: &str| {
            let value = "SELECT value FROM meta WHERE key = ?";
            self.connection.query_row(value, [key], |row| row.get::<_, i64>(0)).optional()
        };
        Ok(Marks {
            wal_released: unsigned(value("wal_released")?.unwrap_or(1)),
            next_sequence: unsigned(value("next_sequence")?.unwrap_or(1)),
            next_group: u32::try_from(value("next_group")?.unwrap_or(1)).unwrap_or(u32::MAX),
        })
    }

    /// Publishes a flush.
    pub(crate) fn commit_flush(&mut self, record: &FlushRecord<'_>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        put_marks(&transaction, &record.marks)?;
        put_segments(&transaction, record.segments)?;
        for (id, name, streams) in &record.groups {
            // A group that was deleted since stays deleted.
            let insert = "INSERT OR IGNORE INTO groups(id, name) VALUES (?, ?)";
            transaction.execute(insert, params![id, name.as_str()])?;
            let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO streams VALUES (?, ?)")?;
            for stream in streams {
                insert.execute(params![id, &**stream])?;
            }
        }
        for (key, ranges) in record.positions.iter() {
            merge_position(&transaction, key, ranges)?;
        }
        transaction.execute("DELETE FROM batch_files", [])?;
        for (hour, n_entries) in record.batch_files {
            transaction.execute("INSERT INTO batch_files VALUES (?, ?)", params![hour, signed(*n_entries)])?;
        }
        transaction.commit()
    }

    /// Exchanges segments for those that hold their events from now on.
    pub(crate) fn commit_compaction(&mut self, removed: &[(u128, &str)], added: &[SegmentRow]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for (id, file) in removed {
            remove_segment(&transaction, *id)?;
            transaction.execute("INSERT OR IGNORE INTO doomed VALUES (?)", [file])?;
        }
        put_segments(&transaction, added)?;
        transaction.commit()
    }

    /// Records since when runs are in no snapshot any more, or that they are again.
    pub(crate) fn retire_runs(&mut self, runs: &[(u128, u32)], since: Option<i64>) -> rusqlite::Result<()> {
        if runs.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        let mut update =
            transaction.prepare_cached("UPDATE runs SET retired = ? WHERE segment = ? AND group_id = ?")?;
        for (segment, group_id) in runs {
            update.execute(params![since, segment.to_be_bytes(), group_id])?;
        }
        drop(update);
        transaction.commit()
    }

    /// Tells whether the catalog lists a segment.
    pub(crate) fn has_segment(&self, id: u128) -> rusqlite::Result<bool> {
        let found = self.connection.query_row("SELECT 1 FROM segments WHERE id = ?", [id.to_be_bytes()], |_| Ok(()));
        found.optional().map(|found| found.is_some())
    }

    /// Takes segments into the catalog that it lost.
    pub(crate) fn adopt(
        &mut self,
        marks: &Marks,
        segments: &[SegmentRow],
        replaced: &[u128],
        groups: &[(u32, GroupName)],
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        put_marks(&transaction, marks)?;
        replaced.iter().try_for_each(|id| remove_segment(&transaction, *id))?;
        put_segments(&transaction, segments)?;
        for (id, name) in groups {
            transaction.execute("INSERT OR IGNORE INTO groups(id, name) VALUES (?, ?)", params![id, name.as_str()])?;
        }
        transaction.commit()
    }

    /// Records that a group is deleted.
    pub(crate) fn delete_group(&mut self, id: u32, name: &GroupName) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let insert = "INSERT INTO groups VALUES (?1, ?2, 1) ON CONFLICT(id) DO UPDATE SET deleted = 1";
        transaction.execute(insert, params![id, name.as_str()])?;
        transaction.execute("DELETE FROM streams WHERE group_id = ?", [id])?;
        transaction.commit()
    }

    /// Takes segments out of the list, and remembers that their files must go.
    pub(crate) fn doom<'a>(&mut self, files: impl Iterator<Item = &'a str>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for file in files {
            transaction.execute("INSERT OR IGNORE INTO doomed VALUES (?)", [file])?;
            let of_file = "DELETE FROM runs WHERE segment IN (SELECT id FROM segments WHERE file = ?)";
            transaction.execute(of_file, [file])?;
            transaction.execute("DELETE FROM segments WHERE file = ?", [file])?;
        }
        transaction.commit()
    }

    /// Records that the file of a doomed segment is gone.
    pub(crate) fn forget_doomed(&mut self, file: &str) -> rusqlite::Result<()> {
        self.connection.execute("DELETE FROM doomed WHERE file = ?", [file]).map(|_| ())
    }
}

fn put_marks(transaction: &Transaction<'_>, marks: &Marks) -> rusqlite::Result<()> {
    let Marks { wal_released, next_sequence, next_group } = *marks;
    let marks = [("wal_released", wal_released), ("next_sequence", next_sequence), ("next_group", next_group.into())];
    for (key, value) in marks {
        transaction.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", params![key, signed(value)])?;
    }
    Ok(())
}

fn remove_segment(transaction: &Transaction<'_>, id: u128) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM runs WHERE segment = ?", [id.to_be_bytes()])?;
    transaction.execute("DELETE FROM segments WHERE id = ?", [id.to_be_bytes()])?;
    Ok(())
}

fn put_segments(transaction: &Transaction<'_>, segments: &[SegmentRow]) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached("INSERT INTO runs VALUES (?, ?, ?, ?, ?, NULL)")?;
    for segment in segments {
        let id = segment.id.to_be_bytes();
        let row = params![id, segment.file, signed(segment.n_bytes)];
        transaction.execute("INSERT INTO segments VALUES (?, ?, ?)", row)?;
        for run in &segment.runs {
            insert.execute(params![id, run.group_id, signed(run.n_events), run.first.0, run.last.0])?;
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_is_read_back_as_it_was_committed() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let path = dir.path().join("catalog.sqlite");
        let mut catalog = Catalog::open(&path, 5).expect("a new catalog");
        let run = RunRow { group_id: 1, n_events: 3, first: Timestamp(-4), last: Timestamp(9) };
        let segment = SegmentRow { id: u128::MAX - 1, file: "segments/x.seg".into(), n_bytes: 77, runs: vec![run] };
        let name = GroupName::new("a/b").expect("a valid name");
        let key = || FileKey { source: "s".into(), file: "f".into(), generation: u64::MAX };
        let marks = Marks { wal_released: 4, next_sequence: 1 << 63, next_group: 2 };
        for (start, end) in [(0, 10), (10, 20)] {
            let mut positions = Positions::default();
            positions.insert(key(), start..end);
            let segments = if start == 0 { std::slice::from_ref(&segment) } else { &[] };
            let groups = vec![(1, name.clone(), vec!["one".into()])];
            let batch_files = ValidEntries::from([(7, 2)]);
            let record = FlushRecord { marks, segments, groups, positions: &positions, batch_files: &batch_files };
            catalog.commit_flush(&record).expect("room");
        }
        drop(catalog);
        let mut catalog = Catalog::open(&path, 1).expect("an old catalog");
        let contents = catalog.load().expect("readable");
        assert_eq!(contents.marks, marks);
        assert_eq!(contents.segments.len(), 1);
        assert_eq!((contents.segments[0].id, contents.segments[0].runs.as_slice()), (segment.id, &[run][..]));
        assert_eq!(contents.batch_files, ValidEntries::from([(7, 2)]));
        let accepted = contents.positions.iter().flat_map(|(_, ranges)| ranges.iter().cloned());
        assert!(accepted.flatten().eq(0..20));
        assert_eq!(contents.groups.id_of(&name), Some(1));
        catalog.delete_group(1, &name).expect("room");
        catalog.doom(["segments/x.seg"].into_iter()).expect("room");
        let contents = catalog.load().expect("readable");
        assert_eq!((contents.groups.len(), contents.deleted), (0, vec![1]));
        assert_eq!((contents.segments.len(), contents.doomed), (0, vec!["segments/x.seg".to_owned()]));
    }
}
