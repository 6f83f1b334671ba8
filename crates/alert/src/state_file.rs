//! A file of state, which is whole at any moment.
//!
//! A line of JSON {format, version, xxh3}, a newline, the state as JSON, which the checksum covers. It is written
//! under a temporary name, synced and renamed. A damaged file is renamed to `*.damaged` and reported in the log.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Preamble {
    format: String,
    version: u32,
    xxh3: String,
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Its error.
        error: io::Error,
    },
    /// A file of a later version.
    #[error("{path}: format {found} is newer than {VERSION}, which this catat knows; start the newer catat")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        found: u32,
    },
    /// Records of a later version.
    #[error(
        "control store: format {found} of a state is newer than {known}, which this catat knows; start the newer catat"
    )]
    NewerRecords {
        /// The version of their format.
        found: u32,
        /// The latest version that is known here.
        known: u32,
    },
    /// A record that is damaged.
    #[error("control store: a record of a state cannot be read: {problem}")]
    Record {
        /// What is wrong with it.
        problem: String,
    },
    /// The control store.
    #[error(transparent)]
    Database(#[from] storage::DatabaseError),
}

impl StateError {
    /// Reports whether it is certain that nothing was saved, because another node of the fleet may save and this one may
    /// not.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_refused())
    }
}

/// A file of state: that of alerts, or another one in the same form.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    format: &'static str,
}

impl StateFile {
    /// Opens the state called `name`, whose preamble names `format`.
    pub(crate) fn open_named<T: DeserializeOwned + Default>(
        dir: &Path,
        name: &str,
        format: &'static str,
    ) -> Result<(Self, T), StateError> {
        let path = dir.join(name);
        let io_error = |error| StateError::Io { path: path.clone(), error };
        fs::create_dir_all(dir).map_err(io_error)?;
        let kept = match fs::read(&path) {
            Ok(bytes) => match decode(&bytes, format) {
                Ok(kept) => kept,
                Err(Some(found)) => return Err(StateError::Newer { path, found }),
                Err(None) => {
                    let aside = path.with_extension("damaged");
                    fs::rename(&path, &aside).map_err(io_error)?;
                    tracing::error!(kept = %aside.display(), "a state file is damaged; its content starts anew");
                    T::default()
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => T::default(),
            Err(error) => return Err(io_error(error)),
        };
        Ok((Self { path, format }, kept))
    }

    /// Writes the state. Durable when it returns.
    pub(crate) fn save<T: Serialize>(&self, kept: &T) -> Result<(), StateError> {
        let temporary = self.path.with_extension("tmp");
        let write = || -> io::Result<()> {
            let mut file = storage::create_file(&temporary)?;
            file.write_all(&encode(kept, self.format))?;
            file.sync_all()?;
            fs::rename(&temporary, &self.path)?;
            File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|error| StateError::Io { path: self.path.clone(), error })
    }
}

pub(crate) fn encode<T: Serialize>(kept: &T, format: &str) -> Vec<u8> {
    let body = serde_json::to_vec(kept).expect("the state is maps with string keys, strings and numbers");
    let xxh3 = format!("{:016x}", xxh3_64(&body));
    let preamble = Preamble { format: format.into(), version: VERSION, xxh3 };
    let mut bytes = serde_json::to_vec(&preamble).expect("a preamble is strings and a number");
    bytes.push(b'\n');
    bytes.extend_from_slice(&body);
    bytes
}

/// Reads the state; the version where it is too new, nothing where it is damaged.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], format: &str) -> Result<T, Option<u32>> {
    let end = bytes.iter().position(|b| *b == b'\n').ok_or(None)?;
    let preamble: Preamble = serde_json::from_slice(&bytes[..end]).map_err(|_| None)?;
    let body = &bytes[end + 1..];
    types::ensure!(preamble.format == format, None);
    // What follows in a later version, and how its checksum is made, is not known here.
    types::ensure!(preamble.version <= VERSION, Some(preamble.version));
    types::ensure!(preamble.xxh3 == format!("{:016x}", xxh3_64(body)), None);
    serde_json::from_slice(body).map_err(|_| None)
}
