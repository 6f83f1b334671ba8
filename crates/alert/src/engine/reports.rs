//! Reports in the queues of channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{Timestamp, ensure};

use super::RuleEngine;
use crate::notify::notification;
use crate::report::{Report, ReportDelivery, SentReport};
use crate::{Channel, Target};

impl Channel {
    /// Reports whether it is a channel of type `email` that names a topic.
    pub(crate) fn takes_reports(&self, topic: &str) -> bool {
        let is_mail = matches!(self.target, Target::Email(_)) && self.subscription.is_none();
        is_mail && self.topics.iter().any(|own| own == topic)
    }
}

impl RuleEngine {
    /// Queues a report and notes its time, in one save. The error says why nothing was queued.
    pub(crate) fn queue_report(&self, report: &Report, now: Timestamp) -> Result<(), String> {
        let mut inner = self.locked();
        ensure!(inner.is_leading, "another node of the fleet sends them".into());
        let mut kept = inner.kept.clone();
        let (topics, labels) = ([report.topic.clone()], BTreeMap::from([("report".to_owned(), report.name.clone())]));
        let hears = |channel: &&Arc<Channel>| {
            channel.takes_reports(&report.topic) && channel.hears(&topics, &report.groups, &labels)
        };
        let mut sent = SentReport { due: report.due.0, channels: BTreeMap::new() };
        for channel in inner.active.channels.iter().filter(hears) {
            kept.queues.push(&channel.name, notification(&report.body(), &channel.name, None, 0, now));
            sent.channels.insert(channel.name.clone(), ReportDelivery::default());
        }
        kept.reports.insert(report.name.clone(), sent);
        ensure!(self.commit(&mut inner, kept), inner.save_error.clone().unwrap_or_default());
        drop(inner);
        self.tell_channels();
        Ok(())
    }

    /// Forgets what became of reports that are no more. The error says why that cannot be saved.
    pub(crate) fn forget_reports(&self, is_there: impl Fn(&str) -> bool) -> Result<(), String> {
        let mut inner = self.locked();
        if !inner.is_leading || inner.kept.reports.keys().all(|name| is_there(name)) {
            return Ok(());
        }
        let mut kept = inner.kept.clone();
        kept.reports.retain(|name, _| is_there(name));
        if self.commit(&mut inner, kept) { Ok(()) } else { Err(inner.save_error.clone().unwrap_or_default()) }
    }

    /// Returns what became of the report that was sent last under a name.
    pub(crate) fn sent_report(&self, name: &str) -> Option<SentReport> {
        self.locked().kept.reports.get(name).cloned()
    }

    /// Reports whether a channel waits for what is enclosed under a key.
    pub(crate) fn holds_report(&self, key: &str) -> bool {
        self.locked().kept.queues.bodies().any(|body| body["report"]["enclosure"] == key)
    }
}
