//! Makes a copy of a store the original.

use std::io;
use std::path::Path;

use crate::{OpenError, copy_mark, formats, lock};
use files::disk;

/// Makes a copy the original: it notifies from now on. `false` if it was no copy.
pub fn promote(dir: &Path) -> Result<bool, OpenError> {
    let store = lock::store_in(dir)?;
    formats::check(dir, &store)?;
    let path = copy_mark::path_of(dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.and_then(|()| disk::sync_directory(dir)).map(|()| true).map_err(OpenError::io(&path)),
    }
}
