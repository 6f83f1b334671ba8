//! Metrics derived from events: definitions, authors and counts.
//!
//! ```text
//! metrics: in rule files ─┐
//! documents of the API  ──┴► MetricSettings ─ check ─► Meter ─ counting (one thread, the feed) ─► Tally ─► Family
//! record: in rule files  ───► Recording ─ evaluated on a schedule, as rules are ─► table ────────────► Family
//!                                                              page of metrics, remote write ◄────────┘
//! ```
//!
//! A metric counts once every event that is accepted after it was created, whatever the event's own time, and whether or not
//! it is still there: accepted is accepted.
//!
//! Documents of kind `metric` in the control store, by name. What was counted is in a file of its own, `metrics.state`, as it
//! changes all the time; where that is lost, what came since the metric was made is counted again.

mod counting;
mod definition;
mod document;
mod family;
mod meter;
mod numbers;
mod recording;
mod remote;
mod sketch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use storage::{Clock, Store, StoreError};
use types::{GroupScope, Hold, Timestamp, ensure};

pub(crate) use self::counting::FILE as STATE_FILE;
pub use self::counting::{Key, MeterCount, MeterThread};
pub use self::definition::{FileMetric, MetricError, MetricSettings, MetricType};
pub use self::family::{Exemplar, Family, FamilyKind, Sample, number_text};
pub use self::meter::{Meter, MissingLabel, OTHER, Series, Shape, Tally, ValueOf, label_text, number_of, pairs};
use self::numbers::{MetricSources, SETTLE_MAX};
use self::recording::Recorder;
pub use self::recording::Recording;
use self::remote::RemoteQueue;
pub use self::remote::{Credentials, RemoteWrite};
use crate::AlertsError;
use crate::ask::StoreAsk;
use crate::calls::CallCounter;
use crate::metrics::document::{Document, KIND, OF_FILES};

/// Most metrics: each looks at every batch.
const METRICS_MAX: usize = 200;

/// Who makes a metric.
#[derive(Clone, Debug)]
pub struct Author {
    /// The name of the user or key.
    pub name: String,
    /// The groups that exist for them: others do not count.
    pub scope: GroupScope,
    /// Whether they may look at the server's own groups.
    pub sees_own_groups: bool,
}

/// A metric, and what it has come to.
#[derive(Clone, Debug, Serialize)]
pub struct MetricView {
    /// What it is.
    #[serde(flatten)]
    pub settings: MetricSettings,
    /// Groups that exist for its author.
    #[serde(skip)]
    pub within: GroupScope,
    /// Who made it.
    pub maker: Option<String>,
    /// When it was made.
    pub created: Option<String>,
    /// The file that defines it; it can only be changed there.
    pub file: Option<String>,
    /// Events that count.
    pub events: u64,
    /// Sets of labels.
    pub series: usize,
    /// Events whose labels were one series too many.
    pub events_other: u64,
    /// Events that fulfil the condition and have no number in the field.
    pub events_skipped: u64,
    /// Why it counts no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Why a metric cannot be made or taken away.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Something about it is wrong.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// There is one of the name.
    #[error("{0}")]
    Taken(String),
    /// There is none of the name.
    #[error("there is no metric {0:?}")]
    Unknown(String),
    /// A file defines it.
    #[error("metric {name:?} is defined in {file}; change it there")]
    OfFile {
        /// Its name.
        name: String,
        /// The file.
        file: String,
    },
    /// One too many.
    #[error("at most {METRICS_MAX} metrics are allowed")]
    TooMany,
    /// It looks at the server's own groups.
    #[error("server metrics need an admin key for all groups")]
    OwnGroups,
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long threads sleep at most: a clock that was set forward is noticed by then.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// What counts, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where numbers are kept.
    pub dir: PathBuf,
    /// The clock.
    pub clock: Clock,
    /// Metrics of rule files.
    pub files: Vec<FileMetric>,
    /// Recording rules.
    pub recordings: Vec<Recording>,
    /// How often those are evaluated that do not say it themselves.
    pub interval_ns: i64,
    /// Cache of partial results, shared with other queries of the store.
    pub cache: Option<Arc<execute::PartialCache>>,
    /// Where metrics are sent.
    pub remote: Option<RemoteWrite>,
}

impl Options {
    /// Keeps numbers in `dir`; nothing to record and no one to send to.
    pub fn new(dir: PathBuf, clock: Clock) -> Self {
        let (files, recordings, interval_ns) = (Vec::new(), Vec::new(), 30 * Timestamp::SECOND);
        Self { dir, clock, files, recordings, interval_ns, cache: None, remote: None }
    }
}

/// Metrics at work. Dropping it stops them.
pub struct Metrics {
    store: Arc<Store>,
    /// Names of documents that cannot be read; each was logged once.
    unreadable: Mutex<BTreeSet<String>>,
    numbers: Arc<MetricSources>,
    is_stopping: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Metrics {
    /// Begins to count, and continues where it had come to.
    pub fn start(store: Arc<Store>, options: Options) -> Result<Arc<Self>, AlertsError> {
        let Options { dir, clock, files, recordings, interval_ns, cache, remote } = options;
        let counting = MeterThread::start(store.clone(), clock.clone(), &dir).map_err(AlertsError::State)?;
        let files: BTreeMap<_, _> = files.into_iter().map(|metric| (metric.settings.name.clone(), metric)).collect();
        let numbers = Arc::new(MetricSources {
            clock,
            counting,
            files,
            documents: Mutex::default(),
            recorder: Recorder::new(recordings, interval_ns),
            remote: remote.map(RemoteQueue::new),
            own_page: Mutex::default(),
        });
        let is_stopping = Arc::new(AtomicBool::new(false));
        let unreadable = Mutex::default();
        let metrics = Arc::new(Self { store, unreadable, numbers, is_stopping, threads: Mutex::default() });
        metrics.count_files();
        metrics.read_documents().map_err(|error| AlertsError::State(error.to_string()))?;
        metrics.start_threads(cache)?;
        if metrics.store.nodes().is_some() {
            let (followed, is_stopping) = (Arc::downgrade(&metrics), metrics.is_stopping.clone());
            metrics.spawn("metrics-follow", move || follow(&followed, &is_stopping))?;
        }
        Ok(metrics)
    }

    fn count_files(&self) {
        let sequence = self.numbers.counting.last_sequence();
        for (name, metric) in &self.numbers.files {
            match metric.settings.meter(GroupScope::All) {
                Ok(meter) => {
                    let tally = Tally { sequence, ..Tally::default() };
                    self.numbers.counting.add((OF_FILES, name.clone()), &json_of(&metric.settings), meter, tally);
                }
                Err(error) => tracing::error!(metric = name, %error, "a metric of a file is not counted"),
            }
        }
    }

    fn start_threads(&self, cache: Option<Arc<execute::PartialCache>>) -> Result<(), AlertsError> {
        let (numbers, is_stopping) = (self.numbers.clone(), self.is_stopping.clone());
        if !self.numbers.recorder.is_empty() {
            let ask = StoreAsk {
                clock_offsets: None,
                calls: CallCounter::default(),
                store: self.store.clone(),
                cache,
                is_stopping: is_stopping.clone(),
            };
            self.spawn("metrics-record", move || record(&numbers, &ask, &is_stopping))?;
        }
        let (numbers, is_stopping) = (self.numbers.clone(), self.is_stopping.clone());
        let store = self.store.clone();
        if self.numbers.remote.is_some() {
            self.spawn("metrics-write", move || {
                let is_over = || is_stopping.load(Ordering::Relaxed);
                let rest = |time: Duration| std::thread::park_timeout(time.min(SLEEP_MAX));
                // A copy would write under the names of its original.
                let is_held = || store.copy_taken().is_some();
                numbers.remote.iter().for_each(|remote| numbers.send_all(remote, &is_over, &is_held, &rest));
            })?;
        }
        Ok(())
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), AlertsError> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(run);
        let thread = thread.map_err(|error| AlertsError::Start(error.to_string()))?;
        self.threads.hold().push(thread);
        Ok(())
    }

    /// Counts the metrics that the control store defines, since other nodes of a fleet may have changed them.
    fn read_documents(&self) -> Result<(), StoreError> {
        let mut documents = self.numbers.documents();
        let all = self.store.settings().all(KIND)?;
        documents.retain(|name, _| {
            let is_there = all.iter().any(|(known, _)| known == name);
            if !is_there {
                self.numbers.counting.remove(&(KIND, name.clone()));
            }
            is_there
        });
        for (name, json) in all {
            // A document of another version, or one that was spoilt, counts nothing.
            let Ok(document) = serde_json::from_str::<Document>(&json) else {
                let mut unreadable = self.unreadable.hold();
                if unreadable.insert(name.clone()) {
                    tracing::error!(metric = name, "a metric cannot be read from the control store");
                }
                continue;
            };
            if documents.get(&name) == Some(&document) {
                continue;
            }
            let is_taken = self.numbers.files.values().any(|file| file.settings.shares_names(&document.settings))
                || self.numbers.recorder.names().any(|name| document.settings.writes(name));
            match document.settings.meter(document.scope()) {
                Ok(meter) if !is_taken => self.count(&document, &json, meter),
                Ok(_) => tracing::error!(metric = name, "a rule file records under this name instead"),
                Err(error) => tracing::error!(metric = name, %error, "a metric is not counted"),
            }
            documents.insert(name, document);
        }
        Ok(())
    }

    fn count(&self, document: &Document, json: &str, meter: Meter) {
        let tally = Tally { sequence: document.sequence, ..Tally::default() };
        self.numbers.counting.add((KIND, document.settings.name.clone()), json, meter, tally);
    }

    /// Returns what counts, for others whose meters have documents of their own.
    pub fn counting(&self) -> &MeterThread {
        &self.numbers.counting
    }

    /// Makes a metric. Blocks.
    pub fn make(&self, settings: MetricSettings, maker: Author) -> Result<MetricView, MetricsError> {
        let mut documents = self.numbers.documents();
        let name = settings.name.clone();
        ensure!(!documents.contains_key(&name), MetricsError::Taken(format!("there is a metric {name:?}")));
        ensure!(documents.len() + self.numbers.files.len() < METRICS_MAX, MetricsError::TooMany);
        self.put(&mut documents, settings, maker)
    }

    /// Puts a metric in the place of that of its name, which may count on where nothing changes; else from now on. Blocks.
    pub fn replace(&self, settings: MetricSettings, maker: Author) -> Result<MetricView, MetricsError> {
        let mut documents = self.numbers.documents();
        let name = settings.name.clone();
        let before = documents.get(&name).ok_or_else(|| self.unknown(&name))?;
        if before.settings == settings && before.scope() == maker.scope {
            drop(documents);
            return self.get(&name);
        }
        self.put(&mut documents, settings, maker)
    }

    fn put(
        &self,
        documents: &mut BTreeMap<String, Document>,
        settings: MetricSettings,
        maker: Author,
    ) -> Result<MetricView, MetricsError> {
        let meter = settings.meter(maker.scope.clone())?;
        ensure!(!meter.names_own_groups() || maker.sees_own_groups, MetricsError::OwnGroups);
        let name = settings.name.clone();
        let of_documents = documents.values().map(|document| &document.settings);
        let mut others = of_documents.chain(self.numbers.files.values().map(|file| &file.settings));
        let clashing = others.find(|other| {
            other.shares_names(&settings) && (other.name != name || self.numbers.files.contains_key(&name))
        });
        if let Some(other) = clashing {
            return Err(MetricsError::Taken(format!("the metric {:?} uses a name of {name:?} already", other.name)));
        }
        if let Some(other) = self.numbers.recorder.names().find(|other| settings.writes(other)) {
            return Err(MetricsError::Taken(format!("the recording rule {other:?} uses a name of {name:?} already")));
        }
        let document = Document {
            settings,
            within: maker.scope.texts(),
            maker: maker.name,
            created: self.numbers.clock.now().0,
            sequence: self.numbers.counting.last_sequence(),
        };
        let json = json_of(&document);
        self.store.settings().put(KIND, &name, &json)?;
        self.count(&document, &json, meter);
        let view = document.view(self.numbers.counting.counted(KIND).get(&name));
        documents.insert(name, document);
        Ok(view)
    }

    /// Takes a metric away. Blocks.
    pub fn remove(&self, name: &str) -> Result<(), MetricsError> {
        let mut documents = self.numbers.documents();
        ensure!(documents.contains_key(name), self.unknown(name));
        self.store.settings().remove(KIND, name)?;
        documents.remove(name);
        self.numbers.counting.remove(&(KIND, name.to_owned()));
        Ok(())
    }

    fn unknown(&self, name: &str) -> MetricsError {
        match self.numbers.files.get(name) {
            Some(metric) => MetricsError::OfFile { name: name.to_owned(), file: metric.file.clone() },
            None => MetricsError::Unknown(name.to_owned()),
        }
    }

    /// Returns all metrics, by name.
    pub fn list(&self) -> Vec<MetricView> {
        self.numbers.counting.settle(SETTLE_MAX);
        let (of_files, of_documents) = (self.numbers.counting.counted(OF_FILES), self.numbers.counting.counted(KIND));
        let documents = self.numbers.documents();
        let made = documents.iter().map(|(name, document)| document.view(of_documents.get(name)));
        let of_files = self.numbers.files.iter().map(|(name, metric)| MetricView {
            file: Some(metric.file.clone()),
            ..view(&metric.settings, of_files.get(name))
        });
        let mut all: Vec<MetricView> = made.chain(of_files).collect();
        all.sort_by(|a, b| a.settings.name.cmp(&b.settings.name));
        all
    }

    /// Returns a metric.
    pub fn get(&self, name: &str) -> Result<MetricView, MetricsError> {
        let found = self.list().into_iter().find(|metric| metric.settings.name == name);
        found.ok_or_else(|| MetricsError::Unknown(name.to_owned()))
    }

    /// Returns what the page of metrics shows. Reads no event: it waits a moment for what was accepted just now.
    pub fn families(&self) -> Vec<Family> {
        self.numbers.families()
    }

    /// Returns what catat counts of itself, in the text format; `None` before there is a server that does. Blocks.
    pub fn own_page(&self) -> Option<String> {
        self.numbers.own_page.hold().as_ref().map(|page| page())
    }

    /// Says where to get what catat counts of itself.
    pub fn set_own_page(&self, page: impl Fn() -> String + Send + Sync + 'static) {
        *self.numbers.own_page.hold() = Some(Box::new(page));
    }

    /// Ends counting, recording and sending; what was counted is kept.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        let threads = std::mem::take(&mut *self.threads.hold());
        threads.iter().for_each(|thread| thread.thread().unpark());
        for thread in threads {
            // One that sends may have been the last to hold all of it.
            let is_this = thread.thread().id() == std::thread::current().id();
            if !is_this && thread.join().is_err() {
                tracing::error!("a thread of metrics panicked");
            }
        }
        self.numbers.counting.stop();
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Keeps metrics in step with the other nodes of a fleet.
fn follow(metrics: &Weak<Metrics>, is_stopping: &AtomicBool) {
    while let Some(metrics) = metrics.upgrade().filter(|_| !is_stopping.load(Ordering::Relaxed)) {
        if let Err(error) = metrics.read_documents() {
            tracing::debug!(%error, "metrics that other nodes have defined are not known");
        }
        drop(metrics);
        std::thread::park_timeout(SLEEP_MAX);
    }
}

/// Evaluates recording rules until it is to end.
fn record(numbers: &MetricSources, ask: &StoreAsk, is_stopping: &AtomicBool) {
    let goes_on = || !is_stopping.load(Ordering::Relaxed);
    while goes_on() {
        if !numbers.counting.is_leading() {
            numbers.recorder.forget();
            std::thread::park_timeout(SLEEP_MAX);
            continue;
        }
        let next = numbers.recorder.evaluate_due(ask, &|| numbers.clock.now(), &goes_on);
        let wait = Duration::from_nanos(next.0.saturating_sub(numbers.clock.now().0).max(0).unsigned_abs());
        if goes_on() {
            std::thread::park_timeout(wait.min(SLEEP_MAX));
        }
    }
}

fn json_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("settings are strings, numbers and lists of them")
}

fn view(settings: &MetricSettings, counted: Option<&MeterCount>) -> MetricView {
    let tally = counted.map(|counted| &counted.tally);
    let not_counted = || Some("it is not counted; the log says why".to_owned());
    MetricView {
        settings: settings.clone(),
        within: GroupScope::All,
        maker: None,
        created: None,
        file: None,
        events: tally.map_or(0, |tally| tally.series.values().map(|series| series.n_events).sum()),
        series: tally.map_or(0, |tally| tally.series.len()),
        events_other: tally.map_or(0, |tally| tally.n_other),
        events_skipped: tally.map_or(0, |tally| tally.n_skipped),
        problem: counted.map_or_else(not_counted, |counted| counted.problem.clone()),
    }
}

impl Document {
    pub(crate) fn view(&self, counted: Option<&MeterCount>) -> MetricView {
        MetricView {
            within: self.scope(),
            maker: Some(self.maker.clone()),
            created: Some(Timestamp(self.created).to_string()),
            ..view(&self.settings, counted)
        }
    }
}

#[cfg(test)]
mod fleet_tests;
