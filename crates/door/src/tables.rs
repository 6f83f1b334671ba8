//! Uploaded tables that queries look up (`lookup`): documents of the control settings, read once and then kept.
//!
//! All of them change only through this server, so that what is kept stays true. What is kept is bounded; a table beyond
//! it is read again for each query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plan::Rows;
use plan::{CSV_BYTES_MAX, read_csv};
use serde_json::{Value, json};
use storage::Settings;

use crate::problem::Problem;

/// The kind of documents that tables are.
const KIND: &str = "lookup";

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
}

impl Tables {
    fn kept(&self) -> MutexGuard<'_, HashMap<String, StoredTable>> {
        // What a panic leaves is a map all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the table of a name.
    pub fn get(&self, settings: Settings<'_>, name: &str) -> Option<Arc<Rows>> {
        if let Some(kept) = self.kept().get(name) {
            return Some(kept.rows.clone());
        }
        let text = text_of(settings, name)?;
        let rows = Arc::new(read_csv(&text).ok()?);
        let mut kept = self.kept();
        let n_bytes: usize = kept.values().map(|kept| kept.n_bytes).sum();
        if n_bytes + text.len() <= KEPT_BYTES_MAX {
            kept.insert(name.to_owned(), StoredTable { rows: rows.clone(), n_bytes: text.len() });
        }
        Some(rows)
    }

    /// Puts a table in the place of the one of its name; says what it is.
    pub fn put(&self, settings: Settings<'_>, name: &str, text: &[u8]) -> Result<Value, Problem> {
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
        let documents = settings.all(KIND)?;
        let others = documents.iter().filter(|(known, _)| known != name);
        let (n_tables, n_bytes) = others.fold((0, 0), |(n, bytes), (_, json)| (n + 1, bytes + json.len()));
        if n_tables >= TABLES_MAX || n_bytes + text.len() > BYTES_MAX {
            let message = format!("all lookup tables together may be {TABLES_MAX}, with {BYTES_MAX} bytes");
            return Err(bad(message).hint("delete one that is not needed any more"));
        }
        settings.put(KIND, name, &json!({"csv": text}).to_string())?;
        kept.remove(name);
        Ok(described(name, &rows, text.len()))
    }

    /// Takes a table away; `false` where there is none.
    pub fn remove(&self, settings: Settings<'_>, name: &str) -> Result<bool, Problem> {
        let mut kept = self.kept();
        let is_there = text_of(settings, name).is_some();
        settings.remove(KIND, name)?;
        kept.remove(name);
        Ok(is_there)
    }
}

/// Returns the tables with their columns and sizes.
pub fn list(settings: Settings<'_>) -> Result<Vec<Value>, Problem> {
    let documents = settings.all(KIND)?;
    let describe = |(name, json): &(String, String)| {
        let text = csv_of(json)?;
        Some(described(name, &read_csv(&text).ok()?, text.len()))
    };
    Ok(documents.iter().filter_map(describe).collect())
}

/// Returns the text of a table.
pub fn text_of(settings: Settings<'_>, name: &str) -> Option<String> {
    csv_of(&settings.get(KIND, name).ok()??)
}

/// The largest body of a table: a little more than a table may have, so that the reason is the right one.
pub const BODY_BYTES_MAX: usize = CSV_BYTES_MAX + 1;

fn csv_of(json: &str) -> Option<String> {
    let Value::Object(mut document) = serde_json::from_str(json).ok()? else { return None };
    match document.remove("csv")? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn described(name: &str, rows: &Rows, n_bytes: usize) -> Value {
    let columns: Vec<&str> = rows.columns.iter().map(|column| &**column).collect();
    json!({"name": name, "columns": columns, "rows": rows.rows.len(), "bytes": n_bytes})
}
