//! What shippers report of their scrapes: jobs, targets, and how the last scrape of each ended.
//!
//! Kept in memory, as the last report of each shipper has it. Reports beyond [`BYTES_MAX`] bytes in all lose their targets, which
//! are counted.

use serde::{Deserialize, Serialize};
use types::{GroupScope, Timestamp};

use super::{SourceRegistry, SourceState, Sources};
use crate::sources::report::Report;
use crate::sources::source::Source;
use crate::sources::targets::{InputScrapes, TargetHealth};

/// Most bytes of the targets of all shippers.
const BYTES_MAX: usize = 64 << 20;

/// What a shipper reported last to a node, of all its scrapes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedScrapes {
    /// The name of the shipper.
    pub source: String,
    /// Its host.
    pub host: String,
    /// When it reported, in ns since the epoch.
    pub reported_ns: i64,
    /// Whether it told that it has stopped.
    pub has_stopped: bool,
    /// Whether it should have reported again since.
    pub is_silent: bool,
    /// The scrapes of its inputs.
    pub inputs: Vec<InputScrapes>,
}

/// The scrapes of an input, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceScrapes {
    /// The host of the shipper.
    pub host: String,
    /// What it reported last.
    pub scrapes: InputScrapes,
}

impl Report {
    fn scrape_bytes(&self) -> usize {
        self.inputs.iter().filter_map(|input| input.scrapes.as_ref()).map(InputScrapes::n_bytes).sum()
    }
}

impl SourceRegistry {
    /// Takes the targets out of the report of a source if there is no room for them beside those of other sources.
    pub(super) fn bound_scrapes(&self, source: &str, report: &mut Report) {
        let n_bytes = report.scrape_bytes();
        if n_bytes == 0 {
            return;
        }
        let others = self.sources.iter().filter(|(name, _)| *name != source);
        let n_of_others: usize = others.filter_map(|(_, other)| Some(other.report.as_ref()?.n_scrape_bytes)).sum();
        if n_of_others + n_bytes <= BYTES_MAX {
            report.n_scrape_bytes = n_bytes;
            return;
        }
        for scrapes in report.inputs.iter_mut().filter_map(|input| input.scrapes.as_mut()) {
            let n_targets = scrapes.active.len() + scrapes.dropped.len();
            *scrapes = InputScrapes { left_out: scrapes.left_out + n_targets as u64, ..InputScrapes::default() };
        }
    }
}

impl Sources {
    /// Returns what shippers have reported here, also those that scrape nothing: they may have scraped before.
    pub fn reported_scrapes(&self, now: Timestamp) -> Vec<ReportedScrapes> {
        let mut known = self.known();
        let began = *known.began.get_or_insert(now);
        let reported = |(name, source): (&String, &Source)| {
            let (report, at) = (source.report.as_ref()?, source.reported?);
            Some(ReportedScrapes {
                source: name.clone(),
                host: source.host.clone(),
                reported_ns: at.0,
                has_stopped: source.has_stopped,
                is_silent: source.state(began, now) == SourceState::Down,
                inputs: report.inputs.iter().filter_map(|input| input.scrapes.clone()).collect(),
            })
        };
        known.sources.iter().filter_map(reported).collect()
    }
}

/// Returns the scrapes of reports, of each shipper the last one, as far as somebody may see them, in order of host. Targets of a
/// shipper that is silent are of unknown health, and say so; one that has stopped scrapes nothing.
pub fn visible_scrapes(mut reports: Vec<ReportedScrapes>, within: &GroupScope) -> Vec<SourceScrapes> {
    reports.sort_by(|a, b| a.source.cmp(&b.source).then(b.reported_ns.cmp(&a.reported_ns)));
    reports.dedup_by(|earlier, last| earlier.source == last.source);
    let mut found = Vec::new();
    for report in reports.into_iter().filter(|report| !report.has_stopped) {
        for scrapes in report.inputs {
            let mut of_source = SourceScrapes { host: report.host.clone(), scrapes };
            of_source.scrapes.restrict(within);
            if report.is_silent {
                of_source.mark_silent(Timestamp(report.reported_ns));
            }
            found.push(of_source);
        }
    }
    found.sort_by(|a, b| a.host.cmp(&b.host));
    found
}

impl SourceScrapes {
    fn mark_silent(&mut self, reported: Timestamp) {
        for target in &mut self.scrapes.active {
            target.health = TargetHealth::Unknown;
            target.last_error = format!("the shipper on {:?} has not reported since {reported}", self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use types::GroupPattern;

    use super::*;

    const SECOND: i64 = Timestamp::SECOND;

    fn report(sources: &Sources, source: &str, job: &str, at: i64, has_stopped: bool) {
        let json = serde_json::json!({"host": "h", "has_stopped": has_stopped, "inputs": [{"name": "s", "scrapes": {
            "pools": [job, "empty"],
            "active": [{"pool": job, "labels": {"job": job, "instance": "i"}, "url": "http://i/", "health": "up"}],
            "dropped": [{"pool": job, "discovered": {"job": job}}], "n_dropped": {job: 1}, "left_out": 3, "newer": 1,
        }}]});
        let json = serde_json::to_vec(&json).expect("JSON");
        sources.report(source, &json, &GroupScope::All, Timestamp(at)).expect("a report");
    }

    fn scrapes(sources: &Sources, within: &GroupScope, at: i64) -> Vec<SourceScrapes> {
        visible_scrapes(sources.reported_scrapes(Timestamp(at)), within)
    }

    fn seen(sources: &Sources, within: &GroupScope, at: i64) -> Vec<(String, TargetHealth, String)> {
        let targets = scrapes(sources, within, at).into_iter().flat_map(|of_source| of_source.scrapes.active);
        targets.map(|target| (target.pool, target.health, target.last_error)).collect()
    }

    #[test]
    fn targets_are_those_of_the_last_report_of_each_shipper_within_reach() {
        let sources = Sources::default();
        report(&sources, "one", "a", 0, false);
        report(&sources, "two", "b", 0, false);
        let up = |job: &str| (job.to_owned(), TargetHealth::Up, String::new());
        assert_eq!(seen(&sources, &GroupScope::All, SECOND), [up("a"), up("b")]);
        let within = GroupScope::Matching(vec![GroupPattern::new("metrics/b")]);
        assert_eq!(seen(&sources, &within, SECOND), [up("b")]);
        let of_b = &scrapes(&sources, &within, SECOND)[1].scrapes;
        assert_eq!((of_b.pools.join(" "), of_b.dropped.len(), of_b.n_dropped.len()), ("b".to_owned(), 1, 1));
        let of_a = &scrapes(&sources, &within, SECOND)[0].scrapes;
        assert_eq!(*of_a, InputScrapes { left_out: 3, ..InputScrapes::default() });
        report(&sources, "two", "b", 60 * SECOND, true);
        let error = "the shipper on \"h\" has not reported since 1970-01-01T00:00:00Z".to_owned();
        assert_eq!(seen(&sources, &GroupScope::All, 60 * SECOND), [("a".to_owned(), TargetHealth::Unknown, error)]);
    }

    #[test]
    fn the_last_report_of_a_shipper_counts_whichever_node_it_was_sent_to() {
        let nodes = [Sources::default(), Sources::default()];
        let jobs = |at: i64| -> Vec<String> {
            let told =
                nodes.iter().map(|node| serde_json::to_vec(&node.reported_scrapes(Timestamp(at))).expect("JSON"));
            let reports =
                told.flat_map(|json| serde_json::from_slice::<Vec<ReportedScrapes>>(&json).expect("as written"));
            let found = visible_scrapes(reports.collect(), &GroupScope::All);
            found.into_iter().flat_map(|of_source| of_source.scrapes.active).map(|target| target.pool).collect()
        };
        report(&nodes[0], "one", "a", 0, false);
        report(&nodes[1], "two", "b", 0, false);
        assert_eq!(jobs(SECOND), ["a", "b"]);
        report(&nodes[1], "one", "c", 10 * SECOND, false);
        assert_eq!(jobs(11 * SECOND), ["c", "b"]);
        report(&nodes[0], "one", "c", 20 * SECOND, true);
        assert_eq!(jobs(21 * SECOND), ["b"], "it stopped after what the other node knows");
    }

    #[test]
    fn targets_of_all_shippers_have_a_limit() {
        let sources = Sources::default();
        let long = "x".repeat(BYTES_MAX / 2);
        let report = |source: &str| {
            let json = format!(r#"{{"inputs":[{{"scrapes":{{"active":[{{"url":"{long}"}}]}}}}]}}"#);
            sources.report(source, json.as_bytes(), &GroupScope::All, Timestamp(0)).expect("a report");
        };
        report("one");
        report("two");
        report("one");
        let scrapes = scrapes(&sources, &GroupScope::All, 0);
        let listed: Vec<(usize, u64)> =
            scrapes.iter().map(|one| (one.scrapes.active.len(), one.scrapes.left_out)).collect();
        assert_eq!(listed, [(1, 0), (0, 1)]);
    }
}
