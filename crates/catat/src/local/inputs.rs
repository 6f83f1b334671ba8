//! Which files a query without a server looks at: files, directories with everything below them, patterns, and
//! standard input.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ship::Glob;
use types::{GroupName, Timestamp, group_name_of_file};

use crate::failure::Failure;

/// Deepest directory below a path that is searched.
const DEPTH_MAX: usize = 32;

/// Most files of one query.
const FILES_MAX: usize = 100_000;

/// Something to read.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// Where from; `None` for standard input.
    pub(super) path: Option<PathBuf>,
    /// The group that its events are in.
    pub(super) group: GroupName,
    /// The file without a name that standard input was written to, where it is read more than once.
    pub(super) spooled: Option<Arc<File>>,
    /// When it was last written.
    pub(super) modified: Option<Timestamp>,
    /// Its bytes as they lie there.
    pub(super) n_bytes: u64,
    /// Whether it was named; others that are no text are passed over.
    pub(super) is_named: bool,
}

impl Input {
    /// Standard input.
    pub(super) fn stdin() -> Self {
        Self {
            path: None,
            group: group_name_of_file("stdin"),
            spooled: None,
            modified: None,
            n_bytes: 0,
            is_named: true,
        }
    }

    fn file(path: &Path, metadata: &Metadata, is_named: bool) -> Self {
        let modified = metadata.mtime().saturating_mul(Timestamp::SECOND).saturating_add(metadata.mtime_nsec());
        Self {
            path: Some(path.to_owned()),
            group: group_name_of_file(&path.to_string_lossy()),
            spooled: None,
            modified: Some(Timestamp(modified)),
            n_bytes: metadata.len(),
            is_named,
        }
    }

    /// Begins to read it.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match (&self.path, &self.spooled) {
            (Some(path), _) => Box::new(File::open(path)?),
            // Opened once more, and so from its beginning.
            (None, Some(file)) => Box::new(File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?),
            (None, None) => Box::new(io::stdin()),
        })
    }

    /// Returns the name in messages.
    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "standard input".into(), |path| path.display().to_string())
    }
}

/// Returns the inputs that the paths name, each once; `-` is standard input. Files that a directory or a pattern gives are in
/// the order in which they were last written.
pub(super) fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input::stdin());
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => inputs.extend(below(path, None)?),
            Ok(metadata) => inputs.push(Input::file(path, &metadata, true)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && ship::is_pattern(&path.to_string_lossy()) => {
                inputs.extend(matching(path)?);
            }
            Err(error) => return Err(of_path(path, &error)),
        }
    }
    let mut known = std::collections::HashSet::new();
    inputs.retain(|input| known.insert(input.path.clone()));
    if inputs.len() > FILES_MAX {
        return Err(Failure::usage(format!("more than {FILES_MAX} files; name fewer")));
    }
    Ok(inputs)
}

fn of_path(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}

/// Returns the files that match a pattern.
fn matching(pattern: &Path) -> Result<Vec<Input>, Failure> {
    // A relative pattern gives relative paths, as the shell does.
    let (base, glob) = Glob::split(pattern);
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    let found = below(&base, Some(&glob))?;
    if found.is_empty() { Err(of_path(pattern, &"no file matches")) } else { Ok(found) }
}

/// Returns the files below a directory. Links to directories are not followed.
fn below(base: &Path, glob: Option<&Glob>) -> Result<Vec<Input>, Failure> {
    let depth_max = glob.and_then(Glob::depth_max).unwrap_or(DEPTH_MAX).min(DEPTH_MAX);
    let mut found = Vec::new();
    let mut directories = vec![(base.to_owned(), 1)];
    while let Some((directory, depth)) = directories.pop() {
        let entries = fs::read_dir(&directory).map_err(|error| of_path(&directory, &error))?;
        for entry in entries {
            let path = entry.map_err(|error| of_path(&directory, &error))?.path();
            // What vanished in between is no concern; a pattern may name a link.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
            let is_wanted = |glob: &Glob| path.strip_prefix(base).is_ok_and(|below| glob.matches(below));
            if metadata.is_dir() && depth < depth_max && !is_link {
                directories.push((path, depth + 1));
            } else if metadata.is_file() && glob.is_none_or(is_wanted) && found.len() <= FILES_MAX {
                found.push(Input::file(path.strip_prefix(".").unwrap_or(&path), &metadata, false));
            }
        }
    }
    found.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
    Ok(found)
}
