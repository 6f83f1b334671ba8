//! What survives a restart: states of rules, and notifications that are still to be sent.
//!
//! On a machine of its own it is one file, `alerts.state`: a line of JSON {format, version, xxh3}, a newline, the state as JSON, which the
//! checksum covers. It is written next to its place, synced and renamed, so it is whole at any moment. A damaged
//! file is set aside and named; alerts that fire then fire again. In a fleet it is in the control store.

use std::collections::BTreeMap;
use std::fs::{self};
use std::path::Path;

use serde::{Deserialize, Serialize};
use storage::Store;

use crate::channel_state::ChannelState;
use crate::evaluate::Sets;
use crate::labels::Labels;
use crate::notify::Queues;
use crate::report::SentReport;
use crate::state_file::{StateError, decode};
use crate::state_store::{StateKind, StateStore};

/// The file of alerts, and what it calls itself.
const FILE: (&str, &str) = ("alerts.state", "catat-alerts");

/// The file of issues, and what it calls itself. It lies next to that of alerts, and is refused with it if it is newer.
pub const ISSUES_STATE: (&str, &str) = ("issues.state", "catat-issues");

/// The form in which the state is saved. Each alert of a channel is a record of its own, since there may be many.
const KIND: StateKind =
    StateKind { file: FILE, shared: "alerts", depth: |section| if section == "desks" { 4 } else { 2 } };

/// Opens the state of alerts: that of the fleet of `store`, else that below `dir`, which is created if it is missing.
pub(crate) fn open(dir: &Path, store: Option<&Store>) -> Result<(StateStore, AlertState), StateError> {
    StateStore::open(&KIND, dir, store.and_then(|store| store.leased_state(KIND.shared)))
}

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlertState {
    /// By rule name.
    pub(crate) rules: BTreeMap<String, RuleState>,
    /// Notifications to send, by channel name.
    pub(crate) queues: Queues,
    /// Alerts that fire, by their labels.
    #[serde(default)]
    pub(crate) fired: BTreeMap<String, ActiveAlert>,
    /// States of channels, by name.
    #[serde(default, rename = "desks")]
    pub(crate) channels: BTreeMap<String, ChannelState>,
    /// The report that was sent last, by the name of its definition.
    #[serde(default)]
    pub(crate) reports: BTreeMap<String, SentReport>,
}

/// An alert that fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ActiveAlert {
    pub(crate) rule: String,
    /// Groups and topics of the rule.
    pub(crate) groups: Vec<String>,
    pub(crate) topics: Vec<String>,
    /// Whether its rule sends no notifications.
    #[serde(default)]
    pub(crate) is_quiet: bool,
    /// Whether subscriptions are told by messages of its own: those of the actions of an alarm.
    #[serde(default)]
    pub(crate) has_actions: bool,
    pub(crate) labels: Labels,
    pub(crate) starts_at: i64,
    /// When it ended, until channels are notified.
    pub(crate) ends_at: Option<i64>,
    /// Its part of a notification.
    pub(crate) body: serde_json::Value,
    /// Traces of its events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) traces: Vec<String>,
    pub(crate) acknowledged: Option<Acknowledgement>,
}

/// The acknowledgement of an alert by a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
    /// What they say about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// What is kept of one rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RuleState {
    pub(crate) sets: Sets,
    /// When it was evaluated last, nanoseconds since the Unix epoch.
    pub(crate) evaluated_at: Option<i64>,
    /// Why it is in the state it is in.
    pub(crate) why: String,
    /// Why the last evaluation gave nothing, if it did not.
    pub(crate) error: Option<String>,
    /// What was asked ([`crate::Rule::meaning`]); where a rule asks something else now, its sets are of no use.
    pub(crate) meaning: Option<u64>,
    /// The memory of the judge of an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alarm: Option<serde_json::Value>,
}

/// Refuses the state of alerts and metrics below `dir` where a later version wrote it. Nothing is changed.
///
/// # Errors
/// The file, its format and the one known.
pub fn check_state(dir: &Path) -> Result<(), String> {
    for (name, format) in [FILE, crate::metrics::STATE_FILE, ISSUES_STATE] {
        let path = dir.join(name);
        let Ok(bytes) = fs::read(&path) else { continue };
        if let Err(Some(found)) = decode::<serde::de::IgnoredAny>(&bytes, format) {
            return Err(StateError::Newer { path, found }.to_string());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
