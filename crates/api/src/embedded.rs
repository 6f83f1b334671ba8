//! Files that are built into the executable: the page and the manual, as `build.rs` lists them.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The files of `web/dist`.
pub(crate) static PAGE: LazyLock<Folder> =
    LazyLock::new(|| Folder::new(include!(concat!(env!("OUT_DIR"), "/page.rs"))));

/// The files of `docs` that are served.
pub(crate) static MANUAL: LazyLock<Folder> =
    LazyLock::new(|| Folder::new(include!(concat!(env!("OUT_DIR"), "/manual.rs"))));

/// The files of a folder and of the folders in it, in order of their names.
pub(crate) struct Folder(Vec<File>);

/// One file.
pub(crate) struct File {
    /// From the top of the folder, with `/`.
    name: &'static str,
    pub(crate) bytes: &'static [u8],
    digest: OnceLock<String>,
}

impl Folder {
    fn new(files: &[(&'static str, &'static [u8])]) -> Self {
        Self(files.iter().map(|&(name, bytes)| File { name, bytes, digest: OnceLock::new() }).collect())
    }

    /// Returns the file with a name.
    pub(crate) fn get(&self, name: &str) -> Option<&File> {
        self.0.binary_search_by(|file| file.name.cmp(name)).ok().map(|at| &self.0[at])
    }

    /// Returns the text of a file; empty without the file.
    pub(crate) fn text(&self, name: &str) -> Cow<'static, str> {
        self.get(name).map(|file| String::from_utf8_lossy(file.bytes)).unwrap_or_default()
    }

    /// Returns the names of all files.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|file| file.name)
    }
}

impl File {
    /// Returns the SHA-256 of the content, in hexadecimal digits.
    pub(crate) fn digest(&self) -> &str {
        self.digest.get_or_init(|| HEXLOWER.encode(&Sha256::digest(self.bytes)))
    }
}
