//! What channels are told about an issue.

use std::collections::BTreeMap;

use alert::Announcement;
use types::Timestamp;

use super::record::{IssueRecord, Notice};
use super::view::{query_of, url_of};

/// The topic that a channel names to be notified of issues.
pub(super) const TOPIC: &str = "issues";

impl IssueRecord {
    /// Returns when what channels are notified of began.
    pub(super) fn notice_start(&self) -> i64 {
        match (self.notice, &self.back) {
            (Some(Notice::Regressed | Notice::Reopened), Some(back)) => back.at,
            (Some(Notice::New), _) => self.first,
            _ => self.open_notice.map_or(self.first, |open| open.since),
        }
    }

    /// Returns the kind under which channels know the alert; a restart loop updates the alert that they already have.
    pub(super) fn notice_kind(&self) -> Notice {
        let notice = self.notice.filter(|notice| *notice != Notice::Restarting);
        notice.or(self.open_notice.map(|open| open.kind)).unwrap_or(Notice::New)
    }
}

/// Returns the announcement of an issue, or of its end.
pub(super) fn announcement(id: &str, record: &IssueRecord, ends_at: Option<Timestamp>) -> Announcement {
    let kind = record.notice_kind();
    let (name, verb) = match kind {
        Notice::New | Notice::Restarting => ("new issue", "new"),
        Notice::Regressed => ("regressed issue", "back after it was resolved"),
        Notice::Reopened => ("issue no longer ignored", "no longer ignored"),
    };
    let mut labels: BTreeMap<String, String> = BTreeMap::from([
        ("alertname".into(), name.into()),
        ("issue".into(), id.into()),
        ("@log".into(), record.group.clone()),
        ("severity".into(), "error".into()),
    ]);
    labels.extend(record.service.clone().map(|service| ("service".into(), service)));
    let place = record.service.as_deref().map(|service| format!(" {service}")).unwrap_or_default();
    let back = record.back.as_ref().filter(|_| kind == Notice::Regressed);
    let version = back.and_then(|back| back.version.as_ref()).map(|version| format!(" with version {version}"));
    let is_update = record.notice == Some(Notice::Restarting);
    let verb = if is_update { String::new() } else { format!(", {verb}{}", version.unwrap_or_default()) };
    let restarts = record.deaths.loops().first().map(|one| format!(", {}", one.sentence(record.service.as_deref())));
    let restarts = restarts.unwrap_or_default();
    let summary = format!("{} in{place} ({}){verb}{restarts}", record.title, record.group);
    Announcement {
        source: "issues",
        topic: TOPIC,
        group: record.group.clone(),
        labels,
        annotations: BTreeMap::from([("summary".into(), summary)]),
        value: record.count.into(),
        pattern: record.pattern.clone(),
        starts_at: Timestamp(record.notice_start()),
        ends_at,
        nth: if is_update { record.n_notices } else { 0 },
        path: url_of(record, &query_of(&[record]), record.first, record.last),
    }
}
