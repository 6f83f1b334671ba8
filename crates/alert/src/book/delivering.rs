//! Delivery: what waits for a channel, and what became of an attempt.

use std::sync::PoisonError;
use std::time::Duration;

use serde_json::Value as Json;
use types::Timestamp;

use super::{Book, annotations_of};
use crate::evaluate::{Change, State};
use crate::notify::{Notification, Subject, notification};
use crate::{Channel, PostError};

impl Book {
    /// The next notification of a channel that is due.
    pub(crate) fn due_notification(&self, channel: &str, now: Timestamp) -> Option<Notification> {
        self.locked().kept.queues.due(channel, now).cloned()
    }

    /// Everything that fires and that a channel takes, as notifications without events; nothing while others wait,
    /// so that nobody is told again of what he has not been told.
    pub(crate) fn firing_of(&self, channel: &Channel, now: Timestamp) -> Option<Vec<Json>> {
        let (states, standing) = {
            let inner = self.locked();
            if !inner.kept.queues.is_idle(&channel.name) {
                return None;
            }
            (inner.kept.rules.clone(), inner.standing.clone())
        };
        let mut firing = Vec::new();
        for rule in standing.rules.iter().filter(|rule| channel.takes(&rule.topics)) {
            let sets = states.get(&rule.name).map(|state| &state.sets).into_iter().flatten();
            let url = self.url_of(rule, now);
            for (_, set) in sets.filter(|(_, set)| set.state == State::Alarm) {
                let change = Change { set: set.clone(), fires: true, starts_at: set.since, row: None };
                let annotations = annotations_of(rule, set, &[], &url);
                let subject = Subject { rule, change: &change, annotations, events: Vec::new(), url: url.clone() };
                firing.push(notification(&subject, &channel.name, now, 0).body);
            }
        }
        Some(firing)
    }

    /// Takes note of the outcome of an attempt.
    pub(crate) fn settle(&self, channel: &str, id: &str, result: &Result<(), PostError>, now: Timestamp) {
        let mut inner = self.locked();
        inner.kept.queues.settle(channel, id, result, now);
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
        let wait = due.map_or(longest, |due| {
            Duration::from_nanos(due.0.saturating_sub(now.0).max(0).unsigned_abs()).min(longest)
        });
        let (inner, _) = self.news.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner);
        !inner.is_stopping
    }

    /// How many notifications wait.
    pub(crate) fn n_waiting(&self) -> usize {
        self.locked().kept.queues.len()
    }
}
