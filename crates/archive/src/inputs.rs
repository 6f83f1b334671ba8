//! Which files a query without a server looks at: files, directories with everything below them, patterns, buckets, and
//! standard input.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use files::bucket::{Bucket, BucketObject};
use ship::Glob;
use types::{GroupName, TimeRange, Timestamp, Value, ensure, group_name_of_file};

use crate::names;

/// Deepest directory below a path that is searched.
const DEPTH_MAX: usize = 32;

/// Most files of one query.
const FILES_MAX: usize = 100_000;

/// Bytes of an object that are asked for at once.
const RANGE_BYTES: u64 = 8 << 20;

/// What addresses of buckets begin with.
const BUCKET: &str = "s3://";

/// Why inputs cannot be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InputError(String);

/// Something to read.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where from; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The group that its events are in.
    pub group: GroupName,
    /// The file without a name that standard input was written to, where it is read more than once.
    spooled: Option<Arc<File>>,
    /// When it was last written.
    pub modified: Option<Timestamp>,
    /// Its bytes as they lie there.
    pub n_bytes: u64,
    /// Whether it was named; others that are no text are passed over.
    pub is_named: bool,
    /// What the folders in its path give to all events.
    pub fields: Arc<[(Arc<str>, Value)]>,
    /// Its path relative to the folder or prefix that was named, which may contain days; empty for a file that was named itself.
    below: String,
    /// The bucket that it is in, and its name there.
    object: Option<(Arc<Bucket>, String)>,
}

impl Input {
    /// Standard input.
    pub fn stdin() -> Self {
        Self {
            path: None,
            group: group_name_of_file("stdin"),
            spooled: None,
            modified: None,
            n_bytes: 0,
            is_named: true,
            fields: Arc::default(),
            below: String::new(),
            object: None,
        }
    }

    /// The same standard input, which was written to a file without a name.
    pub fn spooled(self, file: File, n_bytes: u64) -> Self {
        Self { spooled: Some(Arc::new(file)), n_bytes, ..self }
    }

    fn file(path: &Path, metadata: &Metadata, base: Option<&Path>) -> Self {
        let modified = metadata.mtime().saturating_mul(Timestamp::SECOND).saturating_add(metadata.mtime_nsec());
        let below = base.and_then(|base| path.strip_prefix(base).ok());
        let name = path.to_string_lossy();
        Self {
            path: Some(path.to_owned()),
            group: group_name_of_file(&name),
            modified: Some(Timestamp(modified)),
            n_bytes: metadata.len(),
            is_named: base.is_none(),
            fields: names::fields(&name),
            below: below.map(|below| below.to_string_lossy().into_owned()).unwrap_or_default(),
            ..Self::stdin()
        }
    }

    fn object(bucket: &Arc<Bucket>, group: &GroupName, object: BucketObject, base: &str) -> Self {
        let below = object.key.strip_prefix(base).unwrap_or_default().trim_start_matches('/').to_owned();
        let url = bucket.url_of(&object.key);
        Self {
            fields: names::fields(&url),
            path: Some(url.into()),
            group: group.clone(),
            modified: Some(object.modified),
            n_bytes: object.n_bytes,
            is_named: below.is_empty(),
            below,
            object: Some((bucket.clone(), object.key)),
            ..Self::stdin()
        }
    }

    /// Begins to read it.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        if self.object.is_some() {
            let object = ObjectReader { input: self.clone(), bytes: Bytes::new(), at: 0 };
            return Ok(Box::new(object));
        }
        Ok(match (&self.path, &self.spooled) {
            (Some(path), _) => Box::new(File::open(path)?),
            // Opened once more, and so from its beginning.
            (None, Some(file)) => Box::new(File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?),
            (None, None) => Box::new(io::stdin()),
        })
    }

    /// Reads some of its bytes, of a file that is open already where it is one.
    pub(crate) fn read_at(&self, file: Option<&File>, from: u64, n_bytes: usize) -> io::Result<Bytes> {
        if let Some((bucket, key)) = &self.object {
            return bucket.read(key, from..from + n_bytes as u64);
        }
        let mut bytes = vec![0; n_bytes];
        match file {
            Some(file) => file.read_exact_at(&mut bytes, from)?,
            None => return Err(io::Error::other("it is not open")),
        }
        Ok(bytes.into())
    }

    /// The file to read from at any place: none for an object, which needs none, and `None` for what is read only once.
    pub(crate) fn file_at_any_place(&self) -> io::Result<Option<Option<File>>> {
        match (&self.object, &self.path, &self.spooled) {
            (Some(_), ..) => Ok(Some(None)),
            (None, Some(path), _) => Ok(Some(Some(File::open(path)?))),
            (None, None, Some(file)) => Ok(Some(Some(file.try_clone()?))),
            (None, None, None) => Ok(None),
        }
    }

    /// Reports whether its length is known and it can be read more than once.
    pub fn is_whole(&self) -> bool {
        self.path.is_some() || self.spooled.is_some()
    }

    /// Reports whether it is in a bucket.
    pub fn is_far(&self) -> bool {
        self.object.is_some()
    }

    /// Returns the name in messages.
    pub fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "standard input".into(), |path| path.display().to_string())
    }
}

/// An object of a bucket, read from its beginning.
struct ObjectReader {
    input: Input,
    /// What was received and not given yet.
    bytes: Bytes,
    at: u64,
}

impl Read for ObjectReader {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && self.at < self.input.n_bytes {
            let n_bytes = RANGE_BYTES.min(self.input.n_bytes - self.at);
            self.bytes = self.input.read_at(None, self.at, n_bytes as usize)?;
            self.at += n_bytes;
        }
        let n_bytes = place.len().min(self.bytes.len());
        place[..n_bytes].copy_from_slice(&self.bytes.split_to(n_bytes));
        Ok(n_bytes)
    }
}

/// Whether what could not be read may be read another time: the way to it failed, not its content.
pub fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, NotFound, Other, UnexpectedEof, Unsupported};
    let is_of_content =
        |kind| matches!(kind, InvalidData | InvalidInput | NotFound | Other | UnexpectedEof | Unsupported);
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| !is_of_content(error.kind())) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Leaves out the inputs that have no event of `range`, by the days that their paths say; returns how many those are.
pub fn leave_out(inputs: &mut Vec<Input>, range: TimeRange) -> usize {
    let n_before = inputs.len();
    inputs.retain(|input| names::may_have_events(&input.below, range));
    n_before - inputs.len()
}

/// Returns the inputs that the paths name, each once; `-` is standard input. Files that a directory or a pattern gives are in
/// the order in which they were last written.
pub fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, InputError> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input::stdin());
            continue;
        }
        if path.to_str().is_some_and(|path| path.starts_with(BUCKET)) {
            let found = objects(path)?;
            ensure!(!found.is_empty(), of_path(path, &"no object matches"));
            inputs.extend(found);
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => inputs.extend(below(path, None)?),
            Ok(metadata) => inputs.push(Input::file(path, &metadata, None)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && ship::is_pattern(&path.to_string_lossy()) => {
                inputs.extend(matching(path)?);
            }
            Err(error) => return Err(of_path(path, &error)),
        }
    }
    let mut known = std::collections::HashSet::new();
    inputs.retain(|input| known.insert(input.path.clone()));
    ensure!(inputs.len() <= FILES_MAX, InputError(format!("more than {FILES_MAX} files; name fewer")));
    Ok(inputs)
}

fn of_path(path: &Path, error: &dyn std::fmt::Display) -> InputError {
    InputError(format!("{}: {error}", path.display()))
}

/// Returns an object of a bucket as one of a group.
///
/// # Errors
/// `NotFound` if it is not there, or why it cannot be asked for.
pub fn object(bucket: &Arc<Bucket>, group: &GroupName, key: &str) -> io::Result<Input> {
    let found = bucket.object(key)?;
    Ok(Input::object(bucket, group, found, key))
}

/// Returns the objects that an address such as `s3://BUCKET/PREFIX` names: those below it, or those that match it.
pub fn objects(path: &Path) -> Result<Vec<Input>, InputError> {
    let address = Address::of(path);
    let bucket = Arc::new(Bucket::open(&address.bucket).map_err(|error| of_path(path, &error))?);
    let mut listed = bucket.list(&address.base).map_err(|error| of_path(path, &error))?;
    listed.retain(|object| object.n_bytes > 0 && address.names(&object.key));
    // One archive is one group, whatever its objects are called.
    let group = group_name_of_file(&format!("{}/{}", address.bucket, address.base));
    Ok(listed.into_iter().map(|object| Input::object(&bucket, &group, object, &address.base)).collect())
}

/// Reports whether an address names an object of a bucket.
pub fn names_object(path: &Path, bucket: &str, key: &str) -> bool {
    let address = Address::of(path);
    address.bucket == bucket && address.names(key)
}

/// The address of objects.
struct Address {
    bucket: String,
    /// What their keys begin with: whole parts of them.
    base: String,
    /// What the rest of a key matches.
    glob: Option<Glob>,
}

impl Address {
    fn of(path: &Path) -> Self {
        let address = path.to_str().and_then(|path| path.strip_prefix(BUCKET)).unwrap_or_default();
        let (bucket, key) = address.split_once('/').unwrap_or((address, ""));
        let (base, glob) = match ship::is_pattern(key) {
            true => {
                let (base, glob) = Glob::split(Path::new(key));
                (base, Some(glob))
            }
            false => (PathBuf::from(key.trim_matches('/')), None),
        };
        Self { bucket: bucket.to_owned(), base: base.to_string_lossy().into_owned(), glob }
    }

    fn names(&self, key: &str) -> bool {
        let Some(below) = key.strip_prefix(&self.base) else { return false };
        let is_below = self.base.is_empty() || below.is_empty() || below.starts_with('/');
        is_below && self.glob.as_ref().is_none_or(|glob| glob.matches(Path::new(below.trim_start_matches('/'))))
    }
}

/// Returns the files that match a pattern.
fn matching(pattern: &Path) -> Result<Vec<Input>, InputError> {
    // A relative pattern gives relative paths, as the shell does.
    let (base, glob) = Glob::split(pattern);
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    let found = below(&base, Some(&glob))?;
    if found.is_empty() { Err(of_path(pattern, &"no file matches")) } else { Ok(found) }
}

/// Returns the files below a directory. Links to directories are not followed.
fn below(base: &Path, glob: Option<&Glob>) -> Result<Vec<Input>, InputError> {
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
                found.push(Input::file(&path, &metadata, Some(base)));
            }
        }
    }
    // As the shell has it.
    for input in &mut found {
        input.path = input.path.take().map(|path| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path));
    }
    found.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
    Ok(found)
}
