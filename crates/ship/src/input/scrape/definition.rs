//! The inputs `scrape` and `node_exporter` as they are defined.

use std::path::Path;
use std::time::Duration;

use definition::{DefinitionError, Node};
use types::{ensure, group_name_of_outside};

use super::client::{self, address};
use super::discovery::{Discovery, TargetGroup, labels_of};
use super::host_page::HostPage;
use super::job::{self, Job, JobDefaults};
use super::labels::LabelSet;
use super::prometheus::{ConfigFile, read_jobs};
use super::values::scalars;
use super::{Input, Scrape};
use crate::FileInput;

/// Default interval of scrapes that are defined here; a file of Prometheus has its own.
const INTERVAL: Duration = Duration::from_secs(15);

/// Keys besides those of a job in Prometheus' configuration.
const OWN_KEYS: [&str; 5] = ["url", "targets", "every", "timeout", "config"];

/// The name of the job of this machine's metrics, as dashboards expect it.
const NODE_JOB: &str = "node";

type Opened = Result<Option<Box<dyn Input>>, DefinitionError>;

/// Returns the keys of the input `scrape`.
pub(in crate::input) fn keys() -> Vec<&'static str> {
    [&OWN_KEYS[..], &job::KEYS, &client::KEYS].concat()
}

/// Reads the input `scrape`.
pub(in crate::input) fn read_scrape(node: &Node<'_>, file: &mut FileInput) -> Opened {
    as_samples(file);
    if let Some(config) = node.get("config") {
        let allowed = ["name", "type", "buffer", "config"];
        if let Some((key, other)) = node.members()?.into_iter().find(|(key, _)| !allowed.contains(key)) {
            return Err(other.error(format!("\"{key}\" is not used beside \"config\", whose file has everything")));
        }
        let path = Path::new(config.name()?);
        let jobs = read_jobs(path).map_err(|problem| config.error(problem))?;
        return Ok(Some(Box::new(Scrape { jobs, file: Some(ConfigFile::new(path.to_owned())), host: None })));
    }
    let base = Path::new("");
    let (given, defaults) = own_settings(node, file)?;
    let mut discoveries = Discovery::read_all(node, base)?;
    let at_url = node.get("url").map(|url| address(&url)).transpose()?;
    if let Some(targets) = node.get("targets") {
        let group = TargetGroup { targets: scalars(&targets)?, labels: LabelSet::new() };
        if let Some(target) = group.targets.iter().find(|target| target.contains('/')) {
            return Err(targets.error(format!("{target:?} is not a host and a port; use \"url\" for an address")));
        }
        discoveries.push(Discovery::Static(vec![group]));
    }
    if at_url.is_none() && discoveries.is_empty() {
        let problem = "\"url\" is missing: a page of metrics, such as \"http://127.0.0.1:9100/metrics\"; or targets, \
                       static_configs, file_sd_configs, http_sd_configs, or config, a prometheus.yml";
        return Err(node.error(problem));
    }
    let name = node.get("job_name").map(|name| name.name().map(str::to_owned)).transpose()?;
    let name = name.unwrap_or_else(|| file.name.clone());
    let mut job = Job::read(node, name, &defaults, base, discoveries)?;
    job.labels = given;
    if let Some(url) = at_url {
        job.scrape_url(&url);
    }
    Ok(Some(Box::new(Scrape { jobs: vec![job], file: None, host: None })))
}

/// Reads the input `node_exporter`.
pub(in crate::input) fn read_node_exporter(node: &Node<'_>, file: &mut FileInput) -> Opened {
    as_samples(file);
    let (given, defaults) = own_settings(node, file)?;
    let group = TargetGroup { targets: vec![crate::host_name()], labels: LabelSet::new() };
    let name = node.get("job_name").map(|name| name.name().map(str::to_owned)).transpose()?;
    let name = name.unwrap_or_else(|| NODE_JOB.to_owned());
    let mut job = Job::read(node, name, &defaults, Path::new(""), vec![Discovery::Static(vec![group])])?;
    job.labels = given;
    Ok(Some(Box::new(Scrape { jobs: vec![job], file: None, host: Some(HostPage::new()) })))
}

/// Reads `fields`, which become labels of targets, and how often and how long pages are fetched.
fn own_settings(node: &Node<'_>, file: &mut FileInput) -> Result<(LabelSet, JobDefaults), DefinitionError> {
    let labels = node.get("fields").map(|fields| labels_of(&fields)).transpose()?.unwrap_or_default();
    file.fields.clear();
    let length = |key: &str| node.get(key).map(|node| node.duration()).transpose();
    let (every, timeout) = (length("every")?, length("timeout")?);
    for (own, of_prometheus) in [("every", "scrape_interval"), ("timeout", "scrape_timeout")] {
        if node.get(own).is_some()
            && let Some(twice) = node.get(of_prometheus)
        {
            return Err(twice.error(format!("is there as \"{own}\" already")));
        }
    }
    let interval = every.unwrap_or(INTERVAL);
    ensure!(interval >= Duration::from_secs(1), node.child("every").error("must be at least 1s"));
    if timeout.is_some_and(|timeout| timeout > interval || timeout.is_zero()) {
        return Err(node.child("timeout").error("must not be longer than \"every\", nor 0"));
    }
    Ok((labels, JobDefaults { interval, timeout, ..JobDefaults::default() }))
}

/// Says that the lines of an input are samples, which have groups of their own.
fn as_samples(file: &mut FileInput) {
    file.has_samples = true;
    file.group = Some(group_name_of_outside(&format!("metrics/{}", file.name)));
}
