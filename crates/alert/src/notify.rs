//! Notifications: what they say, and the queue in which they wait until they are delivered.
//!
//! Each channel has a queue, first in first out, so that nobody hears of an end before the beginning. The queues
//! are part of the saved state. A notification's id is made of what it says, so it is the same for every attempt,
//! and also when it is made again after a crash.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use types::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

use crate::evaluate::{Change, Labels};
use crate::{PostError, Rule};

/// Most notifications that wait for one channel; beyond it the oldest go, as nobody reads a thousand of them.
const QUEUE_MAX: usize = 1_000;

/// A notification that could not be delivered for so long is given up.
const GIVE_UP_AFTER_NS: i64 = 24 * Timestamp::HOUR;

/// First wait after a failure, and the longest. Doubling, they make ten attempts in the first 22 minutes and never
/// more than eight in ten minutes.
const WAIT_NS_FIRST: i64 = 5 * Timestamp::SECOND;
const WAIT_NS_MAX: i64 = 10 * Timestamp::MINUTE;

/// Largest body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Longest message of an event in a body.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// A notification that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notification {
    /// Identity, the same for every attempt.
    pub(crate) id: String,
    /// What is posted.
    pub(crate) body: Json,
    /// When it was made, nanoseconds since the Unix epoch.
    pub(crate) made_at: i64,
    /// When the next attempt is due.
    pub(crate) due_at: i64,
    /// Attempts that did not work.
    pub(crate) n_failed: u32,
}

/// Notifications by channel name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Queues(BTreeMap<String, VecDeque<Notification>>);

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Delivered, or given up: it is no longer in the queue.
    Done,
    /// It will be tried again.
    Later,
}

impl Queues {
    /// Puts a notification into the queue of a channel.
    pub(crate) fn push(&mut self, channel: &str, notification: Notification) {
        let queue = self.0.entry(channel.into()).or_default();
        if queue.iter().any(|known| known.id == notification.id) {
            return;
        }
        if queue.len() >= QUEUE_MAX {
            queue.pop_front();
            tracing::error!(channel, "notification given up: more than {QUEUE_MAX} wait");
        }
        queue.push_back(notification);
    }

    /// The next notification of a channel, if it is due.
    pub(crate) fn due(&self, channel: &str, now: Timestamp) -> Option<&Notification> {
        self.0.get(channel)?.front().filter(|first| first.due_at <= now.0)
    }

    /// When the next notification of a channel is due.
    pub(crate) fn next_due(&self, channel: &str) -> Option<Timestamp> {
        Some(Timestamp(self.0.get(channel)?.front()?.due_at))
    }

    /// Whether nothing waits for a channel.
    pub(crate) fn is_idle(&self, channel: &str) -> bool {
        self.0.get(channel).is_none_or(VecDeque::is_empty)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.0.values().map(VecDeque::len).sum()
    }

    /// Forgets the queues of channels that are no more.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|channel, _| is_there(channel));
    }

    /// Takes note of the outcome of an attempt to deliver `id`.
    pub(crate) fn settle(
        &mut self,
        channel: &str,
        id: &str,
        result: &Result<(), PostError>,
        now: Timestamp,
    ) -> Outcome {
        let Some(queue) = self.0.get_mut(channel) else { return Outcome::Done };
        let Some(at) = queue.iter().position(|notification| notification.id == id) else { return Outcome::Done };
        let notification = &mut queue[at];
        let asked = match result {
            Ok(()) => None,
            Err(error) => {
                notification.n_failed = notification.n_failed.saturating_add(1);
                tracing::warn!(channel, id, n_failed = notification.n_failed, %error, "notification not delivered");
                match error {
                    PostError::Retry { after, .. } => Some(*after),
                    PostError::Refused(_) => None,
                }
            }
        };
        let is_given_up = now.0.saturating_sub(notification.made_at) > GIVE_UP_AFTER_NS;
        match asked {
            Some(asked) if !is_given_up => {
                notification.due_at = now.0.saturating_add(wait_ns(notification.n_failed, asked));
                Outcome::Later
            }
            _ => {
                if result.is_err() {
                    tracing::error!(channel, id, "notification given up");
                }
                queue.remove(at);
                Outcome::Done
            }
        }
    }
}

fn wait_ns(n_failed: u32, asked: Option<Duration>) -> i64 {
    let own = WAIT_NS_FIRST.saturating_mul(1 << n_failed.saturating_sub(1).min(16)).min(WAIT_NS_MAX);
    let asked = asked.map_or(0, |asked| i64::try_from(asked.as_nanos()).unwrap_or(i64::MAX));
    own.max(asked.min(Timestamp::HOUR))
}

/// What a notification is about.
pub(crate) struct Subject<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) change: &'a Change,
    pub(crate) annotations: BTreeMap<String, String>,
    /// Events behind it, as JSON objects.
    pub(crate) events: Vec<Json>,
    /// Where the page shows them.
    pub(crate) url: String,
}

/// Makes the notification of a subject for one channel.
pub(crate) fn notification(subject: &Subject<'_>, channel: &str, now: Timestamp, wait_ns: i64) -> Notification {
    let change = subject.change;
    let status = if change.fires { "firing" } else { "resolved" };
    let id = id_of(&subject.rule.name, &change.set.labels, change.starts_at, status, channel);
    let ends_at = (!change.fires).then(|| Timestamp(change.set.since).to_string());
    let mut events: Vec<Json> = subject.events.iter().map(shortened).collect();
    let mut body = json!({
        "id": id,
        "rule": subject.rule.name,
        "status": status,
        "labels": change.set.labels,
        "annotations": subject.annotations,
        "value": change.set.value,
        "starts_at": Timestamp(change.starts_at).to_string(),
        "ends_at": ends_at,
        "events": [],
        "pattern": null,
        "url": subject.url,
    });
    let size = |events: &[Json]| events.iter().map(|event| event.to_string().len() + 1).sum::<usize>();
    let room = BODY_BYTES_MAX.saturating_sub(body.to_string().len());
    while size(&events) > room {
        events.pop();
    }
    body["events"] = Json::Array(events);
    Notification { id, body, made_at: now.0, due_at: now.0.saturating_add(wait_ns), n_failed: 0 }
}

fn id_of(rule: &str, labels: &Labels, starts_at: i64, status: &str, channel: &str) -> String {
    let text = json!([rule, labels, starts_at, status, channel]).to_string();
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

/// An event with its long texts cut.
fn shortened(event: &Json) -> Json {
    let Json::Object(members) = event else { return event.clone() };
    let shorten = |value: &Json| match value {
        Json::String(text) if text.len() > MESSAGE_BYTES_MAX => {
            let mut end = MESSAGE_BYTES_MAX;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            Json::String(format!("{}…", &text[..end]))
        }
        other => other.clone(),
    };
    Json::Object(members.iter().map(|(name, value)| (name.clone(), shorten(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(id: &str) -> Notification {
        Notification { id: id.into(), body: Json::Null, made_at: 0, due_at: 0, n_failed: 0 }
    }

    fn retry() -> Result<(), PostError> {
        Err(PostError::Retry { after: None, reason: "500".into() })
    }

    #[test]
    fn attempts_become_rarer_and_end_after_a_day() {
        let mut queues = Queues::default();
        queues.push("hook", notification("a"));
        let (mut now, mut attempts) = (Timestamp(0), Vec::new());
        while let Some(due) = queues.next_due("hook") {
            now = due;
            attempts.push(now.0 / Timestamp::SECOND);
            queues.settle("hook", "a", &retry(), now);
        }
        assert_eq!(&attempts[..5], [0, 5, 15, 35, 75]);
        assert!(attempts.iter().filter(|at| **at <= 15 * 60).count() >= 5);
        for window in attempts.windows(13) {
            assert!(window[12] - window[0] > 600);
        }
        assert!(now.0 > GIVE_UP_AFTER_NS);
    }

    #[test]
    fn the_first_of_a_channel_holds_back_the_rest_and_no_other_channel() {
        let mut queues = Queues::default();
        queues.push("hook", notification("fires"));
        queues.push("hook", notification("resolved"));
        queues.push("hook", notification("fires"));
        queues.push("other", notification("fires"));
        assert_eq!(queues.len(), 3);
        queues.settle("hook", "fires", &retry(), Timestamp(0));
        assert_eq!(queues.due("hook", Timestamp(0)), None);
        assert_eq!(queues.due("other", Timestamp(0)).unwrap().id, "fires");
        let later = Timestamp(WAIT_NS_FIRST);
        assert_eq!(queues.settle("hook", "fires", &Ok(()), later), Outcome::Done);
        assert_eq!(queues.due("hook", later).unwrap().id, "resolved");
        let refused = Err(PostError::Refused("404".into()));
        assert_eq!(queues.settle("hook", "resolved", &refused, later), Outcome::Done);
        assert_eq!(queues.next_due("hook"), None);
    }

    #[test]
    fn a_queue_is_bounded() {
        let mut queues = Queues::default();
        (0..1_500).for_each(|i| queues.push("hook", notification(&i.to_string())));
        assert_eq!(queues.len(), QUEUE_MAX);
        assert_eq!(queues.due("hook", Timestamp(0)).unwrap().id, "500");
    }
}
