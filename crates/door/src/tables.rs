//! Uploaded tables that queries look up (`lookup`): documents of the control settings, read once and then kept.
//!
//! All of them change only through this server, so that what is kept stays true. What is kept is bounded; a table beyond
//! it is read again for each query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use plan::{CSV_BYTES_MAX, LookupTable, Rows, read_csv};
use serde_json::{Value, json};
use storage::Settings;
use types::{GroupScope, Hold, ensure};

use crate::problem::{Problem, Result};

/// Bytes of all tables together. Every change of a setting goes over all of them.
const BYTES_MAX: usize = 64 << 20;

/// Most tables.
const TABLES_MAX: usize = 1_000;

/// Longest name.
const NAME_BYTES_MAX: usize = 128;

/// Bytes of text whose tables are kept in memory.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// Tables in memory.
#[derive(Default)]
pub struct Tables(Mutex<HashMap<String, StoredTable>>);

struct StoredTable {
    rows: Arc<Rows>,
    n_bytes: usize,
    scope: GroupScope,
}

fn of_others(name: &str) -> Problem {
    let message = format!("lookup table {name:?} is not within the groups of this key");
    Problem::forbidden("group-out-of-scope", message).hint("choose another name")
}

impl Tables {
    fn kept(&self) -> MutexGuard<'_, HashMap<String, StoredTable>> {
        // What a panic leaves is a map all the same.
        self.0.hold()
    }

    /// Returns a table by name if the caller may read it.
    pub fn get(&self, settings: Settings<'_>, caller: &GroupScope, name: &str) -> Option<Arc<Rows>> {
        if let Some(kept) = self.kept().get(name) {
            return LookupTable::is_seen(&kept.scope, caller).then(|| kept.rows.clone());
        }
        let LookupTable { csv, scope } = table_of(settings, name)?;
        let (rows, is_seen) = (Arc::new(read_csv(&csv).ok()?), LookupTable::is_seen(&scope, caller));
        let mut kept = self.kept();
        let n_bytes: usize = kept.values().map(|kept| kept.n_bytes).sum();
        if n_bytes + csv.len() <= KEPT_BYTES_MAX {
            kept.insert(name.to_owned(), StoredTable { rows: rows.clone(), n_bytes: csv.len(), scope });
        }
        is_seen.then_some(rows)
    }

    /// Stores a table for a caller, replacing one of the same name, and returns its description.
    pub fn put(&self, settings: Settings<'_>, caller: &GroupScope, name: &str, text: &[u8]) -> Result<Value> {
        let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_usual) {
            let problem = Problem::bad_request("bad-name", format!("{name:?} is no name of a lookup table"));
            return Err(problem.hint(format!("a name is 1–{NAME_BYTES_MAX} of A-Z a-z 0-9 _ - .")));
        }
        let bad = |message: String| {
            Problem::bad_request("bad-table", message).hint("send CSV in UTF-8 with a header, as text/csv")
        };
        let text = std::str::from_utf8(text).map_err(|error| bad(format!("the table is no UTF-8: {error}")))?;
        let rows = read_csv(text).map_err(|error| bad(error.to_string()))?;
        // Held until the document is written: two tables together must not pass the limit either.
        let mut kept = self.kept();
        let documents = settings.all(LookupTable::KIND)?;
        let before = documents.iter().find(|(known, _)| known == name).and_then(|(_, json)| LookupTable::of_json(json));
        ensure!(before.is_none_or(|before| caller.covers(&before.scope)), of_others(name));
        let others = documents.iter().filter(|(known, _)| known != name);
        let (n_tables, n_bytes) = others.fold((0, 0), |(n, bytes), (_, json)| (n + 1, bytes + json.len()));
        if n_tables >= TABLES_MAX || n_bytes + text.len() > BYTES_MAX {
            let message = format!("all lookup tables together may be {TABLES_MAX}, with {BYTES_MAX} bytes");
            return Err(bad(message).hint("delete one that is not needed any more"));
        }
        settings.put(LookupTable::KIND, name, &LookupTable::json(text, caller))?;
        kept.remove(name);
        Ok(described(name, &rows, text.len()))
    }

    /// Removes a table; `false` if the caller can see none of this name.
    pub fn remove(&self, settings: Settings<'_>, caller: &GroupScope, name: &str) -> Result<bool> {
        let mut kept = self.kept();
        match table_of(settings, name) {
            Some(table) if caller.covers(&table.scope) => {
                settings.remove(LookupTable::KIND, name)?;
                kept.remove(name);
                Ok(true)
            }
            Some(table) if LookupTable::is_seen(&table.scope, caller) => Err(of_others(name)),
            _ => Ok(false),
        }
    }
}

/// Returns the tables that a caller may read, with their columns and sizes.
pub fn list(settings: Settings<'_>, caller: &GroupScope) -> Result<Vec<Value>> {
    let documents = settings.all(LookupTable::KIND)?;
    let describe = |(name, json): &(String, String)| {
        let LookupTable { csv, .. } =
            LookupTable::of_json(json).filter(|table| LookupTable::is_seen(&table.scope, caller))?;
        Some(described(name, &read_csv(&csv).ok()?, csv.len()))
    };
    Ok(documents.iter().filter_map(describe).collect())
}

/// Returns the text of a table if the caller may read it.
pub fn text_of(settings: Settings<'_>, caller: &GroupScope, name: &str) -> Option<String> {
    table_of(settings, name).filter(|table| LookupTable::is_seen(&table.scope, caller)).map(|table| table.csv)
}

fn table_of(settings: Settings<'_>, name: &str) -> Option<LookupTable> {
    LookupTable::of_json(&settings.get(LookupTable::KIND, name).ok()??)
}

/// The largest body of a table: a little more than a table may have, so that the reason is the right one.
pub const BODY_BYTES_MAX: usize = CSV_BYTES_MAX + 1;

fn described(name: &str, rows: &Rows, n_bytes: usize) -> Value {
    let columns: Vec<&str> = rows.columns.iter().map(|column| &**column).collect();
    json!({"name": name, "columns": columns, "rows": rows.rows.len(), "bytes": n_bytes})
}
