//! Groups of the server itself.

/// How groups begin that are the server's own.
pub const OWN_GROUPS: &str = "catat/";

/// The group of what the server itself writes down; no sender may write to it.
pub const AUDIT_GROUP: &str = "catat/audit";
