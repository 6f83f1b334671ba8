//! A target: what its labels say about where its page is, how often it is fetched, and what its series are labelled with.

use std::time::Duration;

use reqwest::Url;

use super::job::Job;
use super::labels::{LabelSet, get, set, text_of};
use super::relabel::relabel;
use super::values::parse_duration;

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const PARAM: &str = "__param_";

/// Prefix of labels that only relabelling sees.
const META: &str = "__meta_";

/// A page that is fetched from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The labels that its series get.
    pub(super) labels: LabelSet,
    pub(super) url: Result<Url, UnusableUrl>,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

/// A URL that cannot be fetched. Its target is down, so that `up` shows it, as in Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnusableUrl {
    /// How it is shown.
    pub(super) text: String,
    pub(super) problem: String,
}

impl Target {
    /// Returns the target that labels mean after relabelling; `None` if a rule drops it.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn of(discovered: &LabelSet, job: &Job) -> Result<Option<Self>, String> {
        let mut labels = discovered.clone();
        if !relabel(&job.relabel, &mut labels) {
            return Ok(None);
        }
        let address = get(&labels, ADDRESS).to_owned();
        types::ensure!(!address.is_empty(), "has no address: relabelling removed the label __address__".to_owned());
        let of_label = |name: &str| {
            let text = get(&labels, name);
            let found = parse_duration(text).filter(|found| *found >= Duration::from_millis(100));
            found.ok_or_else(|| format!("{text:?} in the label {name} is not a duration of at least 100ms"))
        };
        let (interval, timeout) = (of_label(INTERVAL)?, of_label(TIMEOUT)?);
        types::ensure!(timeout <= interval, "has a scrape timeout that is longer than its scrape interval".to_owned());
        types::ensure!(!address.contains('/'), format!("{address:?} is not a host and a port"));
        let url = url_of(&labels, job).map_err(|problem| {
            let text = format!("{}://{address}{}", get(&labels, SCHEME), get(&labels, PATH));
            UnusableUrl { text, problem }
        });
        labels.retain(|name, _| !name.starts_with(META));
        if get(&labels, "instance").is_empty() {
            set(&mut labels, "instance", address);
        }
        labels.retain(|name, _| !name.starts_with("__"));
        Ok(Some(Self { labels, url, interval, timeout }))
    }

    /// Returns what tells targets of a job apart.
    pub(super) fn key(&self) -> String {
        let Self { labels, interval, timeout, .. } = self;
        format!("{} {interval:?} {timeout:?} {}", self.address(), text_of(labels))
    }

    /// Returns where the page is, or would be.
    pub(super) fn address(&self) -> &str {
        match &self.url {
            Ok(url) => url.as_str(),
            Err(unusable) => &unusable.text,
        }
    }
}

/// Returns the labels of a target before relabelling: those it was found with, and those that its job adds.
pub(super) fn before_relabelling(mut labels: LabelSet, job: &Job) -> LabelSet {
    labels.retain(|_, value| !value.is_empty());
    let (interval, timeout) = (shown(job.interval), shown(job.timeout));
    let usual =
        [("job", &job.name), (INTERVAL, &interval), (TIMEOUT, &timeout), (PATH, &job.path), (SCHEME, &job.scheme)];
    for (name, value) in usual {
        labels.entry(name.to_owned()).or_insert_with(|| value.clone());
    }
    for (name, value) in &job.labels {
        labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    for (name, values) in &job.params {
        if let Some(first) = values.first() {
            labels.entry(format!("{PARAM}{name}")).or_insert_with(|| first.clone());
        }
    }
    labels
}

fn url_of(labels: &LabelSet, job: &Job) -> Result<Url, String> {
    let (address, scheme) = (get(labels, ADDRESS), get(labels, SCHEME).to_ascii_lowercase());
    types::ensure!(matches!(&*scheme, "http" | "https"), format!("the scheme {scheme:?} is not http or https"));
    let mut url = Url::parse(&format!("{scheme}://{address}/"))
        .map_err(|error| format!("{address:?} is not a host and a port: {error}"))?;
    let path = get(labels, PATH);
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    url.set_path(path);
    url.set_query(query);
    let mut params = job.params.clone();
    for (name, value) in labels {
        let Some(name) = name.strip_prefix(PARAM) else { continue };
        let values = params.entry(name.to_owned()).or_default();
        match values.first_mut() {
            Some(first) => first.clone_from(value),
            None => values.push(value.clone()),
        }
    }
    if !params.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, values) in &params {
            for value in values {
                pairs.append_pair(name, value);
            }
        }
    }
    Ok(url)
}

/// Returns a duration as Prometheus writes it.
pub(super) fn shown(duration: Duration) -> String {
    let mut ms = duration.as_millis();
    let mut text = String::new();
    for (unit, of_unit) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if ms >= of_unit {
            text.push_str(&format!("{}{unit}", ms / of_unit));
            ms %= of_unit;
        }
    }
    text
}

#[cfg(test)]
mod tests;
