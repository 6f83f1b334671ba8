//! Metrics made of events: which there are, who made them, and what they have come to.
//!
//! ```text
//! metrics: in rule files ─┐
//! documents of the API  ──┴► MetricSettings ─ check ─► Meter ─ counting (one thread, the feed) ─► Tally ─► Family
//! ```
//!
//! A metric counts every event once that is accepted after it was made, whenever the event says it was, and whether or not
//! it is still there: accepted is accepted.
//!
//! Documents of kind `metric` in the control store, by name. What was counted is in a file of its own, `metrics.state`, as it
//! changes all the time; where that is lost, what came since the metric was made is counted again.

mod counting;
mod definition;
mod family;
mod meter;
mod sketch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use storage::{Clock, Store, StoreError};
use types::{GroupPattern, GroupScope, Timestamp};

pub use self::counting::{Counted, Counting, Key};
pub use self::definition::{MetricError, MetricSettings, MetricType};
pub use self::family::{Family, FamilyKind, Sample, number_text};
pub use self::meter::{Meter, MissingLabel, OTHER, Series, Shape, Tally, ValueOf};

/// The kind of documents, and whose meters these are; those of files have no document.
const KIND: &str = "metric";
const OF_FILES: &str = "file";

/// Most metrics: each looks at every batch.
const METRICS_MAX: usize = 200;

/// How long whoever asks for numbers waits for what was accepted just now.
const SETTLE_MAX: Duration = Duration::from_secs(1);

/// A metric of a rule file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileMetric {
    /// What it is.
    pub settings: MetricSettings,
    /// The file.
    pub file: String,
}

/// Who makes a metric.
#[derive(Clone, Debug)]
pub struct Maker {
    /// What they are called.
    pub name: String,
    /// The groups that exist for them: others do not count.
    pub scope: GroupScope,
    /// Whether they may look at what the server says of itself.
    pub sees_own_groups: bool,
}

/// A metric, and what it has come to.
#[derive(Clone, Debug, Serialize)]
pub struct MetricView {
    /// What it is.
    #[serde(flatten)]
    pub settings: MetricSettings,
    /// Groups that exist for who made it.
    #[serde(skip)]
    pub within: GroupScope,
    /// Who made it.
    pub maker: Option<String>,
    /// When it was made.
    pub created: Option<String>,
    /// The file that says it, which alone can change it.
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
    /// A file says it.
    #[error("metric {name:?} is of the file {file}, which alone changes it")]
    OfFile {
        /// Its name.
        name: String,
        /// The file.
        file: String,
    },
    /// One too many.
    #[error("there can be {METRICS_MAX} metrics")]
    TooMany,
    /// It looks at what the server says of itself.
    #[error("what the server says of itself is for who administrates all of it")]
    OwnGroups,
    /// The control store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A metric as the control store has it.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Document {
    settings: MetricSettings,
    /// Patterns of the maker's scope; nothing for everything.
    within: Option<Vec<String>>,
    maker: String,
    created: i64,
    /// The last event that was there before.
    sequence: u64,
}

/// Metrics at work. Dropping it stops them.
pub struct Metrics {
    store: Arc<Store>,
    clock: Clock,
    counting: Counting,
    files: BTreeMap<String, FileMetric>,
    /// Documents, by name. Held while they are changed.
    documents: Mutex<BTreeMap<String, Document>>,
}

impl Metrics {
    /// Begins to count, and goes on where `dir` says that it had come to.
    pub fn start(
        store: Arc<Store>,
        clock: Clock,
        dir: &Path,
        files: Vec<FileMetric>,
    ) -> Result<Arc<Self>, crate::AlertsError> {
        let counting = Counting::start(store.clone(), clock.clone(), dir).map_err(crate::AlertsError::State)?;
        let files: BTreeMap<_, _> = files.into_iter().map(|metric| (metric.settings.name.clone(), metric)).collect();
        let before = counting.last_sequence();
        for (name, metric) in &files {
            let document = json_of(&metric.settings);
            match metric.settings.meter(GroupScope::All) {
                Ok(meter) => {
                    let tally = Tally { sequence: before, ..Tally::default() };
                    counting.add((OF_FILES, name.clone()), &document, meter, tally);
                }
                Err(error) => tracing::error!(metric = name, %error, "a metric of a file does not count"),
            }
        }
        let metrics = Self { store, clock, counting, files, documents: Mutex::default() };
        metrics.read_documents().map_err(|error| crate::AlertsError::State(error.to_string()))?;
        Ok(Arc::new(metrics))
    }

    fn read_documents(&self) -> Result<(), StoreError> {
        let mut documents = self.documents();
        for (name, json) in self.store.settings(KIND)? {
            // A document of another version, or one that was spoilt, counts nothing.
            let Ok(document) = serde_json::from_str::<Document>(&json) else {
                tracing::error!(metric = name, "a metric cannot be read from the control store");
                continue;
            };
            let is_taken = self.files.values().any(|file| file.settings.shares_names(&document.settings));
            match document.settings.meter(document.scope()) {
                Ok(meter) if !is_taken => self.count(&document, &json, meter),
                Ok(_) => tracing::error!(metric = name, "a rule file has a metric of this name, which counts instead"),
                Err(error) => tracing::error!(metric = name, %error, "a metric does not count"),
            }
            documents.insert(name, document);
        }
        Ok(())
    }

    fn count(&self, document: &Document, json: &str, meter: Meter) {
        let tally = Tally { sequence: document.sequence, ..Tally::default() };
        self.counting.add((KIND, document.settings.name.clone()), json, meter, tally);
    }

    fn documents(&self) -> MutexGuard<'_, BTreeMap<String, Document>> {
        // Changed only after the control store was.
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What counts, for others whose meters have documents of their own.
    pub fn counting(&self) -> &Counting {
        &self.counting
    }

    /// Makes a metric. Blocks.
    pub fn make(&self, settings: MetricSettings, maker: Maker) -> Result<MetricView, MetricsError> {
        let mut documents = self.documents();
        let name = settings.name.clone();
        if documents.contains_key(&name) {
            return Err(MetricsError::Taken(format!("there is a metric {name:?}")));
        }
        if documents.len() + self.files.len() >= METRICS_MAX {
            return Err(MetricsError::TooMany);
        }
        self.put(&mut documents, settings, maker)
    }

    /// Puts a metric in the place of that of its name, which may count on where nothing changes; else from now on. Blocks.
    pub fn replace(&self, settings: MetricSettings, maker: Maker) -> Result<MetricView, MetricsError> {
        let mut documents = self.documents();
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
        maker: Maker,
    ) -> Result<MetricView, MetricsError> {
        let meter = settings.meter(maker.scope.clone())?;
        if meter.names_own_groups() && !maker.sees_own_groups {
            return Err(MetricsError::OwnGroups);
        }
        let name = settings.name.clone();
        let of_documents = documents.values().map(|document| &document.settings);
        let mut others = of_documents.chain(self.files.values().map(|file| &file.settings));
        let clashing = others
            .find(|other| other.shares_names(&settings) && (other.name != name || self.files.contains_key(&name)));
        if let Some(other) = clashing {
            return Err(MetricsError::Taken(format!("the metric {:?} has a name of {name:?} already", other.name)));
        }
        let document = Document {
            settings,
            within: match maker.scope {
                GroupScope::All => None,
                GroupScope::Matching(patterns) => Some(patterns.iter().map(|one| one.as_str().to_owned()).collect()),
            },
            maker: maker.name,
            created: self.clock.now().0,
            sequence: self.counting.last_sequence(),
        };
        let json = json_of(&document);
        self.store.put_setting(KIND, &name, &json)?;
        self.count(&document, &json, meter);
        let view = document.view(self.counting.counted(KIND).get(&name));
        documents.insert(name, document);
        Ok(view)
    }

    /// Takes a metric away. Blocks.
    pub fn remove(&self, name: &str) -> Result<(), MetricsError> {
        let mut documents = self.documents();
        if !documents.contains_key(name) {
            return Err(self.unknown(name));
        }
        self.store.remove_setting(KIND, name)?;
        documents.remove(name);
        self.counting.remove(&(KIND, name.to_owned()));
        Ok(())
    }

    fn unknown(&self, name: &str) -> MetricsError {
        match self.files.get(name) {
            Some(metric) => MetricsError::OfFile { name: name.to_owned(), file: metric.file.clone() },
            None => MetricsError::Unknown(name.to_owned()),
        }
    }

    /// All metrics, by name.
    pub fn list(&self) -> Vec<MetricView> {
        self.counting.settle(SETTLE_MAX);
        let (of_files, of_documents) = (self.counting.counted(OF_FILES), self.counting.counted(KIND));
        let documents = self.documents();
        let made = documents.iter().map(|(name, document)| document.view(of_documents.get(name)));
        let of_files = self.files.iter().map(|(name, metric)| MetricView {
            file: Some(metric.file.clone()),
            ..view(&metric.settings, of_files.get(name))
        });
        let mut all: Vec<MetricView> = made.chain(of_files).collect();
        all.sort_by(|a, b| a.settings.name.cmp(&b.settings.name));
        all
    }

    /// One metric.
    pub fn get(&self, name: &str) -> Result<MetricView, MetricsError> {
        let found = self.list().into_iter().find(|metric| metric.settings.name == name);
        found.ok_or_else(|| MetricsError::Unknown(name.to_owned()))
    }

    /// What the page of metrics shows. Reads no event: it waits a moment for what was accepted just now.
    pub fn families(&self) -> Vec<Family> {
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
            families.extend(own_families(&counted));
        }
        families
    }

    /// Ends counting; what was counted is kept.
    pub fn stop(&self) {
        self.counting.stop();
    }
}

/// What is said of metrics themselves.
fn own_families(counted: &BTreeMap<String, Counted>) -> [Family; 2] {
    let family = |name: &str, help: &str, of: fn(&Tally) -> u64| {
        let sample = |(metric, counted): (&String, &Counted)| Sample {
            end: "",
            labels: vec![("metric".into(), metric.clone())],
            value: of(&counted.tally) as f64,
        };
        let samples = counted.iter().map(sample).collect();
        Family { name: name.into(), help: help.into(), kind: FamilyKind::Counter, samples }
    };
    [
        family(
            "catat_metric_other_events_total",
            "Events of a metric made of events whose labels were one series too many: they count as (other).",
            |tally| tally.n_other,
        ),
        family(
            "catat_metric_skipped_events_total",
            "Events of a metric made of events that fulfil its condition and have no number in its field.",
            |tally| tally.n_skipped,
        ),
    ]
}

fn json_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("settings are texts, numbers and lists of them")
}

fn view(settings: &MetricSettings, counted: Option<&Counted>) -> MetricView {
    let tally = counted.map(|counted| &counted.tally);
    let not_counted = || Some("it does not count; the log says why".to_owned());
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
    fn scope(&self) -> GroupScope {
        self.within
            .as_ref()
            .map_or(GroupScope::All, |patterns| GroupScope::Matching(patterns.iter().map(GroupPattern::new).collect()))
    }

    fn view(&self, counted: Option<&Counted>) -> MetricView {
        MetricView {
            within: self.scope(),
            maker: Some(self.maker.clone()),
            created: Some(Timestamp(self.created).to_string()),
            ..view(&self.settings, counted)
        }
    }
}
