//! Where the targets of a job come from: lists in its definition, files, and answers of HTTP servers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use definition::{DefinitionError, Node};
use reqwest::Url;
use serde_json::Value as Json;
use types::ensure;

use super::client::{self, ClientConfig, address};
use super::labels::{LabelSet, set};
use super::values::{duration, scalar, scalars, section};
use super::yaml;
use crate::glob::{Glob, is_pattern};

/// Most targets of a list, and files of a pattern.
const TARGETS_MAX: usize = 100_000;
const FILES_MAX: usize = 1_000;

/// Most bytes of a list of targets.
pub(super) const LIST_BYTES_MAX: u64 = 32 << 20;

/// How often lists of HTTP servers are fetched, and the shortest interval for that.
const HTTP_REFRESH: Duration = Duration::from_secs(60);
const HTTP_REFRESH_MIN: Duration = Duration::from_secs(1);

/// Targets with labels that all of them have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TargetGroup {
    pub(super) targets: Vec<String>,
    pub(super) labels: LabelSet,
}

/// A source of targets.
#[derive(Clone)]
pub(super) enum Discovery {
    Static(Vec<TargetGroup>),
    /// Files or patterns of files.
    Files(Vec<PathBuf>),
    Http {
        url: Url,
        refresh: Duration,
        client: Box<ClientConfig>,
    },
}

impl Discovery {
    /// Reads the sources of a job. Paths are relative to `base`.
    ///
    /// # Errors
    /// The first mistake.
    pub(super) fn read_all(node: &Node<'_>, base: &Path) -> Result<Vec<Self>, DefinitionError> {
        let items = |key: &str| section(node, key).map(|list| list.items()).transpose().map(Option::unwrap_or_default);
        let mut found = Vec::new();
        let groups = items("static_configs")?.iter().map(TargetGroup::read).collect::<Result<Vec<_>, _>>()?;
        if !groups.is_empty() {
            found.push(Self::Static(groups));
        }
        for of in items("file_sd_configs")? {
            of.check_keys(&["files", "refresh_interval"])?;
            // Files are looked at every few seconds, whatever the interval.
            duration(&of, "refresh_interval")?;
            let files = of.needed("files", "a list of files, such as [\"targets/*.json\"]")?;
            for file in files.items()? {
                let name = file.name()?;
                let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
                if !matches!(extension, Some("json" | "yml" | "yaml")) {
                    return Err(file.error("must end in .json, .yml or .yaml"));
                }
            }
            found.push(Self::Files(scalars(&files)?.into_iter().map(|file| base.join(file)).collect()));
        }
        for of in items("http_sd_configs")? {
            check_supported(&of)?;
            of.check_keys(&[&["url", "refresh_interval"], &client::KEYS[..]].concat())?;
            let url = address(&of.needed("url", "the address of a list of targets")?)?;
            let refresh = duration(&of, "refresh_interval")?.unwrap_or(HTTP_REFRESH).max(HTTP_REFRESH_MIN);
            found.push(Self::Http { url, refresh, client: Box::new(ClientConfig::read(&of, base)?) });
        }
        Ok(found)
    }
}

/// Refuses what is known from Prometheus and not supported: other service discoveries, OAuth.
pub(in crate::input) fn check_supported(node: &Node<'_>) -> Result<(), DefinitionError> {
    for (key, of) in node.members()?.into_iter().filter(|(key, of)| !is_unused(key, of)) {
        ensure!(key != "oauth2", of.error("OAuth 2.0 is not supported; use authorization with credentials_file"));
        if key.ends_with("_sd_configs") && !matches!(key, "file_sd_configs" | "http_sd_configs") {
            let problem = "this service discovery is not supported; write its targets to a file for file_sd_configs, or \
                           serve them for http_sd_configs";
            return Err(of.error(problem));
        }
    }
    Ok(())
}

/// Reports whether a key is about service discovery or OAuth and has nothing in it.
pub(super) fn is_unused(key: &str, of: &Node<'_>) -> bool {
    let is_empty = of.value.is_null() || of.value.as_array().is_some_and(Vec::is_empty);
    is_empty && (key == "oauth2" || key.ends_with("_sd_configs"))
}

impl TargetGroup {
    fn read(node: &Node<'_>) -> Result<Self, DefinitionError> {
        node.check_keys(&["targets", "labels"])?;
        let targets = section(node, "targets").map(|node| scalars(&node)).transpose()?.unwrap_or_default();
        if targets.len() > TARGETS_MAX {
            return Err(node.child("targets").error(format!("at most {TARGETS_MAX} targets are possible")));
        }
        for (index, target) in targets.iter().enumerate() {
            if target.contains('/') {
                let places = node.child("targets").items()?;
                let place = places.get(index).unwrap_or(node);
                return Err(place.error(format!("{target:?} is not a host and a port; the path goes to metrics_path")));
            }
        }
        let labels = node.get("labels").map(|node| labels_of(&node)).transpose()?.unwrap_or_default();
        Ok(Self { targets, labels })
    }

    /// Returns the labels of each target before relabelling, without those of the job.
    pub(super) fn discovered(&self) -> impl Iterator<Item = LabelSet> {
        self.targets.iter().map(|target| {
            let mut labels = self.labels.clone();
            labels.insert("__address__".to_owned(), target.clone());
            labels
        })
    }
}

/// Reads labels: names and texts.
pub(super) fn labels_of(node: &Node<'_>) -> Result<LabelSet, DefinitionError> {
    let mut labels = LabelSet::new();
    if node.value.is_null() {
        return Ok(labels);
    }
    for (name, value) in node.members()? {
        ensure!(!name.is_empty(), value.error("a label has a name"));
        set(&mut labels, name, scalar(&value)?);
    }
    Ok(labels)
}

/// Reads a list of targets, JSON or YAML; `origin` are the labels that say where it came from.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read_list(text: &str, is_json: bool, origin: (&str, &str)) -> Result<Vec<TargetGroup>, String> {
    let list: Json =
        if is_json { serde_json::from_str(text).map_err(|error| error.to_string())? } else { yaml::read(text)? };
    if list.is_null() {
        return Ok(Vec::new());
    }
    let root = Node::root("targets", &list);
    let groups = root.items().and_then(|items| items.iter().map(TargetGroup::read).collect::<Result<Vec<_>, _>>());
    let mut groups = groups.map_err(|error| error.to_string())?;
    if groups.iter().map(|group| group.targets.len()).sum::<usize>() > TARGETS_MAX {
        return Err(format!("more than {TARGETS_MAX} targets"));
    }
    for group in &mut groups {
        group.labels.insert(origin.0.to_owned(), origin.1.to_owned());
    }
    Ok(groups)
}

/// Returns the files that a path or pattern means. As in Prometheus, only the last part of a path may be a pattern.
pub(super) fn files_of(path: &Path) -> Vec<PathBuf> {
    if !is_pattern(&path.to_string_lossy()) {
        return vec![path.to_owned()];
    }
    let (dir, glob) = Glob::split(path);
    let entries = std::fs::read_dir(&dir).into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name()).filter(|name| glob.matches(Path::new(name)));
    let mut files: Vec<PathBuf> = names.map(|name| dir.join(name)).take(FILES_MAX).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests;
