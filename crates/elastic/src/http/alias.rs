//! Aliases as documents of the control store.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `elastic-alias` | the alias | `{"indices": […]}`: names and patterns of groups |

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The kind of the documents.
pub(super) const KIND: &str = "elastic-alias";

/// An alias.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Alias {
    pub(super) indices: BTreeSet<String>,
}

/// All aliases by name.
pub(super) type Aliases = BTreeMap<String, Alias>;
