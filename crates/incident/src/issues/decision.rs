//! What people decide about issues, as documents of the control store (kind `issue`), by the issue's id.
//!
//! Counts never change a document, and decisions never change counts: whether a decision still holds follows from both.
//! A merge is a decision too: the issues it names are shown as parts of this one until it is undone.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use types::{Timestamp, ensure};

use super::record::IssueRecord;
use super::signature::ErrorEvent;
use crate::author::{ChangeError, Result};
use crate::incidents::present;

/// Longest name of an owner or a version, and longest note.
const NAME_CHARS_MAX: usize = 200;
const NOTE_CHARS_MAX: usize = 4_000;

types::named! {
    /// States of an issue.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
    #[serde(rename_all = "lowercase")]
    pub enum IssueState {
        /// Nobody has looked at it.
        #[default]
        Open = "open",
        /// Someone is working on it.
        Acknowledged = "acknowledged",
        /// It is repaired.
        Resolved = "resolved",
        /// It does not matter, for some time at least.
        Ignored = "ignored",
        /// It was resolved and came back. Events set this state, people cannot.
        Regressed = "regressed",
    }
}

/// How long an issue is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// Until this number of further events.
    Count(u64),
    /// Until this time, nanoseconds since the Unix epoch.
    Time(i64),
}

/// What was decided about an issue.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Decision {
    /// Counts changes of the state; events contradict one revision.
    pub revision: u64,
    /// The state that was set.
    pub state: IssueState,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What they say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Until when it is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// The version in which it is resolved, or until which it is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who set the state, and when, nanoseconds since the Unix epoch.
    pub by: String,
    /// See `by`.
    pub at: i64,
    /// Events that there were then.
    pub count: u64,
    /// Issues that were merged into this one, one list for each merge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merges: Vec<Vec<String>>,
}

/// A change of a decision, as a request has it. A member that is absent changes nothing; `null` takes the value away.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with state, owner, note, until, version")]
pub struct DecisionChange {
    /// The state.
    pub state: Option<IssueState>,
    /// Who works on it.
    #[serde(default, deserialize_with = "present")]
    pub owner: Option<Option<String>>,
    /// What they say about it.
    #[serde(default, deserialize_with = "present")]
    pub note: Option<Option<String>>,
    /// A number of events, a time, or an object with `count`, `time` or `version`.
    #[serde(default, deserialize_with = "present")]
    pub until: Option<Option<Json>>,
    /// A version.
    #[serde(default, deserialize_with = "present")]
    pub version: Option<Option<String>>,
}

impl Decision {
    /// Returns the decision with a change. `count` is the number of events until now.
    pub(super) fn changed(&self, change: DecisionChange, by: &str, count: u64, now: Timestamp) -> Result<Self> {
        let mut next = self.clone();
        if let Some(owner) = change.owner {
            next.owner = text_of("owner", owner, NAME_CHARS_MAX)?;
        }
        if let Some(note) = change.note {
            next.note = text_of("note", note, NOTE_CHARS_MAX)?;
        }
        let is_about_state = change.state.is_some() || change.until.is_some() || change.version.is_some();
        if !is_about_state {
            return Ok(next);
        }
        if change.state == Some(IssueState::Regressed) {
            return Err(ChangeError::bad("state: an issue regresses when its events come back; set open instead"));
        }
        if let Some(state) = change.state {
            (next.state, next.until, next.version) = (state, None, None);
        }
        if let Some(version) = change.version {
            next.version = text_of("version", version, NAME_CHARS_MAX)?;
        }
        if let Some(until) = change.until {
            next.until = None;
            next.set_until(until.unwrap_or_default(), now)?;
        }
        if next.until.is_some() && next.state != IssueState::Ignored {
            return Err(ChangeError::bad("until: only an ignored issue has it; set state to ignored"));
        }
        if next.version.is_some() && !matches!(next.state, IssueState::Ignored | IssueState::Resolved) {
            return Err(ChangeError::bad("version: only a resolved or ignored issue has it"));
        }
        (next.revision, next.by, next.at, next.count) = (self.revision + 1, by.to_owned(), now.0, count);
        Ok(next)
    }

    fn set_until(&mut self, until: Json, now: Timestamp) -> Result<()> {
        let bad = |what: &str| ChangeError::bad(format!("until: {what}"));
        match until {
            Json::Null => Ok(()),
            Json::Number(number) => {
                let count = number.as_u64().filter(|count| *count > 0);
                self.until = Some(Until::Count(count.ok_or_else(|| bad("a number of events is 1 or more"))?));
                Ok(())
            }
            Json::String(text) => {
                let at = plan::time::parse(&text, now, chrono_tz::UTC);
                let at = at.map_err(|_| bad("not a time; write 2026-12-01T00:00:00Z or now+7d"))?.0;
                ensure!(at > now.0, bad("the time is over already"));
                self.until = Some(Until::Time(at));
                Ok(())
            }
            Json::Object(mut members) if members.len() == 1 => {
                if let Some(version) = members.remove("version") {
                    let version = version.as_str().map(str::to_owned).ok_or_else(|| bad("version is a text"))?;
                    self.version = text_of("version", Some(version), NAME_CHARS_MAX)?;
                    return Ok(());
                }
                let value = members.remove("count").or_else(|| members.remove("time"));
                self.set_until(value.ok_or_else(|| bad("has count, time or version"))?, now)
            }
            _ => Err(bad("a number of events, a time, or an object with one of count, time, version")),
        }
    }

    /// Reports whether an event shows that the decision no longer holds.
    fn is_contradicted_by(&self, event: &ErrorEvent) -> bool {
        let is_after = event.id.timestamp.0 > self.at;
        let is_old = |version: &str| event.version.as_deref().is_some_and(|own| order(own, version) == Ordering::Less);
        match (self.state, self.version.as_deref()) {
            // Instances of older versions may go on until they are replaced.
            (IssueState::Resolved, Some(version)) => is_after && !is_old(version),
            (IssueState::Resolved, None) => is_after,
            (IssueState::Ignored, Some(version)) => event.version.is_some() && !is_old(version),
            _ => false,
        }
    }

    /// Returns the state that follows from the decision and from what was counted since.
    pub(super) fn effective(&self, parts: &[&IssueRecord], now: Timestamp) -> IssueState {
        let is_back = parts.iter().any(|part| part.back.as_ref().is_some_and(|back| back.revision == self.revision));
        match self.state {
            IssueState::Resolved if is_back => IssueState::Regressed,
            IssueState::Ignored if is_back || self.has_expired(count_of(parts), now) => IssueState::Open,
            state => state,
        }
    }

    /// Reports whether an ignored issue has reached what it was ignored until.
    pub(super) fn has_expired(&self, count: u64, now: Timestamp) -> bool {
        match self.until {
            Some(Until::Count(n)) => count.saturating_sub(self.count) >= n,
            Some(Until::Time(at)) => now.0 >= at,
            None => false,
        }
    }
}

/// Returns the events of all parts of an issue.
pub(super) fn count_of(parts: &[&IssueRecord]) -> u64 {
    parts.iter().map(|part| part.count).sum()
}

/// Decisions by issue.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Decisions {
    by_id: BTreeMap<String, Decision>,
    /// The issue that another one was merged into.
    parents: BTreeMap<String, String>,
}

impl Decisions {
    pub(super) fn new(by_id: BTreeMap<String, Decision>) -> Self {
        let merged = |(id, decision): (&String, &Decision)| {
            let parts = decision.merges.iter().flatten();
            parts.map(|part| (part.clone(), id.clone())).collect::<Vec<_>>()
        };
        let parents = by_id.iter().flat_map(merged).collect();
        Self { by_id, parents }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Decision> {
        self.by_id.get(id)
    }

    /// Returns all decisions, by issue.
    pub(super) fn all(&self) -> &BTreeMap<String, Decision> {
        &self.by_id
    }

    /// Reports whether a person has decided something about an issue.
    pub(super) fn is_decided(&self, id: &str) -> bool {
        self.by_id.contains_key(id) || self.parents.contains_key(id)
    }

    /// Returns the issue that an issue is shown as.
    pub(super) fn root<'a>(&'a self, id: &'a str) -> &'a str {
        let mut root = id;
        // Merges form trees; a damaged document must not make a circle endless.
        for _ in 0..=self.parents.len() {
            match self.parents.get(root) {
                Some(parent) => root = parent,
                None => break,
            }
        }
        root
    }

    /// Returns the revision that an event of an issue contradicts.
    pub(super) fn contradicted(&self, id: &str, event: &ErrorEvent) -> Option<u64> {
        let decision = self.by_id.get(self.root(id))?;
        decision.is_contradicted_by(event).then_some(decision.revision)
    }
}

fn text_of(member: &str, text: Option<String>, chars_max: usize) -> Result<Option<String>> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().any(|char| char.is_control() && char != '\n') {
        return Err(ChangeError::bad(format!("{member}: has control characters")));
    }
    ensure!(text.chars().count() <= chars_max, ChangeError::bad(format!("{member}: at most {chars_max} characters")));
    Ok(Some(text))
}

/// Compares versions: numbers as numbers, a pre-release (`1.2.0-rc1`) before its release.
pub(super) fn order(one: &str, other: &str) -> Ordering {
    let (one, other) = (parts_of(one), parts_of(other));
    for at in 0..one.len().max(other.len()) {
        let ordering = match (one.get(at), other.get(at)) {
            (Some(Part::Number(a)), Some(Part::Number(b))) => a.cmp(b),
            (Some(Part::Word(a)), Some(Part::Word(b))) => a.cmp(b),
            (Some(Part::Number(_)), Some(Part::Word(_))) | (Some(Part::Number(1..)), None) => Ordering::Greater,
            (Some(Part::Word(_)), Some(Part::Number(_))) | (None, Some(Part::Number(1..))) => Ordering::Less,
            (Some(Part::Word(_)), None) => Ordering::Less,
            (None, Some(Part::Word(_))) => Ordering::Greater,
            _ => Ordering::Equal,
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

enum Part {
    Number(u64),
    Word(String),
}

fn parts_of(version: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    // What follows a plus sign names a build and orders nothing.
    let version = version.split('+').next().unwrap_or(version).trim_start_matches(['v', 'V']);
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        if !first.is_alphanumeric() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let is_number = first.is_ascii_digit();
        let is_of_part = |char: &char| char.is_alphanumeric() && char.is_ascii_digit() == is_number;
        let length: usize = rest.chars().take_while(is_of_part).map(char::len_utf8).sum();
        let (part, after) = rest.split_at(length);
        let number = part.parse().ok().filter(|_| is_number);
        parts.push(number.map_or_else(|| Part::Word(part.to_lowercase()), Part::Number));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests;
