//! What is counted of an issue, as it is saved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use types::Timestamp;

use super::deaths::Deaths;
use super::signature::{ErrorEvent, cut};

/// Versions and hosts of an issue that are listed; events of further ones count all the same.
const VERSIONS_MAX: usize = 30;
const HOSTS_MAX: usize = 50;

/// Longest name of a version or host.
const NAME_BYTES_MAX: usize = 120;

/// Hours whose counts are kept: two weeks, so that a week can be compared with the one before.
const HOURS_MAX: i64 = 14 * 24;

/// Masked texts of an issue that new ones are compared with, and the longest of them.
const TEXTS_MAX: usize = 16;

/// Hashes of masked texts by which an issue is found at once.
const KEYS_MAX: usize = 300;

/// Ids of traces that are kept, the newest.
const TRACES_MAX: usize = 5;

/// Everything that is counted: how far, and the issues by their ids.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct IssueCounts {
    pub(super) position: Position,
    pub(super) issues: BTreeMap<String, IssueRecord>,
    /// Issues whose patterns turned out to be one, by the id of the one that is no more.
    pub(super) joined: BTreeMap<String, String>,
}

/// How far events were looked at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(super) struct Position {
    /// The last event that was looked at.
    pub(super) sequence: u64,
    /// Whether events were ever looked at.
    pub(super) is_begun: bool,
}

/// What is counted of an issue.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(super) struct IssueRecord {
    pub(super) group: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) service: Option<String>,
    pub(super) title: String,
    pub(super) pattern: String,
    #[serde(default)]
    pub(super) rule: Rule,
    /// What a change of the rule made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// Functions of a stack trace, innermost first; none for a pattern of messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) frames: Vec<String>,
    /// When its events happened, nanoseconds since the Unix epoch.
    pub(super) first: i64,
    pub(super) last: i64,
    /// The newest event.
    pub(super) last_id: String,
    pub(super) count: u64,
    /// Counts by hours since the Unix epoch.
    #[serde(default)]
    pub(super) hours: BTreeMap<i64, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) versions: BTreeMap<String, Seen>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) hosts: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) traces: Vec<String>,
    /// Deaths of programs among its events.
    #[serde(default, skip_serializing_if = "Deaths::is_empty")]
    pub(super) deaths: Deaths,
    /// The position of the event that began it.
    pub(super) began: u64,
    #[serde(default)]
    pub(super) texts: Vec<String>,
    #[serde(default)]
    pub(super) keys: BTreeSet<u64>,
    /// The event that contradicts the decision with this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) back: Option<Back>,
    /// A notification that is to be queued, and the number of those that were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) notice: Option<Notice>,
    #[serde(default)]
    pub(super) n_notices: u32,
    /// What channels were notified of and that has not ended since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) open_notice: Option<OpenNotice>,
}

/// The rule by which errors with a stack trace are one issue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rule {
    /// That of [`former`](super::former).
    #[default]
    Former,
    /// It began by the former rule, and errors of the current one were found to be its.
    Both,
    Current,
}

/// Events of a version.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Seen {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: u64,
}

/// The event with which an issue came back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Back {
    /// The revision of the decision.
    pub(super) revision: u64,
    pub(super) at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
}

/// What channels were notified of, and when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct OpenNotice {
    pub(super) kind: Notice,
    pub(super) since: i64,
}

/// What channels are to be notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Notice {
    /// The first event of an issue.
    New,
    /// A resolved issue is back.
    Regressed,
    /// An ignored issue reached what it was ignored until.
    Reopened,
    /// Its program dies again and again.
    Restarting,
}

impl IssueRecord {
    /// Counts an event.
    pub(super) fn count(&mut self, event: &ErrorEvent, now: Timestamp) {
        // A clock that is ahead must not make an issue look newer than it is.
        let at = event.id.timestamp.0.min(now.0);
        if self.count == 0 {
            (self.first, self.last, self.began) = (at, i64::MIN, event.id.sequence);
        }
        self.count += 1;
        self.first = self.first.min(at);
        if at >= self.last {
            (self.last, self.last_id) = (at, event.id.encode());
        }
        *self.hours.entry(at.div_euclid(Timestamp::HOUR)).or_default() += 1;
        let oldest = now.0.div_euclid(Timestamp::HOUR) - HOURS_MAX;
        while self.hours.first_key_value().is_some_and(|(hour, _)| *hour <= oldest) {
            self.hours.pop_first();
        }
        if let Some(version) = name_of(event.version.as_deref()) {
            self.count_version(version, at);
        }
        if let Some(host) = name_of(event.host.as_deref())
            && (self.hosts.len() < HOSTS_MAX || self.hosts.contains_key(host))
        {
            *self.hosts.entry(host.to_owned()).or_default() += 1;
        }
        if let Some(trace) =
            name_of(event.trace_id.as_deref()).filter(|id| !self.traces.iter().any(|known| known == id))
        {
            self.traces.push(trace.to_owned());
            let n_over = self.traces.len().saturating_sub(TRACES_MAX);
            self.traces.drain(..n_over);
        }
    }

    fn count_version(&mut self, version: &str, at: i64) {
        if self.versions.len() >= VERSIONS_MAX && !self.versions.contains_key(version) {
            // The version that was seen longest ago gives way.
            let oldest = self.versions.iter().min_by_key(|(_, seen)| seen.last).map(|(name, _)| name.clone());
            oldest.map(|oldest| self.versions.remove(&oldest));
        }
        let seen = self.versions.entry(version.to_owned()).or_insert(Seen { first: at, last: at, count: 0 });
        (seen.first, seen.last, seen.count) = (seen.first.min(at), seen.last.max(at), seen.count + 1);
    }

    /// Notes a masked text as one of this issue.
    pub(super) fn note_text(&mut self, text: &str, key: u64) -> bool {
        if self.texts.len() < TEXTS_MAX {
            self.texts.push(text.to_owned());
        }
        self.keys.len() < KEYS_MAX && self.keys.insert(key)
    }

    /// Adds what was counted of an issue whose pattern is the same.
    pub(super) fn absorb(&mut self, other: Self) {
        if other.last > self.last {
            (self.last, self.last_id) = (other.last, other.last_id);
        }
        self.first = self.first.min(other.first);
        self.count += other.count;
        other.hours.iter().for_each(|(hour, n)| *self.hours.entry(*hour).or_default() += n);
        for (version, seen) in other.versions {
            let own = self.versions.entry(version).or_insert(Seen { count: 0, ..seen });
            *own =
                Seen { first: own.first.min(seen.first), last: own.last.max(seen.last), count: own.count + seen.count };
        }
        other.hosts.into_iter().for_each(|(host, n)| *self.hosts.entry(host).or_default() += n);
        self.deaths.absorb(other.deaths);
        for text in other.texts {
            if self.texts.len() < TEXTS_MAX && !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
        for key in other.keys {
            if self.keys.len() < KEYS_MAX {
                self.keys.insert(key);
            }
        }
    }
}

fn name_of(name: Option<&str>) -> Option<&str> {
    name.map(|name| cut(name.trim(), NAME_BYTES_MAX)).filter(|name| !name.is_empty())
}

/// Returns the id of the issue that begins with a signature at a place: the same wherever and whenever it is computed.
pub(super) fn id_of(group: &str, service: Option<&str>, key: &str) -> String {
    let digest = Sha256::digest(format!("{group}\0{}\0{key}", service.unwrap_or_default()).as_bytes());
    types::hexadecimal(&digest[..8])
}
