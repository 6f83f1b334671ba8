//! What is followed on a machine where nobody has said it: the text files under `/var/log`, the logs of containers where there are
//! any, and the journal, unless a syslog daemon writes it into those files.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use ship::{DefinedInput, inputs_of};

/// Where runtimes of containers keep logs.
const CONTAINER_DIRS: [&str; 5] = [
    "var/log/containers",
    "var/log/pods",
    "var/lib/docker/containers",
    "var/lib/nerdctl",
    "var/lib/containers/storage/overlay-containers",
];

/// Where the journal is: kept, or until the machine is started again.
const JOURNAL_DIRS: [&str; 2] = ["var/log/journal", "run/log/journal"];

/// What a syslog daemon writes of the journal.
const SYSLOG_FILES: [&str; 2] = ["var/log/syslog", "var/log/messages"];

/// A file of a daemon that runs is not older.
const QUIET_MAX: Duration = Duration::from_secs(24 * 3600);

/// Which usual sources of logs a machine has besides text files, and notes for the operator.
#[derive(Debug, Default, PartialEq, Eq)]
struct UsualSources {
    has_containers: bool,
    has_journal: bool,
    notes: Vec<String>,
}

/// Says what else is followed on this machine or is not, and why.
pub(crate) fn print_usual_notes() {
    found(Path::new("/"), SystemTime::now()).notes.iter().for_each(|note| say!("  {note}"));
}

/// Returns the inputs of this machine.
pub(super) fn usual_inputs() -> Vec<DefinedInput> {
    let UsualSources { has_containers, has_journal, .. } = found(Path::new("/"), SystemTime::now());
    // A file that two inputs find belongs to the first.
    let definitions: Vec<Value> = [
        has_containers.then(|| json!({"type": "containers"})),
        Some(json!({"type": "files", "paths": ["/var/log"]})),
        has_journal.then(|| json!({"type": "journal"})),
    ]
    .into_iter()
    .flatten()
    .collect();
    inputs_of(&Value::from(definitions)).unwrap_or_default()
}

fn found(root: &Path, now: SystemTime) -> UsualSources {
    let mut found = UsualSources::default();
    for dir in CONTAINER_DIRS.map(|dir| root.join(dir)) {
        match std::fs::read_dir(&dir) {
            Ok(mut entries) => found.has_containers |= entries.next().is_some(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => found.notes.push(format!("logs of containers in {} are not read: {error}", dir.display())),
        }
    }
    if found.has_containers {
        found.notes.push("logs of containers too, by the names of the containers".into());
    }
    let journal = JOURNAL_DIRS.iter().map(|dir| root.join(dir)).find_map(|dir| journal_in(&dir));
    let daemon = SYSLOG_FILES.iter().map(|file| root.join(file)).find(|file| is_written(file, now));
    match (journal, daemon) {
        (None, _) => {}
        (Some(_), Some(file)) => {
            found.notes.push(format!("the journal is not read, as {} has what it says", file.display()));
        }
        (Some(Err(error)), None) => found.notes.push(format!("the journal is not read: {error}")),
        (Some(Ok(())), None) => {
            found.has_journal = true;
            found.notes.push("the journal of systemd since the last start too, in the group journal".into());
        }
    }
    found
}

/// Whether the journal in a directory can be read, if there is one.
fn journal_in(dir: &Path) -> Option<Result<(), String>> {
    let of_machine = |entry: std::fs::DirEntry| -> Option<PathBuf> {
        let mut files = std::fs::read_dir(entry.path()).ok()?.flatten().map(|file| file.path());
        files.find(|file| file.extension().is_some_and(|extension| extension == "journal"))
    };
    let file = std::fs::read_dir(dir).ok()?.flatten().find_map(of_machine)?;
    Some(std::fs::File::open(&file).map(|_| ()).map_err(|error| format!("{}: {error}", file.display())))
}

/// Whether a program writes a file now and then.
fn is_written(file: &Path, now: SystemTime) -> bool {
    let modified = std::fs::metadata(file).and_then(|of_file| of_file.modified());
    modified.is_ok_and(|modified| now.duration_since(modified).unwrap_or_default() < QUIET_MAX)
}

#[cfg(test)]
mod tests;
