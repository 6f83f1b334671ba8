//! What shippers report of their scrapes: jobs, targets, and how the last scrape of each ended.
//!
//! Kept in memory, as the last report of each shipper has it. Reports beyond [`BYTES_MAX`] bytes in all lose their targets, which
//! are counted.

use types::{GroupScope, Timestamp};

use super::{SourceRegistry, SourceState, Sources};
use crate::sources::report::Report;
use crate::sources::targets::{InputScrapes, TargetHealth};

/// Most bytes of the targets of all shippers.
const BYTES_MAX: usize = 64 << 20;

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
    /// Returns the scrapes of all shippers of which somebody may see something, in order of host. Targets of a shipper that is
    /// silent are of unknown health, and say so; one that has stopped scrapes nothing.
    pub fn scrapes(&self, within: &GroupScope, now: Timestamp) -> Vec<SourceScrapes> {
        let mut known = self.known();
        let began = *known.began.get_or_insert(now);
        let mut found = Vec::new();
        for source in known.sources.values() {
            let (state, reported) = (source.state(began, now), source.reported);
            let Some(report) = source.report.as_ref().filter(|_| state != SourceState::Stopped) else { continue };
            for scrapes in report.inputs.iter().filter_map(|input| input.scrapes.as_ref()) {
                let mut of_source = SourceScrapes { host: source.host.clone(), scrapes: scrapes.clone() };
                of_source.scrapes.restrict(within);
                if state == SourceState::Down {
                    of_source.mark_silent(reported);
                }
                found.push(of_source);
            }
        }
        drop(known);
        found.sort_by(|a, b| a.host.cmp(&b.host));
        found
    }
}

impl SourceScrapes {
    fn mark_silent(&mut self, reported: Option<Timestamp>) {
        let since = reported.map_or_else(String::new, |at| format!(" since {at}"));
        for target in &mut self.scrapes.active {
            target.health = TargetHealth::Unknown;
            target.last_error = format!("the shipper on {:?} has not reported{since}", self.host);
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

    fn seen(sources: &Sources, within: &GroupScope, at: i64) -> Vec<(String, TargetHealth, String)> {
        let scrapes = sources.scrapes(within, Timestamp(at));
        let targets = scrapes.into_iter().flat_map(|of_source| of_source.scrapes.active);
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
        let of_b = &sources.scrapes(&within, Timestamp(SECOND))[1].scrapes;
        assert_eq!((of_b.pools.join(" "), of_b.dropped.len(), of_b.n_dropped.len()), ("b".to_owned(), 1, 1));
        let of_a = &sources.scrapes(&within, Timestamp(SECOND))[0].scrapes;
        assert_eq!(*of_a, InputScrapes { left_out: 3, ..InputScrapes::default() });
        report(&sources, "two", "b", 60 * SECOND, true);
        let error = "the shipper on \"h\" has not reported since 1970-01-01T00:00:00Z".to_owned();
        assert_eq!(seen(&sources, &GroupScope::All, 60 * SECOND), [("a".to_owned(), TargetHealth::Unknown, error)]);
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
        let scrapes = sources.scrapes(&GroupScope::All, Timestamp(0));
        let listed: Vec<(usize, u64)> =
            scrapes.iter().map(|one| (one.scrapes.active.len(), one.scrapes.left_out)).collect();
        assert_eq!(listed, [(1, 0), (0, 1)]);
    }
}
