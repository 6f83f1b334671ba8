//! Notifications: what they say, and the queue in which they wait until they are delivered.
//!
//! Each channel has a queue, first in first out, so that no receiver gets an end before the beginning. The queues
//! are part of the saved state. A notification's id is derived from its content, so it is the same for every attempt,
//! and also when it is made again after a crash.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use types::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

use crate::evaluate::Transition;
use crate::labels::cut;
use crate::{PostError, Rule};

/// Most notifications that wait for one channel; beyond it the oldest go, as no one reads a thousand of them.
const QUEUE_MAX: usize = 1_000;

/// A notification that could not be delivered for so long is given up.
const GIVE_UP_AFTER_NS: i64 = 24 * Timestamp::HOUR;

/// First wait after a failure, and the longest. Doubling, they make ten attempts in the first 22 minutes and never
/// more than eight in ten minutes.
const WAIT_NS_FIRST: i64 = 5 * Timestamp::SECOND;
const WAIT_NS_MAX: i64 = 10 * Timestamp::MINUTE;

/// Largest body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Longest message of an event in a body, and of one in a list of alerts.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
const SLIM_MESSAGE_BYTES_MAX: usize = 512;

/// Further alerts of a message that come with events.
const MORE_WITH_EVENTS_MAX: usize = 5;

/// A notification that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notification {
    /// Identity, the same for every attempt.
    pub(crate) id: String,
    /// What is posted.
    pub(crate) body: Json,
    /// When it was made, nanoseconds since the Unix epoch.
    pub(crate) made_at: i64,
    /// When the next attempt is scheduled.
    pub(crate) due_at: i64,
    /// Attempts that did not work.
    pub(crate) n_failed: u32,
    /// What its alerts have in common; notifications of one group are sent in order.
    #[serde(default)]
    pub(crate) group: String,
    /// Further alerts in it.
    #[serde(default)]
    pub(crate) more: Vec<Json>,
    /// Whether an attempt was begun: then nothing is added any more, as it may have arrived.
    #[serde(default)]
    pub(crate) is_sealed: bool,
}

impl Notification {
    /// Returns all its alerts.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &Json> {
        std::iter::once(&self.body).chain(&self.more)
    }

    /// Returns what is delivered: the first alert, and the list of all.
    pub(crate) fn message(&self) -> Json {
        let mut message = self.body.clone();
        let mut all = vec![slim(&self.body)];
        all.extend(self.more.iter().cloned());
        message["alerts"] = Json::Array(all);
        while message.to_string().len() > BODY_BYTES_MAX {
            match message["events"].as_array_mut().and_then(Vec::pop) {
                Some(_) => {}
                None => break,
            }
        }
        message
    }

    /// Reports whether another one of its group can come with it.
    fn takes(&self, other: &Self) -> bool {
        let is_same = |known: &Json| known["labels"] == other.body["labels"];
        let n_bytes: usize = self.bodies().map(|body| slim(body).to_string().len()).sum();
        let room = BODY_BYTES_MAX - BODY_BYTES_MAX / 4;
        !self.is_sealed
            && self.n_failed == 0
            && !self.bodies().any(is_same)
            && n_bytes + slim(&other.body).to_string().len() < room
    }

    /// Adds another one. One that begins comes before those that end: it needs attention.
    fn take(&mut self, mut other: Self) {
        self.due_at = self.due_at.min(other.due_at);
        if other.body["status"] == "firing" && self.body["status"] != "firing" {
            std::mem::swap(&mut self.body, &mut other.body);
            self.id = other.id;
        }
        let mut body = slim(&other.body);
        if self.more.len() >= MORE_WITH_EVENTS_MAX {
            body["events"] = json!([]);
        }
        self.more.push(body);
    }
}

/// Returns an alert with two of its events, the newest and the oldest that is shown.
pub(crate) fn slim(body: &Json) -> Json {
    let mut slim = body.clone();
    if let Some(events) = slim["events"].as_array_mut() {
        if events.len() > 2 {
            events.drain(1..events.len() - 1);
        }
        events.iter_mut().for_each(|event| *event = shortened_to(event, SLIM_MESSAGE_BYTES_MAX));
    }
    for name in ["first", "last"] {
        if let Some(event) = slim.get_mut(name) {
            *event = shortened_to(event, SLIM_MESSAGE_BYTES_MAX);
        }
    }
    slim
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
        let id = Json::from(notification.id.as_str());
        if queue.iter().any(|known| known.bodies().any(|body| body["id"] == id) || known.id == notification.id) {
            return;
        }
        let of_group = queue.iter_mut().rfind(|known| known.group == notification.group);
        if let Some(last) = of_group.filter(|last| !last.group.is_empty() && last.takes(&notification)) {
            last.take(notification);
            return;
        }
        if queue.len() >= QUEUE_MAX {
            queue.pop_front();
            tracing::error!(channel, "notification given up: more than {QUEUE_MAX} wait");
        }
        queue.push_back(notification);
    }

    /// Returns the next notification of a channel, if its time has come.
    pub(crate) fn due(&self, channel: &str, now: Timestamp) -> Option<&Notification> {
        self.nexts(channel).into_iter().find(|next| next.due_at <= now.0)
    }

    /// Returns when the next notification of a channel is scheduled.
    pub(crate) fn next_due(&self, channel: &str) -> Option<Timestamp> {
        self.nexts(channel).iter().map(|next| Timestamp(next.due_at)).min()
    }

    /// Returns what may come next: what an attempt was begun of, which all others wait for, else the first of each group.
    fn nexts(&self, channel: &str) -> Vec<&Notification> {
        let Some(queue) = self.0.get(channel) else { return Vec::new() };
        if let Some(begun) = queue.iter().find(|known| known.is_sealed || known.n_failed > 0) {
            return vec![begun];
        }
        let mut groups = BTreeSet::new();
        queue.iter().filter(|known| groups.insert(known.group.as_str())).collect()
    }

    /// Returns the first alert of everything that waits.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &Json> {
        self.0.values().flatten().map(|known| &known.body)
    }

    /// Returns what waits for a channel, by id.
    pub(crate) fn get_mut(&mut self, channel: &str, id: &str) -> Option<&mut Notification> {
        self.0.get_mut(channel)?.iter_mut().find(|known| known.id == id)
    }

    /// Reports whether something of a group waits for a channel.
    pub(crate) fn holds_group(&self, channel: &str, group: &str) -> bool {
        self.0.get(channel).is_some_and(|queue| queue.iter().any(|known| known.group == group))
    }

    /// Returns how many wait for a channel.
    pub(crate) fn len_of(&self, channel: &str) -> usize {
        self.0.get(channel).map_or(0, VecDeque::len)
    }

    /// Reports whether nothing waits for a channel.
    pub(crate) fn is_idle(&self, channel: &str) -> bool {
        self.0.get(channel).is_none_or(VecDeque::is_empty)
    }

    /// Returns how many wait.
    pub(crate) fn len(&self) -> usize {
        self.0.values().map(VecDeque::len).sum()
    }

    /// Forgets the queues of channels that are no more.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|channel, _| is_there(channel));
    }

    /// Notes the outcome of an attempt to deliver `id`.
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
    pub(crate) change: &'a Transition,
    pub(crate) annotations: BTreeMap<String, String>,
    /// Its events, as JSON objects.
    pub(crate) events: Vec<Json>,
    /// Further facts, by their names in notifications.
    pub(crate) evidence: Json,
    /// Where the page shows them.
    pub(crate) url: String,
}

/// Returns the body of a subject for all channels; [`notification`] adds what is the channel's own.
pub(crate) fn body(subject: &Subject<'_>) -> Json {
    let change = subject.change;
    let mut events: Vec<Json> = subject.events.iter().map(|event| shortened_to(event, MESSAGE_BYTES_MAX)).collect();
    let mut body = json!({
        "id": "",
        "rule": subject.rule.name,
        "status": if change.fires { "firing" } else { "resolved" },
        "labels": change.set.labels,
        "annotations": subject.annotations,
        "value": change.set.value,
        "starts_at": Timestamp(change.starts_at).to_string(),
        "ends_at": null,
        "events": [],
        "pattern": null,
        "url": subject.url,
    });
    if let (Json::Object(body), Json::Object(evidence)) = (&mut body, subject.evidence.clone()) {
        body.extend(evidence.into_iter().map(|(name, value)| (name, shortened_to(&value, MESSAGE_BYTES_MAX))));
    }
    let size = |events: &[Json]| events.iter().map(|event| event.to_string().len() + 1).sum::<usize>();
    let room = BODY_BYTES_MAX.saturating_sub(body.to_string().len() + ID_AND_END_BYTES);
    while size(&events) > room {
        events.pop();
    }
    body["events"] = Json::Array(events);
    body
}

/// What id and end add to a body.
const ID_AND_END_BYTES: usize = 128;

/// Makes the notification of one channel from the body for all. `nth` counts its repetitions.
pub(crate) fn notification(body: &Json, channel: &str, ends_at: Option<i64>, nth: u32, now: Timestamp) -> Notification {
    let mut body = body.clone();
    let status = if ends_at.is_none() { "firing" } else { "resolved" };
    let id = id_of(&body, status, channel, nth);
    body["id"] = json!(id);
    body["status"] = json!(status);
    body["ends_at"] = json!(ends_at.map(|at| Timestamp(at).to_string()));
    let (group, more) = (String::new(), Vec::new());
    Notification { id, body, made_at: now.0, due_at: now.0, n_failed: 0, group, more, is_sealed: false }
}

fn id_of(body: &Json, status: &str, channel: &str, nth: u32) -> String {
    let mut parts = vec![body["rule"].clone(), body["labels"].clone(), body["starts_at"].clone()];
    parts.extend([json!(status), json!(channel)]);
    if nth > 0 {
        parts.push(json!(nth));
    }
    format!("{:032x}", xxh3_128(Json::Array(parts).to_string().as_bytes()))
}

/// Returns an event with its long texts cut.
fn shortened_to(event: &Json, n_bytes_max: usize) -> Json {
    let Json::Object(members) = event else { return event.clone() };
    let shorten = |value: &Json| match value {
        Json::String(text) => Json::String(cut(text, n_bytes_max)),
        other => other.clone(),
    };
    Json::Object(members.iter().map(|(name, value)| (name.clone(), shorten(value))).collect())
}

#[cfg(test)]
mod tests;
