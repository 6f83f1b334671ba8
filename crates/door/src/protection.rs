//! Groups that are protected: neither they nor events of them may be deleted by hand, whatever protocol asks.
//!
//! A document of kind `protection` in the control store, named like the group, protects it. Retention still applies.

use std::collections::BTreeSet;

use storage::Settings;
use types::GroupName;

use crate::problem::{Problem, Result};

const KIND: &str = "protection";

/// Returns the names of the groups that are protected.
///
/// # Errors
/// If the control store fails; so for the other functions.
pub fn protected(settings: Settings<'_>) -> Result<BTreeSet<String>> {
    Ok(settings.all(KIND)?.into_iter().map(|(name, _)| name).collect())
}

/// Protects a group.
pub fn protect(settings: Settings<'_>, group: &GroupName) -> Result<()> {
    Ok(settings.put(KIND, group.as_str(), "{}")?)
}

/// Ends the protection of a group.
pub fn end_protection(settings: Settings<'_>, group: &GroupName) -> Result<()> {
    Ok(settings.remove(KIND, group.as_str())?)
}

/// Refuses to delete anything of a group that is protected.
pub(crate) fn check(settings: Settings<'_>, group: &GroupName) -> Result<()> {
    if !protected(settings)?.contains(group.as_str()) {
        return Ok(());
    }
    let message = format!("the group {group} is protected from deletion");
    let problem = Problem::conflict("group-protected", message);
    Err(problem.hint("PutLogGroupDeletionProtection of CloudWatch's API ends the protection"))
}
