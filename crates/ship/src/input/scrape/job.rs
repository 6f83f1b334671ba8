//! The definition of a scrape job: what Prometheus calls a `scrape_config`, with the same keys and meanings.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use definition::{DefinitionError, Node};
use exposition::Format;
use reqwest::Url;
use types::ensure;

use super::client::{self, ClientConfig};
use super::discovery::{Discovery, TargetGroup, check_supported, is_unused};
use super::labels::LabelSet;
use super::relabel::RelabelRule;
use super::values::{duration, flag, limit, scalar, scalars, section, size};

/// Default interval and wait, as in Prometheus.
const INTERVAL: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes of a page without a limit of its own: kube-state-metrics of a large cluster has a few ten MB.
const PAGE_BYTES_MAX: u64 = 64 << 20;

/// Most samples of a page without a limit of its own: what one fetch may write is bounded.
const SAMPLES_MAX: usize = 500_000;

/// The keys of a job besides those of its client and its service discoveries.
pub(super) const KEYS: [&str; 32] = [
    "job_name",
    "scrape_interval",
    "scrape_timeout",
    "scrape_protocols",
    "fallback_scrape_protocol",
    "scrape_native_histograms",
    "scrape_classic_histograms",
    "always_scrape_classic_histograms",
    "convert_classic_histograms_to_nhcb",
    "metrics_path",
    "scheme",
    "params",
    "honor_labels",
    "honor_timestamps",
    "track_timestamps_staleness",
    "enable_compression",
    "body_size_limit",
    "sample_limit",
    "label_limit",
    "label_name_length_limit",
    "label_value_length_limit",
    "target_limit",
    "keep_dropped_targets",
    "native_histogram_bucket_limit",
    "native_histogram_min_bucket_factor",
    "metric_name_validation_scheme",
    "metric_name_escaping_scheme",
    "static_configs",
    "file_sd_configs",
    "http_sd_configs",
    "relabel_configs",
    "metric_relabel_configs",
];

/// Protocols that are read, as they are called in definitions and in the header `Accept`. As in Prometheus, the versions 1.0.0 are
/// asked for with any names; without that exporters write `_` for characters of names that the older versions do not have.
const PROTOCOLS: [(&str, &str); 4] = [
    ("OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"),
    ("OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1"),
    ("PrometheusText1.0.0", "text/plain;version=1.0.0;escaping=allow-utf-8"),
    ("PrometheusText0.0.4", "text/plain;version=0.0.4"),
];

/// The protocol that is not read.
const PROTOBUF: &str = "PrometheusProto";

/// Limits beyond which a scrape fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ScrapeLimits {
    pub(super) body_bytes: u64,
    /// Samples of a page before relabelling; there is no such limit in Prometheus.
    pub(super) page_samples: usize,
    /// Samples after relabelling.
    pub(super) samples: usize,
    pub(super) labels: usize,
    pub(super) name_bytes: usize,
    pub(super) value_bytes: usize,
    pub(super) targets: usize,
}

/// What a job has unless it says otherwise.
#[derive(Clone, Debug)]
pub(super) struct JobDefaults {
    pub(super) interval: Duration,
    pub(super) timeout: Option<Duration>,
    pub(super) accept: String,
    pub(super) limits: ScrapeLimits,
}

/// A job.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    /// The header `Accept`.
    pub(super) accept: String,
    /// The format of pages whose content type Prometheus does not know.
    pub(super) fallback: Option<Format>,
    pub(super) path: String,
    pub(super) scheme: String,
    pub(super) params: BTreeMap<String, Vec<String>>,
    pub(super) honors_labels: bool,
    pub(super) honors_times: bool,
    /// Whether series whose samples have times of their own get markers when they end.
    pub(super) tracks_times: bool,
    pub(super) is_compressed: bool,
    pub(super) limits: ScrapeLimits,
    pub(super) client: ClientConfig,
    /// Labels that all targets have, unless they say otherwise.
    pub(super) labels: LabelSet,
    pub(super) discoveries: Vec<Discovery>,
    pub(super) relabel: Vec<RelabelRule>,
    pub(super) metric_relabel: Vec<RelabelRule>,
}

impl Default for JobDefaults {
    fn default() -> Self {
        let limits = ScrapeLimits {
            body_bytes: PAGE_BYTES_MAX,
            page_samples: SAMPLES_MAX,
            samples: usize::MAX,
            labels: usize::MAX,
            name_bytes: usize::MAX,
            value_bytes: usize::MAX,
            targets: usize::MAX,
        };
        let accept = accept_of(&PROTOCOLS.map(|(_, kind)| kind));
        Self { interval: INTERVAL, timeout: None, accept, limits }
    }
}

impl JobDefaults {
    /// Reads the section `global`.
    pub(super) fn read(global: &Node<'_>) -> Result<Self, DefinitionError> {
        // The others concern rules, other systems and files of queries.
        let mut known =
            vec!["evaluation_interval", "rule_query_offset", "external_labels", "query_log_file", "runtime"];
        known.extend(
            KEYS.iter().filter(|key| key.starts_with("scrape_") || key.contains("limit") || key.contains("_scheme")),
        );
        known.extend([
            "keep_dropped_targets",
            "always_scrape_classic_histograms",
            "convert_classic_histograms_to_nhcb",
        ]);
        global.check_keys(&known)?;
        refuse_unsupported(global)?;
        let usual = Self::default();
        let interval = duration(global, "scrape_interval")?.unwrap_or(usual.interval);
        Ok(Self {
            interval: positive(global, "scrape_interval", interval)?,
            timeout: duration(global, "scrape_timeout")?,
            accept: protocols(global)?.unwrap_or(usual.accept),
            limits: usual.limits.read(global)?,
        })
    }
}

impl ScrapeLimits {
    /// Reads the limits that a node has; 0 means none.
    fn read(self, node: &Node<'_>) -> Result<Self, DefinitionError> {
        Ok(Self {
            body_bytes: size(node, "body_size_limit", self.body_bytes)?,
            page_samples: self.page_samples,
            samples: limit(node, "sample_limit", self.samples)?,
            labels: limit(node, "label_limit", self.labels)?,
            name_bytes: limit(node, "label_name_length_limit", self.name_bytes)?,
            value_bytes: limit(node, "label_value_length_limit", self.value_bytes)?,
            targets: limit(node, "target_limit", self.targets)?,
        })
    }
}

impl Job {
    /// Reads a job of Prometheus' configuration; paths are relative to `base`.
    pub(super) fn of_prometheus(node: &Node<'_>, defaults: &JobDefaults, base: &Path) -> Result<Self, DefinitionError> {
        check_supported(node)?;
        let mut known = [&KEYS[..], &client::KEYS].concat();
        known.extend(node.members()?.into_iter().filter(|(key, of)| is_unused(key, of)).map(|(key, _)| key));
        node.check_keys(&known)?;
        let name = scalar(&node.needed("job_name", "each job has a name of its own")?)?;
        ensure!(!name.is_empty(), node.child("job_name").error("must not be empty"));
        Self::read(node, name, defaults, base, Discovery::read_all(node, base)?)
    }

    /// Reads what all jobs have.
    ///
    /// # Errors
    /// The first mistake.
    pub(super) fn read(
        node: &Node<'_>,
        name: String,
        defaults: &JobDefaults,
        base: &Path,
        discoveries: Vec<Discovery>,
    ) -> Result<Self, DefinitionError> {
        refuse_unsupported(node)?;
        let interval = duration(node, "scrape_interval")?.unwrap_or(defaults.interval);
        let interval = positive(node, "scrape_interval", interval)?;
        let timeout = duration(node, "scrape_timeout")?;
        if timeout.is_some_and(|timeout| timeout > interval) {
            return Err(node.child("scrape_timeout").error("must not be longer than scrape_interval"));
        }
        let timeout = timeout.unwrap_or_else(|| defaults.timeout.unwrap_or(TIMEOUT).min(interval));
        let text = |key: &str, usual: &str| match node.get(key) {
            None => Ok(usual.to_owned()),
            Some(node) => scalar(&node),
        };
        let scheme = text("scheme", "http")?.to_ascii_lowercase();
        ensure!(matches!(&*scheme, "http" | "https"), node.child("scheme").error("must be http or https"));
        Ok(Self {
            name,
            interval,
            timeout: positive(node, "scrape_timeout", timeout)?,
            accept: protocols(node)?.unwrap_or_else(|| defaults.accept.clone()),
            fallback: section(node, "fallback_scrape_protocol").map(|node| fallback(&node)).transpose()?,
            path: text("metrics_path", "/metrics")?,
            scheme,
            params: params(node)?,
            honors_labels: flag(node, "honor_labels", false)?,
            honors_times: flag(node, "honor_timestamps", true)?,
            tracks_times: flag(node, "track_timestamps_staleness", false)?,
            is_compressed: flag(node, "enable_compression", true)?,
            limits: defaults.limits.read(node)?,
            client: ClientConfig::read(node, base)?,
            labels: LabelSet::new(),
            discoveries,
            relabel: RelabelRule::list(node, "relabel_configs")?,
            metric_relabel: RelabelRule::list(node, "metric_relabel_configs")?,
        })
    }

    /// Adds the page of an address as a target. One that an exporter is asked about (`target`) is its instance.
    pub(super) fn scrape_url(&mut self, url: &Url) {
        self.client.take_user(url);
        let port = url.port_or_known_default().unwrap_or_default();
        let host = url.host_str().unwrap_or_default();
        let path = url.path().to_owned();
        let mut labels: LabelSet =
            [("__scheme__".to_owned(), url.scheme().to_owned()), ("__metrics_path__".to_owned(), path)].into();
        for (name, value) in url.query_pairs() {
            if name == "target" {
                labels.insert("instance".to_owned(), value.clone().into_owned());
            }
            self.params.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let group = TargetGroup { targets: vec![format!("{host}:{port}")], labels };
        self.discoveries.push(Discovery::Static(vec![group]));
    }
}

/// Refuses what would give other series than Prometheus.
fn refuse_unsupported(node: &Node<'_>) -> Result<(), DefinitionError> {
    for key in ["scrape_native_histograms", "convert_classic_histograms_to_nhcb"] {
        if flag(node, key, false)? {
            return Err(node.child(key).error("native histograms are not supported; remove this key"));
        }
    }
    if let Some(scheme) = node.get("metric_name_validation_scheme")
        && scalar(&scheme)? != "utf8"
    {
        return Err(scheme.error("only \"utf8\" is supported"));
    }
    if let Some(scheme) = node.get("metric_name_escaping_scheme")
        && scalar(&scheme)? != "allow-utf-8"
    {
        return Err(scheme.error("only \"allow-utf-8\" is supported"));
    }
    if let Some(file) = node.get("scrape_failure_log_file") {
        return Err(file.error("is not supported; failures are in the log and in the status of the input"));
    }
    Ok(())
}

fn positive(node: &Node<'_>, key: &str, duration: Duration) -> Result<Duration, DefinitionError> {
    // The scheduler's own step; below it scrapes would be late.
    if duration >= Duration::from_millis(100) {
        return Ok(duration);
    }
    Err(node.child(key).error("must be at least 100ms"))
}

fn params(node: &Node<'_>) -> Result<BTreeMap<String, Vec<String>>, DefinitionError> {
    let Some(params) = section(node, "params") else { return Ok(BTreeMap::new()) };
    params.members()?.into_iter().map(|(name, values)| Ok((name.to_owned(), scalars(&values)?))).collect()
}

/// Reads the header `Accept` that a list of protocols means.
fn protocols(node: &Node<'_>) -> Result<Option<String>, DefinitionError> {
    let Some(list) = section(node, "scrape_protocols") else { return Ok(None) };
    let mut kinds = Vec::new();
    for item in list.items()? {
        let name = scalar(&item)?;
        match PROTOCOLS.iter().find(|(known, _)| *known == name) {
            Some((_, kind)) => kinds.push(*kind),
            // Targets that speak it speak a text format as well.
            None if name == PROTOBUF => {}
            None => {
                let known = PROTOCOLS.map(|(name, _)| name).join(", ");
                return Err(item.error(format!("unknown protocol {name:?}; known: {known}")));
            }
        }
    }
    ensure!(!kinds.is_empty(), list.error("names no text format; add PrometheusText0.0.4 or OpenMetricsText1.0.0"));
    Ok(Some(accept_of(&kinds)))
}

/// Returns the header `Accept` for formats, the preferred first.
fn accept_of(kinds: &[&str]) -> String {
    let mut weight = kinds.len() + 2;
    let mut text = String::new();
    for kind in kinds {
        weight -= 1;
        text.push_str(&format!("{kind};q=0.{weight},"));
    }
    text + "*/*;q=0.1"
}

fn fallback(node: &Node<'_>) -> Result<Format, DefinitionError> {
    match &*scalar(node)? {
        "PrometheusText0.0.4" | "PrometheusText1.0.0" => Ok(Format::Text),
        "OpenMetricsText1.0.0" | "OpenMetricsText0.0.1" => Ok(Format::OpenMetrics),
        _ => Err(node.error("must be PrometheusText0.0.4 or OpenMetricsText1.0.0")),
    }
}
