//! What shippers report of their scrapes: jobs, targets, and how the last scrape of each ended.
//!
//! Kept in memory, as the last report of each shipper has it. Reports beyond [`BYTES_MAX`] bytes in all lose their targets, which
//! are counted.

use exposition::TargetHealth;
use serde::{Deserialize, Serialize};
use types::{GroupScope, Hold, Timestamp};

use super::{SourceRegistry, SourceState, Sources};
use crate::sources::report::Report;
use crate::sources::source::Source;
use crate::sources::targets::InputScrapes;

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

impl SourceRegistry {
    /// Takes the targets out of the report of a source if there is no room for them beside those of other sources.
    pub(super) fn bound_scrapes(&self, source: &str, report: &mut Report) {
        let n_bytes: usize =
            report.inputs.iter().filter_map(|input| input.scrapes.as_ref()).map(InputScrapes::n_bytes).sum();
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
        let mut known = self.known.hold();
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
mod tests;
