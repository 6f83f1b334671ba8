//! Announcements: notifications that are not about a rule, such as the first event of a new issue.
//!
//! Channels receive them that name the topic of the announcement: a channel without topics receives what rules find, and
//! would receive the same errors twice. Scopes, conditions and silences hold as for alerts. An announcement goes into the
//! queues of alerts, so it survives a restart and is repeated under one id until it is delivered.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use types::{Timestamp, ensure};

use super::Alerts;
use crate::engine::RuleEngine;
use crate::notify::{Notification, notification};
use crate::state_file::StateError;
use crate::state_store::{StateKind, StateStore};

/// Something that channels are notified of without a rule.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// What is given as the rule.
    pub source: &'static str,
    /// The topic that a channel must name.
    pub topic: &'static str,
    /// The log group that it is about.
    pub group: String,
    /// Its labels; together with its beginning they are its identity.
    pub labels: BTreeMap<String, String>,
    /// Texts for people.
    pub annotations: BTreeMap<String, String>,
    /// Its value.
    pub value: Json,
    /// The pattern of its events.
    pub pattern: String,
    /// When it began.
    pub starts_at: Timestamp,
    /// When it ended; none while it lasts.
    pub ends_at: Option<Timestamp>,
    /// How many notifications of this alert came before; 0 for the first.
    pub nth: u32,
    /// Where the page shows it, below the server's address.
    pub path: String,
}

impl Alerts {
    /// Queues announcements for the channels that receive them. They are durable when this returns.
    ///
    /// # Errors
    /// If the state cannot be saved, or if another node of the fleet sends notifications; nothing is queued then.
    pub fn announce(&self, announcements: &[Announcement]) -> Result<(), AnnouncementError> {
        self.engine.queue_announcements(announcements, self.clock.now())
    }

    /// Returns the base address of the page, for links.
    pub fn base_url(&self) -> &str {
        &self.engine.base_url
    }

    /// Opens a state that is saved where the state of alerts is.
    ///
    /// # Errors
    /// If it cannot be read, or a later version wrote it.
    pub fn open_state<T: serde::de::DeserializeOwned + Default>(
        &self,
        kind: &StateKind,
    ) -> Result<(StateStore, T), StateError> {
        let leased = self.store.as_ref().and_then(|store| store.leased_state(kind.shared));
        StateStore::open(kind, &self.dir, leased)
    }
}

/// Why announcements were not queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("notifications not queued: {0}")]
pub struct AnnouncementError(pub String);

impl RuleEngine {
    /// Queues announcements and saves them.
    pub(crate) fn queue_announcements(
        &self,
        announcements: &[Announcement],
        now: Timestamp,
    ) -> Result<(), AnnouncementError> {
        let mut inner = self.locked();
        ensure!(inner.is_leading, AnnouncementError("another node of the fleet sends them".into()));
        let mut kept = inner.kept.clone();
        let mut is_any = false;
        for one in announcements {
            let topics = [one.topic.to_owned()];
            let groups = [one.group.clone()];
            if inner.silences.iter().any(|silence| silence.holds(&groups, &one.labels, now)) {
                continue;
            }
            for channel in &inner.active.channels {
                let is_named = channel.topics.contains(&topics[0]);
                let hears = is_named && channel.hears(&topics, &groups, &one.labels);
                if !hears || one.ends_at.is_some() && !channel.send_resolved {
                    continue;
                }
                let mut made = self.notification_of(one, &channel.name, now);
                made.group = channel.group_of(&one.labels);
                kept.queues.push(&channel.name, made);
                is_any = true;
            }
        }
        if !is_any {
            return Ok(());
        }
        ensure!(self.commit(&mut inner, kept), AnnouncementError(inner.save_error.clone().unwrap_or_default()));
        drop(inner);
        self.tell_channels();
        Ok(())
    }

    fn notification_of(&self, one: &Announcement, channel: &str, now: Timestamp) -> Notification {
        let body = json!({
            "id": "",
            "rule": one.source,
            "status": "firing",
            "labels": one.labels,
            "annotations": one.annotations,
            "value": one.value,
            "starts_at": one.starts_at.to_string(),
            "ends_at": null,
            "events": [],
            "pattern": one.pattern,
            "url": format!("{}{}", &self.base_url, one.path),
        });
        notification(&body, channel, one.ends_at.map(|at| at.0), one.nth, now)
    }
}
