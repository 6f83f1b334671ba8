//! The subscription filters of a server: started, replaced, removed and stopped, and their metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use storage::{Clock, Store, StoreError};
use tokio::sync::watch;
use types::GroupName;

use super::delivery::Delivery;
use super::filter::{Filter, KIND, filters};
use super::message::control_message;
use super::workers::{DeliveryCounts, Progress, Worker, Workers};
use crate::answer::CloudWatchProblem;
use crate::filters::{FilterLimits, last_sequence};
use crate::time::milliseconds;
use door::exposition::{Kind, Page};
use door::problem::Problem;

/// Filters of a group, as Amazon has it, and in all: each has a thread.
const LIMITS: FilterLimits = FilterLimits { of_group: 2, total: 64 };

/// The subscription filters and their deliveries.
pub struct Subscriptions {
    workers: Arc<Workers>,
    /// Destinations are probed one after the other.
    pub(super) probing: tokio::sync::Mutex<()>,
}

impl Subscriptions {
    /// Starts all deliveries at their saved positions. Blocks.
    pub(crate) fn start(store: &Arc<Store>, clock: &Clock, closing: &watch::Receiver<bool>) -> Self {
        let subscriptions =
            Self { workers: Arc::new(Workers::new(store, clock, closing)), probing: tokio::sync::Mutex::default() };
        let mut workers = subscriptions.workers.lock();
        let started = filters(store.settings())
            .map_err(CloudWatchProblem::from)
            .and_then(|filters| filters.iter().try_for_each(|filter| subscriptions.deliver(&mut workers, filter)));
        if let Err(problem) = started {
            tracing::error!(reason = problem.parts().2, "subscription filters not readable; none of them delivers");
        }
        drop(workers);
        subscriptions
    }

    /// Starts the delivery of a filter in place of the one that runs.
    fn deliver(&self, workers: &mut BTreeMap<String, Worker>, filter: &Filter) -> Result<(), CloudWatchProblem> {
        let progress = Arc::new(Progress::new(filter.n_events));
        let delivery = Delivery::new(self.workers.clone(), filter, progress.clone())?;
        let thread = std::thread::Builder::new().name("subscription".into()).spawn(move || delivery.run());
        let thread = thread.map_err(|error| Problem::internal(error.to_string()))?;
        if let Some(before) = workers.insert(filter.key(), Worker { thread, progress }) {
            before.end();
        }
        Ok(())
    }

    /// Ends all threads and waits for them.
    pub fn stop(&self) {
        let workers = std::mem::take(&mut *self.workers.lock());
        workers.values().for_each(Worker::end);
        for worker in workers.into_values() {
            worker.thread.join().expect("a delivery does not panic");
        }
    }

    /// Probes the destination of a filter, then saves and starts the filter. Blocks.
    pub(super) fn put(&self, mut filter: Filter) -> Result<(), CloudWatchProblem> {
        let store = &self.workers.store;
        let now_ms = milliseconds(self.workers.clock.now());
        self.workers.post(&filter, &control_message(now_ms)).map_err(|error| {
            let message = format!(
                "Could not deliver test message to specified destination: {error}. Check if the destination is valid."
            );
            CloudWatchProblem::parameter(message)
        })?;
        let mut workers = self.workers.lock();
        let all = filters(store.settings())?;
        LIMITS
            .check(all.iter().filter(|other| other.key() != filter.key()).map(|other| &*other.group), &filter.group)?;
        match all.iter().find(|other| other.key() == filter.key()) {
            // A filter with another URL or pattern continues at the position of the one it replaces.
            Some(before) => (filter.sequence, filter.n_events) = (before.sequence, before.n_events),
            None => filter.sequence = last_sequence(store, &filter.group),
        }
        filter.save(store.settings())?;
        self.deliver(&mut workers, &filter)
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
        let families: [(&str, Kind, &str, Number); 3] = [
            ("events_total", Kind::Counter, "Events that a subscription filter has delivered.", |counts| {
                counts.n_events as f64
            }),
            ("failures_total", Kind::Counter, "Posts of it that were not taken.", |counts| counts.n_failures as f64),
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
