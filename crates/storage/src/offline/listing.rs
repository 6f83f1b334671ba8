//! What a store that no process uses consists of: the segments that its catalog lists, and its files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::catalog::postgres::PostgresCatalog;
use crate::catalog::{Catalog, SegmentRow};
use crate::tier::Place;
use crate::{ObjectStoreOptions, OpenError, Options};
use database::sqlite::of;
use database::url::Databases;
use database::{DatabaseError, DatabaseProblem, Result};
use files::objects::Objects;

/// A segment as the catalog lists it: file relative to the data directory or name of the object, bytes, and its runs
/// as (group, events, first, last).
#[derive(Clone)]
pub(super) struct SegmentListing {
    pub(super) id: u128,
    pub(super) file: String,
    pub(super) place: Place,
    pub(super) n_bytes: u64,
    pub(super) runs: Vec<(u32, u64, i64, i64)>,
}

/// Refuses to take a store for one without a catalog or a control store, where they are in PostgreSQL.
pub(super) fn check_databases(dir: &Path, databases: &Databases) -> Result<(), OpenError> {
    let named = [("catalog", "catalog", &databases.catalog), ("control", "control_store", &databases.control)];
    for (name, setting, url) in named {
        if url.is_none() && dir.join(format!("{name}.postgres")).exists() {
            let problem = format!("its {name} is in PostgreSQL: set [storage] {setting} to its address");
            return Err(OpenError::NotAStore { dir: dir.to_owned(), problem });
        }
    }
    Ok(())
}

/// A catalog that is looked at, while a server may write to it.
pub(super) enum CatalogListing {
    /// A SQLite file, and what errors call it. Of whatever version: what is read has been there from the first on.
    File(Connection, String),
    Remote(Box<PostgresCatalog>),
}

impl CatalogListing {
    /// Opens the catalog of a store.
    pub(super) fn open(options: &Options, store: [u8; 16]) -> Result<Self, OpenError> {
        match &options.databases.catalog {
            None => Self::of_file(&options.dir.join("catalog.sqlite")),
            Some(url) => Ok(Self::Remote(Box::new(PostgresCatalog::open_for_reading(url, store)?))),
        }
    }

    pub(super) fn of_file(path: &Path) -> Result<Self, OpenError> {
        Ok(Self::File(open_database(path)?, path.display().to_string()))
    }

    /// Runs the database's own check and returns what it found.
    pub(super) fn check(&mut self) -> Result<()> {
        let Self::File(connection, name) = self else { return Ok(()) };
        let check = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match check.map_err(of(name))? {
            check if check == "ok" => Ok(()),
            check => Err(DatabaseError { database: name.clone(), problem: DatabaseProblem::Damaged(check) }),
        }
    }

    /// Returns all segments that it lists.
    pub(super) fn segments(&mut self) -> Result<Vec<SegmentListing>, OpenError> {
        match self {
            Self::File(connection, name) => Ok(listed_segments(connection).map_err(of(name))?),
            Self::Remote(catalog) => Ok(catalog.load()?.segments.into_iter().map(SegmentListing::from).collect()),
        }
    }

    /// Returns numbers of the WAL file below which all were released, and of one that was made.
    pub(super) fn wal_marks(&mut self) -> Result<(u64, u64), OpenError> {
        match self {
            Self::File(connection, name) => Ok(wal_marks(connection).map_err(of(name))?),
            Self::Remote(catalog) => {
                let marks = catalog.marks()?;
                Ok((marks.wal_released, marks.wal_made))
            }
        }
    }
}

impl From<SegmentRow> for SegmentListing {
    fn from(row: SegmentRow) -> Self {
        let SegmentRow { id, file, place, n_bytes, runs, .. } = row;
        let runs = runs.iter().map(|run| (run.group_id, run.n_events, run.first.0, run.last.0)).collect();
        Self { id, file, place, n_bytes, runs }
    }
}

/// Opens a database that exists; nothing here writes to it.
pub(super) fn open_database(path: &Path) -> Result<Connection, OpenError> {
    types::ensure!(path.is_file(), OpenError::Io { path: path.to_owned(), source: io::ErrorKind::NotFound.into() });
    // Not read-only for SQLite: a database in WAL mode needs its shared-memory file, which a reader may have to make.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(path, flags).map_err(of(&path.to_string_lossy()))?)
}

/// Returns all segments that a catalog lists.
fn listed_segments(connection: &Connection) -> rusqlite::Result<Vec<SegmentListing>> {
    // A catalog of an earlier version knows no other place.
    let has_places = connection.prepare("SELECT place FROM segments LIMIT 0").is_ok();
    let place = if has_places { "place" } else { "0" };
    let mut segments = connection.prepare(&format!("SELECT id, file, bytes, {place} FROM segments ORDER BY file"))?;
    let mut runs = connection.prepare("SELECT group_id, n_events, first, last FROM runs WHERE segment = ?1")?;
    let rows = segments.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get(3)?)))?;
    let mut listed = Vec::new();
    for row in rows {
        let (id, file, n_bytes, place): (Vec<u8>, String, i64, u8) = row?;
        let of_segment =
            runs.query_map([&id], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64, row.get(2)?, row.get(3)?)))?;
        let runs = of_segment.collect::<rusqlite::Result<_>>()?;
        let id = id.try_into().map(u128::from_be_bytes).unwrap_or_default();
        let place = Place::from_number(place);
        listed.push(SegmentListing { id, file, place, n_bytes: n_bytes as u64, runs });
    }
    Ok(listed)
}

/// Opens the object store that a store in `dir` uses, where one is set.
pub(super) fn open_objects(
    options: Option<&ObjectStoreOptions>,
    store: &[u8; 16],
) -> Result<Option<Arc<Objects>>, OpenError> {
    let objects = options.map(|options| Objects::new(options, store, Arc::default()));
    let objects = objects.transpose().map_err(OpenError::ObjectStore)?;
    Ok(objects.map(Arc::new))
}

/// Returns numbers of the WAL file below which all were released, and of one that was made.
fn wal_marks(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let value = |key: &str| {
        let value = connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get::<_, i64>(0));
        value.optional().map(|value| value.map(i64::unsigned_abs))
    };
    Ok((value("wal_released")?.unwrap_or(1), value("wal_made")?.unwrap_or(0)))
}

/// Returns files below `dir`, relative to it, sorted; none if there is no such directory.
pub(super) fn files_below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(next) = pending.pop() {
        let entries = match std::fs::read_dir(&next) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            } else if let Ok(relative) = entry.path().strip_prefix(dir) {
                files.push(relative.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}
