//! The lists of targets of a job: those in its definition, those in files, and those that servers have.
//!
//! A list that cannot be read stays as it was; a file that is gone has no targets.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use types::SecretUrl;

use super::super::discovery::{Discovery, LIST_BYTES_MAX, TargetGroup, files_of, read_list};
use super::super::job::Job;
use super::super::labels::LabelSet;
use super::super::pool::{FetchRequest, HttpRequest, Page, PageSource, Purpose, is_json};
use super::super::target::before_relabelling;

/// How long an answer is waited for.
const LIST_TIMEOUT: Duration = Duration::from_secs(30);

/// The labels that say where a target came from.
const OF_FILE: &str = "__meta_filepath";
const OF_URL: &str = "__meta_url";

/// The lists as they were read last.
#[derive(Default)]
pub(super) struct TargetLists {
    files: BTreeMap<PathBuf, FileList>,
    /// By address.
    urls: HashMap<String, UrlList>,
}

#[derive(Default)]
struct FileList {
    text: String,
    groups: Vec<TargetGroup>,
}

#[derive(Default)]
struct UrlList {
    /// The number of the request that runs.
    request: Option<u64>,
    next: Option<Instant>,
    groups: Vec<TargetGroup>,
    problem: Option<String>,
}

impl TargetLists {
    /// Reads the files again; returns requests for the lists whose time has come.
    pub(super) fn refresh(&mut self, job: &Job, now: Instant, number_next: &mut u64) -> Vec<FetchRequest> {
        let patterns = job.discoveries.iter().filter_map(|discovery| match discovery {
            Discovery::Files(patterns) => Some(patterns),
            _ => None,
        });
        let files: Vec<PathBuf> = patterns.flatten().flat_map(|pattern| files_of(pattern)).collect();
        self.files.retain(|path, _| files.contains(path) && path.exists());
        for path in files {
            self.read_file(&path);
        }
        job.discoveries.iter().filter_map(|discovery| self.request(discovery, now, number_next)).collect()
    }

    fn read_file(&mut self, path: &Path) {
        let text = match super::super::prometheus::read_text(path) {
            Ok(text) => text,
            Err(problem) => {
                // Files that are still to be written are usual.
                tracing::debug!(problem, "list of targets not read");
                return;
            }
        };
        let list = self.files.entry(path.to_owned()).or_default();
        if list.text == text {
            return;
        }
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        match read_list(&text, is_json, (OF_FILE, &path.to_string_lossy())) {
            Ok(groups) => list.groups = groups,
            Err(problem) => {
                tracing::warn!(file = %path.display(), problem, "list of targets not used; the one before it stays");
            }
        }
        list.text = text;
    }

    fn request(&mut self, discovery: &Discovery, now: Instant, number_next: &mut u64) -> Option<FetchRequest> {
        let Discovery::Http { url, refresh, client } = discovery else { return None };
        let list = self.urls.entry(url.to_string()).or_default();
        if list.request.is_some() || list.next.is_some_and(|next| next > now) {
            return None;
        }
        list.next = Some(now + *refresh);
        let made = match client.client() {
            Ok(made) => made,
            Err(problem) => {
                list.failed(url.as_str(), problem);
                return None;
            }
        };
        *number_next += 1;
        list.request = Some(*number_next);
        let source = PageSource::Http(Box::new(HttpRequest {
            client: made,
            config: client.as_ref().clone(),
            url: url.clone(),
            accept: "application/json".to_owned(),
            timeout: LIST_TIMEOUT.min((*refresh).max(Duration::from_secs(5))),
            is_compressed: true,
            bytes_max: LIST_BYTES_MAX,
        }));
        Some(FetchRequest { purpose: Purpose::List(*number_next), source })
    }

    /// Takes the answer to a request; reports whether it was one of these lists.
    pub(super) fn take(&mut self, number: u64, answer: &Result<Page, String>) -> bool {
        let Some((url, list)) = self.urls.iter_mut().find(|(_, list)| list.request == Some(number)) else {
            return false;
        };
        list.request = None;
        let groups = match answer {
            Err(problem) => Err(problem.clone()),
            Ok(page) if !is_json(&page.content_type) => Err(format!("{:?} is not application/json", page.content_type)),
            Ok(page) => read_list(&page.text, true, (OF_URL, &shown(url))),
        };
        match groups {
            Ok(groups) => (list.groups, list.problem) = (groups, None),
            Err(problem) => list.failed(url, problem),
        }
        true
    }

    /// Returns the labels of all targets before relabelling.
    pub(super) fn discovered(&self, job: &Job) -> Vec<LabelSet> {
        let mut found = Vec::new();
        for discovery in &job.discoveries {
            match discovery {
                Discovery::Static(groups) => found.extend(groups.iter().flat_map(TargetGroup::discovered)),
                Discovery::Http { url, .. } => {
                    let list = self.urls.get(url.as_str());
                    found.extend(list.into_iter().flat_map(|list| &list.groups).flat_map(TargetGroup::discovered));
                }
                Discovery::Files(_) => {}
            }
        }
        found.extend(self.files.values().flat_map(|list| &list.groups).flat_map(TargetGroup::discovered));
        found.into_iter().map(|labels| before_relabelling(labels, job)).collect()
    }
}

/// The address of a list as a label, which everybody may read who sees targets.
fn shown(url: &str) -> String {
    if url.contains(['@', '?']) { SecretUrl(url).to_string() } else { url.to_owned() }
}

impl UrlList {
    fn failed(&mut self, url: &str, problem: String) {
        if self.problem.as_ref() != Some(&problem) {
            tracing::warn!(url = %SecretUrl(url), problem, "list of targets not fetched; the one before it stays");
            self.problem = Some(problem);
        }
    }
}
