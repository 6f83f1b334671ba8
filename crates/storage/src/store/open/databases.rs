//! Opening the catalog and the control store, wherever they are.
//!
//! A file in the data directory, `catalog.postgres` or `control.postgres`, says that the one or the other is in
//! PostgreSQL. It is there so that neither a wrong address nor a setting that got lost makes the store begin again
//! with an empty catalog: with the file, the database must know the store; without it, a SQLite file that is there
//! is the truth, and it is brought to PostgreSQL when the settings say so. That is one transaction there, then the
//! file, then the SQLite file takes the name `*.sqlite.moved`; what is cut off in between is done again.

use std::path::Path;

use types::{ScanError, ensure};

use super::directory::set_aside;
use super::scope::{FIRST_SEQUENCE, Scope};
use crate::OpenError;
use crate::catalog::postgres::PostgresCatalog;
use crate::catalog::sqlite::SqliteCatalog;
use crate::catalog::{Catalog, Contents};
use crate::control::ControlStore;
use crate::control::postgres::PostgresControl;
use crate::control::sqlite::SqliteControl;
use database::url::DatabaseUrl;
use database::{DatabaseError, DatabaseProblem, Result};
use files::disk;

/// A catalog with what it holds, and what was damaged of it.
pub(super) type OpenedCatalog = (Box<dyn Catalog>, Contents, Option<ScanError>);

/// A database of the store: where it may be, and what the setting is called.
struct DatabaseLocation<'a> {
    dir: &'a Path,
    /// `catalog` or `control`.
    name: &'static str,
    setting: &'static str,
}

impl DatabaseLocation<'_> {
    fn file(&self) -> std::path::PathBuf {
        self.dir.join(format!("{}.sqlite", self.name))
    }

    fn mark(&self) -> std::path::PathBuf {
        self.dir.join(format!("{}.postgres", self.name))
    }

    fn refuse(&self, problem: String) -> OpenError {
        OpenError::NotAStore { dir: self.dir.to_owned(), problem }
    }

    /// Refuses to look for a SQLite file where the database is in PostgreSQL.
    fn check_is_local(&self) -> Result<(), OpenError> {
        if self.mark().exists() {
            let Self { name, setting, .. } = self;
            return Err(self.refuse(format!("its {name} is in PostgreSQL: set [storage] {setting} to its address")));
        }
        Ok(())
    }

    /// Says for ever that the database is in PostgreSQL, and puts the SQLite file aside.
    fn mark_as_remote(&self, url: &DatabaseUrl) -> Result<(), OpenError> {
        let Self { name, setting, .. } = self;
        let text = format!("The {name} of this store is in PostgreSQL ([storage] {setting}), first at {url}.\n");
        disk::write_whole(&self.mark(), text.as_bytes()).map_err(OpenError::io(&self.mark()))?;
        let file = self.file();
        if file.exists() {
            std::fs::rename(&file, file.with_extension("sqlite.moved")).map_err(OpenError::io(&file))?;
            tracing::info!(database = name, to = %url, "database moved to PostgreSQL");
        }
        Ok(())
    }

    fn refuse_two(&self, url: &DatabaseUrl) -> OpenError {
        let (name, file) = (self.name, self.file());
        let file = file.display();
        self.refuse(format!(
            "it has a {name} in {file}, and {url} has another one of this store; remove the one that is wrong"
        ))
    }
}

/// Opens the catalog. A SQLite file that is no intact database is moved to `quarantine/` and created again from the
/// segments, as where it is gone; that is reported.
pub(super) fn open_catalog(
    dir: &Path,
    store: [u8; 16],
    url: Option<&DatabaseUrl>,
    scope: Scope,
) -> Result<OpenedCatalog, OpenError> {
    let location = DatabaseLocation { dir, name: "catalog", setting: "catalog" };
    if let Some(url) = url {
        return open_remote_catalog(&location, store, url, scope);
    }
    location.check_is_local()?;
    let found = match open_local_catalog(&location, store) {
        Ok((catalog, contents)) => return Ok((catalog, contents, None)),
        Err(DatabaseError { problem: DatabaseProblem::Damaged(found), .. }) => found,
        Err(error) => return Err(error.into()),
    };
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        set_aside(dir, name)?;
    }
    let problem = format!("{found}; it was moved to quarantine/ and made anew from the segments");
    tracing::error!(file = "catalog.sqlite", problem, "file is damaged");
    let damage = ScanError { file: "catalog.sqlite".into(), offset: 0, problem };
    let (catalog, contents) = open_local_catalog(&location, store)?;
    Ok((catalog, contents, Some(damage)))
}

fn open_local_catalog(location: &DatabaseLocation<'_>, store: [u8; 16]) -> Result<(Box<dyn Catalog>, Contents)> {
    let mut catalog = SqliteCatalog::open(&location.file(), store, FIRST_SEQUENCE)?;
    let contents = catalog.load()?;
    Ok((Box::new(catalog), contents))
}

fn open_remote_catalog(
    location: &DatabaseLocation<'_>,
    store: [u8; 16],
    url: &DatabaseUrl,
    scope: Scope,
) -> Result<OpenedCatalog, OpenError> {
    let is_marked = location.mark().exists();
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    let holder = format!("process {} on {host}, data directory {}", std::process::id(), location.dir.display());
    let mut catalog = PostgresCatalog::open(url, store, &holder, is_marked && scope == Scope::Start, FIRST_SEQUENCE)?;
    let mut contents = catalog.load()?;
    if !is_marked {
        if location.file().exists() {
            let (_, local) = open_local_catalog(location, store)?;
            if contents.is_empty() && contents.marks.next_sequence == FIRST_SEQUENCE {
                catalog.fill(&local)?;
                contents = catalog.load()?;
            }
            ensure!(contents.marks == local.marks && contents.segments == local.segments, location.refuse_two(url));
        }
        location.mark_as_remote(url)?;
    }
    Ok((Box::new(catalog), contents, None))
}

/// Refuses to look for a control store in a file where it is in PostgreSQL.
pub(super) fn check_control_is_local(dir: &Path) -> Result<(), OpenError> {
    control_of(dir).check_is_local()
}

fn control_of(dir: &Path) -> DatabaseLocation<'_> {
    DatabaseLocation { dir, name: "control", setting: "control_store" }
}

/// Opens a control store in PostgreSQL.
pub(super) fn open_remote_control(
    dir: &Path,
    store: [u8; 16],
    url: &DatabaseUrl,
) -> Result<Box<dyn ControlStore>, OpenError> {
    let location = control_of(dir);
    let is_marked = location.mark().exists();
    let mut control = PostgresControl::open(url, store, is_marked)?;
    if !is_marked {
        if location.file().exists() {
            let local = SqliteControl::open(&location.file(), store)?.load()?;
            if control.load()?.is_empty() {
                control.fill(&local)?;
            }
            ensure!(control.load()? == local, location.refuse_two(url));
        }
        location.mark_as_remote(url)?;
    }
    Ok(Box::new(control))
}
