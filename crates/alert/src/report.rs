//! Reports: letters that people ask for at times, such as a dashboard every morning.
//!
//! A report goes to the channels of type `email` that name its topic. It goes into the queues of alerts, in one save with the
//! time that it is for: so it is sent once for each time, also in a fleet and across restarts, and repeated under one id until
//! it is delivered. The file that comes with it is a document of the control store until no channel waits for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use storage::Store;
use types::Timestamp;

use crate::PostError;

/// The kind of documents with what is enclosed in letters.
pub(crate) const ENCLOSURE: &str = "report-enclosure";

/// A report of one time.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of its definition.
    pub name: String,
    /// The time that it is for.
    pub due: Timestamp,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// The file that is enclosed.
    pub enclosure: Option<Enclosure>,
    /// The topic that channels must name.
    pub topic: String,
    /// The groups that it is about; none for all.
    pub groups: Vec<String>,
}

/// A page that comes with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// The name of the file.
    pub name: String,
    /// The page.
    pub html: String,
}

/// What became of the report that was sent last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SentReport {
    /// The time that it was for, in nanoseconds.
    pub due: i64,
    /// By channel.
    pub channels: BTreeMap<String, ReportDelivery>,
}

/// What became of a report in one channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReportDelivery {
    /// When it was delivered, in nanoseconds; none while it waits, or where it was given up.
    pub delivered_at: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
    /// Whether it is tried no more.
    pub is_given_up: bool,
}

impl Report {
    /// Returns the name of the document with what is enclosed.
    pub(crate) fn key(&self) -> String {
        format!("{}@{}", self.name, self.due.0)
    }

    /// Returns what is notified.
    pub(crate) fn body(&self) -> Json {
        let enclosure = self.enclosure.as_ref().map(|_| self.key());
        json!({
            "id": "",
            "rule": self.name,
            "labels": {"report": self.name},
            "annotations": {"summary": self.subject, "message": self.text},
            "value": null,
            "starts_at": self.due.to_string(),
            "events": [],
            "pattern": null,
            "url": "",
            "report": {"name": self.name, "due": self.due.0, "enclosure": enclosure},
        })
    }
}

impl SentReport {
    /// Notes the outcome of an attempt to deliver `body`, if it was about this report.
    pub(crate) fn note(
        reports: &mut BTreeMap<String, Self>,
        body: &Json,
        channel: &str,
        (result, is_done): (&Result<(), PostError>, bool),
        now: Timestamp,
    ) {
        let about = &body["report"];
        let sent = about["name"].as_str().and_then(|name| reports.get_mut(name));
        let Some(sent) = sent.filter(|sent| about["due"] == sent.due) else { return };
        let error = result.as_ref().err().map(ToString::to_string);
        let delivered_at = error.is_none().then_some(now.0);
        let is_given_up = is_done && error.is_some();
        sent.channels.insert(channel.to_owned(), ReportDelivery { delivered_at, error, is_given_up });
    }
}

/// Puts the file of a report into its message, if it is one.
pub(crate) fn enclose(store: Option<&Store>, message: &mut Json) -> Result<(), PostError> {
    let (Some(key), Some(store)) = (message["report"]["enclosure"].as_str(), store) else { return Ok(()) };
    let unread = |error: String| PostError::Retry { after: None, reason: format!("the file of the report: {error}") };
    let json = store.settings().get(ENCLOSURE, key).map_err(|error| unread(error.to_string()))?;
    let enclosure: Option<Json> =
        json.map(|json| serde_json::from_str(&json)).transpose().map_err(|error| unread(error.to_string()))?;
    message["enclosure"] = enclosure.unwrap_or_default();
    Ok(())
}
