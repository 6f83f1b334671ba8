//! Delivery: the queue of a channel, and the outcome of attempts.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;
use types::Timestamp;

use super::RuleEngine;
use crate::channel_state::ChannelHealth;
use crate::labels::{Labels, key_of};
use crate::notify::{Notification, Outcome, notification};
use crate::report::SentReport;
use crate::silence::Silence;
use crate::state::Acknowledgement;
use crate::{Channel, PostError};

impl RuleEngine {
    /// Returns the next notification of a channel whose time has come. From here on nothing is added to it: if it is posted and that is
    /// not noted before a crash, it comes once more, the same under the same id.
    pub(crate) fn due_notification(&self, channel: &Channel, now: Timestamp) -> Option<Notification> {
        let mut inner = self.locked();
        if !inner.is_leading {
            return None;
        }
        let channel_state = inner.kept.channels.get(&channel.name);
        if channel_state.and_then(|channel_state| channel_state.rests_until(channel.target.posts_max(), now)).is_some()
        {
            return None;
        }
        let mut due = inner.kept.queues.due(&channel.name, now).cloned()?;
        if due.is_sealed {
            return self.confirm(&mut inner).then_some(due);
        }
        let mut kept = inner.kept.clone();
        due.is_sealed = true;
        kept.queues.get_mut(&channel.name, &due.id)?.is_sealed = true;
        let channel_state = kept.channels.entry(channel.name.clone()).or_default();
        channel_state.groups.insert(due.group.clone(), now.0);
        self.commit(&mut inner, kept).then_some(due)
    }

    /// Returns everything that fires and that a channel knows of, as notifications without events; nothing while others wait, so
    /// that no receiver gets a repetition of what it has not received.
    pub(crate) fn firing_of(&self, channel: &Channel, now: Timestamp) -> Option<Vec<Json>> {
        let mut inner = self.locked();
        if !inner.is_leading || !inner.kept.queues.is_idle(&channel.name) {
            return None;
        }
        let Some(channel_state) = inner.kept.channels.get(&channel.name) else { return Some(Vec::new()) };
        let known = channel_state.told.keys().filter_map(|key| inner.kept.fired.get(key));
        let fires = known.filter(|fired| fired.ends_at.is_none() && !fired.is_silenced(&inner.silences, now));
        let bodies: Vec<Json> =
            fires.map(|fired| notification(&fired.body, &channel.name, None, 0, now).body).collect();
        (bodies.is_empty() || self.confirm(&mut inner)).then_some(bodies)
    }

    /// Notes the outcome of an attempt.
    pub(crate) fn settle(&self, channel: &str, id: &str, result: &Result<(), PostError>, now: Timestamp) {
        let mut inner = self.locked();
        let told: Vec<String> = inner.kept.queues.get_mut(channel, id).map(|known| keys_of(known)).unwrap_or_default();
        let channel_state = inner.kept.channels.entry(channel.to_string()).or_default();
        channel_state.note_post(now, result.as_ref().err().map(ToString::to_string));
        if result.is_ok() {
            for key in told {
                if let Some(told) = channel_state.told.get_mut(&key) {
                    told.delivered_at = Some(now.0);
                }
            }
        }
        let body = inner.kept.queues.get_mut(channel, id).map(|known| known.body.clone()).unwrap_or_default();
        let is_done = inner.kept.queues.settle(channel, id, result, now) == Outcome::Done;
        SentReport::note(&mut inner.kept.reports, &body, channel, (result, is_done), now);
        // If this is not saved, the notification comes once more after a crash, under the same id.
        let kept = inner.kept.clone();
        self.commit(&mut inner, kept);
    }

    /// Waits until a notification of `channel` may be due, for `longest` at most. `false` when all ends.
    pub(crate) fn wait_for_news(&self, channel: Option<&str>, now: Timestamp, longest: Duration) -> bool {
        let inner = self.locked();
        if inner.is_stopping {
            return false;
        }
        let due = channel.and_then(|channel| inner.kept.queues.next_due(channel));
        let rests = channel.and_then(|name| {
            let posts_max = inner.active.channel(name)?.target.posts_max();
            inner.kept.channels.get(name)?.rests_until(posts_max, now)
        });
        let due = due.map(|due| rests.map_or(due, |rests| due.max(rests)));
        let wait = due.map_or(longest, |due| {
            Duration::from_nanos(due.0.saturating_sub(now.0).max(0).unsigned_abs()).min(longest)
        });
        let (inner, _) = self.news.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner);
        !inner.is_stopping
    }

    /// Returns how many notifications wait.
    pub(crate) fn n_waiting(&self) -> usize {
        self.locked().kept.queues.len()
    }

    /// Returns how a channel does.
    pub(crate) fn health_of(&self, channel: &str) -> ChannelHealth {
        let inner = self.locked();
        let waiting = inner.kept.queues.len_of(channel);
        let Some(channel_state) = inner.kept.channels.get(channel) else {
            return ChannelHealth { waiting, ..ChannelHealth::default() };
        };
        let failed_at = channel_state.last_error.as_ref().map(|failure| failure.at);
        ChannelHealth {
            last_success: channel_state.last_success.map(|at| Timestamp(at).to_string()),
            last_failure: failed_at.map(|at| Timestamp(at).to_string()),
            last_error: channel_state.last_error.as_ref().map(|failure| failure.message.clone()),
            waiting,
            failing: failed_at.is_some() && failed_at > channel_state.last_success,
        }
    }

    /// Puts other silences in the place of those that hold.
    pub(crate) fn set_silences(&self, silences: Vec<Silence>) {
        self.locked().silences = Arc::new(silences);
        self.news.notify_all();
    }

    /// Records or withdraws the acknowledgement of a firing alert. Returns `false` if there is none.
    pub(crate) fn acknowledge(&self, id: &str, acknowledged: Option<Acknowledgement>) -> Result<bool, String> {
        let mut inner = self.locked();
        let mut kept = inner.kept.clone();
        let found = kept.fired.iter_mut().find(|(key, _)| super::views::id_of(key) == id);
        let Some((_, fired)) = found else { return Ok(false) };
        fired.acknowledged = acknowledged;
        if self.commit(&mut inner, kept) { Ok(true) } else { Err(inner.save_error.clone().unwrap_or_default()) }
    }
}

/// Returns the alerts that begin in a notification.
fn keys_of(notification: &Notification) -> Vec<String> {
    let firing = notification.bodies().filter(|body| body["status"] == "firing");
    firing
        .filter_map(|body| serde_json::from_value::<Labels>(body["labels"].clone()).ok())
        .map(|labels| key_of(&labels))
        .collect()
}
