//! A database in a file of the data directory: SQLite in WAL mode with `synchronous=FULL`, so that a transaction is
//! durable when it returns. The version of the tables is `PRAGMA user_version`, bytes 60–63 of the file, big endian.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::ffi::{Error, SQLITE_IOERR};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction};

use super::{DatabaseError, DatabaseProblem, Result, Schema};

/// The first SQLite that does not lose pages when a WAL is reset while it is being written.
const VERSION_MIN: i32 = 3_051_003;

/// Position of the version of the tables in the file.
const USER_VERSION_AT: usize = 60;

/// An open database, and the name that its errors carry.
pub struct Database {
    /// The connection, which tests use.
    pub connection: Connection,
    name: String,
    /// A transaction has failed since the last that did not.
    is_unsettled: bool,
}

impl Database {
    /// Opens the database in the file `path`, making it if there is none, and brings its tables up to date.
    pub fn open(path: &Path, store: [u8; 16], schema: &Schema) -> Result<Self> {
        let name = path.display().to_string();
        let refuse = |problem| Err(DatabaseError { database: name.clone(), problem });
        if rusqlite::version_number() < VERSION_MIN {
            return refuse(DatabaseProblem::Library(rusqlite::version().to_owned()));
        }
        // SQLite would make files beside it even to say which version it is.
        let known = schema.steps.len() as u64;
        if let Some(found) = version_in_file(path).filter(|found| *found > known) {
            return refuse(DatabaseProblem::Newer { found, known });
        }
        let connection = Connection::open(path).map_err(of(&name))?;
        let mut database = Self { connection, name: name.clone(), is_unsettled: false };
        let found = database.version()?;
        if found > known {
            // Its own WAL says so. Closing must leave the file as it is.
            let kept = database.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            kept.map_err(of(&name))?;
            return refuse(DatabaseProblem::Newer { found, known });
        }
        if found as usize >= schema.identity_since {
            database.check_identity(store)?;
        }
        database.set_up(found as usize, schema).map_err(of(&name))?;
        database.check_identity(store)?;
        Ok(database)
    }

    fn version(&self) -> Result<u64> {
        let version = self.connection.query_row("PRAGMA user_version", [], |row| row.get(0));
        version.map(|version: i64| u64::from(version as u32)).map_err(of(&self.name))
    }

    /// Brings the tables from version `found` up to date.
    fn set_up(&mut self, found: usize, schema: &Schema) -> rusqlite::Result<()> {
        // Where it cannot change its mode it continues in the old one, whose transactions a failed sync leaves open.
        let mode: String = self.connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            let problem = format!("its journal mode cannot be changed from {mode} to wal");
            return Err(rusqlite::Error::SqliteFailure(Error::new(SQLITE_IOERR), Some(problem)));
        }
        self.connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")?;
        for (at, step) in schema.steps.iter().enumerate().skip(found) {
            let transaction = self.connection.transaction()?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", at as i64 + 1)?;
            transaction.commit()?;
        }
        if found < schema.steps.len() {
            // So that the file itself tells an older catat that it must not touch it.
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Checks which store it belongs to; one that belongs to none becomes this store's.
    fn check_identity(&self, store: [u8; 16]) -> Result<()> {
        let select = "SELECT store FROM identity";
        let found = self.connection.query_row(select, [], |row| row.get::<_, [u8; 16]>(0)).optional();
        match found.map_err(of(&self.name))? {
            Some(found) if found == store => Ok(()),
            Some(found) => {
                let (found, expected) = (u128::from_be_bytes(found), u128::from_be_bytes(store));
                let problem = DatabaseProblem::Foreign { found, expected };
                Err(DatabaseError { database: self.name.clone(), problem })
            }
            None => {
                let insert = "INSERT INTO identity(store) VALUES (?)";
                self.connection.execute(insert, [store]).map(|_| ()).map_err(of(&self.name))
            }
        }
    }

    /// Does work in the database; its errors carry the database's name.
    pub fn with<T>(&mut self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.settle().map_err(of(&self.name))?;
        let done = work(&mut self.connection);
        self.is_unsettled = done.is_err();
        done.map_err(of(&self.name))
    }

    /// Does work in one transaction.
    pub fn transact(&mut self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<()> {
        self.with(|connection| {
            let transaction = connection.transaction()?;
            work(&transaction)?;
            transaction.commit()
        })
    }

    /// Makes sure that a transaction that failed never comes back.
    ///
    /// One whose sync failed may lie whole in SQLite's WAL: this process does not see it, the next start would.
    /// Whatever is written next takes its place there; what stood behind that no longer continues its checksums.
    fn settle(&mut self) -> rusqlite::Result<()> {
        if self.is_unsettled {
            let version: i64 = self.connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            self.connection.pragma_update(None, "user_version", version)?;
            self.is_unsettled = false;
        }
        Ok(())
    }
}

/// Returns the version in the file; `None` if the file does not exist or has no whole header.
pub fn version_in_file(path: &Path) -> Option<u64> {
    let mut header = [0; 100];
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    if !header.starts_with(b"SQLite format 3\0") {
        return None;
    }
    let version = header[USER_VERSION_AT..].first_chunk()?;
    Some(u64::from(u32::from_be_bytes(*version)))
}

/// Says which database an error comes from.
pub fn of(name: &str) -> impl FnOnce(rusqlite::Error) -> DatabaseError {
    move |error| {
        let is_damaged =
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
        let text = error.to_string();
        let problem = if is_damaged { DatabaseProblem::Damaged(text) } else { DatabaseProblem::Failed(text) };
        DatabaseError { database: name.to_owned(), problem }
    }
}
