//! The data directory of a server: its permissions and its admin key.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use crate::failure::{Failure, Result};

/// Shortest admin key.
const KEY_CHARS_MIN: usize = 16;

/// Makes the data directory, for its owner alone.
pub(crate) fn make_data_dir(dir: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| {
        let next = "choose another with --data-dir, or make it writable for this user";
        Failure::usage(format!("data directory {}: {error}\n{next}", dir.display()))
    })?;
    let is_open = fs::metadata(dir).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if is_open {
        say!("catat: other users of this machine can read {}; restrict it with chmod 700", dir.display());
    }
    Ok(())
}

/// Reads the admin key, or makes one at the first start.
pub(super) fn admin_key(data_dir: &Path) -> Result<String> {
    let path = data_dir.join("admin.key");
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    match fs::read_to_string(&path) {
        Ok(key) if key.trim().is_empty() => {}
        // Whoever wrote it there: what cannot be sent in a header, or can be guessed, is no key.
        Ok(key) if key.trim().len() >= KEY_CHARS_MIN && key.trim().bytes().all(|b| b.is_ascii_graphic()) => {
            return Ok(key.trim().to_owned());
        }
        Ok(_) => {
            let next = "remove the file, and the next start writes a new one";
            return Err(Failure::usage(format!("{}: not a valid key\n{next}", path.display())));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let mut random = [0u8; 32];
    getrandom::fill(&mut random).map_err(|error| Failure::other(error.to_string()))?;
    let key = types::hexadecimal(&random);
    storage::write_whole(&path, format!("{key}\n").as_bytes()).map_err(failed)?;
    Ok(key)
}
