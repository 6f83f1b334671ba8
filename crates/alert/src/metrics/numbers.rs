//! What metrics have come to, for the page of metrics and for whom it is sent to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use storage::Clock;
use types::{Hold, Timestamp};

use super::recording::Recorder;
use super::remote::{RemoteQueue, named, samples_of_page};
use super::{Family, FamilyKind, MeterCount, MeterThread, MetricSettings, Sample, Tally};
use crate::metrics::definition::FileMetric;
use crate::metrics::document::{Document, KIND, OF_FILES};
use crate::metrics::remote::NamedSample;
use crate::{Poster, Reach};

/// How long a reader of metrics waits for events accepted just now.
pub(super) const SETTLE_MAX: Duration = Duration::from_secs(1);

/// Gives what catat counts of itself, in the text format.
pub(super) type OwnPage = Box<dyn Fn() -> String + Send + Sync>;

/// Everything that has numbers.
pub(super) struct MetricSources {
    pub(super) clock: Clock,
    pub(super) counting: MeterThread,
    /// Metrics of rule files, by name.
    pub(super) files: BTreeMap<String, FileMetric>,
    /// Documents, by name. Held while they are changed.
    pub(super) documents: Mutex<BTreeMap<String, Document>>,
    pub(super) recorder: Recorder,
    pub(super) remote: Option<RemoteQueue>,
    pub(super) own_page: Mutex<Option<OwnPage>>,
}

impl MetricSources {
    pub(super) fn documents(&self) -> MutexGuard<'_, BTreeMap<String, Document>> {
        // Changed only after the control store was.
        self.documents.hold()
    }

    /// Returns what the page of metrics shows. Reads no event: it waits a moment for what was accepted just now.
    pub(super) fn families(&self) -> Vec<Family> {
        let mut families = self.of_events();
        families.extend(self.remote.iter().flat_map(RemoteQueue::families));
        families
    }

    /// Returns the counted and the recorded metrics; in a fleet only on the node that counts, so that a sum over nodes has
    /// nothing twice.
    fn of_events(&self) -> Vec<Family> {
        if !self.counting.is_leading() {
            return Vec::new();
        }
        self.counting.settle(SETTLE_MAX);
        let now = self.clock.now();
        let mut counted = self.counting.counted(KIND);
        counted.append(&mut self.counting.counted(OF_FILES));
        let documents = self.documents();
        let help = |name: &str| {
            let settings = self.files.get(name).map(|metric| &metric.settings);
            settings.or_else(|| documents.get(name).map(|document| &document.settings)).map(MetricSettings::help)
        };
        let mut families: Vec<Family> = counted
            .iter()
            .map(|(name, of)| of.meter.family(name, help(name).unwrap_or_default(), &of.tally, now))
            .collect();
        if !families.is_empty() {
            families.extend(of_metrics(&counted));
        }
        families.extend(self.recorder.families());
        families
    }

    /// Saves for the receiver what the page shows.
    pub(super) fn write_down(&self, remote: &RemoteQueue) {
        let now = self.clock.now();
        let mut samples: Vec<NamedSample> = named(&self.of_events());
        let own_page = self.own_page.hold();
        if let Some(own_page) = own_page.as_ref().filter(|_| remote.settings.is_own_sent) {
            samples.extend(samples_of_page(&own_page()));
            samples.extend(named(&remote.families()));
        }
        drop(own_page);
        remote.push(&samples, now);
    }

    /// Sends samples at each interval until it is stopped. While `is_held`, nothing is saved or sent.
    pub(super) fn send_all(
        &self,
        remote: &RemoteQueue,
        is_over: &dyn Fn() -> bool,
        is_held: &dyn Fn() -> bool,
        rest: &dyn Fn(Duration),
    ) {
        let poster = match Poster::new(Reach::Anywhere) {
            Ok(poster) => poster,
            Err(reason) => return tracing::error!(reason, "metrics cannot be sent"),
        };
        let interval_ns = remote.settings.interval_ns.max(Timestamp::SECOND);
        let mut due = self.clock.now();
        while !is_over() {
            if is_held() {
                rest(Duration::from_secs(1));
                continue;
            }
            let now = self.clock.now();
            // A clock that was set back must not silence it.
            if now >= due || due.0.saturating_sub(now.0) > interval_ns {
                due = Timestamp(now.0.saturating_add(interval_ns));
                self.write_down(remote);
            }
            remote.send(&poster, &|| self.clock.now(), &|| !is_over() && self.clock.now() < due);
            rest(Duration::from_nanos(due.0.saturating_sub(self.clock.now().0).max(0).unsigned_abs()));
        }
    }
}

/// Returns the metrics about metrics.
fn of_metrics(counted: &BTreeMap<String, MeterCount>) -> [Family; 2] {
    let family = |name: &str, help: &str, of: fn(&Tally) -> u64| {
        let sample = |(metric, counted): (&String, &MeterCount)| Sample {
            labels: vec![("metric".into(), metric.clone())],
            value: of(&counted.tally) as f64,
            ..Sample::default()
        };
        let samples = counted.iter().map(sample).collect();
        Family { name: name.into(), help: help.into(), kind: FamilyKind::Counter, samples }
    };
    [
        family(
            "catat_metric_other_events_total",
            "Events of a derived metric beyond its limit of series; they count as (other).",
            |tally| tally.n_other,
        ),
        family(
            "catat_metric_skipped_events_total",
            "Events of a derived metric that match its query and have no number in its field.",
            |tally| tally.n_skipped,
        ),
    ]
}
