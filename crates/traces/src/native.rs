//! The native routes.

pub(crate) mod density;
pub(crate) mod map;
pub(crate) mod search;
pub(crate) mod trace;
