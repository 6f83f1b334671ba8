//! An incident as it is stored, and what follows from its items.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use types::{GroupPattern, GroupScope, Timestamp};

use crate::author::Author;

/// An incident.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Incident {
    /// Its identity.
    pub id: String,
    /// Counts changes.
    pub version: u64,
    /// What failed, in a few words.
    pub title: String,
    /// What happened and why, for the post-mortem.
    #[serde(default)]
    pub summary: String,
    /// Services that failed.
    #[serde(default)]
    pub services: Vec<String>,
    /// Patterns of the groups that it is about; none for all.
    #[serde(default)]
    pub groups: Vec<String>,
    /// When it began, nanoseconds since the Unix epoch; so for the other times.
    pub began: Option<i64>,
    /// When it was noticed.
    pub detected: Option<i64>,
    /// When it no longer had an effect.
    pub mitigated: Option<i64>,
    /// When its cause was removed.
    pub remediated: Option<i64>,
    /// Whether people have set the times that alerts set otherwise.
    #[serde(default)]
    pub is_detected_by_hand: bool,
    /// See `is_detected_by_hand`.
    #[serde(default)]
    pub is_mitigated_by_hand: bool,
    /// Its timeline.
    #[serde(default)]
    pub items: Vec<IncidentItem>,
    /// Who made it, and when.
    pub created_by: String,
    /// See `created_by`.
    pub created: i64,
    /// When it was changed last.
    pub changed: i64,
}

types::named! {
    /// Kinds of items.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
    #[serde(rename_all = "lowercase")]
    pub enum ItemKind {
        /// Something that somebody says.
        #[default]
        Note = "note",
        /// An alert.
        Alert = "alert",
        /// A deploy or another mark.
        Mark = "mark",
        /// A log event.
        Event = "event",
        /// A query, and the chart or table of its answer.
        Query = "query",
        /// An issue.
        Issue = "issue",
        /// A trace.
        Trace = "trace",
    }
}

/// An item of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct IncidentItem {
    /// Its identity within the incident.
    pub id: String,
    /// What it is.
    pub kind: ItemKind,
    /// When it happened, nanoseconds since the Unix epoch.
    pub at: i64,
    /// When it ended: of alerts and marks that last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// What it says: a note, the text of an event, the summary of an alert, the title of a chart.
    pub text: String,
    /// The id of the alert, mark, event, issue or trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The query of a chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The group of an event, the groups of a query, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
    /// Where the page shows it, below the server's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who added it, and when.
    pub by: String,
    /// See `by`.
    pub added: i64,
}

impl IncidentItem {
    fn to_json(&self) -> Json {
        json!({
            "id": self.id,
            "kind": self.kind,
            "at": Timestamp(self.at).to_string(),
            "until": self.until.map(|until| Timestamp(until).to_string()),
            "text": self.text,
            "reference": self.reference,
            "query": self.query,
            "groups": self.groups,
            "url": self.url,
            "by": self.by,
            "added": Timestamp(self.added).to_string(),
        })
    }
}

impl Incident {
    /// Returns an incident without a title, about the groups of its author.
    pub(super) fn new(id: String, by: &Author, now: Timestamp) -> Self {
        let groups = if by.scope.is_everything() { None } else { by.scope.texts() }.unwrap_or_default();
        let (created_by, created, changed) = (by.name.clone(), now.0, now.0);
        Self { id, version: 1, groups, created_by, created, changed, ..Self::default() }
    }

    /// Reports whether all groups that it is about are within a scope.
    pub(super) fn is_within(&self, scope: &GroupScope) -> bool {
        scope.is_everything() || !self.groups.is_empty() && self.groups.iter().all(|group| scope.admits(group))
    }

    /// Reports whether a group is one of those that it is about.
    pub fn is_about(&self, group: &str) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|pattern| GroupPattern::new(pattern).matches(group))
    }

    /// Returns when it began, as far as is known.
    pub fn start(&self) -> i64 {
        self.began.or(self.detected).unwrap_or(self.created)
    }

    /// Returns when it ended: when it had no effect any more, or when it was repaired.
    pub fn end(&self) -> Option<i64> {
        self.mitigated.or(self.remediated)
    }

    /// Returns the time from its beginning to another of its times, if both are known.
    pub fn since_began(&self, at: Option<i64>) -> Option<i64> {
        Some((at? - self.began?).max(0))
    }

    /// Returns it as the API has it: times as text, and how long each took.
    pub fn to_json(&self) -> Json {
        let time = |at: Option<i64>| at.map(|at| Timestamp(at).to_string());
        let ms = |at: Option<i64>| self.since_began(at).map(|ns| ns / Timestamp::MILLISECOND);
        let items: Vec<Json> = self.items.iter().map(IncidentItem::to_json).collect();
        json!({
            "id": self.id,
            "version": self.version,
            "title": self.title,
            "summary": self.summary,
            "services": self.services,
            "groups": self.groups,
            "state": if self.remediated.is_some() { "remediated" } else if self.mitigated.is_some() { "mitigated" } else { "open" },
            "began": time(self.began),
            "detected": time(self.detected),
            "mitigated": time(self.mitigated),
            "remediated": time(self.remediated),
            "ttd_ms": ms(self.detected),
            "ttm_ms": ms(self.mitigated),
            "ttr_ms": ms(self.remediated),
            "items": items,
            "created_by": self.created_by,
            "created": time(Some(self.created)),
            "changed": time(Some(self.changed)),
        })
    }

    pub(super) fn waits_for_alerts(&self) -> bool {
        self.items.iter().any(|item| item.kind == ItemKind::Alert && item.until.is_none())
    }

    /// Returns the incident with the ends of alerts that fire no more; none if all fire.
    pub(super) fn with_ended_alerts(&self, fires: &dyn Fn(&str) -> bool, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mut is_changed = false;
        for item in next.items.iter_mut().filter(|item| item.kind == ItemKind::Alert && item.until.is_none()) {
            if item.reference.as_deref().is_some_and(|id| !fires(id)) {
                (item.until, is_changed) = (Some(now.0), true);
            }
        }
        (next.version, next.changed) = (self.version + 1, now.0);
        next.set_times();
        is_changed.then_some(next)
    }

    /// Sets the times that follow from alerts, unless people have set them.
    pub(super) fn set_times(&mut self) {
        let alerts = || self.items.iter().filter(|item| item.kind == ItemKind::Alert);
        let first = alerts().map(|item| item.at).min();
        let has_open = alerts().any(|item| item.until.is_none());
        let last = alerts().filter_map(|item| item.until).max().filter(|_| !has_open);
        if !self.is_detected_by_hand {
            self.detected = first;
        }
        if !self.is_mitigated_by_hand {
            self.mitigated = last;
        }
    }
}
