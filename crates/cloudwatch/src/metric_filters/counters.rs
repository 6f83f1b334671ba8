//! The metric filters of a server and their counts, for `ListMetrics` and the metrics page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use alert::metrics::MeterThread;
use storage::{Settings, StoreError};
use types::{GroupName, Hold};

use super::filter::{DimensionCount, Filter, KIND};
use crate::filters::{document_name, documents};
use door::exposition::{Kind, Page};
use door::{Result, Server};

/// How long a reader of counts waits until the latest accepted events are counted.
const SETTLE_MAX: Duration = Duration::from_secs(1);

/// How often a node of a fleet reads the list of filters.
const FOLLOW_PAUSE: Duration = Duration::from_secs(1);

/// The filters that this server knows: texts of their documents, by name. Locked while filters change.
#[derive(Clone)]
pub(crate) struct MetricFilters(Arc<Mutex<BTreeMap<String, String>>>);

impl MetricFilters {
    /// Starts counting of all filters. In a fleet, filters that other nodes create are counted too.
    pub(crate) fn start(server: &Server) -> Self {
        let known = Self(Arc::default());
        let (store, metrics) = (server.whole_store().clone(), server.app.metrics.clone());
        if let Err(error) = known.follow(store.settings(), metrics.counting()) {
            tracing::error!(%error, "metric filters not readable; none of them counts");
        }
        if store.nodes().is_some() {
            let (of_thread, closing) = (known.clone(), server.closing.clone());
            // The thread ends by itself, and holds nothing that is not saved.
            std::thread::spawn(move || {
                while closing.has_changed().is_ok() && !*closing.borrow() {
                    if let Err(error) = of_thread.follow(store.settings(), metrics.counting()) {
                        tracing::debug!(%error, "metric filters of other nodes are not known");
                    }
                    std::thread::sleep(FOLLOW_PAUSE);
                }
            });
        }
        known
    }

    /// Counts what the documents define.
    fn follow(&self, settings: Settings<'_>, counting: &MeterThread) -> Result<(), StoreError> {
        let mut known = self.lock();
        let all: BTreeMap<String, String> = settings.all(KIND)?.into_iter().collect();
        for gone in known.keys().filter(|name| !all.contains_key(*name)) {
            counting.remove(&(KIND, gone.clone()));
        }
        for (name, text) in all.iter().filter(|(name, text)| known.get(*name) != Some(*text)) {
            // A document of another version, or a damaged one, has no effect.
            let Ok(filter) = serde_json::from_str::<Filter>(text) else { continue };
            if let Err(problem) = filter.count(counting) {
                tracing::warn!(filter = name, reason = problem.parts().2, "metric filter cannot count");
            }
        }
        *known = all;
        Ok(())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        // Each change replaces the whole map or one entry, so a panic leaves it valid.
        self.0.hold()
    }

    /// Removes the filters of a deleted group.
    pub(crate) fn forget(&self, server: &Server, group: &GroupName) -> Result<(), StoreError> {
        let (mut known, settings) = (self.lock(), server.settings());
        let of_group = document_name(group.as_str(), "");
        let names = settings.all(KIND)?.into_iter().map(|(name, _)| name);
        names
            .filter(|name| name.rsplit_once(':').is_some_and(|(group, _)| of_group.strip_suffix(':') == Some(group)))
            .try_for_each(|name| {
                settings.remove(KIND, &name)?;
                known.remove(&name);
                server.app.metrics.counting().remove(&(KIND, name));
                Ok(())
            })
    }
}

/// Returns all filters, by group and name.
pub(super) fn filters(settings: Settings<'_>) -> Result<Vec<Filter>> {
    let mut all: Vec<Filter> = documents(settings, KIND)?;
    all.sort_by_key(Filter::key);
    Ok(all)
}

/// Returns the filters that may make metrics of a name, or all: those whose documents have it.
pub(crate) fn filters_of(settings: Settings<'_>, metric: Option<&str>) -> Result<Vec<Filter>> {
    let Some(metric) = metric else { return filters(settings) };
    let spelled = serde_json::Value::from(metric).to_string();
    let all = settings.all(KIND)?;
    let named = all.iter().filter(|(_, text)| text.contains(&spelled));
    // A document of another version, or a damaged one, has no effect.
    Ok(named.filter_map(|(_, text)| serde_json::from_str(text).ok()).collect())
}

/// Returns all filters with their current counts. Blocks.
pub(super) fn counted(server: &Server) -> Result<Vec<Filter>> {
    let mut all = filters(server.settings())?;
    if !all.is_empty() {
        server.app.metrics.counting().settle(SETTLE_MAX);
        let counted = server.app.metrics.counting().counted(KIND);
        for filter in &mut all {
            let key = filter.key();
            counted.get(&key).into_iter().for_each(|counted| filter.take(counted));
        }
    }
    Ok(all)
}

/// A metric that filters make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: Vec<(String, String)>,
}

/// Returns the metrics of filters of the groups that `reaches` allows, each once. Blocks.
pub(crate) fn metrics(server: &Server, reaches: impl Fn(&str) -> bool) -> Result<BTreeSet<Metric>> {
    let filters = counted(server)?;
    let within = filters.iter().filter(|filter| reaches(&filter.group));
    Ok(within
        .flat_map(|filter| {
            filter.metrics().into_iter().map(|counted| Metric {
                namespace: filter.namespace.clone(),
                name: filter.metric.clone(),
                dimensions: counted
                    .dimensions
                    .iter()
                    .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                    .collect(),
            })
        })
        .collect())
}

/// Returns the number of filters of each group.
pub(crate) fn counts(settings: Settings<'_>) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    filters(settings)?.into_iter().for_each(|filter| *counts.entry(filter.group).or_default() += 1);
    Ok(counts)
}

/// Writes the counts of all filters to the metrics page. Blocks.
pub(crate) fn write(server: &Server, page: &mut Page) {
    // In a fleet only the node that counts shows them, so that a sum over nodes has nothing twice.
    if !server.app.metrics.counting().is_leading() {
        return;
    }
    let Ok(all) = counted(server) else { return };
    if all.is_empty() {
        return;
    }
    let families = [
        ("catat_metric_filter_events_total", Kind::Counter, "Events that a metric filter has matched."),
        // The values of fields may be negative.
        ("catat_metric_filter_value", Kind::Gauge, "Their metric values, summed up."),
    ];
    for (name, kind, help) in families {
        page.family(name, kind, help);
        for filter in &all {
            for DimensionCount { dimensions, n_events, sum } in filter.metrics() {
                let value = if kind == Kind::Counter { n_events as f64 } else { sum };
                let of_dimensions: Vec<(String, &str)> =
                    dimensions.iter().map(|(name, text)| (label_of(name), *text)).collect();
                let mut labels = vec![
                    ("namespace", filter.namespace.as_str()),
                    ("metric", &filter.metric),
                    ("group", &filter.group),
                    ("filter", &filter.name),
                ];
                labels.extend(of_dimensions.iter().map(|(name, text)| (name.as_str(), *text)));
                page.sample(name, &labels, value);
            }
        }
    }
}

/// Returns the label of a dimension: Prometheus has letters, digits and `_` in names.
fn label_of(dimension: &str) -> String {
    let fit = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
    format!("dimension_{}", dimension.chars().map(fit).collect::<String>())
}
