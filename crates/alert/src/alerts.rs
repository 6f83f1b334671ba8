//! The threads: one that evaluates, one per channel that posts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use storage::{Clock, Store, Subscription};
use types::{Hold, Timestamp};

use crate::ask::StoreAsk;
use crate::calls::{CallCounter, CountCalls};
use crate::definitions::{ACKNOWLEDGEMENT, ApiDefinitions, Definitions};
use crate::engine::{RuleEngine, note_failures};
use crate::options::{AlertsError, Options};
use crate::recorder::SeriesRecorder;
use crate::report::enclose;
use crate::schedule::{Next, TaskFilter};
use crate::watch::{BATCHES_WAITING_MAX, watch};
use crate::{
    AlertSubject, AlertView, Ask, Channel, ChannelPost, EvaluationTiming, Post, PostError, Reach, RecordingView,
    RuleSet, RuleView,
};

mod alarms;
mod announcement;
mod changes;
mod reports;

pub use announcement::{Announcement, AnnouncementError};
pub use reports::ReportError;

/// Longest sleep: a clock that was set forward is noticed by then.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// How often a node of a fleet reads what other nodes have changed, and what the node that evaluates has saved.
const FOLLOW_PAUSE: Duration = Duration::from_millis(500);

/// Rules at work. Dropping it stops them.
pub struct Alerts {
    engine: Arc<RuleEngine>,
    post: Arc<dyn Post>,
    clock: Clock,
    /// Where states are kept on a machine of its own.
    dir: PathBuf,
    /// Where what is made through the API is kept.
    store: Option<Arc<Store>>,
    /// How the calls between services are counted for first looks.
    calls: CallCounter,
    defined: Mutex<Definitions>,
    recorder: Arc<SeriesRecorder>,
    allow_private_addresses: bool,
    allow_commands: bool,
    is_stopping: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Alerts {
    /// Begins to evaluate `rules` over `store`.
    pub fn start(store: Arc<Store>, rules: RuleSet, options: Options) -> Result<Arc<Self>, AlertsError> {
        let is_stopping = Arc::new(AtomicBool::new(false));
        let cache = options.cache.clone();
        let ask = StoreAsk {
            store: store.clone(),
            cache,
            clock_offsets: options.clock_offsets.clone(),
            calls: options.calls.clone(),
            is_stopping: is_stopping.clone(),
        };
        let post = ChannelPost::new(options.allow_private_addresses, options.allow_commands);
        let post: Arc<dyn Post> = Arc::new(post.map_err(AlertsError::Start)?);
        let made = ApiDefinitions::load(store.settings()).map_err(AlertsError::Start)?;
        let defined = Definitions { files: rules, made };
        let feed = store.subscribe(Vec::new(), BATCHES_WAITING_MAX);
        let alerts = Self::start_with(Arc::new(ask), post, Some(store), defined, options, is_stopping)?;
        alerts.watch(feed)?;
        Ok(alerts)
    }

    /// Lets rules be judged at once when an event comes that concerns them.
    fn watch(&self, feed: Subscription) -> Result<(), AlertsError> {
        let (engine, clock, is_stopping) = (self.engine.clone(), self.clock.clone(), self.is_stopping.clone());
        self.spawn("alert-watch", move || watch(&engine, &feed, &clock, &is_stopping))
    }

    fn start_with(
        ask: Arc<dyn Ask>,
        post: Arc<dyn Post>,
        store: Option<Arc<Store>>,
        defined: Definitions,
        options: Options,
        is_stopping: Arc<AtomicBool>,
    ) -> Result<Arc<Self>, AlertsError> {
        let clock = options.clock.clone();
        let (rules, silences) = (defined.merged(options.base_url.trim_end_matches('/')), defined.made.silences.clone());
        let recorder = Arc::new(SeriesRecorder::new(options.sink.clone(), options.interval_ns));
        recorder.set(&rules.series);
        let engine = RuleEngine::open(store.as_deref(), rules, silences, &options, clock.now());
        let engine = Arc::new(engine.map_err(|error| AlertsError::State(error.to_string()))?);
        let alerts = Arc::new(Self {
            engine: engine.clone(),
            post,
            clock: clock.clone(),
            dir: options.dir.clone(),
            store,
            calls: options.calls.clone(),
            defined: Mutex::new(defined),
            recorder: recorder.clone(),
            allow_private_addresses: options.allow_private_addresses,
            allow_commands: options.allow_commands,
            is_stopping,
            threads: Mutex::default(),
        });
        if alerts.engine.is_shared() {
            let (followed, is_stopping) = (Arc::downgrade(&alerts), alerts.is_stopping.clone());
            alerts.spawn("alert-follow", move || follow(&followed, &is_stopping))?;
        }
        alerts.serve_channels()?;
        if options.sink.is_some() {
            let (engine, ask, clock, is_stopping) =
                (engine.clone(), ask.clone(), clock.clone(), alerts.is_stopping.clone());
            alerts.spawn("alert-record", move || record(&engine, &recorder, &*ask, &clock, &is_stopping))?;
        }
        // What an event asked for has a thread of its own as well: it does not wait for a rule that takes long.
        for (name, takes) in [("alert-evaluate", TaskFilter::All), ("alert-at-once", TaskFilter::AtOnce)] {
            let (engine, ask, clock) = (engine.clone(), ask.clone(), clock.clone());
            alerts.spawn(name, move || evaluate_rules(&engine, &*ask, &clock, takes))?;
        }
        Ok(alerts)
    }

    /// Counts the calls between services in a way from now on, for first looks at alerts.
    pub fn count_calls_with(&self, count: CountCalls) {
        self.calls.count_with(count);
    }

    /// Replaces the rules and channels of files. A rule is known by its name: one with
    /// the same name keeps its state; alerts of a removed rule are sent as resolved.
    pub fn replace(&self, files: RuleSet) -> Result<(), AlertsError> {
        let mut defined = self.defined.hold();
        let before = std::mem::replace(&mut defined.files, files);
        let replaced = self.put_in_place(&defined);
        if replaced.is_err() {
            defined.files = before;
        }
        replaced
    }

    /// Reads the definitions that were created or changed through the API of other nodes of a fleet, and then the state of
    /// rules: a node that begins to evaluate must know all rules.
    fn follow(&self) -> Result<(), AlertsError> {
        let Some(store) = &self.store else { return Ok(()) };
        let mut defined = self.defined.hold();
        self.refresh_from(store, &mut defined)?;
        drop(defined);
        let failed = |error: &dyn std::fmt::Display| AlertsError::State(error.to_string());
        let orders = store.settings().all(ACKNOWLEDGEMENT).map_err(|error| failed(&error))?;
        let orders: Vec<_> = orders.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect();
        let obsolete = self.engine.follow(&orders, self.clock.now()).map_err(|error| failed(&error))?;
        let removed = obsolete.iter().try_for_each(|order| store.settings().remove(ACKNOWLEDGEMENT, &order.name()));
        removed.map_err(|error| failed(&error))?;
        self.take_messages(store)
    }

    fn put_in_place(&self, defined: &Definitions) -> Result<(), AlertsError> {
        let merged = defined.merged(&self.engine.base_url);
        self.recorder.set(&merged.series);
        self.engine.replace(merged, self.clock.now()).map_err(AlertsError::State)?;
        self.serve_channels()
    }

    /// Gives every channel that has none a thread of its own, which ends with the channel.
    fn serve_channels(&self) -> Result<(), AlertsError> {
        for name in self.engine.take_unserved() {
            let (engine, post, clock) = (self.engine.clone(), self.post.clone(), self.clock.clone());
            let store = self.store.clone();
            self.spawn("alert-notify", move || notify_channel(&engine, &name, &*post, &clock, store.as_deref()))?;
        }
        Ok(())
    }

    /// Returns how far what users set may reach: `[alerts] allow_private_addresses`.
    pub fn reach(&self) -> Reach {
        if self.allow_private_addresses { Reach::Anywhere } else { Reach::Far }
    }

    /// Returns all rules, with what they have come to.
    pub fn rules(&self) -> Vec<RuleView> {
        self.engine.rule_views()
    }

    /// Returns all recording rules in PromQL, with what they have come to; in a fleet, only on the node that evaluates.
    pub fn recordings(&self) -> Vec<RecordingView> {
        self.recorder.views()
    }

    /// Returns the evaluation interval of rules without one of their own.
    pub fn interval_ns(&self) -> i64 {
        self.engine.interval_ns
    }

    /// Returns the timing of the evaluations of each rule, by name; in a fleet, only on the node that evaluates.
    pub fn timings(&self) -> Vec<(String, EvaluationTiming)> {
        if self.engine.is_leading() { self.engine.schedule.timings() } else { Vec::new() }
    }

    /// Returns all alerts that are pending, firing, or without data.
    pub fn alerts(&self) -> Vec<AlertView> {
        let mut views = self.engine.alert_views(self.clock.now());
        note_failures(&mut views);
        views
    }

    /// Returns what an alert is about, by its id.
    pub fn subject_of(&self, id: &str) -> Option<AlertSubject> {
        self.engine.subject_of(id, self.clock.now())
    }

    /// Returns how many notifications wait to be delivered.
    pub fn n_waiting(&self) -> usize {
        self.engine.n_waiting()
    }

    /// Returns why the state cannot be saved, if it cannot; then nothing is announced.
    pub fn save_error(&self) -> Option<String> {
        self.engine.save_error()
    }

    /// Ends evaluation and delivery; what waits is delivered after the next start.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.engine.stop();
        let threads = std::mem::take(&mut *self.threads.hold());
        threads.iter().for_each(|thread| thread.thread().unpark());
        for thread in threads {
            // This may be the thread that follows other nodes, if it was the last owner.
            let is_this = thread.thread().id() == std::thread::current().id();
            if !is_this && thread.join().is_err() {
                tracing::error!("an alerting thread panicked");
            }
        }
        self.engine.save();
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), AlertsError> {
        let thread = std::thread::Builder::new().name(name.into()).spawn(run);
        let thread = thread.map_err(|error| AlertsError::Start(error.to_string()))?;
        let mut threads = self.threads.hold();
        // Those of channels that are no more have ended.
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }
}

impl Drop for Alerts {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Keeps rules and their state in step with the other nodes of a fleet.
fn follow(alerts: &Weak<Alerts>, is_stopping: &AtomicBool) {
    let mut is_failing = false;
    while let Some(alerts) = alerts.upgrade().filter(|_| !is_stopping.load(Ordering::Relaxed)) {
        // While the database is unreachable, the last known state is shown, and nothing is saved or sent.
        let failure = alerts.follow().err();
        if let Some(error) = failure.as_ref().filter(|_| !is_failing) {
            tracing::warn!(%error, "the state of the fleet's rules could not be read");
        }
        is_failing = failure.is_some();
        drop(alerts);
        std::thread::park_timeout(FOLLOW_PAUSE);
    }
}

/// Evaluates recording rules in PromQL; in a fleet, on the node that evaluates all other rules.
fn record(engine: &RuleEngine, recorder: &SeriesRecorder, ask: &dyn Ask, clock: &Clock, is_stopping: &AtomicBool) {
    let goes_on = || !is_stopping.load(Ordering::Relaxed);
    while goes_on() {
        if !engine.is_leading() {
            recorder.forget();
            std::thread::park_timeout(SLEEP_MAX);
            continue;
        }
        let next = recorder.evaluate_due(ask, &|| clock.now(), &goes_on);
        let wait = Duration::from_nanos(next.0.saturating_sub(clock.now().0).max(0).unsigned_abs());
        if goes_on() {
            std::thread::park_timeout(wait.min(SLEEP_MAX));
        }
    }
}

fn evaluate_rules(engine: &RuleEngine, ask: &dyn Ask, clock: &Clock, takes: TaskFilter) {
    loop {
        if !engine.is_leading() {
            if !engine.wait_for_news(None, clock.now(), SLEEP_MAX) {
                return;
            }
            continue;
        }
        match engine.schedule.wait(&|| clock.now(), takes, SLEEP_MAX) {
            Next::Task(task) => engine.evaluate(&task, ask, &|| clock.now()),
            Next::Nothing(_) => {}
            Next::Stop => return,
        }
        engine.save_at_times(clock.now());
    }
}

/// Delivers what waits for a channel until it no longer exists.
fn notify_channel(engine: &RuleEngine, name: &str, post: &dyn Post, clock: &Clock, store: Option<&Store>) {
    // A copy holds the channels of its original, which notifies them itself.
    let is_held = || store.is_some_and(|store| store.copy_taken().is_some());
    let mut repeated_at = clock.now().0;
    // It is looked up again each time: it may have been changed.
    while let Some(channel) = engine.served_channel(name) {
        engine.tend(&channel, clock.now());
        if is_held() || !engine.is_leading() {
            if !engine.wait_for_news(None, clock.now(), SLEEP_MAX) {
                return;
            }
            continue;
        }
        repeat_firing(engine, &channel, post, clock.now(), &mut repeated_at);
        let mut wait = SLEEP_MAX;
        if let Some(notification) = engine.due_notification(&channel, clock.now()) {
            let mut message = notification.message();
            // A defect that one delivery meets must not end all others.
            let posted = catch_unwind(AssertUnwindSafe(|| {
                enclose(store, &mut message)?;
                post.post(&channel, &message, clock.now())
            }));
            let result = posted.unwrap_or_else(|_| {
                tracing::error!(channel = name, "a delivery panicked");
                let reason = "a defect in catat ended the delivery; its log says where".to_string();
                Err(PostError::Retry { after: None, reason })
            });
            engine.settle(name, &notification.id, &result, clock.now());
            wait = Duration::ZERO;
        }
        if !engine.wait_for_news(Some(name), clock.now(), wait) {
            return;
        }
    }
}

/// Sends all firing alerts again if the receiver needs that and nothing waits that it has not received.
fn repeat_firing(engine: &RuleEngine, channel: &Channel, post: &dyn Post, now: Timestamp, repeated_at: &mut i64) {
    let Some(repeat_ns) = channel.target.repeat_ns() else { return };
    // A clock that was set back must not silence it.
    if (0..repeat_ns).contains(&now.0.saturating_sub(*repeated_at)) {
        return;
    }
    let Some(firing) = engine.firing_of(channel, now) else { return };
    *repeated_at = now.0;
    if firing.is_empty() {
        return;
    }
    let posted = catch_unwind(AssertUnwindSafe(|| post.repeat(channel, &firing, now)));
    match posted {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(channel = channel.name, %error, "firing alerts not sent to the channel again"),
        Err(_) => tracing::error!(channel = channel.name, "a delivery panicked"),
    }
}

#[cfg(test)]
mod fleet_tests;
#[cfg(test)]
mod tests;
