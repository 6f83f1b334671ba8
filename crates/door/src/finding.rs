//! What `catat doctor` says of a machine, a store and their settings.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How bad a finding is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Events or answers are lost, refused or missing now, or will be after the next crash.
    Problem,
    /// It works, and may not for long.
    Warning,
    /// Good to know.
    Note,
    /// The check found nothing.
    Ok,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the check.
    pub check: String,
    /// What is wrong, or what was found to be right.
    pub message: String,
    /// What to do; empty if the message says it, or nothing is to be done.
    pub advice: String,
}

/// Looks at the machine, the settings and the data directory of this server. Blocks, for some seconds at most.
pub type Examine = Arc<dyn Fn() -> Vec<Finding> + Send + Sync>;

impl Finding {
    /// Returns the finding of a check.
    pub fn new(severity: Severity, check: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { severity, check: check.to_owned(), message: message.into(), advice: advice.into() }
    }
}
