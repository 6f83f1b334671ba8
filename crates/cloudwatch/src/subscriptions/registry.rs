//! The subscription filters of a server: started, replaced, removed and stopped, and their metrics.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use alert::Reach;
use storage::{Clock, DocumentWriter, Store, StoreError};
use tokio::sync::watch;
use types::{GroupName, Hold};

use super::delivery::Delivery;
use super::filter::{Filter, KIND, filters};
use super::workers::{DeliveryCounts, Progress, Worker, Workers};
use crate::answer::{CloudWatchProblem, Result};
use crate::filters::{FilterLimits, last_sequence};
use crate::time::milliseconds;
use door::Problem;
use door::exposition::{Kind, Page};

/// Filters of a group, as Amazon has it, and in all: each has a thread.
const LIMITS: FilterLimits = FilterLimits { of_group: 2, total: 64 };

/// How often a node of a fleet reads the list of filters, and checks whether it is the one that delivers.
const FOLLOW_PAUSE: Duration = Duration::from_millis(500);

/// The subscription filters and their deliveries.
pub struct Subscriptions {
    pub(super) workers: Arc<Workers>,
    /// Starts and ends deliveries in a fleet.
    follower: Mutex<Option<JoinHandle<()>>>,
    /// Destinations are probed one after the other.
    pub(super) probing: tokio::sync::Mutex<()>,
}

impl Subscriptions {
    /// Starts all deliveries at their saved positions, to destinations within `reach`. In a fleet, they run on the node with the lease `alerts`. Blocks.
    pub(crate) fn start(store: &Arc<Store>, clock: &Clock, closing: &watch::Receiver<bool>, reach: Reach) -> Self {
        let subscriptions = Self {
            workers: Arc::new(Workers::new(store, clock, closing, reach)),
            follower: Mutex::default(),
            probing: tokio::sync::Mutex::default(),
        };
        if let Err(problem) = follow_filters(&subscriptions.workers) {
            tracing::error!(reason = problem.parts().2, "subscription filters not readable; none of them delivers");
        }
        if subscriptions.workers.is_of_fleet() {
            let workers = subscriptions.workers.clone();
            let thread = std::thread::Builder::new().name("subscriptions".into()).spawn(move || follow(&workers));
            match thread {
                Ok(thread) => *subscriptions.follower.hold() = Some(thread),
                Err(error) => tracing::error!(%error, "subscription filters of other nodes are not delivered"),
            }
        }
        subscriptions
    }

    /// Ends all threads and waits for them.
    pub fn stop(&self) {
        self.workers.is_stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.follower.hold().take() {
            thread.thread().unpark();
            thread.join().expect("it does not panic");
        }
        let workers = std::mem::take(&mut *self.workers.lock());
        workers.values().for_each(Worker::end);
        for worker in workers.into_values() {
            worker.thread.join().expect("a delivery does not panic");
        }
    }

    /// Probes the destination of a filter, then saves and starts the filter. Blocks.
    pub(super) fn put(&self, mut filter: Filter) -> Result<()> {
        let store = &self.workers.store;
        let now_ms = milliseconds(self.workers.clock.now());
        self.workers.probe(&filter, now_ms).map_err(|error| {
            let message = format!(
                "Could not deliver test message to specified destination: {error}. Check if the destination is valid."
            );
            CloudWatchProblem::parameter(message)
        })?;
        let mut workers = self.workers.lock();
        loop {
            let all = filters(store.settings())?;
            let others = all.iter().filter(|other| other.key() != filter.key());
            LIMITS.check(others.map(|other| &*other.group), &filter.group)?;
            let Some(before) = all.iter().find(|other| other.key() == filter.key()) else {
                filter.sequence = last_sequence(store, &filter.group);
                filter.save(store.settings())?;
                break;
            };
            // A filter with another URL or pattern continues at the position of the one it replaces, which another node may
            // be moving.
            (filter.sequence, filter.n_events) = (before.sequence, before.n_events);
            filter.text.clone_from(&before.text);
            if filter.exchange(store.settings(), DocumentWriter::AnyNode)? {
                break;
            }
        }
        if self.workers.is_of_fleet() {
            // The node with the lease looks at the documents.
            return Ok(());
        }
        let filter = filters(store.settings())?.into_iter().find(|saved| saved.key() == filter.key()).unwrap_or(filter);
        deliver(&self.workers, &mut workers, &filter)
    }

    /// Removes filters. Returns `false` if there is none.
    pub(super) fn remove(&self, is_meant: impl Fn(&Filter) -> bool) -> Result<bool, StoreError> {
        let (mut workers, store) = (self.workers.lock(), &self.workers.store);
        let meant: Vec<Filter> = filters(store.settings())?.into_iter().filter(|filter| is_meant(filter)).collect();
        for filter in &meant {
            if let Some(worker) = workers.remove(&filter.key()) {
                worker.end();
            }
            store.settings().remove(KIND, &filter.key())?;
        }
        Ok(!meant.is_empty())
    }

    /// Removes the filters of a deleted group.
    pub(crate) fn forget(&self, group: &GroupName) -> Result<(), StoreError> {
        self.remove(|filter| filter.group == group.as_str()).map(|_| ())
    }

    /// Reads all filters of a group, each with the reason why it does not deliver at present. Blocks.
    pub(super) fn of_group(&self, group: &GroupName) -> Result<Vec<(Filter, Option<String>)>, StoreError> {
        let of_group =
            filters(self.workers.store.settings())?.into_iter().filter(|filter| filter.group == group.as_str());
        let workers = self.workers.lock();
        let problem_of = |filter: &Filter| workers.get(&filter.key())?.progress.counts().problem.clone();
        Ok(of_group.map(|filter| (problem_of(&filter), filter)).map(|(problem, filter)| (filter, problem)).collect())
    }

    /// Writes the counters of all filters to the metrics page.
    pub(crate) fn write(&self, page: &mut Page) {
        let workers = self.workers.lock();
        if workers.is_empty() {
            return;
        }
        type Number = fn(&DeliveryCounts) -> f64;
        let families: [(&str, Kind, &str, Number); 4] = [
            ("events_total", Kind::Counter, "Events that a subscription filter has delivered.", |counts| {
                counts.n_events as f64
            }),
            ("failures_total", Kind::Counter, "Posts of it that were not taken.", |counts| counts.n_failures as f64),
            (
                "refused_events_total",
                Kind::Counter,
                "Events that its receiver refuses, and that are left out.",
                |counts| counts.n_refused as f64,
            ),
            ("failing", Kind::Gauge, "1 while the receiver refuses posts.", |counts| {
                f64::from(u8::from(counts.problem.is_some()))
            }),
        ];
        for (name, kind, help, number) in families {
            let name = format!("catat_subscription_filter_{name}");
            page.family(&name, kind, help);
            for (key, worker) in workers.iter() {
                let (group, filter) = key.rsplit_once(':').unwrap_or((key, ""));
                page.sample(&name, &[("group", group), ("filter", filter)], number(&worker.progress.counts()));
            }
        }
    }
}

/// Starts the delivery of a filter instead of the one that runs.
fn deliver(shared: &Arc<Workers>, workers: &mut BTreeMap<String, Worker>, filter: &Filter) -> Result<()> {
    let progress = Arc::new(Progress::new(filter.n_events));
    let delivery = Delivery::new(shared.clone(), filter, progress.clone())?;
    let thread = std::thread::Builder::new().name("subscription".into()).spawn(move || delivery.run());
    let thread = thread.map_err(|error| Problem::internal(error.to_string()))?;
    let worker = Worker { thread, progress, definition: filter.definition() };
    if let Some(before) = workers.insert(filter.key(), worker) {
        before.end();
    }
    Ok(())
}

/// Keeps deliveries in step with the filters of the fleet until the server ends.
fn follow(shared: &Arc<Workers>) {
    while !shared.is_stopping.load(Ordering::Relaxed) {
        // While the database is unreachable, no position can be saved either.
        if let Err(problem) = follow_filters(shared) {
            tracing::debug!(reason = problem.parts().2, "subscription filters of other nodes are not known");
        }
        std::thread::park_timeout(FOLLOW_PAUSE);
    }
}

/// Starts and ends deliveries, so that there is one for each filter if this node is the one that delivers, else none.
fn follow_filters(shared: &Arc<Workers>) -> Result<()> {
    let mut workers = shared.lock();
    let all = if shared.store.has_alerts() { filters(shared.store.settings())? } else { Vec::new() };
    workers.retain(|_, worker| {
        let is_same = all.iter().any(|filter| filter.definition() == worker.definition);
        if !is_same {
            worker.end();
        }
        // The next delivery starts where this one ends, so it waits until that is known.
        !worker.thread.is_finished()
    });
    let new: Vec<&Filter> = all.iter().filter(|filter| !workers.contains_key(&filter.key())).collect();
    new.into_iter().try_for_each(|filter| deliver(shared, &mut workers, filter))
}
