//! The state of a channel: what it was notified of, in which groups, and whether deliveries succeed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::Timestamp;

/// Most attempts in `POSTS_TIME_NS`. A person who gets more messages stops reading, and a failing receiver is not helped by
/// more. Further alerts wait and are sent in one message.
pub(crate) const POSTS_MAX: usize = 12;

/// Most attempts in that time to reach a program that takes everything: one every two seconds.
pub(crate) const POSTS_MAX_OF_PROGRAMS: usize = 300;

const POSTS_TIME_NS: i64 = 10 * Timestamp::MINUTE;

/// How long a group is remembered after its last alert ended.
const GROUP_KEPT_NS: i64 = Timestamp::HOUR;

/// What is known of a channel besides its queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChannelState {
    /// Open alerts: their beginning was sent or is queued, their end is not.
    pub(crate) told: BTreeMap<String, DeliveredAlert>,
    /// When a message of a group was begun last.
    pub(crate) groups: BTreeMap<String, i64>,
    /// When it was tried last, oldest first.
    posts: Vec<i64>,
    /// When it did not work.
    #[serde(default)]
    failed_posts: Vec<i64>,
    pub(crate) last_success: Option<i64>,
    pub(crate) last_error: Option<Failure>,
}

/// An alert that a channel knows of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeliveredAlert {
    pub(crate) starts_at: i64,
    pub(crate) group: String,
    /// When it was delivered last.
    pub(crate) delivered_at: Option<i64>,
    /// How often it was repeated.
    pub(crate) n_repeats: u32,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) at: i64,
    pub(crate) message: String,
}

impl ChannelState {
    /// Notes an attempt.
    pub(crate) fn note_post(&mut self, now: Timestamp, failure: Option<String>) {
        self.posts.retain(|at| is_lately(*at, now));
        self.failed_posts.retain(|at| is_lately(*at, now));
        self.posts.push(now.0);
        match failure {
            None => self.last_success = Some(now.0),
            Some(message) => {
                self.failed_posts.push(now.0);
                self.last_error = Some(Failure { at: now.0, message });
            }
        }
    }

    /// Returns when the channel may be tried again; `None` if now. `posts_max` is the limit while all is well.
    pub(crate) fn rests_until(&self, posts_max: usize, now: Timestamp) -> Option<Timestamp> {
        let is_well = !self.failed_posts.iter().any(|at| is_lately(*at, now));
        let posts_max = if is_well { posts_max } else { posts_max.min(POSTS_MAX) };
        let lately: Vec<i64> = self.posts.iter().filter(|at| is_lately(**at, now)).copied().collect();
        let first = lately.len().checked_sub(posts_max).and_then(|at| lately.get(at))?;
        Some(Timestamp(first.saturating_add(POSTS_TIME_NS)))
    }

    /// Reports whether it knows of an alert of a group.
    pub(crate) fn is_open(&self, group: &str) -> bool {
        self.told.values().any(|told| told.group == group)
    }

    /// Forgets groups of which nothing has gone on for long.
    pub(crate) fn forget_groups(&mut self, now: Timestamp) {
        let open: Vec<&String> = self.told.values().map(|told| &told.group).collect();
        self.groups.retain(|group, at| open.contains(&group) || now.0.saturating_sub(*at) < GROUP_KEPT_NS);
    }
}

/// Checks that a clock that was set back does not keep a channel silent.
fn is_lately(at: i64, now: Timestamp) -> bool {
    (0..POSTS_TIME_NS).contains(&now.0.saturating_sub(at))
}

/// How a channel does, for the API and the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChannelHealth {
    /// When something was delivered last.
    pub last_success: Option<String>,
    /// When an attempt failed last.
    pub last_failure: Option<String>,
    /// Why.
    pub last_error: Option<String>,
    /// How many messages wait.
    pub waiting: usize,
    /// Whether the last attempt failed.
    pub failing: bool,
}

#[cfg(test)]
mod tests;
