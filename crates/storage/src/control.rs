//! The control store: what people have set, as opposed to what was accepted. Kept apart from the catalog, since it
//! cannot be rebuilt from anything.
//!
//! ```text
//! control.sqlite   retention(group_name, age_ns, bytes)   a group's own limits; absent: those of the store alone
//! ```
//!
//! Every change is durable when it returns.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, params};
use types::GroupName;

use crate::{GroupRetention, OpenError};

/// Version of the tables, in `PRAGMA user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE retention(group_name TEXT PRIMARY KEY, age_ns INTEGER, bytes INTEGER) WITHOUT ROWID;
";

/// The open control store.
pub(crate) struct Control {
    connection: Connection,
}

impl Control {
    /// Opens the control store, making it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let mut connection = Connection::open(path).map_err(OpenError::catalog(path))?;
        let found: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(OpenError::catalog(path))?;
        if found > VERSION {
            let (found, known) = (found.unsigned_abs(), VERSION.unsigned_abs());
            return Err(OpenError::NewerFormat { file: path.to_owned(), found, known });
        }
        let set_up = |connection: &mut Connection| {
            connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
            connection.execute_batch("PRAGMA synchronous=FULL")?;
            if found == 0 {
                let transaction = connection.transaction()?;
                transaction.execute_batch(TABLES)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()?;
            }
            Ok(())
        };
        set_up(&mut connection).map_err(OpenError::catalog(path))?;
        Ok(Self { connection })
    }

    /// The limits of all groups that have some.
    pub(crate) fn retentions(&self) -> rusqlite::Result<BTreeMap<GroupName, GroupRetention>> {
        let mut statement = self.connection.prepare("SELECT group_name, age_ns, bytes FROM retention")?;
        let mut rows = statement.query([])?;
        let mut retentions = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let bytes: Option<i64> = row.get(2)?;
            if let Some(name) = GroupName::new(&name) {
                let retention = GroupRetention { age_ns: row.get(1)?, bytes: bytes.map(i64::unsigned_abs) };
                retentions.insert(name, retention);
            }
        }
        Ok(retentions)
    }

    /// Sets a group's limits; none takes them away.
    pub(crate) fn set_retention(&self, group: &GroupName, retention: &GroupRetention) -> rusqlite::Result<()> {
        let bytes = retention.bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let changed = if *retention == GroupRetention::default() {
            self.connection.execute("DELETE FROM retention WHERE group_name = ?", [group.as_str()])
        } else {
            let insert = "INSERT OR REPLACE INTO retention VALUES (?, ?, ?)";
            self.connection.execute(insert, params![group.as_str(), retention.age_ns, bytes])
        };
        changed.map(|_| ())
    }
}
