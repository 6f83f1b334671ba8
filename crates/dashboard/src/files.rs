//! Dashboards that are files: `NAME.json` in one directory, kept under version control by whoever owns them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use types::Timestamp;

use crate::check::read;
use crate::document::Dashboard;

/// Most files that are read.
const FILES_MAX: usize = 500;

/// Largest document, as JSON.
pub const DOCUMENT_BYTES_MAX: usize = 512 << 10;

/// A dashboard that is a file.
#[derive(Clone, Debug, PartialEq)]
pub struct DashboardFile {
    /// The file's name without its extension.
    pub name: String,
    /// When the file was changed.
    pub changed: Timestamp,
    /// What it has.
    pub document: Dashboard,
}

/// Reads the dashboards of a directory, in order of their names, with what is wrong with others.
pub fn read_dir(dir: &Path, now: Timestamp) -> (Vec<DashboardFile>, Vec<String>) {
    let mut paths = match fs::read_dir(dir) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return (Vec::new(), vec![format!("{}: {error}", dir.display())]),
    };
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut problems = Vec::new();
    if paths.len() > FILES_MAX {
        problems.push(format!("{}: of {} files, the first {FILES_MAX} are read", dir.display(), paths.len()));
        paths.truncate(FILES_MAX);
    }
    let mut files = Vec::new();
    for path in &paths {
        match read_file(path, now) {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(format!("{}: {problem}", path.display())),
        }
    }
    (files, problems)
}

/// Reads one dashboard.
///
/// # Errors
///
/// What is wrong with the file, or its document.
pub fn read_file(path: &Path, now: Timestamp) -> Result<DashboardFile, String> {
    let name = path.file_stem().and_then(|name| name.to_str()).ok_or("the name is not UTF-8")?.to_owned();
    types::ensure!(is_document_name(&name), format!("{name:?} cannot be the name of a dashboard: {DOCUMENT_NAMES}"));
    let file = File::open(path).map_err(|error| error.to_string())?;
    let modified = file.metadata().and_then(|metadata| metadata.modified()).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    file.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut json).map_err(|error| error.to_string())?;
    types::ensure!(json.len() <= DOCUMENT_BYTES_MAX, format!("larger than {} KiB", DOCUMENT_BYTES_MAX >> 10));
    let document = read(&json, now).map_err(|mistake| mistake.to_string())?;
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let changed = Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
    Ok(DashboardFile { name, changed, document })
}

/// What names can be.
pub const DOCUMENT_NAMES: &str = "a name is 1–100 letters, digits, _, - and ., as errors-by-service";

/// Reports whether a dashboard can have a name, which is part of addresses and the name of a file. Colons are for dashboards
/// that nobody has to make.
pub fn is_document_name(name: &str) -> bool {
    let is_fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=100).contains(&name.len()) && name.bytes().all(is_fine) && !name.starts_with('.') && name != "import"
}
