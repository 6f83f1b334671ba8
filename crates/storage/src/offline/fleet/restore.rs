//! Brings a copy of a store into a fleet that has none yet.

use std::path::{Path, PathBuf};
use std::{fs, io};

use database::url::DatabaseUrl;

use super::super::listing::files_below;
use super::super::verify::verify;
use crate::catalog::Catalog;
use crate::catalog::postgres::PostgresCatalog;
use crate::control::ControlStore;
use crate::control::postgres::PostgresControl;
use crate::control::sqlite::SqliteControl;
use crate::fleet::adopt::{AdoptError, AdoptReport, adopt};
use crate::fleet::identity_of;
use crate::{ObjectStoreOptions, OpenError, Options, lock};
use files::disk;

/// Brings the copy in `from`, after checking every checksum of it, into the fleet of a database and a bucket, neither of
/// which may have anything of a store yet; `moved` is told each segment's name. The copy stays what it is: what has to
/// change for the move is done in `scratch`, which is removed afterwards. What was cut off is begun again and continues.
pub fn restore_fleet(
    from: &Path,
    scratch: &Path,
    url: &DatabaseUrl,
    bucket: &ObjectStoreOptions,
    moved: impl FnMut(&str),
) -> Result<AdoptReport, AdoptError> {
    let store = lock::store_in(from)?;
    let found = verify(&Options::new(from))?;
    if let Some(damage) = found.damaged.first() {
        return Err(AdoptError::NotReady(format!("the backup is damaged: {damage}")));
    }
    check_is_empty(from, store, url)?;
    let begun = lock::read_store(scratch).ok().flatten();
    if begun != Some(store) {
        stage(from, scratch).map_err(|(path, source)| OpenError::Io { path, source })?;
    }
    let report = adopt(scratch, url, bucket, moved)?;
    fs::remove_dir_all(scratch).map_err(OpenError::io(scratch))?;
    Ok(report)
}

/// Makes sure that there is nothing in the databases but what an earlier try has left.
fn check_is_empty(from: &Path, store: [u8; 16], url: &DatabaseUrl) -> Result<(), AdoptError> {
    let not_empty = |what: &str| Err(AdoptError::NotReady(format!("the fleet of this database has {what} already")));
    if identity_of(url, Some(store))? != store {
        return not_empty("another store");
    }
    if !PostgresCatalog::shared(url, store)?.load()?.is_empty() {
        return not_empty("events");
    }
    let settings = PostgresControl::open(url, store, false)?.load()?;
    if settings.is_empty() || settings == SqliteControl::open(&from.join("control.sqlite"), store)?.load()? {
        return Ok(());
    }
    not_empty("keys or other settings")
}

/// Makes a directory with the files of another one; segments, which never change, are linked where that is possible.
fn stage(from: &Path, to: &Path) -> Result<(), (PathBuf, io::Error)> {
    if to.exists() {
        fs::remove_dir_all(to).map_err(|error| (to.to_owned(), error))?;
    }
    disk::create_directory(to).map_err(|error| (to.to_owned(), error))?;
    let of_processes = ["LOCK", "STORE"].map(Path::new);
    let files = files_below(from).map_err(|error| (from.to_owned(), error))?;
    // Last, so that what was cut off is not taken for whole.
    let last = Path::new("STORE").to_owned();
    let files = files.into_iter().filter(|file| !of_processes.contains(&file.as_path())).chain([last]);
    for file in files {
        let (source, target) = (from.join(&file), to.join(&file));
        let copied = target.parent().map_or(Ok(()), disk::create_directory).and_then(|()| {
            let is_linked = file.starts_with("segments") && fs::hard_link(&source, &target).is_ok();
            if is_linked { Ok(()) } else { fs::copy(&source, &target).map(|_| ()) }
        });
        copied.map_err(|error| (source, error))?;
    }
    Ok(())
}
