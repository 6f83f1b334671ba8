//! The targets of scrapes: `targets`, `scrape_pools` and `targets/metadata` of Prometheus' API.
//!
//! Shippers report their targets, that of this process like any other; `ingest` keeps the last report of each, and the nodes of
//! a fleet ask each other (`fleet_scrapes`). What a target says of its metrics is what is known of the metrics of its series.

use std::collections::{BTreeMap, BTreeSet};

use door::{Outcome, Parameters, Problem, QueryRun, Reply, Result};
use exposition::ActiveTarget;
use ingest::SourceScrapes;
use promql::{Labels, Matcher};
use serde_json::{Value, json};
use series::SampleSource;
use types::{Timestamp, ensure};

use crate::fleet_scrapes::with_scrapes;
use crate::format;
use crate::metadata::{Call, MetricsState, receive};
use crate::problem::parsed;

/// A time of which Prometheus says that there is none.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// What means the own machine in an address.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// How far back series of a target are looked for, in ms.
const SERIES_AGE_MS: i64 = 3_600_000;

/// A target and the host of its shipper.
struct FoundTarget {
    target: ActiveTarget,
    host: String,
}

impl FoundTarget {
    fn shown(&self) -> Value {
        let Self { target, host } = self;
        let last = target.last_scrape_ms.map(|ms| Timestamp(ms.saturating_mul(Timestamp::MILLISECOND)).to_string());
        json!({
            "discoveredLabels": target.discovered,
            "labels": target.labels,
            "scrapePool": target.pool,
            "scrapeUrl": target.url,
            "globalUrl": global_url(&target.url, host),
            "lastError": target.last_error,
            "lastScrape": last.unwrap_or_else(|| NEVER.to_owned()),
            "lastScrapeDuration": target.last_duration_ns as f64 / 1e9,
            "health": target.health,
            "scrapeInterval": target.interval,
            "scrapeTimeout": target.timeout,
        })
    }
}

/// Returns an address as it is reached from other machines than `host`, where its page is fetched.
fn global_url(url: &str, host: &str) -> String {
    let global = || {
        let (scheme, rest) = url.split_once("://")?;
        let local = LOCAL.into_iter().find(|local| {
            let after = rest.strip_prefix(local);
            after.is_some_and(|after| after.is_empty() || after.starts_with([':', '/', '?']))
        })?;
        Some(format!("{scheme}://{host}{}", &rest[local.len()..]))
    };
    global().unwrap_or_else(|| url.to_owned())
}

/// Returns the targets of scrapes, in order of job and address.
fn active(scrapes: &[SourceScrapes]) -> Vec<FoundTarget> {
    let found = |of: &SourceScrapes| {
        let host = of.host.clone();
        let target = move |target: &ActiveTarget| FoundTarget { target: target.clone(), host: host.clone() };
        of.scrapes.active.iter().map(target).collect::<Vec<_>>()
    };
    let mut targets: Vec<FoundTarget> = scrapes.iter().flat_map(found).collect();
    targets.sort_by(|a, b| {
        let key = |of: &FoundTarget| (of.target.pool.clone(), of.target.url.clone(), of.target.labels.clone());
        key(a).cmp(&key(b))
    });
    targets
}

/// Returns what is said of targets that are not listed.
fn warnings(scrapes: &[SourceScrapes]) -> Vec<String> {
    let left_out = scrapes.iter().filter(|of| of.scrapes.left_out > 0);
    let warning = |of: &SourceScrapes| {
        let n = of.scrapes.left_out;
        format!("{n} targets of the shipper on {:?} are not listed: its report is too large", of.host)
    };
    left_out.map(warning).collect()
}

/// Answers `targets`.
pub(crate) fn list(Call { server, parameters, .. }: Call) -> Outcome {
    with_scrapes(&server, move |scrapes, mut missing| {
        missing.extend(warnings(&scrapes));
        Ok(format::reply(targets_json(&scrapes, &parameters), missing))
    })
}

fn targets_json(scrapes: &[SourceScrapes], parameters: &Parameters) -> Value {
    let state = parameters.get("state").unwrap_or_default().to_ascii_lowercase();
    let pool = parameters.get("scrapePool").unwrap_or_default();
    let is_shown = |one: &str| matches!(&*state, "" | "any") || state == one;
    let is_of_pool = |of: &str| pool.is_empty() || of == pool;
    let (mut active_targets, mut dropped, mut n_dropped) = (Vec::new(), Vec::new(), Value::Null);
    if is_shown("active") {
        let found = active(scrapes);
        active_targets = found.iter().filter(|of| is_of_pool(&of.target.pool)).map(FoundTarget::shown).collect();
    }
    if is_shown("dropped") {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for of in scrapes {
            let none = of.scrapes.pools.iter().map(|pool| (pool, &0));
            none.chain(&of.scrapes.n_dropped).for_each(|(pool, n)| *counts.entry(pool).or_default() += n);
        }
        n_dropped = json!(counts);
        let of_pool = scrapes.iter().flat_map(|of| &of.scrapes.dropped).filter(|target| is_of_pool(&target.pool));
        let mut targets: Vec<_> = of_pool.collect();
        targets.sort_by(|a, b| (&a.pool, &a.discovered).cmp(&(&b.pool, &b.discovered)));
        let shown = targets.iter().map(|of| json!({"discoveredLabels": of.discovered, "scrapePool": of.pool}));
        dropped = shown.collect();
    }
    json!({"activeTargets": active_targets, "droppedTargets": dropped, "droppedTargetCounts": n_dropped})
}

/// Answers `scrape_pools`: the names of jobs.
pub(crate) fn pools(call: Call) -> Outcome {
    with_scrapes(&call.server, |scrapes, missing| {
        let pools: BTreeSet<&String> = scrapes.iter().flat_map(|of| &of.scrapes.pools).collect();
        Ok(format::reply(json!({"scrapePools": pools}), missing))
    })
}

/// Answers `targets/metadata`: type, help and unit of the metrics of targets.
pub(crate) fn metadata(Call { server, parameters, .. }: Call) -> Outcome {
    let bad = |message: &str| Problem::bad_parameter(message.to_owned());
    let limit = parameters.get("limit").filter(|text| !text.is_empty());
    let limit = limit.map(str::parse::<i64>).transpose().map_err(|_| bad("limit must be a number"))?.unwrap_or(-1);
    let matchers = match parameters.get("match_target").filter(|text| !text.is_empty()) {
        None => Vec::new(),
        Some(text) => {
            let query = parsed("match_target", text)?;
            query.matchers().ok_or_else(|| bad("match_target is not a selector of labels"))?.to_vec()
        }
    };
    let of_server = server.clone();
    with_scrapes(&server, move |scrapes, missing_targets| {
        let mut targets = active(&scrapes);
        targets.retain(|of| {
            let label = |name: &str| of.target.labels.get(name).map_or("", |value| value);
            matchers.iter().all(|matcher| matcher.accepts(label(&matcher.name)))
        });
        let labels: Vec<BTreeMap<String, String>> = targets.into_iter().map(|of| of.target.labels).collect();
        let server = of_server.clone();
        Ok(Reply::query(&of_server, "metadata of targets", move |run| {
            let metric = parameters.get("metric").unwrap_or_default();
            let (names, mut missing) = names_of_targets(run, &labels, metric)?;
            receive(&server, &server.state);
            let found = metadata_json(&server.state, &labels, names, metric, limit);
            ensure!(!found.is_empty(), Problem::not_found("specified metadata not found"));
            missing.extend(missing_targets);
            missing.extend(warnings(&scrapes));
            Ok(format::reply(Value::from(found), missing))
        }))
    })
}

/// Returns what is known of the metrics of targets, each with the labels of its target.
fn metadata_json(
    state: &MetricsState,
    labels: &[BTreeMap<String, String>],
    names: Vec<BTreeSet<String>>,
    metric: &str,
    limit: i64,
) -> Vec<Value> {
    let mut found = Vec::new();
    for (target, names) in labels.iter().zip(names) {
        if limit >= 0 && found.len() as i64 >= limit {
            break;
        }
        let known = state.families_of(names.iter().map(String::as_str));
        for (family, of) in known {
            let mut shown = json!({"target": target, "type": of.kind, "help": of.help, "unit": of.unit});
            if metric.is_empty() {
                shown["metric"] = family.into();
            } else if family != metric {
                continue;
            }
            found.push(shown);
        }
    }
    found
}

/// Returns the names of the series that targets have, in their order, and why some may be missing. With a metric, at least those
/// that are its samples.
fn names_of_targets(
    run: &QueryRun<'_>,
    targets: &[BTreeMap<String, String>],
    metric: &str,
) -> Result<(Vec<BTreeSet<String>>, Vec<String>)> {
    let job_of = |target: &BTreeMap<String, String>| target.get("job").cloned().unwrap_or_default();
    let jobs: BTreeSet<String> = targets.iter().map(job_of).collect();
    let now_ms = run.server.now().0.div_euclid(Timestamp::MILLISECOND);
    let source = SampleSource::new(run, usize::MAX);
    let mut names = vec![BTreeSet::new(); targets.len()];
    let mut places: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (place, target) in targets.iter().enumerate() {
        places.entry(job_and_instance(|name| target.get(name).map_or("", |text| text))).or_default().push(place);
    }
    for job in &jobs {
        let matchers: Vec<Matcher> = Matcher::new("job", "=", job).into_iter().collect();
        for series in source.label_sets(&matchers, (now_ms - SERIES_AGE_MS, now_ms))? {
            let name = series.get("__name__");
            if !metric.is_empty() && !name.starts_with(metric) {
                continue;
            }
            let of_key = places.get(&job_and_instance(|name| series.get(name)));
            for place in of_key.into_iter().flatten() {
                if is_of(&series, &targets[*place]) {
                    names[*place].insert(name.to_owned());
                }
            }
        }
    }
    Ok((names, source.into_missing()))
}

fn job_and_instance<'l>(label: impl Fn(&str) -> &'l str) -> (&'l str, &'l str) {
    (label("job"), label("instance"))
}

/// Reports whether a series has all labels of a target.
fn is_of(series: &Labels, target: &BTreeMap<String, String>) -> bool {
    target.iter().all(|(name, value)| series.get(name) == value)
}

#[cfg(test)]
mod tests;
