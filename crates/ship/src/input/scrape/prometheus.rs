//! Prometheus' configuration file: its `scrape_configs`, and what `global` says about them.
//!
//! Sections about other things (rules, alerting, remote write and read, storage) are known and skipped: they are settings of
//! the server here. Everything else that is not supported is refused with its place.

use std::path::{Path, PathBuf};

use definition::Node;

use super::discovery::files_of;
use super::job::{Job, JobDefaults};
use super::values::{scalars, section};
use super::yaml;

/// Most bytes of a configuration.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The sections.
const SECTIONS: [&str; 12] = [
    "global", "scrape_configs", "scrape_config_files", "rule_files", "alerting", "remote_write", "remote_read",
    "storage", "tracing", "otlp", "runtime", "exemplars",
];

/// Reads the jobs of a configuration.
///
/// # Errors
/// The file, the place in it, and what is wrong there.
pub(super) fn read_jobs(path: &Path) -> Result<Vec<Job>, String> {
    let base = path.parent().unwrap_or(Path::new(""));
    let config = parsed(path)?;
    let root = Node::root("", &config);
    let at = |error: definition::DefinitionError| located(path, &error);
    root.check_keys(&SECTIONS).map_err(at)?;
    let defaults = section(&root, "global").map(|global| JobDefaults::read(&global)).transpose().map_err(at)?;
    let defaults = defaults.unwrap_or_default();
    let mut jobs = jobs_of(&root, path, &defaults, base)?;
    let patterns = section(&root, "scrape_config_files").map(|list| scalars(&list)).transpose().map_err(at)?;
    for pattern in patterns.unwrap_or_default() {
        for file in files_of(&base.join(pattern)) {
            let config = parsed(&file)?;
            let root = Node::root("", &config);
            root.check_keys(&["scrape_configs"]).map_err(|error| located(&file, &error))?;
            jobs.extend(jobs_of(&root, &file, &defaults, file.parent().unwrap_or(base))?);
        }
    }
    for (number, job) in jobs.iter().enumerate() {
        if jobs.iter().take(number).any(|other| other.name == job.name) {
            return Err(format!("{}: there are two jobs with the name {:?}", path.display(), job.name));
        }
    }
    types::ensure!(!jobs.is_empty(), format!("{}: there is no job in scrape_configs", path.display()));
    Ok(jobs)
}

/// Returns the files whose change means another configuration.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{}: is larger than {} MiB", path.display(), FILE_BYTES_MAX >> 20));
    }
    Ok(text)
}

fn parsed(path: &Path) -> Result<serde_json::Value, String> {
    let value = yaml::read(&read_text(path)?).map_err(|problem| format!("{}: {problem}", path.display()))?;
    Ok(if value.is_null() { serde_json::json!({}) } else { value })
}

fn jobs_of(root: &Node<'_>, path: &Path, defaults: &JobDefaults, base: &Path) -> Result<Vec<Job>, String> {
    let at = |error: definition::DefinitionError| located(path, &error);
    let Some(list) = section(root, "scrape_configs") else { return Ok(Vec::new()) };
    let items = list.items().map_err(at)?;
    items.iter().map(|item| Job::of_prometheus(item, defaults, base).map_err(at)).collect()
}

fn located(path: &Path, error: &definition::DefinitionError) -> String {
    format!("{}: {}", path.display(), error.to_string().trim_start_matches(['.', ':', ' ']))
}

/// A configuration file and what it held when it was read last.
#[derive(Clone, Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    text: String,
}

impl ConfigFile {
    pub(super) fn new(path: PathBuf) -> Self {
        let text = read_text(&path).unwrap_or_default();
        Self { path, text }
    }

    /// Returns the jobs if the file has changed.
    ///
    /// # Errors
    /// If the new content cannot be used; it is not read again before it changes.
    pub(super) fn changed(&mut self) -> Option<Result<Vec<Job>, String>> {
        let text = read_text(&self.path).ok().filter(|text| *text != self.text)?;
        self.text = text;
        Some(read_jobs(&self.path))
    }
}
