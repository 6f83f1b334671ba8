//! The rule engine: evaluates rules, saves their state before it announces anything, and lists rules and alerts.
//!
//! It has no thread and no clock of its own. Queries run without its lock; one thread at a time evaluates a rule.

mod alarms;
mod alert_series;
mod deliveries;
mod evaluation;
mod evidence;
mod failures;
mod following;
mod links;
mod notifications;
mod replacement;
mod reports;
mod subject;
mod tasks;
mod topic_messages;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};

use serde_json::{Value as Json, json};
use storage::Store;
use types::{Hold, Timestamp, format_duration_ns};

pub(crate) use self::failures::note_failures;
pub(crate) use self::following::AcknowledgementOrder;
pub use self::subject::AlertSubject;
pub(crate) use self::tasks::holds_nothing;
pub use self::views::{AlertView, DeliveryView, RuleView};
use crate::detectors::HistoryCache;
use crate::evaluate::SetState;
use crate::schedule::Schedule;
use crate::silence::Silence;
use crate::state::AlertState;
use crate::state_file::StateError;
use crate::state_store::StateStore;
use crate::{AlarmJudge, Channel, Kind, Options, Rule, RuleSet, state, template};

/// Rules, channels, and their state.
pub(crate) struct RuleEngine {
    /// The evaluation interval of rules without one of their own.
    pub(crate) interval_ns: i64,
    wait_ns: i64,
    group_interval_ns: i64,
    repeat_ns: i64,
    /// The base address of the page.
    pub(crate) base_url: String,
    clock_offsets: Option<types::ClockOffsets>,
    states: StateStore,
    /// Where the series of alerts are stored.
    sink: Option<Arc<series::StoreSink>>,
    /// Judges alarms, once it is there.
    judge: OnceLock<Arc<dyn AlarmJudge>>,
    /// Decides when a rule is evaluated.
    pub(crate) schedule: Schedule,
    inner: Mutex<Inner>,
    /// Held while the state that another node has saved is read.
    following: Mutex<()>,
    /// Answers about the past, by rule.
    memory: HistoryCache,
    /// Notified when a notification is queued, and at the end.
    news: Condvar,
}

/// The rules and channels in force. Holders keep a version for as long as they work with it; another one may replace it
/// meanwhile.
#[derive(Debug, Default)]
pub(crate) struct ActiveRules {
    pub(crate) rules: Vec<Arc<Rule>>,
    pub(crate) channels: Vec<Arc<Channel>>,
}

pub(crate) struct Inner {
    pub(crate) kept: AlertState,
    is_dirty: bool,
    /// Whether this process evaluates, saves and sends: always on a machine of its own, in a fleet on one node.
    pub(crate) is_leading: bool,
    pub(crate) active: Arc<ActiveRules>,
    pub(crate) silences: Arc<Vec<Silence>>,
    /// Since when rules are evaluated without a gap.
    watched_from: Timestamp,
    /// When unannounced changes were saved last.
    saved_at: Timestamp,
    /// Names of channels that have a thread.
    served: BTreeSet<String>,
    is_stopping: bool,
    pub(crate) save_error: Option<String>,
}

impl RuleEngine {
    /// Opens the state: that of the fleet of `store`, else that below `options.dir`.
    pub(crate) fn open(
        store: Option<&Store>,
        rules: RuleSet,
        silences: Vec<Silence>,
        options: &Options,
        now: Timestamp,
    ) -> Result<Self, StateError> {
        let (states, kept) = state::open(&options.dir, store)?;
        let active = ActiveRules::from(rules);
        let inner = Inner {
            kept,
            is_dirty: false,
            is_leading: false,
            active: Arc::new(ActiveRules::default()),
            silences: Arc::new(silences),
            watched_from: Timestamp(i64::MIN),
            saved_at: Timestamp(i64::MIN),
            served: BTreeSet::new(),
            is_stopping: false,
            save_error: None,
        };
        let engine = Self {
            interval_ns: options.interval_ns,
            wait_ns: options.group_wait_ns,
            group_interval_ns: options.group_interval_ns,
            repeat_ns: options.repeat_interval_ns,
            base_url: options.base_url.trim_end_matches('/').to_string(),
            clock_offsets: options.clock_offsets.clone(),
            states,
            sink: options.sink.clone(),
            judge: OnceLock::new(),
            schedule: Schedule::new(),
            inner: Mutex::new(inner),
            following: Mutex::default(),
            memory: HistoryCache::default(),
            news: Condvar::new(),
        };
        let mut inner = engine.locked();
        if !engine.states.is_shared() {
            // A change that cannot be saved now is found again: nothing is announced before it is saved.
            let mut kept = inner.kept.clone();
            engine.carry_over(&mut kept, &active, &inner.silences, now);
            (inner.kept, inner.is_dirty, inner.is_leading) = (kept, true, true);
        }
        inner.active = Arc::new(active);
        drop(inner);
        engine.schedule_rules(&engine.active_rules(), &|_| false);
        Ok(engine)
    }

    /// Streams whose clock or time zone is off.
    pub(crate) fn clock_offsets(&self) -> Arc<Vec<types::ClockOffset>> {
        self.clock_offsets.as_ref().map(|offsets| offsets()).unwrap_or_default()
    }

    /// Rules and channels in force now.
    pub(crate) fn active_rules(&self) -> Arc<ActiveRules> {
        self.locked().active.clone()
    }

    /// Locks the state. A panicking thread leaves it whole: it is replaced as one, after it was saved.
    pub(crate) fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.hold()
    }

    /// Saves `kept` and makes it the state, if this process may and can.
    pub(crate) fn commit(&self, inner: &mut Inner, kept: AlertState) -> bool {
        if !inner.is_leading || !self.note_save(inner, self.states.save(&kept)) {
            return false;
        }
        (inner.kept, inner.is_dirty) = (kept, false);
        true
    }

    /// Reports whether this process may act on the saved state: in a fleet, whether no other node has taken over.
    fn confirm(&self, inner: &mut Inner) -> bool {
        inner.is_leading && self.note_save(inner, self.states.confirm())
    }

    /// Notes whether the state was saved. If it was refused because another node may save it, this node follows from
    /// now on.
    fn note_save(&self, inner: &mut Inner, saved: Result<(), StateError>) -> bool {
        match saved {
            Ok(()) => {
                inner.save_error = None;
                true
            }
            Err(error) if error.is_refused() => {
                tracing::info!(%error, "this node no longer evaluates rules");
                self.step_down(inner);
                false
            }
            Err(error) => {
                let error = error.to_string();
                if inner.save_error.as_ref() != Some(&error) {
                    tracing::error!(error, "state of alerts not saved; nothing is announced until it is");
                }
                inner.save_error = Some(error);
                false
            }
        }
    }

    /// Wakes the threads of channels, since something was queued.
    pub(crate) fn tell_channels(&self) {
        self.news.notify_all();
    }

    /// Ends every thread that waits.
    pub(crate) fn stop(&self) {
        self.locked().is_stopping = true;
        self.schedule.stop();
        self.news.notify_all();
    }

    /// Saves what changed since it was saved last.
    pub(crate) fn save(&self) {
        let mut inner = self.locked();
        let kept = inner.kept.clone();
        self.commit(&mut inner, kept);
    }

    /// Returns why the state cannot be saved, if it cannot.
    pub(crate) fn save_error(&self) -> Option<String> {
        self.locked().save_error.clone()
    }
}

impl From<RuleSet> for ActiveRules {
    fn from(set: RuleSet) -> Self {
        Self {
            rules: set.rules.into_iter().map(Arc::new).collect(),
            channels: set.channels.into_iter().map(Arc::new).collect(),
        }
    }
}

impl ActiveRules {
    /// Returns the channel with a name.
    pub(crate) fn channel(&self, name: &str) -> Option<&Arc<Channel>> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// Reports whether this very rule is in force, not a later one with its name.
    fn has(&self, rule: &Arc<Rule>) -> bool {
        self.rules.iter().any(|active| Arc::ptr_eq(active, rule))
    }

    /// Reports whether a rule with the name exists and is enabled.
    fn evaluates(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| rule.enabled && rule.name == name)
    }
}

pub(crate) fn annotations_of(rule: &Rule, set: &SetState, events: &[Json], url: &str) -> BTreeMap<String, String> {
    if rule.prometheus.is_some() || matches!(rule.kind, Kind::Alarm(_)) {
        return set.annotations.clone().unwrap_or_default();
    }
    let context = json!({
        "value": set.value,
        "labels": set.labels,
        "rule": rule.name,
        "events": events,
        "url": url,
        "window": format_duration_ns(rule.window_ns),
    });
    let render = |(name, text): (&String, &String)| (name.clone(), template::render(text, &context));
    rule.annotations.iter().map(render).collect()
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod fleet_tests;
#[cfg(test)]
mod tests;
