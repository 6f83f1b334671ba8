//! The control store in a SQLite file of the data directory.
//!
//! SQLite has no checksums, and what is set here can be found nowhere else: a flipped bit may lift a limit or change
//! a right. So a digest of all documents stands beside them, written with every change and checked at the start.
//!
//! ```text
//! digest(value)   XXH3-128, big endian, of all documents by kind and name: of each the length (u64, little-endian)
//!                 and the bytes of kind, name and JSON, then its version (u64, little-endian); at most one row
//! ```

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use xxhash_rust::xxh3::Xxh3;

use super::{ControlStore, Document};
use database::sqlite::Database;
use database::{DatabaseError, DatabaseProblem, Result, Schema};

pub(super) const SCHEMA: Schema = Schema { steps: &[VERSION_1, VERSION_2, VERSION_3], identity_since: 2 };

/// The version of the tables.
pub(crate) const VERSION: u64 = SCHEMA.steps.len() as u64;

const VERSION_1: &str = "
    CREATE TABLE retention(group_name TEXT PRIMARY KEY, age_ns INTEGER, bytes INTEGER) WITHOUT ROWID;
";

const VERSION_2: &str = include_str!("sqlite/2.sql");

/// The digest of older files is made by the start that brings them up to date.
const VERSION_3: &str = "CREATE TABLE digest(value BLOB NOT NULL);";

/// The open control store.
pub(crate) struct SqliteControl {
    database: Database,
}

impl SqliteControl {
    /// Opens the control store of `store`, making it if there is none.
    pub(crate) fn open(path: &Path, store: [u8; 16]) -> Result<Self> {
        let mut control = Self { database: Database::open(path, store, &SCHEMA)? };
        if !control.database.with(|connection| has_its_digest(connection))? {
            let problem = DatabaseProblem::Damaged("its documents are not those that were written".into());
            return Err(DatabaseError { database: path.display().to_string(), problem });
        }
        Ok(control)
    }

    /// Does one change. Nothing stays in SQLite's WAL: of a damaged one it drops what it cannot read without a word,
    /// and what people have set can be found nowhere else.
    fn change(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<()> {
        self.database.transact(|transaction| {
            work(transaction)?;
            put_digest(transaction)
        })?;
        self.database.with(|connection| {
            // The change is durable already; where this fails, the next one does it as well.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            Ok(())
        })
    }
}

fn all_documents(connection: &Connection) -> rusqlite::Result<Vec<Document>> {
    let mut select = connection.prepare("SELECT kind, name, json, version FROM settings ORDER BY kind, name")?;
    let documents = select.query_map([], |row| {
        Ok(Document { kind: row.get(0)?, name: row.get(1)?, json: row.get(2)?, version: row.get(3)? })
    })?;
    documents.collect()
}

fn digest_of(connection: &Connection) -> rusqlite::Result<[u8; 16]> {
    let mut hasher = Xxh3::new();
    for document in all_documents(connection)? {
        for text in [&document.kind, &document.name, &document.json] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&document.version.to_le_bytes());
    }
    Ok(hasher.digest128().to_be_bytes())
}

fn put_digest(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM digest", [])?;
    connection.execute("INSERT INTO digest VALUES (?)", [digest_of(connection)?])?;
    Ok(())
}

/// Reports whether the documents are those that were written; a file that has no digest yet gets one.
fn has_its_digest(connection: &Connection) -> rusqlite::Result<bool> {
    let known = connection.query_row("SELECT value FROM digest", [], |row| row.get::<_, Vec<u8>>(0)).optional()?;
    match known {
        Some(known) => Ok(known == digest_of(connection)?),
        None => put_digest(connection).map(|()| true),
    }
}

impl ControlStore for SqliteControl {
    fn documents(&mut self, kind: &str) -> Result<Vec<(String, String)>> {
        self.database.with(|connection| {
            let mut select = connection.prepare("SELECT name, json FROM settings WHERE kind = ? ORDER BY name")?;
            let documents = select.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
            documents.collect()
        })
    }

    fn put(&mut self, kind: &str, name: &str, json: &str) -> Result<()> {
        let put = "INSERT INTO settings VALUES (?, ?, ?, 1) ON CONFLICT(kind, name)
            DO UPDATE SET json = excluded.json, version = version + 1";
        self.change(|connection| connection.execute(put, [kind, name, json]).map(|_| ()))
    }

    fn remove(&mut self, kind: &str, name: &str) -> Result<()> {
        let delete = "DELETE FROM settings WHERE kind = ? AND name = ?";
        self.change(|connection| connection.execute(delete, [kind, name]).map(|_| ()))
    }

    fn load(&mut self) -> Result<Vec<Document>> {
        self.database.with(|connection| all_documents(connection))
    }

    fn fill(&mut self, documents: &[Document]) -> Result<()> {
        self.change(|connection| {
            connection.execute("DELETE FROM settings", [])?;
            for Document { kind, name, json, version } in documents {
                connection.execute("INSERT INTO settings VALUES (?, ?, ?, ?)", params![kind, name, json, version])?;
            }
            Ok(())
        })
    }
}
