//! Errors of files that are none.

use std::io;

/// Returns the result of removing something; what is not there is removed.
pub fn ok_if_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
