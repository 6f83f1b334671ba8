//! Makes a copy of a store the original.

use std::io;
use std::path::Path;

use crate::{OpenError, copy_mark, formats, lock};
use files::disk;

/// Makes a copy the original: it notifies from now on. `false` if it was no copy.
///
/// Errors: [`OpenError::NotAStore`] where the directory holds no store.
pub fn promote(dir: &Path) -> Result<bool, OpenError> {
    let not_a_store = || OpenError::NotAStore { dir: dir.to_owned(), problem: "there is no STORE file".into() };
    let store = lock::read_store(dir)?.ok_or_else(not_a_store)?;
    formats::check(dir, &store)?;
    let path = copy_mark::path_of(dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.and_then(|()| disk::sync_directory(dir)).map(|()| true).map_err(OpenError::io(&path)),
    }
}
