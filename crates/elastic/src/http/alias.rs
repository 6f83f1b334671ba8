//! Aliases as the control store has them, and the groups that they stand for.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `elastic-alias` | the alias | `{"indices": […]}`: names and patterns of groups |

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The kind of documents that aliases are.
pub(super) const KIND: &str = "elastic-alias";

/// An alias as the control store has it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Alias {
    pub(super) indices: BTreeSet<String>,
}

/// Names and patterns of groups by the aliases that stand for them.
pub(super) type Aliases = BTreeMap<String, Alias>;
