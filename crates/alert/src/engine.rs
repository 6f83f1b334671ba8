//! The book of rules and alerts: takes evaluations in, saves before it announces, and lists what it knows.
//!
//! It has no thread and no clock. Questions are asked without holding its lock; one thread evaluates.

mod deliveries;
mod evaluation;
mod evidence;
mod links;
mod notifications;
mod replacement;
mod tasks;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde_json::{Value as Json, json};
use types::{Timestamp, format_duration_ns};

pub(crate) use self::tasks::holds_nothing;
pub use self::views::{AlertView, DeliveryView, RuleView};
use crate::detectors::HistoryCache;
use crate::evaluate::SetState;
use crate::schedule::Schedule;
use crate::silence::Silence;
use crate::state::AlertState;
use crate::state_file::{StateError, StateFile};
use crate::{Channel, Options, Rule, RuleSet, state, template};

/// Rules, channels, and what they have come to.
pub(crate) struct RuleEngine {
    interval_ns: i64,
    wait_ns: i64,
    group_interval_ns: i64,
    repeat_ns: i64,
    base_url: String,
    clock_offsets: Option<types::ClockOffsets>,
    file: StateFile,
    /// When which rule is evaluated.
    pub(crate) schedule: Schedule,
    inner: Mutex<Inner>,
    /// What rules learned of the past.
    memory: HistoryCache,
    /// Told when a notification is queued, and when all ends.
    news: Condvar,
}

/// Rules and channels as they stand at a time. Who works with them holds them for as long as that takes; others may
/// have taken their place meanwhile.
#[derive(Debug, Default)]
pub(crate) struct ActiveRules {
    pub(crate) rules: Vec<Arc<Rule>>,
    pub(crate) channels: Vec<Arc<Channel>>,
}

struct Inner {
    kept: AlertState,
    is_dirty: bool,
    standing: Arc<ActiveRules>,
    silences: Arc<Vec<Silence>>,
    /// Since when rules are evaluated without a break.
    watched_from: Timestamp,
    /// When it was saved last without need.
    saved_at: Timestamp,
    /// Names of channels that a thread delivers to.
    served: BTreeSet<String>,
    is_stopping: bool,
    save_error: Option<String>,
}

impl RuleEngine {
    /// Opens the state below `options.dir`.
    pub(crate) fn open(
        rules: RuleSet,
        silences: Vec<Silence>,
        options: &Options,
        now: Timestamp,
    ) -> Result<Self, StateError> {
        let (file, kept) = state::open(&options.dir)?;
        let standing = ActiveRules::from(rules);
        let inner = Inner {
            kept,
            is_dirty: false,
            standing: Arc::new(ActiveRules::default()),
            silences: Arc::new(silences),
            watched_from: Timestamp(i64::MIN),
            saved_at: Timestamp(i64::MIN),
            served: BTreeSet::new(),
            is_stopping: false,
            save_error: None,
        };
        let book = Self {
            interval_ns: options.interval_ns,
            wait_ns: options.group_wait_ns,
            group_interval_ns: options.group_interval_ns,
            repeat_ns: options.repeat_interval_ns,
            base_url: options.base_url.trim_end_matches('/').to_string(),
            clock_offsets: options.clock_offsets.clone(),
            file,
            schedule: Schedule::new(),
            inner: Mutex::new(inner),
            memory: HistoryCache::default(),
            news: Condvar::new(),
        };
        // What cannot be saved now is found again: nothing is announced before it is saved.
        let mut inner = book.locked();
        let mut kept = inner.kept.clone();
        book.carry_over(&mut kept, &standing, &inner.silences, now);
        inner.kept = kept;
        inner.is_dirty = true;
        inner.standing = Arc::new(standing);
        drop(inner);
        book.schedule_rules(&book.standing(), &|_| false);
        Ok(book)
    }

    /// Streams whose clock or time zone is off.
    pub(crate) fn clock_offsets(&self) -> Arc<Vec<types::ClockOffset>> {
        self.clock_offsets.as_ref().map(|offsets| offsets()).unwrap_or_default()
    }

    /// Rules and channels as they stand now.
    pub(crate) fn standing(&self) -> Arc<ActiveRules> {
        self.locked().standing.clone()
    }

    /// What a panicking thread left locked is whole: the state is replaced as one, after it was saved.
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `kept` the state if it can be saved.
    fn commit(&self, inner: &mut Inner, kept: AlertState) -> bool {
        match self.file.save(&kept) {
            Ok(()) => {
                inner.kept = kept;
                inner.is_dirty = false;
                inner.save_error = None;
                true
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

    /// Makes every thread that waits return.
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

    /// Why the state cannot be saved, if it cannot.
    pub(crate) fn save_error(&self) -> Option<String> {
        self.locked().save_error.clone()
    }
}

impl From<RuleSet> for ActiveRules {
    fn from(book: RuleSet) -> Self {
        Self {
            rules: book.rules.into_iter().map(Arc::new).collect(),
            channels: book.channels.into_iter().map(Arc::new).collect(),
        }
    }
}

impl ActiveRules {
    /// The channel with a name.
    pub(crate) fn channel(&self, name: &str) -> Option<&Arc<Channel>> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// Whether it is this very rule that stands, not one that took its place.
    fn has(&self, rule: &Arc<Rule>) -> bool {
        self.rules.iter().any(|standing| Arc::ptr_eq(standing, rule))
    }

    /// Whether there is a rule with the name, and it is switched on.
    fn evaluates(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| rule.enabled && rule.name == name)
    }
}

pub(crate) fn annotations_of(rule: &Rule, set: &SetState, events: &[Json], url: &str) -> BTreeMap<String, String> {
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
mod crashes;
#[cfg(test)]
mod tests;
