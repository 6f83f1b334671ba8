//! The file system: what makes a file or a name durable, and how much room there is.
//!
//! A file's bytes are durable after its own sync, its name after that of its directory; both are needed
//! before anything may rely on a file.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes the names in a directory durable.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a directory that only its owner may enter, and its parents; one that exists is left as it is.
pub fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a directory below one that exists, durably.
pub fn create_directory_synced(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    create_directory(path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Options for writing to a file of ours under its own name. A symbolic link in its place is refused: who planted it
/// would choose what is written over.
pub fn writing() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Makes a file again, for its owner alone, under a name that no one relies on yet. What stands there goes first; where it
/// is a link, what it leads to stays as it is.
pub fn create_file(path: &Path) -> io::Result<File> {
    let make = || File::options().read(true).write(true).create_new(true).mode(0o600).open(path);
    match make() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(path)?;
            make()
        }
        made => made,
    }
}

/// Writes a small file whole: under another name first, so that it is never seen half. Who calls sees to it that one
/// thread at a time writes one file.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Added, not exchanged: files of one name and several kinds are written at the same time.
    let unpublished = path.with_added_extension("tmp");
    let mut file = create_file(&unpublished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unpublished, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Returns bytes that an ordinary user may still write to the file system of `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Lets the process open as many files as it may: each segment is one, and shells allow 1,024 unless asked.
pub fn allow_many_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        tracing::warn!(
            allowed = current,
            "the limit of open files cannot be raised; a store of many segments needs it"
        );
    }
}

#[cfg(test)]
mod tests;
