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
            (Some(_), _) => self.first,
            (None, _) => self.open_notice.map_or(self.first, |open| open.since),
        }
    }
}

/// Returns the announcement of an issue, or of its end.
pub(super) fn announcement(id: &str, record: &IssueRecord, ends_at: Option<Timestamp>) -> Announcement {
    let kind = record.notice.or(record.open_notice.map(|open| open.kind)).unwrap_or(Notice::New);
    let (name, verb) = match kind {
        Notice::New => ("new issue", "new"),
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
    let summary = format!("{} in{place} ({}), {verb}{}", record.title, record.group, version.unwrap_or_default());
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
        path: url_of(record, &query_of(&[record]), record.first, record.last),
    }
}
