//! Dashboards that are files: `NAME.json` in one directory, kept under version control by whoever owns them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use types::Timestamp;

use super::{DOCUMENT_BYTES_MAX, Found, Source, check_name};

/// Most files that are read.
const FILES_MAX: usize = 500;

/// Reads all dashboards of a directory, with what is wrong with others.
pub(super) fn read_files(dir: &Path, now: Timestamp) -> (Vec<Found>, Vec<String>) {
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
    let read = paths.iter().filter_map(|path| match read_file(path, now) {
        Ok(found) => Some(found),
        Err(problem) => {
            problems.push(format!("{}: {problem}", path.display()));
            None
        }
    });
    (read.collect(), problems)
}

fn read_file(path: &Path, now: Timestamp) -> Result<Found, String> {
    let name = path.file_stem().and_then(|name| name.to_str()).ok_or("the name is not UTF-8")?.to_owned();
    check_name(&name).map_err(|problem| problem.message)?;
    let file = File::open(path).map_err(|error| error.to_string())?;
    let modified = file.metadata().and_then(|metadata| metadata.modified()).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    file.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut json).map_err(|error| error.to_string())?;
    if json.len() > DOCUMENT_BYTES_MAX {
        return Err(format!("larger than {} KiB", DOCUMENT_BYTES_MAX >> 10));
    }
    let document = dashboard::read(&json, now).map_err(|mistake| mistake.to_string())?;
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let changed = Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)).to_string();
    Ok(Found { name, document, source: Source::File, own: false, owner: String::new(), version: 0, changed })
}
