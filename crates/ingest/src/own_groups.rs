//! Groups of the server itself.

/// How groups begin that are the server's own.
pub const OWN_GROUPS: &str = "catat/";

/// The group of the history of alarms; no sender may write to it.
pub const ALARMS_GROUP: &str = "catat/alarms";

/// The group of what the server itself writes down; no sender may write to it.
pub const AUDIT_GROUP: &str = "catat/audit";
