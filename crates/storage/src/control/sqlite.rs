//! The control store in a SQLite file of the data directory.

use std::path::Path;

use rusqlite::params;

use super::{ControlStore, Document};
use crate::database::sqlite::Database;
use crate::database::{DatabaseError, Schema};

pub(super) const SCHEMA: Schema = Schema { steps: &[VERSION_1, VERSION_2], identity_since: 2 };

const VERSION_1: &str = "
    CREATE TABLE retention(group_name TEXT PRIMARY KEY, age_ns INTEGER, bytes INTEGER) WITHOUT ROWID;
";

const VERSION_2: &str = "
    CREATE TABLE settings(kind TEXT, name TEXT, json TEXT NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY(kind, name)) WITHOUT ROWID;
    INSERT INTO settings
        SELECT 'retention', group_name, json_object('age_ns', age_ns, 'bytes', bytes), 1 FROM retention;
    DROP TABLE retention;
    CREATE TABLE identity(store BLOB NOT NULL);
";

/// The open control store.
pub(crate) struct SqliteControl {
    database: Database,
}

impl SqliteControl {
    /// Opens the control store of `store`, making it where there is none.
    pub(crate) fn open(path: &Path, store: [u8; 16]) -> Result<Self, DatabaseError> {
        Ok(Self { database: Database::open(path, store, &SCHEMA)? })
    }

    /// Does one change. Nothing stays in SQLite's WAL: of a damaged one it drops what it cannot read without a word,
    /// and what people have set can be found nowhere else.
    fn change(&mut self, statement: &str, values: &[&str]) -> Result<(), DatabaseError> {
        self.database.with(|connection| {
            connection.execute(statement, rusqlite::params_from_iter(values))?;
            // The change is durable already; where this fails, the next one does it as well.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            Ok(())
        })
    }
}

impl ControlStore for SqliteControl {
    fn documents(&mut self, kind: &str) -> Result<Vec<(String, String)>, DatabaseError> {
        self.database.with(|connection| {
            let mut select = connection.prepare("SELECT name, json FROM settings WHERE kind = ? ORDER BY name")?;
            let documents = select.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
            documents.collect()
        })
    }

    fn put(&mut self, kind: &str, name: &str, json: &str) -> Result<(), DatabaseError> {
        let put = "INSERT INTO settings VALUES (?, ?, ?, 1) ON CONFLICT(kind, name)
            DO UPDATE SET json = excluded.json, version = version + 1";
        self.change(put, &[kind, name, json])
    }

    fn remove(&mut self, kind: &str, name: &str) -> Result<(), DatabaseError> {
        let delete = "DELETE FROM settings WHERE kind = ? AND name = ?";
        self.change(delete, &[kind, name])
    }

    fn load(&mut self) -> Result<Vec<Document>, DatabaseError> {
        self.database.with(|connection| {
            let mut select =
                connection.prepare("SELECT kind, name, json, version FROM settings ORDER BY kind, name")?;
            let documents = select.query_map([], |row| {
                Ok(Document { kind: row.get(0)?, name: row.get(1)?, json: row.get(2)?, version: row.get(3)? })
            })?;
            documents.collect()
        })
    }

    fn fill(&mut self, documents: &[Document]) -> Result<(), DatabaseError> {
        self.database.with(|connection| {
            let transaction = connection.transaction()?;
            transaction.execute("DELETE FROM settings", [])?;
            for Document { kind, name, json, version } in documents {
                transaction.execute("INSERT INTO settings VALUES (?, ?, ?, ?)", params![kind, name, json, version])?;
            }
            transaction.commit()
        })
    }
}
