//! Sends reports, and says what became of them.

use super::Alerts;
use crate::report::{ENCLOSURE, Report, SentReport};

/// Why a report was not queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("report not queued: {0}")]
pub struct ReportError(pub String);

impl Alerts {
    /// Queues a report, unless that of its time was queued before. It is durable when this returns.
    ///
    /// # Errors
    /// If it cannot be saved, or if another node of the fleet sends notifications; nothing is queued then.
    pub fn send_report(&self, report: &Report) -> Result<(), ReportError> {
        if self.sent_report(&report.name).is_some_and(|sent| sent.due >= report.due.0) {
            return Ok(());
        }
        if let (Some(store), Some(enclosure)) = (&self.store, &report.enclosure) {
            let json = serde_json::to_string(enclosure).map_err(|error| ReportError(error.to_string()))?;
            let kept = store.settings().put(ENCLOSURE, &report.key(), &json);
            kept.map_err(|error| ReportError(error.to_string()))?;
        }
        let queued = self.engine.queue_report(report, self.clock.now());
        self.forget_enclosures();
        queued.map_err(ReportError)
    }

    /// Returns what became of the report that was sent last under a name.
    pub fn sent_report(&self, name: &str) -> Option<SentReport> {
        self.engine.sent_report(name)
    }

    /// Returns the channels of type `email` that name a topic.
    pub fn report_channels(&self, topic: &str) -> Vec<String> {
        let active = self.engine.active_rules();
        let named = active.channels.iter().filter(|channel| channel.takes_reports(topic));
        named.map(|channel| channel.name.clone()).collect()
    }

    /// Forgets what became of reports that are no more, and the files that no channel waits for.
    ///
    /// # Errors
    /// If that cannot be saved.
    pub fn forget_reports(&self, is_there: impl Fn(&str) -> bool) -> Result<(), ReportError> {
        self.forget_enclosures();
        self.engine.forget_reports(is_there).map_err(ReportError)
    }

    fn forget_enclosures(&self) {
        let Some(store) = self.store.as_ref().filter(|_| self.engine.is_leading()) else { return };
        let Ok(all) = store.settings().all(ENCLOSURE) else { return };
        for (key, _) in all.iter().filter(|(key, _)| !self.engine.holds_report(key)) {
            if let Err(error) = store.settings().remove(ENCLOSURE, key) {
                tracing::warn!(key, %error, "the file of a report that was sent is still in the control store");
            }
        }
    }
}
