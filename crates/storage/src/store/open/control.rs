//! The control store at a start. It holds who may do what and how long events are kept, and nothing else does: a
//! store that lost it must not continue as if no one had ever set anything. It starts locked and takes and gives no
//! events until the control store is put back, or someone who can write to the data directory says that it is
//! to continue without (`catat unlock`).

use std::path::Path;

use super::databases::{check_control_is_local, open_remote_control};
use crate::control::sqlite::SqliteControl;
use crate::control::{ControlStore, Document};
use crate::lock::{self, Lock};
use crate::{OpenError, formats};
use database::url::DatabaseUrl;
use database::{DatabaseError, DatabaseProblem, Result};
use files::disk;

const FILE: &str = "control.sqlite";

/// Bytes at the beginning of every SQLite file that has tables.
const HEADER_BYTES: u64 = 100;

/// Stands in for a control store that is lost.
struct LostControl(String);

impl ControlStore for LostControl {
    fn documents(&mut self, _kind: &str) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    fn put(&mut self, _kind: &str, _name: &str, _json: &str) -> Result<()> {
        Err(DatabaseError { database: FILE.into(), problem: DatabaseProblem::Failed(self.0.clone()) })
    }

    fn remove(&mut self, kind: &str, name: &str) -> Result<()> {
        self.put(kind, name, "")
    }

    fn load(&mut self) -> Result<Vec<Document>> {
        Ok(Vec::new())
    }

    fn fill(&mut self, _documents: &[Document]) -> Result<()> {
        self.put("", "", "")
    }
}

/// Opens the control store; where it is lost, something that stands in for it, and why the store is locked. Only a
/// store that `is_new` may have none yet.
pub(super) fn open(
    dir: &Path,
    store: [u8; 16],
    is_new: bool,
    url: Option<&DatabaseUrl>,
) -> Result<(Box<dyn ControlStore>, Option<String>), OpenError> {
    if let Some(url) = url {
        return Ok((open_remote_control(dir, store, url)?, None));
    }
    check_control_is_local(dir)?;
    let path = dir.join(FILE);
    let problem = if !is_new && !path.exists() {
        "is missing".to_owned()
    } else if !is_new && std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() < HEADER_BYTES) {
        // SQLite would take it for a new one.
        "is cut off".to_owned()
    } else {
        match SqliteControl::open(&path, store) {
            Ok(control) => {
                // A start that is cut off behind this must find it: from then on it may not be missing.
                disk::sync_directory(dir).map_err(OpenError::io(dir))?;
                return Ok((Box::new(control), None));
            }
            Err(DatabaseError { problem: DatabaseProblem::Damaged(found), .. }) => format!("is damaged ({found})"),
            Err(error) => return Err(error.into()),
        }
    };
    let dir = dir.display();
    let problem = format!(
        "the store is locked: {FILE}, which says who may do what and how long events are kept, {problem}; put it back \
         from a backup, or run `catat unlock --data-dir {dir}` to go on without it, and start catat again"
    );
    tracing::error!(problem, "store is locked");
    Ok((Box::new(LostControl(problem.clone())), Some(problem)))
}

/// Gives the store in `dir` a new, empty control store in the place of one that is lost; `false` if it has one.
/// What is left of the old one is kept in `quarantine/`. No server may run on the directory.
pub fn unlock(dir: &Path) -> Result<bool, OpenError> {
    let store = lock::store_in(dir)?;
    formats::check(dir, &store)?;
    let _lock = Lock::take(dir)?;
    let (_, locked) = open(dir, store, false, None)?;
    if locked.is_none() {
        return Ok(false);
    }
    disk::create_directory_synced(&dir.join("quarantine")).map_err(OpenError::io(dir))?;
    for name in [FILE, "control.sqlite-wal", "control.sqlite-shm"] {
        super::directory::set_aside(dir, name)?;
    }
    open(dir, store, true, None).map(|_| true)
}
