//! The control store in PostgreSQL. It is shared: a change is one statement, and the last one holds. The first version
//! here is 2; version 3 adds the tables of states, which only fleets use.

use tokio_postgres::Row;

use super::states::{States, VERSION_3};
use super::{ControlStore, Document};
use database::postgres::{Database, PostgresOptions};
use database::url::DatabaseUrl;
use database::{Result, Schema};

pub(super) const SCHEMA: Schema = Schema { steps: &["", VERSION_2, VERSION_3], identity_since: 0 };

const VERSION_2: &str = include_str!("postgres/2.sql");

/// The open control store.
pub(crate) struct PostgresControl {
    database: Database,
}

fn opening(url: &DatabaseUrl, store: [u8; 16], must_exist: bool) -> PostgresOptions<'_> {
    PostgresOptions { url, store, kind: "control", schema: &SCHEMA, holder: None, must_exist }
}

impl PostgresControl {
    /// Opens the control store of `store`, making it if there is none, unless there must be one.
    pub(crate) fn open(url: &DatabaseUrl, store: [u8; 16], must_exist: bool) -> Result<Self> {
        Ok(Self { database: opening(url, store, must_exist).open()? })
    }

    /// Opens the control store of `store` to look at it.
    pub(crate) fn open_for_reading(url: &DatabaseUrl, store: [u8; 16]) -> Result<Self> {
        Ok(Self { database: opening(url, store, true).open_for_reading()? })
    }
}

/// Connects to the states of a fleet.
pub(crate) fn states(url: &DatabaseUrl, store: [u8; 16]) -> Result<States> {
    Ok(States::new(opening(url, store, true).open()?, store))
}

impl ControlStore for PostgresControl {
    fn documents(&mut self, kind: &str) -> Result<Vec<(String, String)>> {
        self.database.transact(|session| {
            let rows = session.query("SELECT name, json FROM settings WHERE kind = $1 ORDER BY name", &[&kind])?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }

    fn check(&mut self) -> Result<()> {
        self.database.transact(|session| session.query("SELECT 1", &[]).map(|_| ()))
    }

    fn put(&mut self, kind: &str, name: &str, json: &str) -> Result<()> {
        let put = "INSERT INTO settings VALUES ($1, $2, $3, 1) ON CONFLICT (kind, name)
            DO UPDATE SET json = excluded.json, version = settings.version + 1";
        self.database.transact(|session| session.execute(put, &[&kind, &name, &json]).map(|_| ()))
    }

    fn remove(&mut self, kind: &str, name: &str) -> Result<()> {
        let delete = "DELETE FROM settings WHERE kind = $1 AND name = $2";
        self.database.transact(|session| session.execute(delete, &[&kind, &name]).map(|_| ()))
    }

    fn load(&mut self) -> Result<Vec<Document>> {
        self.database.transact(|session| {
            let rows = session.query("SELECT kind, name, json, version FROM settings ORDER BY kind, name", &[])?;
            let document = |row: &Row| {
                let (kind, name, json) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                Ok(Document { kind, name, json, version: row.try_get(3)? })
            };
            rows.iter().map(document).collect()
        })
    }

    fn fill(&mut self, documents: &[Document]) -> Result<()> {
        self.database.transact(|session| {
            session.execute("DELETE FROM settings", &[])?;
            for Document { kind, name, json, version } in documents {
                session.execute("INSERT INTO settings VALUES ($1, $2, $3, $4)", &[kind, name, json, version])?;
            }
            Ok(())
        })
    }
}
