//! What one channel has been told, in what groups, and how it takes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::Timestamp;

/// Most attempts in so long a time: a person who is told more often stops to read, and a receiver in trouble is not helped
/// by more. What comes beyond that waits, and is told of in one message.
const POSTS_MAX: usize = 12;
const POSTS_TIME_NS: i64 = 10 * Timestamp::MINUTE;

/// How long a group is remembered of which nothing goes on.
const GROUP_KEPT_NS: i64 = Timestamp::HOUR;

/// What is known of a channel besides what waits for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Desk {
    /// Alerts whose beginning it was told, or will be by what waits, and whose end it was not.
    pub(crate) told: BTreeMap<String, Told>,
    /// When a message of a group was begun last.
    pub(crate) groups: BTreeMap<String, i64>,
    /// When it was tried last, oldest first.
    posts: Vec<i64>,
    pub(crate) last_success: Option<i64>,
    pub(crate) last_error: Option<Failure>,
}

/// An alert that a channel knows of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) starts_at: i64,
    pub(crate) group: String,
    /// When it was delivered last.
    pub(crate) delivered_at: Option<i64>,
    /// How often it was told again.
    pub(crate) n_repeats: u32,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) at: i64,
    pub(crate) message: String,
}

impl Desk {
    /// Takes note of an attempt.
    pub(crate) fn note_post(&mut self, now: Timestamp, failure: Option<String>) {
        // A clock that was set back must not keep a channel silent.
        self.posts.retain(|at| (0..POSTS_TIME_NS).contains(&now.0.saturating_sub(*at)));
        self.posts.push(now.0);
        match failure {
            None => self.last_success = Some(now.0),
            Some(message) => self.last_error = Some(Failure { at: now.0, message }),
        }
    }

    /// When it may be tried next; nothing where that is now.
    pub(crate) fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        let in_time = |at: &&i64| (0..POSTS_TIME_NS).contains(&now.0.saturating_sub(**at));
        let lately: Vec<i64> = self.posts.iter().filter(in_time).copied().collect();
        let first = lately.len().checked_sub(POSTS_MAX).and_then(|at| lately.get(at))?;
        Some(Timestamp(first.saturating_add(POSTS_TIME_NS)))
    }

    /// Whether it knows of an alert of a group.
    pub(crate) fn is_open(&self, group: &str) -> bool {
        self.told.values().any(|told| told.group == group)
    }

    /// Forgets groups of which nothing has gone on for long.
    pub(crate) fn forget_groups(&mut self, now: Timestamp) {
        let open: Vec<&String> = self.told.values().map(|told| &told.group).collect();
        self.groups.retain(|group, at| open.contains(&group) || now.0.saturating_sub(*at) < GROUP_KEPT_NS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_twelve_attempts_are_made_in_ten_minutes() {
        let mut desk = Desk::default();
        let (mut now, mut posts) = (Timestamp(0), Vec::new());
        for _ in 0..100 {
            now = desk.rests_until(now).unwrap_or(now);
            desk.note_post(now, None);
            posts.push(now.0);
            now.0 += Timestamp::SECOND;
        }
        assert_eq!(posts[11], 11 * Timestamp::SECOND, "the first ones wait for nothing");
        assert!(posts.windows(13).all(|window| window[12] - window[0] >= POSTS_TIME_NS));
        assert!(desk.rests_until(Timestamp(-Timestamp::HOUR)).is_none(), "a clock that was set back");
    }
}
